"""Who is signed in, and signing in and out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import g

from bridge.sandbox import cart, mails
from bridge.sandbox.values import uenc
from bridge.sandbox.web import (
    Response,
    drop_cookies,
    post_mail,
    redirect_to,
    regenerate,
    shop_state,
    shown_view,
    store_view,
    url,
    visitor,
)

if TYPE_CHECKING:
    from bridge.sandbox.people import Customer, Subscriber

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
STALE_FORM = "Your form was too old to be used. Please try again."


def current_customer() -> Customer | None:
    """Return the signed-in customer."""
    return shop_state().customers.get(visitor().customer_id or 0)


def sign_in_first(path: str) -> Response:
    """Send a guest to the sign-in form."""
    return redirect_to(url(f"customer/account/login/referer/{uenc(url(path))}/"))


def enter(customer: Customer) -> None:
    """Sign a customer in: new session id, the guest's cart joins theirs, cookies of the guest go."""
    state, session = shop_state(), visitor()
    guest_cart = state.quote_of(session)
    session.customer_id, session.quote_id = customer.id, None
    own = state.quote_of(session) or state.new_quote(customer.id, shown_view())
    state.move_quote(own, shown_view())
    if guest_cart is not None and guest_cart is not own:
        cart.merge(state, guest_cart, own)
    regenerate()
    drop_cookies()
    g.vary = "signing in"


def leave() -> None:
    """Sign out: the session is gone; the vary cookie takes one more value before the next page deletes it."""
    regenerate(forget=True)
    drop_cookies(persistent=False)
    g.vary = "signing out"


def put_on_list(email: str) -> Subscriber:
    """Subscribe an address, or ask it to confirm first, with the mail that goes with it."""
    state = shop_state()
    confirmed = not state.options.newsletter_confirmation
    row = state.subscribe(email, store_view(), confirmed=confirmed)
    post_mail(mails.newsletter(state, row, "success" if confirmed else "confirm"))
    return row


def take_off_list(email: str) -> None:
    """Unsubscribe an address, with the mail that goes with it."""
    state = shop_state()
    row = state.subscriber(email, store_view().website.id)
    if row is not None:
        state.unsubscribe(email, store_view())
        post_mail(mails.newsletter(state, row, "un"))
