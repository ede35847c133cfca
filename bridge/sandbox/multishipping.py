"""Checkout with several addresses: one order for each, and a success page that names them all."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from bridge.sandbox import cart, mails
from bridge.sandbox.cart_pages import line
from bridge.sandbox.placing import place_order
from bridge.sandbox.signing import STALE_FORM, current_customer, sign_in_first
from bridge.sandbox.web import (
    Response,
    form_key_is_valid,
    page,
    post_mail,
    redirect_to,
    request,
    say,
    shop_state,
    url,
    visitor,
)

if TYPE_CHECKING:
    from bridge.sandbox.orders import Order
    from bridge.sandbox.people import Address, Customer
    from bridge.sandbox.quotes import Quote, QuoteItem

blueprint = Blueprint("shop_multishipping", __name__)

LAYOUT = "page-layout-1column"
Parcel = tuple[int, "Address", list[tuple["QuoteItem", int]]]


def _customer_and_cart() -> tuple[Customer, Quote] | Response:
    customer = current_customer()
    if customer is None:
        return sign_in_first("multishipping/checkout/")
    quote = shop_state().quote_of(visitor())
    if quote is None or not quote.items or not customer.addresses:
        return redirect_to(url("checkout/cart/"))
    return customer, quote


@blueprint.get("/multishipping/checkout/")
@blueprint.get("/multishipping/checkout/addresses/")
def addresses() -> Response:
    """Show a line for each piece, to be given an address."""
    known = _customer_and_cart()
    if isinstance(known, Response):
        return known
    customer, quote = known
    lines = [{**line(item), "qty": 1} for item in quote.items for _ in range(item.qty)]
    return page(
        "multishipping_addresses.html",
        title="Ship to Multiple Addresses",
        body_class=f"multishipping-checkout-addresses {LAYOUT}",
        lines=lines,
        addresses=customer.addresses,
    )


@blueprint.post("/multishipping/checkout/addressesPost/")
def addresses_post() -> Response:
    """Remember which piece goes where."""
    known = _customer_and_cart()
    if isinstance(known, Response):
        return known
    chosen: dict[int, dict[int, int]] = {}
    for name, value in request.form.items():
        found = re.fullmatch(r"ship\[(\d+)\]\[(\d+)\]\[address\]", name)
        if found and value.isdigit() and int(value) in known[0].addresses:
            qty = request.form.get(f"ship[{found[1]}][{found[2]}][qty]", "1")
            pieces = chosen.setdefault(int(value), {})
            pieces[int(found[2])] = pieces.get(int(found[2]), 0) + (int(qty) if qty.isdigit() else 0)
    if not form_key_is_valid() or not chosen:
        say("error", STALE_FORM)
        return redirect_to(url("multishipping/checkout/addresses/"))
    visitor().multishipping = chosen
    visitor().multishipping_methods = {}
    return redirect_to(url("multishipping/checkout/shipping/"))


def _parcels(customer: Customer, quote: Quote) -> list[Parcel]:
    items = {item.id: item for item in quote.items}
    return [
        (id_, customer.addresses[id_], [(items[item], qty) for item, qty in pieces.items() if item in items and qty])
        for id_, pieces in visitor().multishipping.items()
        if id_ in customer.addresses
    ]


def _step(step: str, post_to: str, button: str) -> Response:
    known = _customer_and_cart()
    if isinstance(known, Response):
        return known
    parcels = _parcels(*known)
    if not parcels:
        return redirect_to(url("multishipping/checkout/addresses/"))
    methods = {code: f"{row[2]} ({row[3]})" for code, row in cart.SHIPPING_METHODS.items()}
    return page(
        "multishipping_step.html",
        title="Checkout",
        body_class=f"multishipping-checkout-{step} {LAYOUT}",
        action=url(f"multishipping/checkout/{post_to}/"),
        form_id="review-order-form" if step == "overview" else f"multishipping-{step}-form",
        step=step,
        parcels=parcels,
        methods=methods,
        payments=cart.PAYMENT_METHODS,
        button=button,
    )


@blueprint.get("/multishipping/checkout/shipping/")
def shipping() -> Response:
    """Ask for a shipping method for each address."""
    return _step("shipping", "shippingPost", "Next")


@blueprint.post("/multishipping/checkout/shippingPost/")
def shipping_post() -> Response:
    """Remember the shipping methods."""
    for name, value in request.form.items():
        found = re.fullmatch(r"shipping_method\[(\d+)\]", name)
        if found and value in cart.SHIPPING_METHODS:
            visitor().multishipping_methods[int(found[1])] = value
    return redirect_to(url("multishipping/checkout/billing/"))


@blueprint.get("/multishipping/checkout/billing/")
def billing() -> Response:
    """Ask for the payment method."""
    return _step("billing", "overview", "Next")


@blueprint.route("/multishipping/checkout/overview/", methods=["GET", "POST"])
def overview() -> Response:
    """Show all once more; a POST brings the payment method."""
    method = request.form.get("payment[method]", "")
    if method in cart.PAYMENT_METHODS:
        visitor().multishipping_payment = method
    return _step("overview", "overviewPost", "Place Order")


@blueprint.post("/multishipping/checkout/overviewPost/")
def overview_post() -> Response:
    """Place one order for each address: 302 to the success page, or back with an error."""
    known = _customer_and_cart()
    if isinstance(known, Response):
        return known
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("multishipping/checkout/overview/"))
    try:
        orders = [_place(*known, parcel) for parcel in _parcels(*known) if parcel[2]]
    except cart.CartError as error:
        say("error", str(error))
        return redirect_to(url("multishipping/checkout/overview/"))
    known[1].active = False
    session = visitor()
    session.multishipping, session.multishipping_orders = {}, tuple(order.entity_id for order in orders)
    return redirect_to(url("multishipping/checkout/success/"))


def _place(customer: Customer, quote: Quote, parcel: Parcel) -> Order:
    id_, address, pieces = parcel
    state = shop_state()
    part = state.new_quote(None, quote.view)
    values: dict[str, Any] = {
        "customer_id": customer.id,
        "email": customer.email,
        "items": [replace(item, qty=qty) for item, qty in pieces],
        "shipping_address": address,
        "billing_address": address,
        "shipping_method": visitor().multishipping_methods.get(id_, "flatrate_flatrate"),
        "coupon_code": quote.coupon_code,
        "rule": quote.rule,
    }
    for name, value in values.items():
        setattr(part, name, value)
    order = place_order(state, part, visitor().multishipping_payment or "checkmo", request.remote_addr or "127.0.0.1")
    post_mail(mails.order_placed(state, order))
    return order


@blueprint.get("/multishipping/checkout/success/")
def success() -> Response:
    """Name the orders; without any go to the cart."""
    orders = [shop_state().orders[id_] for id_ in visitor().multishipping_orders]
    if not orders:
        return redirect_to(url("checkout/cart/"))
    body_class = f"multishipping-checkout-success {LAYOUT}"
    return page("multishipping_success.html", title="Success Page", body_class=body_class, orders=orders)
