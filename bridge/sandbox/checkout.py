"""The checkout page and the page after an order."""

from __future__ import annotations

from flask import Blueprint, g

from bridge.sandbox import cart
from bridge.sandbox.cart_pages import line
from bridge.sandbox.quote_documents import checkout_config
from bridge.sandbox.store_documents import COUNTRIES
from bridge.sandbox.values import inline_json
from bridge.sandbox.web import Response, page, redirect_to, regenerate, shop_state, url, visitor

blueprint = Blueprint("shop_checkout", __name__)


@blueprint.get("/checkout/")
def checkout() -> Response:
    """Show the checkout under an enforced policy; with an empty cart go to the cart instead.

    The session id changes here, as in the real shop.
    """
    state, session = shop_state(), visitor()
    quote = state.quote_of(session)
    if quote is None or not quote.items:
        return redirect_to(url("checkout/cart/"))
    regenerate()
    g.enforce_policy = True
    customer = state.customers.get(session.customer_id or 0)
    known = customer.addresses[customer.default_address] if customer and customer.default_address else None
    return page(
        "checkout.html",
        title="Checkout",
        body_class="checkout-index-index page-layout-checkout",
        nonce=g.nonce,
        config=inline_json(checkout_config(state, session, quote)),
        quote=quote,
        lines=[line(item) for item in quote.items],
        countries=COUNTRIES,
        customer=customer,
        known=known,
        payment_methods=cart.PAYMENT_METHODS,
    )


@blueprint.get("/checkout/onepage/success/")
def success() -> Response:
    """Show the number of the session's last order, as often as it is asked for; without one go to the cart."""
    state, session = shop_state(), visitor()
    order = state.orders.get(session.last_order_id or 0)
    if order is None:
        return redirect_to(url("checkout/cart/"))
    return page(
        "success.html", title="Success Page", body_class="checkout-onepage-success page-layout-1column", order=order
    )
