"""Cookies of an exchange, and Magento's messages in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

if TYPE_CHECKING:
    from bridge.tracking.wire import Exchange, RequestHead, ResponseHead

MESSAGES = b"mage-messages"
SESSION = b"PHPSESSID"
CONSENT = "bridge_consent"
"""First-party cookie that the tag sets once the shop's own signal says yes, and deletes when it says no."""
CONSENT_GIVEN = "1"


class Message(msgspec.Struct, frozen=True):
    """A notice to the shopper: ``type`` is ``success``, ``notice``, ``warning`` or ``error``; the text is not read."""

    type: str


_raw_messages = msgspec.json.Decoder(list[msgspec.Raw])


def visitor_cookie(*, https: bool) -> str:
    """Return the name of our cookie; over https it is one that no other host of the shop's domain can set."""
    return "__Host-bridge_visitor" if https else "bridge_visitor"


def presented(request: RequestHead, name: bytes) -> bytes | None:
    """Return the value that the request's first cookie of this name carries."""
    for field in request.get_all(b"cookie"):
        for pair in field.split(b";"):
            key, _, value = pair.partition(b"=")
            if key.strip() == name:
                return value.strip()
    return None


def set_by(response: ResponseHead, name: bytes) -> bytes | None:
    """Return the value that the answer leaves in this cookie; None when it sets none or deletes it."""
    found = None
    for field in response.get_all(b"set-cookie"):
        key, _, value = field.partition(b";")[0].partition(b"=")
        if key.strip() == name:
            value = value.strip()
            found = None if value in {b"deleted", b""} else value
    return found


def session_after(exchange: Exchange) -> bytes | None:
    """Return the id of the shop's session as the visitor holds it after this answer."""
    return set_by(exchange.response, SESSION) or presented(exchange.request, SESSION)


def has_new_session(exchange: Exchange) -> bool:
    """Return whether the answer moved the visitor to another session: Magento does at log-in, log-out and sign-up."""
    new = set_by(exchange.response, SESSION)
    return new is not None and new != presented(exchange.request, SESSION)


def last_message(exchange: Exchange) -> str | None:
    """Return the type of the last message that this answer added, None when it added none.

    Messages gather until a page shows them: an answer repeats those that the request brought and those that wait in the
    session, so that only the end of the list is about this request.
    """
    after = _read(set_by(exchange.response, MESSAGES))
    before = _read(presented(exchange.request, MESSAGES))
    if after[: len(before)] == before:
        after = after[len(before) :]
    if not after:
        return None
    try:
        return msgspec.json.decode(after[-1], type=Message).type
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _read(cookie: bytes | None) -> list[bytes]:
    if not cookie:
        return []
    try:
        return [bytes(raw) for raw in _raw_messages.decode(unquote(cookie.decode("latin-1")))]
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
