"""Observers of passing traffic: a form post or REST call and its answer -> events.

Each keeps one field. What counts as success was proven on a running Magento 2.4.6; the HTTP status alone says little.
A forgotten password identifies nobody: the shop answers "success" to any address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.events import (
    AddedToCart,
    AnyEvent,
    BasketChanged,
    Identified,
    LoggedOut,
    Registered,
    Subscribed,
)
from bridge.tracking.bodies import Odd
from bridge.tracking.cookies import has_new_session, last_message
from bridge.tracking.graphql_calls import graphql_calls
from bridge.tracking.mail_signs import MAIL_ROUTES, told_of_change
from bridge.tracking.orders import confirmed, confirmed_several, named_at_checkout, placed_by_customer, placed_by_guest
from bridge.tracking.proofs import (
    ENTITY_ID,
    MISSED,
    CustomerBody,
    Username,
    action_of,
    answer_json,
    email_of,
    form,
    is_redirect,
    path_value,
    quantity_of,
    request_json,
    sets_context,
    was_added,
)
from bridge.tracking.routes import Route
from bridge.tracking.wire import Token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.tracking.wire import Exchange


# ---- the cart ------------------------------------------------------------------------------------------------------


def added_to_cart(exchange: Exchange) -> Iterator[AnyEvent]:
    """``checkout/cart/add``: JSON for script callers, else a redirect with a message."""
    if not was_added(exchange):
        return
    fields = form(exchange, {"product", "qty"})
    product = fields.get("product") or path_value(exchange.request.path, b"product")
    if not ENTITY_ID.fullmatch(product):
        raise Odd("no product id")
    yield AddedToCart(product=product, quantity=quantity_of(fields.get("qty", "")))


def cart_changed_by_form(exchange: Exchange) -> Iterator[AnyEvent]:
    """Form posts of the cart page: a redirect, and a message only when something is to be said."""
    if is_redirect(exchange) and last_message(exchange) not in MISSED:
        yield BasketChanged(action=action_of(exchange))


def added_again(exchange: Exchange) -> Iterator[AnyEvent]:
    """A wish that moves to the cart, or an old order that is placed there anew: a redirect, for scripts by JSON."""
    answer = None if is_redirect(exchange) else answer_json(exchange)
    led = is_redirect(exchange) or (isinstance(answer, dict) and isinstance(answer.get("backUrl"), str))
    if led and last_message(exchange) not in MISSED:
        yield BasketChanged(action=action_of(exchange))


def cart_changed_by_script(exchange: Exchange) -> Iterator[AnyEvent]:
    """Calls of the mini-cart."""
    answer = answer_json(exchange)
    if isinstance(answer, dict) and answer.get("success") is True:
        yield BasketChanged(action=action_of(exchange))


# ---- the visitor ---------------------------------------------------------------------------------------------------


def logged_in_by_form(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/account/loginPost``: another session, a new page-cache context, and not back to the log-in page.

    A context alone proves nothing: store views that are not the default one have it for guests too. A notice or warning
    may be about the cart that the log-in merged.
    """
    location = exchange.response.get(b"location") or b""
    if (
        is_redirect(exchange)
        and has_new_session(exchange)
        and sets_context(exchange)
        and b"/customer/account/login" not in location.lower()
        and last_message(exchange) != "error"
    ):
        yield Identified(email=email_of(form(exchange, {"login[username]"}).get("login[username]")), source="login")


