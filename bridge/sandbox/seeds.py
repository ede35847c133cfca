"""What the shop starts with: customers of both websites and orders of every state. Same ids and numbers every time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bridge.sandbox import cart, sales
from bridge.sandbox.people import Address
from bridge.sandbox.placing import place_order
from bridge.sandbox.views import DEFAULT, FRENCH, GERMAN, StoreView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.sandbox.orders import Order
    from bridge.sandbox.people import Customer
    from bridge.sandbox.state import ShopState

PASSWORD = "Lighthouse-42"  # noqa: S105  the sandbox's own customers, printed for whoever tries it

_ENGLISH, _FRENCH, _GERMAN = (DEFAULT, "GB"), (FRENCH, "FR"), (GERMAN, "DE")
# The first two have one complete order each; Noor has accounts in both websites under one address.
_PEOPLE = (
    (*_ENGLISH, "maren.holt", "Maren", "Holt", "2025-08-02 10:12:00", "4 Ropewalk Lane", "Whitby", "YO21 3PU"),
    (*_ENGLISH, "idris.vaughan", "Idris", "Vaughan", "2025-09-20 18:40:00", "27 Chapel Row", "Aberdyfi", "LL35 0NR"),
    (*_ENGLISH, "noor.both", "Noor", "Both", "2025-09-21 08:00:00", "1 Ferry Steps", "Dover", "CT16 1DS"),
    (*_FRENCH, "noor.both", "Noor", "Both", "2025-09-22 08:00:00", "3 quai des Bacs", "Calais", "62100"),
    (*_FRENCH, "elise.durand", "Élise", "Durand", "2025-09-23 09:00:00", "12 rue de l'Étoile", "Brest", "29200"),
    (*_GERMAN, "jens.weiss", "Jens", "Weiß", "2025-09-24 09:30:00", "Deichstraße 7", "Büsum", "25761"),
)

JACKET = (17, 1, cart.Choice({93: "5", 137: "8"}))
JUMPER = (23, 1, cart.Choice({93: "6", 137: "8"}))
SNOOD = (216, 1, cart.Choice({93: "4"}))
KIT = (221, 1, cart.Choice(selections={51: [61], 52: [64]}))
GIFT = (222, 1, cart.Choice(selections={54: [67], 55: [69]}))
Line = tuple[int, int, cart.Choice]
NONE = cart.Choice()


class _Past:
    """Makes orders in the past, one after the other."""

    def __init__(self, state: ShopState) -> None:
        self.state = state
        self.guests = 0

    @contextmanager
    def at(self, moment: str) -> Iterator[None]:
        """Stop the shop's clock at a moment."""
        self.state.moment = moment
        try:
            yield
        finally:
            self.state.moment = None

    def order(
        self, moment: str, lines: tuple[Line, ...], who: Customer | StoreView, *, coupon: str = "", **changes: Any
    ) -> Order:
        """Place an order of a customer, or of a guest of a view. ``changes`` are values of the quote."""
        with self.at(moment):
            quote = self._quote(lines, who)
            if coupon:
                cart.use_coupon(self.state, quote, coupon)
            for name, value in changes.items():
                setattr(quote, name, value)
            if quote.is_virtual:
                quote.shipping_method = None
            return place_order(self.state, quote, "checkmo", "192.0.2.10")

    def _quote(self, lines: tuple[Line, ...], who: Customer | StoreView) -> Any:
        if isinstance(who, StoreView):
            self.guests += 1
            quote = self.state.new_quote(view=who)
            country = who.website.country if who is not GERMAN else "DE"
            quote.email = f"guest{self.guests}@example.com"
            quote.shipping_address = Address(
                "Gast", f"Nr. {self.guests}", ("Hafen 1",), "Port", "12345", country, "01632960000"
            )  # fmt: skip
        else:
            quote = self.state.new_quote(who.id, who.view)
            quote.email = who.email
            quote.shipping_address = who.addresses[who.default_address or 0]
        quote.billing_address, quote.shipping_method = quote.shipping_address, "flatrate_flatrate"
        products = self.state.catalogs[quote.view.shelf].by_id
        for product_id, qty, choice in lines:
            cart.add(self.state, quote, products[product_id], qty, choice)
        return quote


def plant(state: ShopState) -> None:
    """Fill an empty shop."""
    past = _Past(state)
    people = []
    for view, country, name, firstname, lastname, joined, street, city, postcode in _PEOPLE:
        with past.at(joined):
            customer = state.add_customer(f"{name}@example.com", firstname, lastname, PASSWORD, view=view)
            home = Address(firstname, lastname, (street,), city, postcode, country, "01632960123")
            state.add_address(customer, home)
            people.append(customer)
    _newsletter(state)
    _complete(past, people)
    _states(past, people)
    _europe(past, people)


def _newsletter(state: ShopState) -> None:
    """Subscribe some. The lists of customers are wrong about Noor, as in the real shop: only Calais has subscribed."""
    state.subscribe("maren.holt@example.com")
    state.subscribe("noor.both@example.com", FRENCH)
    state.subscribe("jens.weiss@example.com", GERMAN)
    state.subscribe("reader@example.com")


