"""Accounts over REST: tokens, registration, passwords. Anybody may call these; Magento's own storefronts do."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import Blueprint, g

from bridge.sandbox import mails
from bridge.sandbox.account_edit import reset, send_reset_link
from bridge.sandbox.rest_base import Document, RestError, body, call, inner, selling_view
from bridge.sandbox.signing import EMAIL, put_on_list
from bridge.sandbox.store_documents import customer_document
from bridge.sandbox.storefront_rest import customer_id, posted_address, route
from bridge.sandbox.views import VIEW_BY_ID
from bridge.sandbox.web import post_mail, shop_state

if TYPE_CHECKING:
    from bridge.sandbox.people import Customer

blueprint = Blueprint("shop_storefront_accounts", __name__)

WRONG_SIGN_IN = "The account sign-in was incorrect, or the account is locked for a while."


def new_token(owner: int) -> str:
    """Make a bearer token of a customer, or of the admin (owner 0)."""
    token = f"{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(40)}.{secrets.token_urlsafe(32)}"
    shop_state().tokens[token] = owner
    return token


def by_password(email: str, password: str) -> Customer | None:
    """Return the customer of the website whose password this is."""
    customer = shop_state().customer_by_email(email, selling_view().website.id)
    good = customer is not None and not customer.confirmation and customer.password == password
    return customer if good else None


@call(blueprint, "integration/customer/token", None, "POST")
def customer_token() -> str:
    """Give a customer's token for a password."""
    asked = body()
    customer = by_password(str(asked.get("username")), str(asked.get("password")))
    if customer is None:
        raise RestError(401, WRONG_SIGN_IN)
    return new_token(customer.id)


@call(blueprint, "integration/admin/token", None, "POST")
def admin_token() -> str:
    """Give the admin's token; the sandbox's admin has the integration's token as password."""
    if str(body().get("password")) != shop_state().options.rest_token:
        raise RestError(401, WRONG_SIGN_IN)
    return new_token(0)


@call(blueprint, "customers", None, "POST")
def create_customer() -> Document:
    """Register a customer."""
    asked, state = body(), shop_state()
    given = inner(asked, "customer")
    email = str(given.get("email") or "").strip()
    if not EMAIL.fullmatch(email):
        raise RestError(400, "The customer email is missing. Enter and try again.")
    view = VIEW_BY_ID.get(int(given.get("store_id") or 0)) or selling_view()
    if state.customer_by_email(email, view.website.id):
        raise RestError(400, "A customer with the same email address already exists in an associated website.")
    password = str(asked.get("password") or "")
    customer = state.add_customer(
        email, str(given.get("firstname") or ""), str(given.get("lastname") or ""), password, view=view
    )
    for address in given.get("addresses") or []:
        state.add_address(customer, posted_address(address))
    g.view = view
    if (given.get("extension_attributes") or {}).get("is_subscribed"):
        put_on_list(email)
    post_mail(mails.account(state, customer, "welcome" if password else "welcome_no_password"))
    return customer_document(state, customer)


@call(blueprint, "customers/password", None, "PUT")
def forgot_password() -> bool:
    """Send a reset link; ``template`` chooses between the customer's and the admin's kind of mail."""
    asked = body()
    website_id = int(asked.get("website_id") or selling_view().website.id)
    customer = shop_state().customer_by_email(str(asked.get("email")), website_id)
    send_reset_link(customer, "remind" if asked.get("template") == "email_reminder" else "forgot")
    return True


@call(blueprint, "customers/resetPassword", None, "POST")
def reset_password() -> bool:
    """Set a new password by the token of a mail."""
    asked = body()
    customer = shop_state().customer_by_email(str(asked.get("email")), selling_view().website.id)
    done = customer and reset(customer.id, str(asked.get("reset_token")), str(asked.get("new_password")))
    if not done:
        raise RestError(400, "The password token is mismatched. Reset and try again.")
    return True


@route("customers/me/password", "PUT", where=blueprint)
def change_password() -> bool:
    """Change the signed-in customer's password; the real shop sends no mail for this call."""
    customer, asked = shop_state().customers[customer_id()], body()
    if asked.get("current_password") != customer.password:
        raise RestError(401, "The password doesn't match this account. Verify the password and try again.")
    customer.password = str(asked.get("new_password"))
    return True
