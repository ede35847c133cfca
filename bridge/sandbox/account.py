"""Customer accounts and the newsletter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, abort, g
from markupsafe import escape

from bridge.sandbox import cart, mails
from bridge.sandbox.cart_pages import STALE_FORM, line
from bridge.sandbox.values import uenc
from bridge.sandbox.web import (
    Response,
    back_url,
    drop_cookies,
    form_key_is_valid,
    page,
    post_mail,
    redirect_to,
    regenerate,
    request,
    say,
    shop_state,
    url,
    visitor,
)

if TYPE_CHECKING:
    from bridge.sandbox.state import Customer

blueprint = Blueprint("shop_account", __name__)

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
WRONG_LOGIN = "That e-mail address and password do not go together, or the account is locked for a while."


def _customer() -> Customer | None:
    return shop_state().customers.get(visitor().customer_id or 0)


def _enter(customer: Customer) -> None:
    """Sign a customer in: new session id, the guest's cart joins theirs, cookies of the guest go."""
    state, session = shop_state(), visitor()
    guest_cart = state.quote_of(session)
    session.customer_id, session.quote_id = customer.id, None
    own = state.quote_of(session) or state.new_quote(customer.id)
    if guest_cart is not None and guest_cart is not own:
        cart.merge(state, guest_cart, own)
    regenerate()
    drop_cookies()
    g.vary = "signing in"


@blueprint.get("/customer/account/login/")
@blueprint.get("/customer/account/login/referer/<referer>/")
def login(referer: str = "") -> Response:
    """Show the sign-in form."""
    del referer
    if _customer() is not None:
        return redirect_to(url("customer/account/"))
    return page("login.html", title="Customer Login", body_class="customer-account-login page-layout-1column")


@blueprint.post("/customer/account/loginPost/")
@blueprint.post("/customer/account/loginPost/referer/<referer>/")
def login_post(referer: str = "") -> Response:
    """Sign in: 302 to the account, or back to the form with an error."""
    del referer
    customer = shop_state().customer_by_email(request.form.get("login[username]", ""))
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(back_url("customer/account/login/"))
    if customer is None or customer.password != request.form.get("login[password]", ""):
        say("error", WRONG_LOGIN)
        return redirect_to(url("customer/account/login/"))
    _enter(customer)
    return redirect_to(url("customer/account/"))


@blueprint.get("/customer/account/create/")
def create() -> Response:
    """Show the registration form."""
    if _customer() is not None:
        return redirect_to(url("customer/account/"))
    return page(
        "create.html", title="Create New Customer Account", body_class="customer-account-create page-layout-1column"
    )


@blueprint.post("/customer/account/createpost/")
def create_post() -> Response:
    """Register and sign in: 302 to the account, or back to the form with an error."""
    form, state = request.form, shop_state()
    refusal = STALE_FORM if not form_key_is_valid() else _refusal()
    if refusal:
        say("error", refusal)
        return redirect_to(url("customer/account/create/"))
    email = form["email"].strip()
    customer = state.add_customer(email, form["firstname"], form["lastname"], form["password"])
    if form.get("is_subscribed"):
        state.subscribe(email)
    _enter(customer)
    post_mail(mails.account_created(state.options, customer))
    say("success", "Welcome aboard: your Harbour &amp; Pine account is ready.")
    return redirect_to(url("customer/account/"))


def _refusal() -> str:
    form = request.form
    if not all(form.get(name, "").strip() for name in ("firstname", "lastname", "email", "password")):
        return "Please fill in every required field."
    if not EMAIL.fullmatch(form["email"].strip()):
        return "Please enter a correct e-mail address."
    if form["password"] != form.get("password_confirmation", ""):
        return "The two passwords are not the same."
    if shop_state().customer_by_email(form["email"]) is not None:
        return "There is already an account with this e-mail address."
    return ""


@blueprint.get("/customer/account/")
@blueprint.get("/customer/account/index/")
def index() -> Response:
    """Show the account's first page."""
    customer = _customer()
    if customer is None:
        return _sign_in_first("customer/account/index/")
    state = shop_state()
    return page(
        "account.html",
        title="My Account",
        body_class="account customer-account-index page-layout-2columns-left",
        customer=customer,
        orders=state.orders_of(customer)[:5],
        subscribed=state.is_subscribed(customer.email),
    )


