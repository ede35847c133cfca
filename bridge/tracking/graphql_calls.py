"""GraphQL calls of a front end -> events: who the visitor is, what changed in the cart, which order was placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.events import (
    AnyEvent,
    BasketChanged,
    Identified,
    LoggedOut,
    MailExpected,
    OrderPlaced,
    PasswordReset,
    Registered,
    Subscribed,
)
from bridge.tracking.bodies import Odd
from bridge.tracking.proofs import email_of, number_of
from bridge.tracking.wire import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.tracking.graphql import Call
    from bridge.tracking.wire import Exchange

    ReadCall = Callable[[Call, Exchange], Iterator[AnyEvent | Token]]


def graphql_calls(exchange: Exchange) -> Iterator[AnyEvent | Token]:
    """``POST graphql``: each call that the shop carried out, of those in :data:`CALLS`."""
    body = exchange.request_body
    if exchange.response.status != 200 or not body or not exchange.response_body:
        return
    # Most calls only read the catalogue: they are let go before anything is parsed.
    if not any(name in body for name in _NAMES):
        return
    from bridge.tracking.graphql import calls  # noqa: PLC0415 - see there

    for call in calls(body, exchange.response_body, CALLS):
        yield from CALLS[call.name](call, exchange)


def _argument(call: Call, name: str) -> Any:
    """Return an argument, or a field of the ``input`` that holds all arguments of newer calls."""
    if name in call.arguments:
        return call.arguments[name]
    given = call.arguments.get("input")
    return given.get(name) if isinstance(given, dict) else None


def _email(call: Call, name: str = "email") -> str:
    given = _argument(call, name)
    return email_of(given if isinstance(given, str) else None)


# ---- the visitor ---------------------------------------------------------------------------------------------------


def _logged_in(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    token = call.told("token")
    if isinstance(token, str) and token:
        yield Token(token.encode())
    yield Identified(email=_email(call), source="login")


def _registered(call: Call, exchange: Exchange) -> Iterator[AnyEvent | Token]:
    email = _email(call)
    yield Registered(email=email, subscribed=_argument(call, "is_subscribed") is True)
    # With a bearer token it is another system, or somebody who is logged in, that makes the account.
    if exchange.request.get(b"authorization") is None:
        yield Identified(email=email, source="registration")


def _subscribed(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    if call.told("status") not in {None, "SUBSCRIBED", "NOT_ACTIVE", "UNCONFIRMED"}:
        return
    email = _email(call)
    yield Subscribed(email=email)
    yield Identified(email=email, source="newsletter")


def _changed_email(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    if _argument(call, "email") is not None:
        yield Identified(email=_email(call), source="account")


def _account(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    """The shop tells its customer who she is: how a visitor is known who was logged in before bridge came."""
    told = call.told("email")
    if isinstance(told, str):
        yield Identified(email=email_of(told), source="account")


def _left(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    if call.answer is True or call.told("result") is True:
        yield LoggedOut()


def _guest(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    yield Identified(email=_email(call), source="checkout")


def _forgot(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    if call.answer is True:
        yield MailExpected(mail="password_forgot", email=_email(call))


def _reset(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    if call.answer is True:
        yield PasswordReset(email=_email(call))


# ---- the cart and the order ----------------------------------------------------------------------------------------


def _basket(call: Call, _exchange: Exchange) -> Iterator[AnyEvent | Token]:
    # Some calls tell refusals beside the cart and not as errors.
    if not (call.told("user_errors") or call.told("userInputErrors") or call.told("errors")):
        yield BasketChanged(action=call.name)


def _placed(call: Call, exchange: Exchange) -> Iterator[AnyEvent | Token]:
    """An order's number is the increment id; a refusal is told as an error or beside an order that is null."""
    if call.told("errors"):
        return
    for order in (call.told("orderV2"), call.told("order")):
        # The names below an order are the shop's own unless an alias was given, where the number is not found.
        number = next(
            (number_of(order[name]) for name in ("number", "order_number", "order_id") if order.get(name))
            if isinstance(order, dict)
            else iter(()),
            None,
        )
        if number:
            yield OrderPlaced(number=number, guest=exchange.request.get(b"authorization") is None)
            return
    raise Odd("no order number")


_CART = (
    "addProductsToCart",
    "addSimpleProductsToCart",
    "addConfigurableProductsToCart",
    "addVirtualProductsToCart",
    "addBundleProductsToCart",
    "addDownloadableProductsToCart",
    "addWishlistItemsToCart",
    "reorderItems",
    "updateCartItems",
    "removeItemFromCart",
    "clearCart",
    "clearCustomerCart",
    "mergeCarts",
    "assignCustomerToGuestCart",
    "applyCouponToCart",
    "removeCouponFromCart",
)

CALLS: dict[str, ReadCall] = {
    "generateCustomerToken": _logged_in,
    "createCustomer": _registered,
    "createCustomerV2": _registered,
    "subscribeEmailToNewsletter": _subscribed,
    "updateCustomerEmail": _changed_email,
    "updateCustomer": _changed_email,
    "customer": _account,
    "revokeCustomerToken": _left,
    "deleteCustomer": _left,
    "setGuestEmailOnCart": _guest,
    "requestPasswordResetEmail": _forgot,
    "resetPassword": _reset,
    "placeOrder": _placed,
    "setPaymentMethodAndPlaceOrder": _placed,
    **dict.fromkeys(_CART, _basket),
}
"""Root field -> reader. A forgotten password identifies nobody: the shop agrees to any address."""

_NAMES = tuple(name.encode() for name in CALLS)
