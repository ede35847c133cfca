"""From cart to order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.sandbox.cart import PAYMENT_TITLES, CartError, check_qty, shipping_amount
from bridge.sandbox.orders import Order, OrderItem

if TYPE_CHECKING:
    from bridge.sandbox.people import Address
    from bridge.sandbox.quotes import Quote
    from bridge.sandbox.state import ShopState


def place_order(state: ShopState, quote: Quote, payment_method: str, remote_ip: str) -> Order:
    """Turn a cart into an order, reserve its stock and close the cart. Raises CartError when something is missing."""
    billing = quote.billing_address or quote.shipping_address
    if not quote.items or not quote.email or billing is None:
        raise CartError("Some information for this order is still missing.")
    if not quote.is_virtual and (quote.shipping_address is None or quote.shipping_method is None):
        raise CartError("Please say first how the order shall be sent.")
    if payment_method not in PAYMENT_TITLES:
        raise CartError("The payment method is not available.")
    for item in quote.items:
        check_qty(state, quote, item.id, item.qty)
    order = _order(state, quote, billing, payment_method, remote_ip)
    keep(state, order)
    quote.active = False
    coupon = state.book.find(quote.coupon_code) if quote.coupon_code else None
    if coupon is not None:
        coupon.times_used += 1
        state.book.rules[coupon.rule_id].times_used += 1
    return order


def keep(state: ShopState, order: Order) -> None:
    """Put an order among the others and reserve its stock."""
    state.orders[order.entity_id] = order
    for line in order.items:
        for product, qty in line.quote_item.leaving:
            state.reserved[product.sku] += qty


def lines(state: ShopState, quote: Quote) -> tuple[OrderItem, ...]:
    """Return the order lines of a cart, with ids for them and their parts."""
    return tuple(
        OrderItem(
            state.next_id("order_item"),
            tuple(state.next_id("order_item") for _ in range(1 if item.child else len(item.parts))),
            replace(item),
            quote.discount_of(item),
        )
        for item in quote.items
    )


def _order(state: ShopState, quote: Quote, billing: Address, payment_method: str, remote_ip: str) -> Order:
    customer = state.customers.get(quote.customer_id or 0)
    address_id = None
    if customer is not None:
        address_id = customer.default_address or state.add_address(customer, quote.shipping_address or billing)
    shipping = None if quote.is_virtual else quote.shipping_address
    moment = state.now()
    return Order(
        entity_id=state.next_id("order"),
        increment_id=state.next_number("order", quote.view),
        view=quote.view,
        quote_id=quote.id,
        created_at=moment,
        updated_at=moment,
        email=quote.email or "",
        firstname=customer.firstname if customer else billing.firstname,
        lastname=customer.lastname if customer else billing.lastname,
        customer_id=quote.customer_id,
        items=lines(state, quote),
        billing_address=billing,
        shipping_address=shipping,
        shipping_address_id=state.next_id("order_address") if shipping else None,
        billing_address_id=state.next_id("order_address"),
        customer_address_id=address_id,
        shipping_method=quote.shipping_method if shipping else None,
        shipping_amount=shipping_amount(quote, quote.shipping_method) if shipping else Decimal(0),
        payment_method=payment_method,
        remote_ip=remote_ip,
        coupon_code=quote.coupon_code,
        rule_id=quote.rule.id if quote.rule else None,
        discount_label=(quote.rule.label or quote.coupon_code) if quote.rule else None,
    )
