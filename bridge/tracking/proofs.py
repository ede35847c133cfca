"""What an exchange says: its JSON, the wanted fields of its form, and whether the shop agreed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from bridge.tracking.bodies import Odd, form_fields
from bridge.tracking.cookies import last_message, set_by

if TYPE_CHECKING:
    from bridge.tracking.wire import Exchange

ENTITY_ID = re.compile(r"[0-9]{1,20}")
MISSED = frozenset({"error", "warning", "notice"})
"""Message types that come with a request that did not do what it asked."""

FRONT_NAMES = frozenset({b"checkout", b"wishlist", b"sales"})
"""What a path begins with, after a store code, of the controllers that change a cart."""

ORDER_NUMBER = re.compile(r"[^\s<>\"'&\\]{1,50}")
"""An increment id: digits mostly, with whatever prefix and suffix the shop gives each store view."""

_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")


class Username(msgspec.Struct):
    """The one field that is kept of a log-in."""

    username: str


class Customer(msgspec.Struct):
    """The one field that is kept of a new account."""

    email: str


class CustomerBody(msgspec.Struct):
    """The body of ``POST V1/customers``."""

    customer: Customer


class _Address(msgspec.Struct):
    email: str | None = None


class _Shipping(msgspec.Struct):
    snake: _Address | None = msgspec.field(default=None, name="shipping_address")
    camel: _Address | None = msgspec.field(default=None, name="shippingAddress")


class _Checkout(msgspec.Struct):
    """Where the calls of a guest's checkout carry her e-mail."""

    email: str | None = None
    billing: _Address | None = msgspec.field(default=None, name="billingAddress")
    address: _Address | None = None
    shipping: _Shipping | None = msgspec.field(default=None, name="addressInformation")

    def given(self) -> str | None:
        """Return the first e-mail that is there."""
        shipping = self.shipping or _Shipping()
        places = (self.billing, self.address, shipping.snake, shipping.camel)
        return next((email for email in (self.email, *(place and place.email for place in places)) if email), None)


def answer_json(exchange: Exchange) -> Any:
    """Return the JSON of an answer with status 200, None for every other answer."""
    if exchange.response.status != 200 or not exchange.response_body:
        return None
    return msgspec.json.decode(exchange.response_body)


def request_json(exchange: Exchange, kind: type[Any]) -> Any:
    """Return the fields of ``kind`` that the request's JSON holds; raises ``ValueError`` when it is not such JSON."""
    return msgspec.json.decode(exchange.request_body or b"", type=kind)


def form(exchange: Exchange, names: set[str]) -> dict[str, str]:
    """Return those of ``names`` that the posted form holds; raises :class:`Odd`."""
    if exchange.request_body is None:
        raise Odd("body too long")
    return form_fields(exchange.request_body, exchange.request.get(b"content-type"), names)


def email_of(value: str | None) -> str:
    """Return what looks like an e-mail address, without white space around it; raises :class:`Odd` for all else."""
    email = (value or "").strip()
    if not _EMAIL.fullmatch(email):
        raise Odd("no e-mail address")
    return email


def guest_email(exchange: Exchange) -> str | None:
    """Return the e-mail that a call of a guest's checkout carries; None when there is none to be read."""
    try:
        return email_of(request_json(exchange, _Checkout).given())
    except (ValueError, msgspec.DecodeError):
        return None


def order_id(exchange: Exchange) -> str | None:
    """Return the entity id that a placed order is answered with; None when none was placed."""
    answer = answer_json(exchange)
    if isinstance(answer, bool) or not isinstance(answer, int | str):
        return None
    return str(answer) if ENTITY_ID.fullmatch(str(answer)) else None


def number_of(value: Any) -> str | None:
    """Return an order number as text; None for what cannot be one."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if ORDER_NUMBER.fullmatch(text) else None


def bearer(exchange: Exchange) -> bytes | None:
    """Return the token that the request presents; None without one."""
    return bearer_of(exchange.request.get(b"authorization"))


def bearer_of(field: bytes | None) -> bytes | None:
    """Return the token of an ``Authorization`` header."""
    scheme, _, token = (field or b"").strip().partition(b" ")
    return token.strip() or None if scheme.lower() == b"bearer" else None


def was_added(exchange: Exchange) -> bool:
    """Return whether ``checkout/cart/add`` put something in the cart."""
    if is_redirect(exchange):
        return last_message(exchange) == "success"
    answer = answer_json(exchange)
    if isinstance(answer, dict) and isinstance(answer.get("backUrl"), str):
        # A shop may be set to show the cart after each add. After a refusal the shopper is sent to the product, or back
        # to where the add came from.
        referer = (exchange.request.get(b"referer") or b"").decode("latin-1")
        return _is_cart(answer["backUrl"]) and not _is_cart(referer)
    return isinstance(answer, list | dict)


def _is_cart(url: str) -> bool:
    return urlsplit(url).path.rstrip("/").endswith(("/checkout/cart", "/checkout/cart/index"))


def is_redirect(exchange: Exchange) -> bool:
    """Return whether the answer sends the browser elsewhere, as after every form."""
    return exchange.response.status in {301, 302, 303}


def sets_context(exchange: Exchange) -> bool:
    """Return whether the answer gives the visitor a page-cache context, such as that of a customer group."""
    return set_by(exchange.response, b"X-Magento-Vary") is not None


def action_of(exchange: Exchange) -> str:
    """Return the last word of a controller's path, such as ``updatePost`` of ``checkout/cart/updatePost``."""
    segments = [segment for segment in exchange.request.path.split(b"/") if segment]
    for place, segment in enumerate(segments[:-2]):
        if segment.lower() in FRONT_NAMES:
            return segments[place + 2].decode("ascii", "replace")
    raise Odd("no action")


def path_value(path: bytes, name: bytes) -> str:
    """Return the segment after ``name``: Magento writes parameters into the path as name and value."""
    segments = path.split(b"/")
    try:
        return segments[segments.index(name) + 1].decode("ascii", "replace")
    except (ValueError, IndexError):
        return ""


def quantity_of(text: str) -> float:
    """Return the asked quantity; 1 where none or none that a machine wrote: the shop's locale is not guessed."""
    return float(text) if re.fullmatch(r"[0-9]{1,7}(?:\.[0-9]{1,4})?", text) and float(text) > 0 else 1
