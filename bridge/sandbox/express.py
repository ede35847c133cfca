"""Payment on another site: the buyer leaves the shop's cart, pays or does not, and comes back.

Two ways, by the routes that they have: PayPal Express Checkout, where the order is placed after the buyer's return, and
a hosted payment page, where it is placed before and cancelled when nothing was paid. The payment service's own site is
one page of this shop, since the sandbox has no second host to spare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from bridge.sandbox import mails
from bridge.sandbox.cart import EXPRESS, HOSTED, CartError
from bridge.sandbox.people import Address
from bridge.sandbox.placing import place_order
from bridge.sandbox.signing import STALE_FORM, current_customer
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
    from bridge.sandbox.quotes import Quote

blueprint = Blueprint("shop_express", __name__)

LAYOUT = "page-layout-1column"
BUYER = "buyer@payments.example"
"""The address that the payment service has of a guest."""
HOME = Address("Pia", "Buyer", ("7 Ledger Lane",), "London", "EC1A 1AA", "GB", "02070000000")


def _filled() -> Quote | None:
    quote = shop_state().quote_of(visitor())
    return quote if quote is not None and quote.items else None


@blueprint.get("/paypal/express/start/")
def start() -> Response:
    """Send the buyer to the payment service; with an empty cart back to the cart."""
    return redirect_to(url("paypal/site/" if _filled() else "checkout/cart/"))


@blueprint.get("/paypal/site/")
def site() -> Response:
    """Show what the payment service shows: pay, pay with a card that will be declined, or leave."""
    return page("express_site.html", title="Pay", body_class=f"payment-service {LAYOUT}")


@blueprint.get("/paypal/express/return/")
def back() -> Response:
    """Take the buyer's name and address from the service, then ask for a last look."""
    quote, customer = _filled(), current_customer()
    if quote is None:
        return redirect_to(url("checkout/cart/"))
    quote.email = customer.email if customer else BUYER
    quote.shipping_address = quote.billing_address = HOME
    quote.shipping_method = "flatrate_flatrate"
    visitor().is_declined = request.args.get("card") == "declined"
    return redirect_to(url("paypal/express/review/"))


@blueprint.get("/paypal/express/review/")
def review() -> Response:
    """Show the order once more."""
    quote = _filled()
    if quote is None or quote.shipping_address is None:
        return redirect_to(url("checkout/cart/"))
    return page(
        "express_review.html", title="Review Order", body_class=f"paypal-express-review {LAYOUT}", items=quote.items
    )


@blueprint.post("/paypal/express/placeOrder/")
def place() -> Response:
    """Place the order: 302 to the confirmation; a declined card leads to the page that says so."""
    quote, state, session = _filled(), shop_state(), visitor()
    if quote is None or not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("checkout/cart/"))
    if session.is_declined:
        say("error", "The payment was declined.")
        return redirect_to(url("checkout/onepage/failure/"))
    try:
        order = place_order(state, quote, EXPRESS, request.remote_addr or "127.0.0.1")
    except CartError as error:
        say("error", str(error))
        return redirect_to(url("checkout/cart/"))
    session.last_order_id, session.quote_id = order.entity_id, None
    post_mail(mails.order_placed(state, order))
    return redirect_to(url("checkout/onepage/success/"))


@blueprint.get("/paypal/express/cancel/")
def cancel() -> Response:
    """Take the buyer back to the cart. The real shop, too, calls this a success."""
    quote = _filled()
    if quote is not None:
        quote.shipping_address = quote.billing_address = quote.shipping_method = None
    say("success", "Express Checkout has been canceled.")
    return redirect_to(url("checkout/cart/"))


@blueprint.get("/checkout/onepage/failure/")
def failure() -> Response:
    """Say that the payment failed, and name the attempt, as the real page does."""
    return page("failure.html", title="We could not take your payment", body_class=f"checkout-onepage-failure {LAYOUT}")


@blueprint.get("/hosted/payment/return/")
def hosted() -> Response:
    """End a payment that a gateway took after the order: paid, or the order is cancelled and the cart is back."""
    state, session = shop_state(), visitor()
    order = state.orders.get(session.last_order_id or 0)
    if order is None or order.payment_method != HOSTED:
        return redirect_to(url("checkout/cart/"))
    if request.args.get("paid") == "1":
        return redirect_to(url("checkout/onepage/success/"))
    if order.state != "canceled":
        state.set_order_state(order, "canceled", "canceled")
        quote = state.quotes[order.quote_id]
        quote.active, session.last_order_id = True, None
        session.quote_id = None if order.customer_id else quote.id
    say("error", "The payment was declined.")
    return redirect_to(url("checkout/cart/"))
