"""Customer accounts: sign in and out, register, the account's pages."""

from __future__ import annotations

import secrets

from flask import Blueprint, abort

from bridge.sandbox import cart, mails
from bridge.sandbox.cart_pages import line
from bridge.sandbox.signing import EMAIL, STALE_FORM, current_customer, enter, leave, put_on_list, sign_in_first
from bridge.sandbox.web import (
    Response,
    back_url,
    form_key_is_valid,
    page,
    post_mail,
    redirect_to,
    request,
    say,
    shop_state,
    shown_view,
    store_view,
    url,
    visitor,
)

blueprint = Blueprint("shop_account", __name__)

WRONG_LOGIN = "That e-mail address and password do not go together, or the account is locked for a while."


@blueprint.get("/customer/account/login/")
@blueprint.get("/customer/account/login/referer/<referer>/")
def login(referer: str = "") -> Response:
    """Show the sign-in form."""
    del referer
    if current_customer() is not None:
        return redirect_to(url("customer/account/"))
    return page("login.html", title="Customer Login", body_class="customer-account-login page-layout-1column")


@blueprint.post("/customer/account/loginPost/")
@blueprint.post("/customer/account/loginPost/referer/<referer>/")
def login_post(referer: str = "") -> Response:
    """Sign in: 302 to the account, or back to the form with an error."""
    del referer
    customer = shop_state().customer_by_email(request.form.get("login[username]", ""), store_view().website.id)
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(back_url("customer/account/login/"))
    if customer is None or customer.confirmation or customer.password != request.form.get("login[password]", ""):
        say("error", WRONG_LOGIN)
        return redirect_to(url("customer/account/login/"))
    enter(customer)
    return redirect_to(url("customer/account/"))


@blueprint.get("/customer/account/create/")
def create() -> Response:
    """Show the registration form."""
    if current_customer() is not None:
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
    customer = state.add_customer(email, form["firstname"], form["lastname"], form["password"], view=store_view())
    if form.get("is_subscribed"):
        put_on_list(email)
    if state.options.account_confirmation:
        customer.confirmation = secrets.token_hex(16)
        post_mail(mails.account(state, customer, "confirmation"))
        say("success", "You must confirm your account. The link is in your mailbox.")
        return redirect_to(url("customer/account/index/"))
    enter(customer)
    post_mail(mails.account(state, customer, "welcome"))
    say("success", "Welcome aboard: your Harbour &amp; Pine account is ready.")
    return redirect_to(url("customer/account/"))


@blueprint.get("/customer/account/confirm/")
def confirm() -> Response:
    """Open an account by the link of a mail, and sign in."""
    customer = shop_state().customers.get(request.args.get("id", 0, type=int))
    if customer is None or not customer.confirmation or customer.confirmation != request.args.get("key"):
        say("error", "This link is not good any more.")
        return redirect_to(url("customer/account/login/"))
    customer.confirmation = ""
    enter(customer)
    post_mail(mails.account(shop_state(), customer, "welcome_confirmed"))
    say("success", "Welcome aboard: your Harbour &amp; Pine account is ready.")
    return redirect_to(url("customer/account/index/"))


def _refusal() -> str:
    form = request.form
    if not all(form.get(name, "").strip() for name in ("firstname", "lastname", "email", "password")):
        return "Please fill in every required field."
    if not EMAIL.fullmatch(form["email"].strip()):
        return "Please enter a correct e-mail address."
    if form["password"] != form.get("password_confirmation", ""):
        return "The two passwords are not the same."
    if shop_state().customer_by_email(form["email"], store_view().website.id) is not None:
        return "There is already an account with this e-mail address."
    return ""


@blueprint.get("/customer/account/")
@blueprint.get("/customer/account/index/")
def index() -> Response:
    """Show the account's first page."""
    customer = current_customer()
    if customer is None:
        return sign_in_first("customer/account/index/")
    state = shop_state()
    return page(
        "account.html",
        title="My Account",
        body_class="account customer-account-index page-layout-2columns-left",
        customer=customer,
        orders=state.orders_of(customer)[:5],
        subscribed=state.is_subscribed(customer.email, store_view().website.id),
    )


@blueprint.get("/customer/account/logout/")
def logout() -> Response:
    """Sign out."""
    if current_customer() is not None:
        leave()
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


@blueprint.get("/sales/order/history/")
def history() -> Response:
    """List the customer's orders."""
    customer = current_customer()
    if customer is None:
        return sign_in_first("sales/order/history/")
    return page(
        "orders.html",
        title="My Orders",
        body_class="account sales-order-history page-layout-2columns-left",
        orders=shop_state().orders_of(customer),
    )


@blueprint.get("/sales/order/view/order_id/<int:order_id>/")
def view_order(order_id: int) -> Response:
    """Show one of the customer's own orders."""
    customer = current_customer()
    if customer is None:
        return sign_in_first(f"sales/order/view/order_id/{order_id}/")
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


@blueprint.post("/sales/order/reorder/order_id/<int:order_id>/")
def reorder(order_id: int) -> Response:
    """Put the lines of one of the customer's orders in the cart again: 302 to the cart, without a word of success."""
    customer, state = current_customer(), shop_state()
    order = state.orders.get(order_id)
    if customer is None or order is None or order.customer_id != customer.id or not form_key_is_valid():
        return redirect_to(url("sales/order/history/"))
    quote = state.open_quote(visitor(), shown_view())
    by_id = state.catalogs[quote.view.shelf].by_id
    for row in order.items:
        item = row.quote_item
        try:
            cart.add(state, quote, by_id[item.product.id], item.qty, cart.choice_of(item))
        except cart.CartError as error:
            say("error", str(error))
    return redirect_to(url("checkout/cart/"))