def logged_in_by_script(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/ajax/login``."""
    answer = answer_json(exchange)
    if isinstance(answer, dict) and answer.get("errors") is False:
        yield Identified(email=email_of(request_json(exchange, Username).username), source="login")


def registered_by_form(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/account/createpost``: success also when the address must be confirmed before the first log-in."""
    location = exchange.response.get(b"location") or b""
    if (
        not is_redirect(exchange)
        or b"/customer/account/create" in location.lower()
        or not (last_message(exchange) == "success" or (last_message(exchange) is None and sets_context(exchange)))
    ):
        return
    fields = form(exchange, {"email", "is_subscribed"})
    email = email_of(fields.get("email"))
    yield Registered(email=email, subscribed=fields.get("is_subscribed", "") not in {"", "0"})
    yield Identified(email=email, source="registration")


def subscribed_by_form(exchange: Exchange) -> Iterator[AnyEvent]:
    """``newsletter/subscriber/new``."""
    if is_redirect(exchange) and last_message(exchange) == "success":
        email = email_of(form(exchange, {"email"}).get("email"))
        yield Subscribed(email=email)
        yield Identified(email=email, source="newsletter")


def logged_out(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/account/logout``."""
    location = (exchange.response.get(b"location") or b"").lower()
    if is_redirect(exchange) and (b"logoutsuccess" in location or has_new_session(exchange)):
        yield LoggedOut()


def registered_by_rest(exchange: Exchange) -> Iterator[AnyEvent]:
    """``POST V1/customers``; with a bearer token it is another system that makes the account, not the visitor."""
    answer = answer_json(exchange)
    if not isinstance(answer, dict) or not answer.get("id"):
        return
    email = email_of(request_json(exchange, CustomerBody).customer.email)
    yield Registered(email=email)
    if exchange.request.get(b"authorization") is None:
        yield Identified(email=email, source="registration")


def logged_in_by_rest(exchange: Exchange) -> Iterator[AnyEvent | Token]:
    """``POST V1/integration/customer/token``: the answer is a token, of which only an HMAC is kept."""
    token = answer_json(exchange)
    if isinstance(token, str) and token:
        yield Token(token.encode())
        yield Identified(email=email_of(request_json(exchange, Username).username), source="login")


def changed_account(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/account/editPost``: another e-mail counts only with its box ticked and the shop's word."""
    if not is_redirect(exchange) or last_message(exchange) != "success":
        return
    fields = form(exchange, {"change_email", "change_password", "email"})
    mail = told_of_change(fields)
    if mail is not None:
        yield mail
    if fields.get("change_email", "") not in {"", "0"}:
        yield Identified(email=email_of(fields.get("email")), source="account")


def told_account(exchange: Exchange) -> Iterator[AnyEvent]:
    """``V1/customers/me``: the shop tells its customer who she is, also after she has changed it by a ``PUT``.

    It is how a visitor becomes known who was logged in before bridge came: the tag asks once.
    """
    answer = answer_json(exchange)
    if isinstance(answer, dict) and answer.get("id") and isinstance(answer.get("email"), str):
        yield Identified(email=email_of(answer["email"]), source="account")


_GET_OR_POST = frozenset({b"GET", b"POST"})
_PUT = frozenset({b"PUT"})
_GET = frozenset({b"GET"})
_GET_OR_PUT = frozenset({b"GET", b"PUT"})

ROUTES: tuple[Route, ...] = (
    Route("cart-add", b"checkout/cart/add", added_to_cart, urgent=False, needs_response_body=True),
    *(
        Route(f"cart-{name}", b"checkout/cart/" + path, cart_changed_by_form, urgent=False, needs_request_body=False)
        for name, path in (
            ("update", b"updatePost"),
            ("options", b"updateItemOptions"),
            ("delete", b"delete"),
            ("coupon", b"couponPost"),
            ("group", b"addgroup"),
        )
    ),
    *(
        Route(
            path.replace(b"/", b"-").decode(),
            path,
            added_again,
            urgent=False,
            needs_request_body=False,
            needs_response_body=True,
        )
        for path in (
            b"wishlist/index/cart",
            b"wishlist/index/allcart",
            b"wishlist/shared/cart",
            b"wishlist/shared/allcart",
            b"sales/order/reorder",
            b"sales/guest/reorder",
        )
    ),
    *(
        Route(
            f"sidebar-{name}",
            b"checkout/sidebar/" + path,
            cart_changed_by_script,
            urgent=False,
            needs_request_body=False,
            needs_response_body=True,
        )
        for name, path in (("update", b"updateItemQty"), ("remove", b"removeItem"))
    ),
    Route("login", b"customer/account/loginPost", logged_in_by_form),
    Route("login-ajax", b"customer/ajax/login", logged_in_by_script, needs_response_body=True),
    Route("register", b"customer/account/createpost", registered_by_form),
    Route("newsletter", b"newsletter/subscriber/new", subscribed_by_form),
    Route("logout", b"customer/account/logout", logged_out, _GET_OR_POST, needs_request_body=False),
    Route("order-guest", b"V1/guest-carts/*/payment-information", placed_by_guest, needs_response_body=True),
    Route("order-guest-put", b"V1/guest-carts/*/order", placed_by_guest, _PUT, needs_response_body=True),
    Route("order-customer", b"V1/carts/mine/payment-information", placed_by_customer, needs_response_body=True),
    Route("order-customer-put", b"V1/carts/mine/order", placed_by_customer, _PUT, needs_response_body=True),
    *(
        Route(f"guest-{path.decode()}", b"V1/guest-carts/*/" + path, named_at_checkout, needs_response_body=True)
        for path in (b"shipping-information", b"set-payment-information", b"billing-address")
    ),
    Route(
        "success",
        b"checkout/onepage/success",
        confirmed,
        _GET,
        needs_request_body=False,
        needs_response_body=True,
        repeats=True,
    ),
    *(
        Route(
            f"multishipping-{path.decode()}",
            b"multishipping/checkout/" + path,
            confirmed_several,
            _GET,
            needs_request_body=False,
            needs_response_body=True,
            repeats=True,
        )
        for path in (b"success", b"results")
    ),
    Route("account-edit", b"customer/account/editPost", changed_account),
    Route(
        "account-me",
        b"V1/customers/me",
        told_account,
        _GET_OR_PUT,
        needs_request_body=False,
        needs_response_body=True,
    ),
    Route("graphql", b"graphql", graphql_calls, needs_response_body=True),
    Route("register-rest", b"V1/customers", registered_by_rest, needs_response_body=True),
    Route("token-rest", b"V1/integration/customer/token", logged_in_by_rest, needs_response_body=True),
    *MAIL_ROUTES,
)
"""All watched requests. To watch another: one line here and one function above."""
