"""Changing an account: name, e-mail, password; a forgotten password and the link of its mail."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import Blueprint
from markupsafe import escape

from bridge.sandbox import mails
from bridge.sandbox.signing import EMAIL, STALE_FORM, current_customer, leave, sign_in_first
from bridge.sandbox.web import (
    Response,
    form_key_is_valid,
    page,
    post_mail,
    redirect_to,
    request,
    say,
    shop_state,
    store_view,
    url,
    visitor,
)

if TYPE_CHECKING:
    from bridge.sandbox.people import Customer

blueprint = Blueprint("shop_account_edit", __name__)


@blueprint.get("/customer/account/edit/")
@blueprint.get("/customer/account/edit/changepass/<int:changepass>/")
def edit(changepass: int = 0) -> Response:
    """Show the form for name, e-mail and password."""
    customer = current_customer()
    if customer is None:
        return sign_in_first("customer/account/edit/")
    return page(
        "edit.html",
        title="Account Information",
        body_class="account customer-account-edit page-layout-2columns-left",
        customer=customer,
        changepass=bool(changepass),
    )


@blueprint.post("/customer/account/editPost/")
def edit_post() -> Response:
    """Save the account. A changed e-mail or password signs the customer out and sends mails, as in 2.4.6."""
    customer, form = current_customer(), request.form
    if customer is None:
        return sign_in_first("customer/account/edit/")
    refusal = STALE_FORM if not form_key_is_valid() else _refusal(customer)
    if refusal:
        say("error", refusal)
        return redirect_to(url("customer/account/edit/"))
    old_email = customer.email
    customer.firstname, customer.lastname = form.get("firstname", ""), form.get("lastname", "")
    customer.updated_at = shop_state().now()
    if form.get("change_email"):
        customer.email = form["email"].strip()
    if form.get("change_password"):
        customer.password = form["password"]
    say("success", "Your account information is saved.")
    if not form.get("change_email") and not form.get("change_password"):
        return redirect_to(url("customer/account/"))
    _tell(customer, old_email)
    messages = visitor().messages
    leave()
    visitor().messages = messages
    return redirect_to(url("customer/account/login/"))


def _refusal(customer: Customer) -> str:
    form, state = request.form, shop_state()
    if not form.get("change_email") and not form.get("change_password"):
        return ""
    if form.get("current_password") != customer.password:
        return "The password doesn't match this account. Verify the password and try again."
    if form.get("change_email"):
        email = form.get("email", "").strip()
        other = state.customer_by_email(email, store_view().website.id)
        if not EMAIL.fullmatch(email) or (other is not None and other is not customer):
            return "There is already an account with this e-mail address."
    if form.get("change_password") and (
        not form.get("password") or form["password"] != form.get("password_confirmation")
    ):
        return "The two passwords are not the same."
    return ""


def _tell(customer: Customer, old_email: str) -> None:
    state, form = shop_state(), request.form
    if form.get("change_email") and customer.email != old_email:
        kind = "email_password" if form.get("change_password") else "email"
        row = state.subscriber(old_email, customer.view.website.id)
        if row is not None:
            row.email = customer.email.lower()
        for to in (old_email, customer.email):
            post_mail(mails.account(state, customer, kind, to))
    elif form.get("change_password"):
        post_mail(mails.account(state, customer, "password"))


@blueprint.get("/customer/account/forgotpassword/")
def forgot_password() -> Response:
    """Show the form for a forgotten password."""
    return page(
        "forgot.html", title="Forgot Your Password?", body_class="customer-account-forgotpassword page-layout-1column"
    )


@blueprint.post("/customer/account/forgotpasswordpost/")
def forgot_password_post() -> Response:
    """Answer the same for known and unknown addresses; only a known one gets the mail."""
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("customer/account/forgotpassword/"))
    email = request.form.get("email", "").strip()
    send_reset_link(shop_state().customer_by_email(email, store_view().website.id))
    say("success", "If %email belongs to an account, a message with a link is on its way.", email=escape(email))
    return redirect_to(url("customer/account/"))


def send_reset_link(customer: Customer | None, kind: str = "forgot") -> None:
    """Give a customer a new token and send its link; moves ``updated_at``."""
    if customer is not None:
        customer.reset_token = secrets.token_hex(16)
        customer.updated_at = shop_state().now()
        post_mail(mails.account(shop_state(), customer, kind))


def reset(customer_id: int, token: str, password: str) -> Customer | None:
    """Set a new password by a token, which is good once; None when it is not good. No mail goes out."""
    customer = shop_state().customers.get(customer_id)
    if customer is None or not token or not secrets.compare_digest(customer.reset_token.encode(), token.encode()):
        return None
    customer.password, customer.reset_token = password, ""
    customer.updated_at = shop_state().now()
    return customer


@blueprint.get("/customer/account/createPassword/")
def follow_reset_link() -> Response:
    """Take id and token out of the address, into the session."""
    customer = shop_state().customers.get(request.args.get("id", 0, type=int))
    token = request.args.get("token", "")
    if customer is None or not token or customer.reset_token != token:
        say("error", "This link is not good any more.")
        return redirect_to(url("customer/account/forgotpassword/"))
    visitor().reset = (customer.id, token)
    return redirect_to(url("customer/account/createpassword/"))


@blueprint.get("/customer/account/createpassword/")
def create_password() -> Response:
    """Show the form for the new password."""
    known = visitor().reset
    if known is None:
        return redirect_to(url("customer/account/forgotpassword/"))
    return page(
        "reset.html",
        title="Set a New Password",
        body_class="customer-account-createpassword page-layout-1column",
        action=url(f"customer/account/resetpasswordpost/?id={known[0]}&token={known[1]}"),
    )


@blueprint.post("/customer/account/resetpasswordpost/")
def reset_password_post() -> Response:
    """Save the new password; 302 to sign in. The real shop sends no mail here."""
    form, session = request.form, visitor()
    same = form.get("password") and form.get("password") == form.get("password_confirmation")
    if not form_key_is_valid() or not same:
        say("error", "The two passwords are not the same.")
        return redirect_to(url("customer/account/createpassword/"))
    customer = reset(request.args.get("id", 0, type=int), request.args.get("token", ""), form["password"])
    session.reset = None
    if customer is None:
        say("error", "This link is not good any more.")
        return redirect_to(url("customer/account/forgotpassword/"))
    say("success", "Your new password is saved.")
    return redirect_to(url("customer/account/login/"))
