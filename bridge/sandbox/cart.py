"""What happens to a cart: add, change, remove, merge, totals, order. No HTTP here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.catalog import attribute
from bridge.sandbox.quotes import Part, Quote, QuoteItem
from bridge.sandbox.values import number

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product
    from bridge.sandbox.state import ShopState

FLAT_RATE_EACH = Decimal(5)
FREE_FROM = Decimal(100)

SHIPPING_METHODS = {
    "freeshipping_freeshipping": ("freeshipping", "freeshipping", "Free Shipping", "Free"),
    "flatrate_flatrate": ("flatrate", "flatrate", "Flat Rate", "Fixed"),
}
PAYMENT_METHODS = {
    "checkmo": "Check / Money order",
    "banktransfer": "Bank Transfer Payment",
    "cashondelivery": "Cash On Delivery",
}
EXPRESS, HOSTED = "paypal_express", "hosted_card"
"""Paid on another site; the checkout's own list does not have them."""
PAYMENT_TITLES = {**PAYMENT_METHODS, EXPRESS: "PayPal Express Checkout", HOSTED: "Card"}


CHOOSE = "Please choose the options you want for this item."


class CartError(Exception):
    """The cart refuses; the text is for the visitor."""


@dataclass(frozen=True)
class Choice:
    """What a visitor chose: option ids by super attribute, selection ids and quantities by bundle option."""

    options: dict[int, str] = field(default_factory=dict)
    selections: dict[int, list[int]] = field(default_factory=dict)
    selection_qty: dict[int, int] = field(default_factory=dict)


def choice_of(item: QuoteItem) -> Choice:
    """Return the choice that makes a line like this one again."""
    child, parts = item.child, item.parts
    options = {axis: child.options[attribute(axis).code] for axis in item.product.super_attributes} if child else {}
    selections: dict[int, list[int]] = {}
    for part in parts:
        selections.setdefault(part.option_id, []).append(part.selection_id)
    return Choice(options, selections, {part.option_id: part.qty for part in parts})


def add(
    state: ShopState, quote: Quote, product: Product, qty: int, chosen: Choice | dict[int, str] | None = None
) -> QuoteItem:
    """Put a product in the cart, on its own line or on the one that already has it.

    Raises CartError when options are missing, or the stock does not reach. A grouped product has no line of its own:
    add its members.
    """
    choice = chosen if isinstance(chosen, Choice) else Choice(chosen or {})
    catalog = state.catalogs[quote.view.shelf]
    child = catalog.variant(product, choice.options) if product.children else None
    parts = _parts(state, quote, product, choice)
    if (product.children and child is None) or product.associated:
        raise CartError(CHOOSE)
    if product.status != 1 or quote.view.website.id not in product.websites:
        raise CartError("The product that was requested does not exist.")
    moment = state.now()
    present = next((item for item in quote.items if item.is_same(product, child, parts)), None)
    item = present or QuoteItem(0, product, child, 0, moment, moment, parts)
    _check_stock(state, item, qty, qty + item.qty)
    quote.updated_at = item.updated_at = moment
    item.qty += qty
    if present is None:
        item.id = state.next_id("quote_item")
        for _ in range(1 if child else len(parts)):
            state.next_id("quote_item")
        quote.items.append(item)
    return item


def _parts(state: ShopState, quote: Quote, product: Product, choice: Choice) -> tuple[Part, ...]:
    catalog = state.catalogs[quote.view.shelf]
    found = catalog.selections(product, choice.selections)
    if found is None:
        raise CartError(CHOOSE)
    return tuple(
        Part(
            option.id,
            option.title,
            selection.id,
            catalog.by_id[selection.product_id],
            choice.selection_qty.get(option.id) or selection.qty,
            catalog.selection_price(product, selection),
        )
        for option, selection in found
    )