def _sign_in_first(path: str) -> Response:
    return redirect_to(url(f"customer/account/login/referer/{uenc(url(path))}/"))


@blueprint.get("/customer/account/logout/")
def logout() -> Response:
    """Sign out: the session is gone; the vary cookie takes one more value before the next page deletes it."""
    if _customer() is not None:
        regenerate(forget=True)
        drop_cookies(persistent=False)
        g.vary = "signing out"
    return redirect_to(url("customer/account/logoutSuccess/"))


@blueprint.get("/customer/account/logoutSuccess/")
def logout_success() -> Response:
    """Say good-bye."""
    return page(
        "logout.html",
        cacheable=True,
        title="You are signed out",
        body_class="customer-account-logoutsuccess page-layout-1column",
    )


@blueprint.get("/customer/account/forgotpassword/")
def forgot_password() -> Response:
    """Show the form for a forgotten password."""
    return page(
        "forgot.html", title="Forgot Your Password?", body_class="customer-account-forgotpassword page-layout-1column"
    )


@blueprint.post("/customer/account/forgotpasswordpost/")
def forgot_password_post() -> Response:
    """Answer the same for known and unknown addresses."""
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("customer/account/forgotpassword/"))
    email = escape(request.form.get("email", ""))
    say("success", f"If {email} belongs to an account, a message with a link is on its way.")
    return redirect_to(url("customer/account/"))


@blueprint.get("/sales/order/history/")
def history() -> Response:
    """List the customer's orders."""
    customer = _customer()
    if customer is None:
        return _sign_in_first("sales/order/history/")
    return page(
        "orders.html",
        title="My Orders",
        body_class="account sales-order-history page-layout-2columns-left",
        orders=shop_state().orders_of(customer),
    )


@blueprint.get("/sales/order/view/order_id/<int:order_id>/")
def view_order(order_id: int) -> Response:
    """Show one of the customer's own orders."""
    customer = _customer()
    if customer is None:
        return _sign_in_first(f"sales/order/view/order_id/{order_id}/")
    order = shop_state().orders.get(order_id)
    if order is None or order.customer_id != customer.id:
        abort(404)
    return page(
        "order.html",
        title=f"Order # {order.increment_id}",
        order=order,
        body_class="account sales-order-view page-layout-2columns-left",
        lines=[line(item.quote_item) for item in order.items],
    )


@blueprint.post("/newsletter/subscriber/new/")
def subscribe() -> Response:
    """Take an address for the newsletter: 302 back; only the message tells success from failure."""
    email = request.form.get("email", "").strip()
    if not form_key_is_valid():
        say("error", STALE_FORM)
    elif not EMAIL.fullmatch(email):
        say("error", "Please enter a correct e-mail address.")
    elif shop_state().is_subscribed(email):
        say("error", "This e-mail address is on our list already.")
    else:
        shop_state().subscribe(email)
        say("success", "You are on the list. Letters go out when the tide is right.")
    return redirect_to(back_url())


@blueprint.get("/newsletter/manage/")
def manage() -> Response:
    """Show the customer's newsletter choice."""
    customer = _customer()
    if customer is None:
        return _sign_in_first("newsletter/manage/")
    return page(
        "newsletter.html",
        title="Newsletter Subscriptions",
        body_class="account newsletter-manage-index page-layout-2columns-left",
        subscribed=shop_state().is_subscribed(customer.email),
    )


@blueprint.post("/newsletter/manage/save/")
def manage_save() -> Response:
    """Save the customer's newsletter choice; a change moves the customer's ``updated_at``."""
    customer, state = _customer(), shop_state()
    if customer is None:
        return _sign_in_first("newsletter/manage/")
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("customer/account/"))
    wanted = bool(request.form.get("is_subscribed"))
    if wanted != state.is_subscribed(customer.email):
        customer.updated_at = state.now()
        if wanted:
            state.subscribe(customer.email)
        else:
            state.subscribers.discard(customer.email.lower())
    say("success", "Your newsletter choice is saved.")
    return redirect_to(url("customer/account/"))
