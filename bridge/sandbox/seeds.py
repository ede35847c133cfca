"""What the shop starts with: two customers, each with one past order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.sandbox import cart
from bridge.sandbox.state import Address

if TYPE_CHECKING:
    from bridge.sandbox.state import Customer, ShopState

PASSWORD = "Lighthouse-42"  # noqa: S105  the sandbox's own customers, printed for whoever tries it

_PEOPLE = (
    ("maren.holt@example.com", "Maren", "Holt", "2025-08-02 10:12:00", "4 Ropewalk Lane", "Whitby", "YO21 3PU"),
    ("idris.vaughan@example.com", "Idris", "Vaughan", "2025-09-20 18:40:00", "27 Chapel Row", "Aberdyfi", "LL35 0NR"),
)


def plant(state: ShopState) -> None:
    """Fill an empty shop. Same ids, same numbers, every time."""
    for email, firstname, lastname, joined, street, city, postcode in _PEOPLE:
        customer = state.add_customer(email, firstname, lastname, PASSWORD, created_at=joined)
        home = Address(firstname, lastname, (street,), city, postcode, "GB", "01632960123")
        state.add_address(customer, home)
        customer.updated_at = joined
    first, second = state.customers.values()
    state.subscribe(first.email)
    _past_order(state, first, "2025-09-14 09:05:00", ((1, 1, {}), (3, 2, {})))
    _past_order(state, second, "2025-10-03 20:31:00", ((23, 1, {93: "6", 137: "8"}), (18, 1, {})))


def _past_order(
    state: ShopState, customer: Customer, placed: str, lines: tuple[tuple[int, int, dict[int, str]], ...]
) -> None:
    quote = state.new_quote(customer.id)
    quote.created_at = quote.updated_at = placed
    for product_id, qty, chosen in lines:
        cart.add(state, quote, state.catalog.by_id[product_id], qty, chosen)
    quote.email = customer.email
    quote.shipping_address = customer.addresses[customer.default_address or 0]
    quote.shipping_method = "flatrate_flatrate"
    order = cart.place_order(state, quote, "checkmo", "192.0.2.10", created_at=placed)
    state.orders[order.entity_id] = replace(order, state="complete", status="complete")
