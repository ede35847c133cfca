"""Requests that the shop answers by a mail, and passwords set anew, of which the shop tells nobody.

None of this identifies a visitor: a forgotten password is asked for with any address. Passwords lie in the same
requests and are never read; of the token in a link nothing leaves here but what stands for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec

from bridge.events import AnyEvent, MailExpected, PasswordReset, Registered, link_proof
from bridge.tracking.bodies import Odd
from bridge.tracking.cookies import last_message
from bridge.tracking.proofs import ENTITY_ID, answer_json, email_of, form, is_redirect, request_json
from bridge.tracking.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.tracking.wire import Exchange

_IN_PATH = re.compile(r"/(id|token)/([^/?]{1,64})")


class _Email(msgspec.Struct):
    """The one field that is kept of calls about a password."""

    email: str | None = None


def forgot_by_form(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/account/forgotpasswordpost``: the shop says "success" to any address."""
    if is_redirect(exchange) and last_message(exchange) == "success":
        yield MailExpected(mail="password_forgot", email=email_of(form(exchange, {"email"}).get("email")))


def forgot_by_rest(exchange: Exchange) -> Iterator[AnyEvent]:
    """``PUT V1/customers/password``: ``true``; ``false`` when the mail could not be sent."""
    if answer_json(exchange) is True:
        yield MailExpected(mail="password_forgot", email=email_of(request_json(exchange, _Email).email))


def reset_by_form(exchange: Exchange) -> Iterator[AnyEvent]:
    """``customer/account/resetpasswordpost?id=..&token=..``: sent on to the log-in page with a word of success."""
    location = (exchange.response.get(b"location") or b"").lower()
    if not is_redirect(exchange) or b"/customer/account/login" not in location or last_message(exchange) != "success":
        return
    query = parse_qs(exchange.request.target.partition(b"?")[2].decode("latin-1"))
    in_path = dict(_IN_PATH.findall(exchange.request.path.decode("latin-1")))
    customer, token = (next(iter(query.get(name, [])), in_path.get(name, "")) for name in ("id", "token"))
    if not ENTITY_ID.fullmatch(customer) or not token:
        raise Odd("no customer id or token")
    yield PasswordReset(customer=customer, proof=link_proof(token))


def reset_by_rest(exchange: Exchange) -> Iterator[AnyEvent]:
    """``POST V1/customers/resetPassword``: ``true``. The e-mail may be left out, since the token is enough."""
    if answer_json(exchange) is True:
        yield PasswordReset(email=email_of(request_json(exchange, _Email).email))


def told_of_change(fields: dict[str, str]) -> MailExpected | None:
    """Return the mail that a saved account form entails; its address is the account's and not in the form.

    ``fields`` are ``change_email``, ``change_password`` and ``email``, as far as the form has them.
    """
    email, password = (fields.get(name, "") not in {"", "0"} for name in ("change_email", "change_password"))
    if email:
        return MailExpected(mail="email_password_changed" if password else "email_changed", email="")
    return MailExpected(mail="password_changed", email="") if password else None


def operational(events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """Yield what the shop's business needs of the events of a visitor who did not agree to be tracked.

    Of a new account the mail that welcomes it is left. Nothing says which visitor it was.
    """
    for event in events:
        if isinstance(event, MailExpected | PasswordReset):
            yield event
        elif isinstance(event, Registered):
            yield MailExpected(
                id=event.id, at=event.at, store=event.store, host=event.host, mail="account_new", email=event.email
            )


_PUT = frozenset({b"PUT"})
_POST_OR_PUT = frozenset({b"POST", b"PUT"})

MAIL_ROUTES: tuple[Route, ...] = (
    Route("forgot", b"customer/account/forgotpasswordpost", forgot_by_form),
    Route("forgot-rest", b"V1/customers/password", forgot_by_rest, _PUT, needs_response_body=True),
    Route("reset", b"customer/account/resetpasswordpost", reset_by_form, needs_request_body=False),
    Route("reset-rest", b"V1/customers/resetPassword", reset_by_rest, _POST_OR_PUT, needs_response_body=True),
)
"""Watched requests about passwords."""