def _complete(past: _Past, people: list[Customer]) -> None:
    state = past.state
    for customer, moment, lines in (
        (people[0], "2025-09-14 09:05:00", ((1, 1, NONE), (3, 2, NONE))),
        (people[1], "2025-10-03 20:31:00", (JUMPER, (18, 1, NONE))),
    ):
        order = past.order(moment, lines, customer)
        with past.at(moment):
            sales.invoice(state, order)
            sales.ship(state, order)


def _states(past: _Past, people: list[Customer]) -> None:
    """Place one order for each state that the default store view can show."""
    state, maren, idris = past.state, people[0], people[1]
    past.order("2025-10-05 08:00:00", ((1, 1, NONE), (4, 1, NONE)), DEFAULT, coupon="save10")
    past.order("2025-10-05 09:00:00", (JACKET,), maren, coupon="SAVE10")
    past.order("2025-10-05 10:00:00", (KIT, GIFT, (224, 1, NONE)), DEFAULT)
    waiting = past.order("2025-10-06 08:00:00", ((5, 1, NONE),), DEFAULT)
    checked = past.order("2025-10-06 09:00:00", ((201, 3, NONE),), idris)
    paid = past.order("2025-10-07 08:00:00", ((2, 2, NONE), (9, 1, NONE)), DEFAULT)
    partly = past.order("2025-10-08 08:00:00", ((3, 4, NONE), (8, 1, NONE)), DEFAULT)
    sent = past.order("2025-10-09 08:00:00", ((4, 1, NONE), (8, 2, NONE)), DEFAULT)
    refunded = past.order("2025-10-10 08:00:00", ((5, 1, NONE), (3, 2, NONE)), DEFAULT)
    canceled = past.order("2025-10-11 08:00:00", ((202, 1, NONE), (8, 1, NONE)), DEFAULT)
    held = past.order("2025-10-12 08:00:00", ((207, 1, NONE), (3, 1, NONE)), DEFAULT)
    edited = past.order("2025-10-13 08:00:00", ((205, 2, NONE),), idris)
    past.order("2025-10-14 08:00:00", ((18, 2, NONE),), DEFAULT)
    done = past.order("2025-10-15 08:00:00", ((1, 1, NONE), (4, 1, NONE)), DEFAULT)
    with past.at("2025-10-20 10:00:00"):
        state.set_order_state(waiting, "pending_payment", "pending_payment")
        state.set_order_state(checked, "payment_review", "payment_review")
        sales.invoice(state, paid, remark=sales.Remark("Paid by post."))
        sales.invoice(state, partly)
        sales.ship(state, sent, tracks=(sales.Parcel("HP0001GB", "Royal Mail", "custom"),))
        for order in (refunded, done):
            sales.invoice(state, order)
        sales.cancel(state, canceled)
        sales.hold(state, held)
        sales.edit(state, edited)
        parcels = (sales.Parcel("HP0002GB", "Royal Mail", "custom"), sales.Parcel("1Z0003", "UPS", "ups"))
        sales.ship(state, done, tracks=parcels)
        sales.comment(state, paid, sales.Remark("Wrapped in brown paper.", visible=True, notified=True))
    with past.at("2025-10-21 10:00:00"):
        everything = sales.Wanted(shipping=refunded.shipping_amount)
        sales.refund(state, refunded, everything, sales.Remark("Moths.", visible=True, notified=True))
        sales.refund(state, partly, sales.Wanted({partly.items[0].id: 1}), sales.Remark("One was chipped."))
        sales.ship(
            state, partly, sales.Wanted({partly.items[1].id: 1}), remark=sales.Remark("First parcel", visible=True)
        )
        sales.comment(state, canceled, sales.Remark("Canceled as you asked.", visible=True, notified=True))


def _europe(past: _Past, people: list[Customer]) -> None:
    """Place the orders of the other website; their numbers begin with the number of the store view."""
    state, noor, elise, jens = past.state, people[3], people[4], people[5]
    first = past.order("2025-10-16 08:00:00", ((1, 1, NONE), (208, 1, NONE)), elise, coupon="SAVE10")
    past.order("2025-10-16 09:00:00", ((9, 1, NONE),), noor)
    paid = past.order("2025-10-16 10:00:00", ((1, 1, NONE), (9, 1, NONE)), FRENCH)
    german = past.order("2025-10-17 08:00:00", (JACKET,), jens)
    guest = past.order("2025-10-17 09:00:00", ((210, 1, NONE), SNOOD), GERMAN)
    past.order("2025-10-17 10:00:00", (JACKET,), FRENCH)
    split = past.order("2025-10-17 11:00:00", ((3, 2, NONE), (8, 1, NONE)), DEFAULT)
    with past.at("2025-10-22 10:00:00"):
        sales.invoice(state, first)
        sales.ship(state, first, tracks=(sales.Parcel("6A0004FR", "Colissimo", "custom"),))
        sales.invoice(state, paid)
        sales.invoice(state, german)
        sales.invoice(state, split)
        sales.ship(state, split, sales.Wanted({split.items[0].id: 1}))
        sales.cancel(state, guest)
        sales.comment(state, guest, sales.Remark("Storniert.", visible=True, notified=True))
