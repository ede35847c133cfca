"""What happens to a cart: add, change, remove, merge, totals, order. No HTTP here."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.state import Address, Order, OrderItem, Quote, QuoteItem
from bridge.sandbox.values import number

if TYPE_CHECKING:
    from bridge.sandbox.catalog import Product
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


class CartError(Exception):
    """The cart refuses; the text is for the visitor."""


def add(state: ShopState, quote: Quote, product: Product, qty: int, chosen: dict[int, str]) -> QuoteItem:
    """Put a product in the cart, on its own line or on the one that already has it.

    Raises CartError when options are missing, or the stock does not reach.
    """
    child = None
    if product.children:
        child = state.catalog.variant(product, chosen)
        if child is None:
            raise CartError("Please choose the options you want for this item.")
    sold = child or product
    present = next((item for item in quote.items if item.product is product and item.child is child), None)
    wanted = qty + (present.qty if present else 0)
    _check_stock(state, sold, qty, wanted)
    moment = state.now()
    quote.updated_at = moment
    if present:
        present.qty, present.updated_at = wanted, moment
        return present
    item = QuoteItem(state.next_id("quote_item"), product, child, qty, moment, moment)
    if child is not None:
        state.next_id("quote_item")
    quote.items.append(item)
    return item


def set_qty(state: ShopState, quote: Quote, item_id: int, qty: int) -> None:
    """Change the quantity of a line; 0 removes it. Raises CartError."""
    item = find(quote, item_id)
    if qty <= 0:
        remove(state, quote, item_id)
        return
    _check_stock(state, item.sold, qty, qty)
    item.qty = qty
    item.updated_at = quote.updated_at = state.now()


def check_qty(state: ShopState, quote: Quote, item_id: int, qty: int) -> None:
    """Check a new quantity without saving it. Raises CartError."""
    item = find(quote, item_id)
    _check_stock(state, item.sold, qty, qty)


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
        same = next((own for own in target.items if own.product is item.product and own.child is item.child), None)
        if same:
            same.qty += item.qty
        else:
            target.items.append(replace(item, id=state.next_id("quote_item")))
    target.updated_at = state.now()
    source.active = False


def _check_stock(state: ShopState, sold: Product, asked: int, wanted: int) -> None:
    if asked <= 0:
        raise CartError("Please enter a quantity above zero.")
    if wanted > state.salable(sold):
        raise CartError("We do not have that many in stock.")


def shipping_rates(quote: Quote) -> list[dict[str, Any]]:
    """Return the shipping methods that a cart may use, as ``estimate-shipping-methods`` answers them."""
    if quote.is_virtual or not quote.items:
        return []
    codes = [code for code in SHIPPING_METHODS if code != "freeshipping_freeshipping" or quote.subtotal >= FREE_FROM]
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
        "base_amount": amount,
        "available": True,
        "error_message": "",
        "price_excl_tax": amount,
        "price_incl_tax": amount,
    }


def shipping_amount(quote: Quote, method: str | None) -> Decimal:
    """Return what a shipping method costs for a cart; nothing while none is chosen."""
    if method != "flatrate_flatrate" or quote.is_virtual:
        return Decimal(0)
    return FLAT_RATE_EACH * sum(item.qty for item in quote.items if item.product.type_id != "virtual")


def shipping_title(method: str | None) -> str | None:
    """Return the words for a shipping method, as orders carry them."""
    if method not in SHIPPING_METHODS:
        return None
    _, _, carrier_title, method_title = SHIPPING_METHODS[method]
    return f"{carrier_title} - {method_title}"


def place_order(state: ShopState, quote: Quote, payment_method: str, remote_ip: str, *, created_at: str = "") -> Order:
    """Turn a cart into an order, reserve its stock and close the cart.

    Raises CartError when something is missing. ``created_at`` is for the orders that the shop starts with.
    """
    billing = quote.billing_address or quote.shipping_address
    if not quote.items or not quote.email or billing is None:
        raise CartError("Some information for this order is still missing.")
    if not quote.is_virtual and (quote.shipping_address is None or quote.shipping_method is None):
        raise CartError("Please say first how the order shall be sent.")
    if payment_method not in PAYMENT_METHODS:
        raise CartError("The payment method is not available.")
    for item in quote.items:
        _check_stock(state, item.sold, item.qty, item.qty)
    order = _order(
        state, quote, billing, payment_method=payment_method, remote_ip=remote_ip, moment=created_at or state.now()
    )
    state.orders[order.entity_id] = order
    for item in quote.items:
        state.reserved[item.sold.sku] += item.qty
    quote.active = False
    return order


def _order(
    state: ShopState, quote: Quote, billing: Address, *, payment_method: str, remote_ip: str, moment: str
) -> Order:
    customer = state.customers.get(quote.customer_id or 0)
    address_id = None
    if customer is not None:
        address_id = customer.default_address or state.add_address(customer, quote.shipping_address or billing)
    shipping = None if quote.is_virtual else quote.shipping_address
    lines = []
    for item in quote.items:
        line_id = state.next_id("order_item")
        child_id = state.next_id("order_item") if item.child else None
        lines.append(OrderItem(line_id, child_id, replace(item)))
    return Order(
        number=state.next_id("order"),
        quote_id=quote.id,
        created_at=moment,
        updated_at=moment,
        email=quote.email or "",
        firstname=customer.firstname if customer else billing.firstname,
        lastname=customer.lastname if customer else billing.lastname,
        customer_id=quote.customer_id,
        items=tuple(lines),
        billing_address=billing,
        shipping_address=shipping,
        shipping_address_id=state.next_id("order_address") if shipping else None,
        billing_address_id=state.next_id("order_address"),
        customer_address_id=address_id,
        shipping_method=quote.shipping_method if shipping else None,
        shipping_amount=shipping_amount(quote, quote.shipping_method) if shipping else Decimal(0),
        payment_method=payment_method,
        remote_ip=remote_ip,
    )
