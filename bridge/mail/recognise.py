"""What a letter is for one recipient: four layers, each of which leaves some native mails and rules out the others.

1. The marker line of the template names the mail, and the header's line narrows it down.
2. An expectation: traffic has just asked the shop for this mail to this recipient.
3. The structure of the body, confirmed by the shop's REST.
4. A subject rule of the store view.

A template's marker decides alone; without one the structure and one of the others must agree. What two layers do not
agree on is nobody's: the letter is relayed as it is. Values in, values out; only ``facts.confirm`` asks the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.mail import natives
from bridge.mail.letter import same_address
from bridge.mail.markers import markers
from bridge.mail.marks import Marks
from bridge.mail.places import known, place_of
from bridge.mail.rules import natives_of
from bridge.mail.shapes import NOTICES, UPDATES, Shape, shape_of

if TYPE_CHECKING:
    from bridge.mail.facts import CustomerFacts, Facts, OrderFacts
    from bridge.mail.letter import Letter
    from bridge.mail.natives import Subscription

EXPECTED_BEFORE = 300.0
"""How long before a letter the traffic that asks for it may be: the shop sends account mails at once."""
EXPECTED_AFTER = 30.0
"""How long after a letter its traffic may still be told: the shop sends the mail before it answers the visitor."""
TRAFFIC_SECONDS = 15.0
"""How long a letter waits for the traffic that may explain it."""
CHANGED_BEFORE = 60.0
"""As :data:`EXPECTED_BEFORE`, for the mail that nothing but the moment tells from others of the same structure."""
NOTIFIED_SECONDS = 600.0
"""How far from its letter the history entry may be that the letter tells of."""
CREATED_SECONDS = 900.0
"""How old an account may be that the shop has just welcomed."""
CANCELED = "canceled"
ID_MOST = 20
"""Digits of an account's id."""
WHOLE = {"order_new": frozenset({"details", "totals"}), "shipment_new": frozenset({"details"})}
"""Blocks that a mail about an order must have where nothing but the order itself confirms it."""
FAMILY = frozenset({"password_forgot", "account_new"})
"""Mails with a link that sets a password: what traffic expects of one is a word against the other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a letter is. ``kind`` is one of the seven, or None: then the original goes out, for ``reason``.

    ``native`` is Magento's mail as far as it is known, also of mails that are never replaced. ``layer`` names what
    decided: ``marker``, ``expectation``, ``structure`` or ``subject``. ``until`` is the moment (Unix seconds) up to
    which asking again may give a kind, 0 when this is final. ``news`` is what the letter tells of the recipient's
    newsletter subscription.
    """

    kind: str | None
    reason: str
    native: str = ""
    layer: str = ""
    store: str = ""
    order: str = ""
    shipment: str = ""
    customer: str = ""
    products: tuple[str, ...] = ()
    marked: bool = False
    until: float = 0.0
    news: Subscription | None = None


def recognise(letter: Letter, recipient: str, facts: Facts) -> Verdict:
    """Return what a letter is for this recipient of its envelope.

    Raises :class:`bridge.errors.Retry` when the shop cannot answer a question on which it depends.
    """
    return _Case(letter, recipient, facts).verdict()


def _number(text: str) -> str:
    """Return the id of an account, which is a number; empty for anything else, as a link may hold."""
    return text if text.isascii() and text.isdecimal() and len(text) <= ID_MOST else ""