def set_qty(state: ShopState, quote: Quote, item_id: int, qty: int) -> None:
    """Change the quantity of a line; 0 removes it. Raises CartError."""
    item = find(quote, item_id)
    if qty <= 0:
        remove(state, quote, item_id)
        return
    _check_stock(state, item, qty, qty)
    item.qty = qty
    item.updated_at = quote.updated_at = state.now()


def check_qty(state: ShopState, quote: Quote, item_id: int, qty: int) -> None:
    """Check a new quantity without saving it. Raises CartError."""
    _check_stock(state, find(quote, item_id), qty, qty)


def remove(state: ShopState, quote: Quote, item_id: int) -> None:
    """Take a line out. Raises CartError when it is not there."""
    quote.items.remove(find(quote, item_id))
    quote.updated_at = state.now()


def find(quote: Quote, item_id: int) -> QuoteItem:
    """Return a line by its id. Raises CartError."""
    for item in quote.items:
        if item.id == item_id:
            return item
    raise CartError("That item is no longer in your cart.")


def merge(state: ShopState, source: Quote, target: Quote) -> None:
    """Move a guest's lines to the cart of the customer who has just signed in."""
    for item in source.items:
        same = next((own for own in target.items if own.is_same(item.product, item.child, item.parts)), None)
        if same:
            same.qty += item.qty
        else:
            target.items.append(replace(item, id=state.next_id("quote_item")))
    target.updated_at = state.now()
    target.coupon_code, target.rule = target.coupon_code or source.coupon_code, target.rule or source.rule
    source.active = False


def _check_stock(state: ShopState, item: QuoteItem, asked: int, wanted: int) -> None:
    if asked <= 0:
        raise CartError("Please enter a quantity above zero.")
    for sold, qty in replace(item, qty=wanted).leaving:
        if qty > state.salable(sold):
            raise CartError("We do not have that many in stock.")


def use_coupon(state: ShopState, quote: Quote, code: str) -> None:
    """Apply a code to a cart. Raises CartError when it cannot be used."""
    found = state.book.usable(code, quote.view.website.id, state.now()[:10])
    if found is None or not quote.items:
        raise CartError("The coupon code isn't valid. Verify the code and try again.")
    quote.coupon_code, quote.rule = found[0].code, found[1]
    quote.updated_at = state.now()


def drop_coupon(state: ShopState, quote: Quote) -> None:
    """Take the code off a cart."""
    quote.coupon_code = quote.rule = None
    quote.updated_at = state.now()


def shipping_rates(quote: Quote) -> list[dict[str, Any]]:
    """Return the shipping methods that a cart may use, as ``estimate-shipping-methods`` answers them."""
    if quote.is_virtual or not quote.items:
        return []
    codes = [
        code
        for code in SHIPPING_METHODS
        if code != "freeshipping_freeshipping" or quote.view.in_base(quote.subtotal) >= FREE_FROM
    ]
    return [_rate(quote, code) for code in codes]


def _rate(quote: Quote, code: str) -> dict[str, Any]:
    carrier, method, carrier_title, method_title = SHIPPING_METHODS[code]
    amount = number(shipping_amount(quote, code))
    return {
        "carrier_code": carrier,
        "method_code": method,
        "carrier_title": carrier_title,
        "method_title": method_title,
        "amount": amount,
        "base_amount": number(quote.view.in_base(shipping_amount(quote, code))),
        "available": True,
        "error_message": "",
        "price_excl_tax": amount,
        "price_incl_tax": amount,
    }


def shipping_amount(quote: Quote, method: str | None) -> Decimal:
    """Return what a shipping method costs for a cart; nothing while none is chosen."""
    if method != "flatrate_flatrate" or quote.is_virtual:
        return Decimal(0)
    return FLAT_RATE_EACH * quote.view.rate * sum(item.qty for item in quote.items if item.product.type_id != "virtual")


def shipping_title(method: str | None) -> str | None:
    """Return the words for a shipping method, as orders carry them."""
    if method not in SHIPPING_METHODS:
        return None
    _, _, carrier_title, method_title = SHIPPING_METHODS[method]
    return f"{carrier_title} - {method_title}"
