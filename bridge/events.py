"""What happened, and what must therefore be exported.

An :class:`Event` is made by an observer of the proxy, travels through the stream as JSON and is stored once by its
``id``. It keeps the one field that matters; passwords, tokens and card data never get this far.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Literal

import msgspec

Kind = Literal["contact", "product", "order"]
KINDS: tuple[Kind, ...] = ("contact", "product", "order")


class EntityRef(msgspec.Struct, frozen=True, order=True):
    """One thing of the shop that an Ometria record is made of.

    ``id`` is Magento's entity id for products and orders; for contacts ``customer:<entity id>`` or ``subscriber:<id of
    ours>`` (Magento's REST has no subscriber ids), since the two lists' ids overlap.
    """

    kind: Kind
    id: str


def event_id() -> str:
    """Return an id that is unique in the database."""
    return uuid.uuid4().hex


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of all events.

    ``store`` is the store view code when the traffic named it; ``host`` the shop's host name. ``visitor`` is the id of
    the visitor's cookie, absent when there is none. Times are Unix seconds.
    """

    id: str = msgspec.field(default_factory=event_id)
    at: float = msgspec.field(default_factory=time.time)
    store: str | None = None
    host: str = ""
    visitor: str | None = None


class AddedToCart(Event, frozen=True, kw_only=True, tag="added_to_cart"):
    """A product was put in the cart: ``product`` is the page's product id, ``quantity`` as asked."""

    product: str
    quantity: float = 1


class BasketChanged(Event, frozen=True, kw_only=True, tag="basket_changed"):
    """A cart line was changed or removed; ``action`` is the route's last word, such as ``updateItemQty``."""

    action: str


class Identified(Event, frozen=True, kw_only=True, tag="identified"):
    """The shop accepted this e-mail for this visitor.

    ``source`` is ``login``, ``registration``, ``newsletter`` or ``checkout``.
    """

    email: str
    source: str


class Registered(Event, frozen=True, kw_only=True, tag="registered"):
    """A customer account was made; ``subscribed`` when the newsletter box was ticked."""

    email: str
    subscribed: bool = False


class Subscribed(Event, frozen=True, kw_only=True, tag="subscribed"):
    """A newsletter form was accepted."""

    email: str


class LoggedOut(Event, frozen=True, kw_only=True, tag="logged_out"):
    """The visitor left the account."""


class OrderPlaced(Event, frozen=True, kw_only=True, tag="order_placed"):
    """The shop accepted an order: ``order`` is Magento's entity id, ``number`` the increment id the shopper sees."""

    order: str | None = None
    number: str | None = None
    guest: bool = True


class MailExpected(Event, frozen=True, kw_only=True, tag="mail_expected"):
    """The shop was asked for something that it answers by mail to this address. No visitor goes with it.

    ``mail`` is the native mail, such as ``password_forgot``. It says nothing of the person: the shop agrees to any
    address.
    """

    mail: str
    email: str


class PasswordReset(Event, frozen=True, kw_only=True, tag="password_reset"):
    """A password was set anew by a link in a mail; Magento tells nobody. No visitor goes with it.

    One of ``customer`` (Magento's entity id) and ``email`` is there, the other may be empty. Magento verifies an
    ``email`` against the link's token, but not a ``customer``, which any visitor may write into the address: then
    ``proof`` stands for the token (:func:`link_proof`), and the mail with the same link says whose it was.
    """

    customer: str = ""
    email: str = ""
    proof: str = ""


class SubscriptionTold(Event, frozen=True, kw_only=True, tag="subscription_told"):
    """The shop's own mail said how a newsletter subscription stands.

    ``status`` is ``subscribed``, ``unsubscribed``, or ``unconfirmed`` when the address is asked to confirm.
    """

    email: str
    status: Literal["subscribed", "unsubscribed", "unconfirmed"]


AnyEvent = (
    AddedToCart
    | BasketChanged
    | Identified
    | Registered
    | Subscribed
    | LoggedOut
    | OrderPlaced
    | MailExpected
    | PasswordReset
    | SubscriptionTold
)

OPERATIONAL = (OrderPlaced, MailExpected, PasswordReset)
"""Events that the shop's business needs, whether or not the visitor agreed to be tracked (DESIGN section 4)."""

URGENT = (Identified, Registered, Subscribed, LoggedOut, OrderPlaced, MailExpected, PasswordReset, SubscriptionTold)
"""Events that Redis acknowledges before the answer's last byte (DESIGN section 4)."""


def link_proof(token: str) -> str:
    """Return what stands for the token of a reset link; the token, 32 random signs, cannot be found from it."""
    return hashlib.sha256(b"bridge reset link\0" + token.encode()).hexdigest()


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode_event(event: AnyEvent) -> bytes:
    """Return the event as one line of JSON."""
    return _encoder.encode(event)


def decode_event(data: bytes) -> AnyEvent:
    """Return the event, or raise ``msgspec.ValidationError`` or ``msgspec.DecodeError``."""
    return _decoder.decode(data)