class _Case:
    """One letter, one recipient."""

    def __init__(self, letter: Letter, recipient: str, facts: Facts) -> None:
        self._letter = letter
        self._recipient = recipient
        self._facts = facts
        self._marks = Marks.of(letter)
        self._markers = markers(letter)
        self._shape: Shape = shape_of(self._marks, recipient)
        self._place = self._placed()
        self._subject = natives_of(letter.subject, facts.rules(self._place))

    def _placed(self) -> str:
        views = self._facts.views
        told = next((code for marker in self._markers if (code := known(marker.get("store"), views))), "")
        return told or place_of(self._marks, views)

    def _values(self, name: str) -> set[str]:
        """Return the values that the markers give a field."""
        return {value for marker in self._markers if (value := marker.get(name))}

    def _get(self, name: str) -> str:
        """Return a field of the markers; empty where there is none."""
        return next(iter(self._values(name)), "")

    def verdict(self) -> Verdict:
        native, layer, why = self._native()
        if not native:
            may_be_told = bool(self._shape.natives & NOTICES) and not self._subject
            return self._none(why, wait=TRAFFIC_SECONDS if may_be_told else 0.0)
        if native in natives.NEWS and self._letter.is_to(self._recipient):
            return self._none(f"{native}: never replaced", native, news=natives.NEWS[native])
        if native not in natives.KIND_OF:
            return self._none(f"{native}: never replaced", native)
        if not self._letter.is_to(self._recipient):
            return self._none("a copy: the letter is addressed to somebody else", native)
        if native in natives.ORDER_FAMILY:
            return self._about_order(native, layer)
        return self._about_account(native, layer)

    def _none(self, reason: str, native: str = "", *, wait: float = 0.0, news: Subscription | None = None) -> Verdict:
        until = self._letter.received_at + wait if wait else 0.0
        return Verdict(
            None,
            reason,
            native=native,
            store=self._place,
            marked=any(marker.kind for marker in self._markers),
            until=until,
            news=news,
        )

    # ---- which native mail -----------------------------------------------------------------------------------------

    def _native(self) -> tuple[str, str, str]:
        """Return the native mail and the layer that decided, or empty texts and why there is none."""
        said = [says for marker in self._markers if (says := marker.says) is not None]
        if said:
            left = frozenset.intersection(*said)
            if not left or any(len(self._values(name)) > 1 for name in ("order", "shipment", "customer", "state")):
                return "", "", "the marker lines contradict each other"
            return self._by_marker(left)
        left = self._shape.natives
        if not left:
            return self._by_subject_only()
        if self._subject:
            left &= self._subject
            if not left:
                return "", "", "the subject contradicts the structure"
        elif self._shape.natives & UPDATES:
            left &= {"order_update"}  # which of the four it is, the order's history must tell
        elif self._shape.natives & NOTICES:
            left = self._changed()
        return (next(iter(left)), "", "") if len(left) == 1 else ("", "", self._undecided())

    def _by_marker(self, left: frozenset[str]) -> tuple[str, str, str]:
        """Narrow down what the marker lines leave, and see that neither structure nor subject contradicts them."""
        shaped = self._shape.natives
        named = any(marker.kind for marker in self._markers)
        if not named or self._shape.firm:
            left = left & shaped if shaped else left
            if not left:
                return "", "", "the marker line contradicts the structure"
        if self._subject:
            left &= self._subject
            if not left:
                return "", "", "the marker line contradicts the subject"
        elif not named and left & NOTICES:
            left &= self._changed()
        if not named and not shaped:
            return "", "", "the header's marker line needs the structure, which is not a stock one"
        return (next(iter(left)), "marker", "") if len(left) == 1 else ("", "", self._undecided())

    def _by_subject_only(self) -> tuple[str, str, str]:
        """Name a mail that is never replaced by its subject; one of the seven needs its structure."""
        others = self._subject - natives.KIND_OF.keys()
        if len(self._subject) == 1 and others:
            return next(iter(others)), "subject", ""
        return "", "", "the structure is of no stock mail"

    def _changed(self) -> frozenset[str]:
        """Return what traffic says of a mail that tells of a change: expectations alone tell these apart."""
        return frozenset(one for one in NOTICES if self._expects(one, CHANGED_BEFORE))

    def _undecided(self) -> str:
        return f"no layer tells which mail of the structure {self._shape.name!r} this is"

    def _expects(self, native: str, before: float = EXPECTED_BEFORE) -> bool:
        at = self._letter.received_at
        return any(
            one.native == native and at - before <= one.at <= at + EXPECTED_AFTER for one in self._facts.expected
        )

    # ---- orders ----------------------------------------------------------------------------------------------------

    def _about_order(self, native: str, layer: str) -> Verdict:
        number, shipment = self._numbers(native)
        if not number or (native == "shipment_new" and not shipment):
            return self._none("no order or shipment number", native)
        marked_state = self._get("state")
        if native == "order_update" and marked_state not in {"", CANCELED}:
            return self._none("the order is not cancelled", native)
        order = self._facts.confirm.order(number, self._recipient)
        if order is None or order.number != number:
            return self._none("the shop's REST does not show the order", native, wait=self._facts.patience)
        if not same_address(order.email, self._recipient):
            return self._none("a copy: the recipient is not the order's customer", native)
        by = layer or self._confirmed_by(native)
        is_update = native == "order_update"
        against = self._not_cancelled(order, marked_state, layer) if is_update else self._not_whole(native, by)
        return against or self._is(native, by, order=order, shipment=shipment)

    def _not_whole(self, native: str, layer: str) -> Verdict | None:
        """Extensions write about orders too, with Magento's own item table: a return, a word for a review."""
        if layer != "structure" or self._marks.blocks >= WHOLE[native]:
            return None
        return self._none("the structure is not whole, and neither traffic nor a subject rule confirms it", native)

    def _numbers(self, native: str) -> tuple[str, str]:
        """Return the order's number and the shipment's: of the marker, else of the body."""
        order, shipment = self._get("order"), self._get("shipment")
        headings = self._marks.headings
        if native == "shipment_new" and len(headings) == 2:
            shipment, order = shipment or headings[0], order or headings[1]
        elif native == "order_new" and len(headings) == 1:
            order = order or headings[0]
        elif native == "order_update" and len(self._marks.numbers) == 1:
            order = order or self._marks.numbers[0]
        return order, shipment

    def _not_cancelled(self, order: OrderFacts, marked_state: str, layer: str) -> Verdict | None:
        if marked_state == CANCELED:
            return None
        if order.state != CANCELED:
            return self._none("the order is not cancelled", "order_update")
        told_lately = abs(self._letter.received_at - order.notified_at) <= NOTIFIED_SECONDS
        if layer != "marker" and not (told_lately and self._marks.says(order.told)):
            # Without a marker it may as well be a word about a shipment or an invoice of a cancelled order.
            return self._none("no history entry tells the customer now", "order_update", wait=self._facts.patience)
        return None

    # ---- accounts and alerts ---------------------------------------------------------------------------------------

    def _about_account(self, native: str, layer: str) -> Verdict:
        links = self._marks.of_sort("reset")
        link = links[0].url if len({one.url for one in links}) == 1 else ""
        if native == "password_forgot" and not link:
            return self._none("no reset link, or several", native)
        products = self._marks.products() if native == "stock_alert" else ()
        if native == "stock_alert" and not products:
            return self._none("no product of the alert", native)
        customer = _number(self._get("customer")) or (_number(links[0].value("id")) if link else "")
        layer = layer or self._confirmed_by(native)
        account: CustomerFacts | None = None
        if not layer or not self._place:
            account = self._facts.confirm.customer(self._recipient, self._place)
        if native in FAMILY and layer in {"", "structure"} and any(self._expects(one) for one in FAMILY - {native}):
            return self._none("traffic asked for another mail with such a link", native)
        if not layer and account is not None and self._fits(native, account, customer):
            layer = "structure"
        if not layer:
            return self._none("neither traffic, REST nor a subject rule confirms it", native, wait=TRAFFIC_SECONDS)
        return self._is(native, layer, account=account, customer=customer, products=products)

    def _fits(self, native: str, account: CustomerFacts, customer: str) -> bool:
        """Return whether an account confirms a mail to it: its id is in the link, and its age is that of the mail.

        A design of the merchant's own may give a welcome the structure of a forgotten password, or the other way round.
        """
        if native == "stock_alert":
            return True
        is_new = account.created_at >= self._letter.received_at - CREATED_SECONDS
        return account.id == customer and account.created_at > 0 and is_new is (native == "account_new")

    def _confirmed_by(self, native: str) -> str:
        if self._expects(native, CHANGED_BEFORE if native in NOTICES else EXPECTED_BEFORE):
            return "expectation"
        if self._subject == {native}:
            return "subject"
        return "structure" if native in natives.ORDER_FAMILY else ""

    def _is(
        self,
        native: str,
        layer: str,
        *,
        order: OrderFacts | None = None,
        account: CustomerFacts | None = None,
        customer: str = "",
        shipment: str = "",
        products: tuple[str, ...] = (),
    ) -> Verdict:
        views = self._facts.views
        marked = next((code for marker in self._markers if (code := known(marker.get("store"), views))), "")
        told = (order.store if order is not None else "") or (account.store if account is not None else "")
        return Verdict(
            natives.KIND_OF[native],
            f"recognised by {layer}",
            native=native,
            layer=layer,
            store=marked or known(told, views) or self._place or self._hinted(native),
            order=order.number if order is not None else "",
            shipment=shipment,
            customer=customer or (order.customer if order is not None else "") or (account.id if account else ""),
            products=products,
            marked=any(marker.kind for marker in self._markers),
        )

    def _hinted(self, native: str) -> str:
        """Return the store view of the SMTP user; an order update is sent with the calling scope's."""
        return "" if native == "order_update" else known(self._letter.store_hint, self._facts.views)
