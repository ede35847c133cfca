"""The signature of Ometria's calls to the store, as the old module checked it, and the checks that it lacked.

``HMAC-SHA256(private key, HOST ":" METHOD ":" JSON ":" PUBLIC KEY)``, in small hexadecimal digits; METHOD is the
action of the path, JSON that of the parameters without the signature (:mod:`bridge.coupons.parameters`). The private
key is the secret; the public one is the account id.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bridge.coupons.parameters import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.coupons.parameters import Array

AGE_MOST: Final = 1200
"""Seconds after which a call is too old; the old module's own limit."""
AHEAD_MOST: Final = 300
"""Seconds that a call's clock may go before ours."""

_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
_TIME: Final = re.compile(r"[1-9][0-9]{0,11}")


class Call(NamedTuple):
    """What is signed: the ``Host`` field as it came, the action as the path names it, and all parameters."""

    host: str
    method: str
    parameters: Array


class Proof(NamedTuple):
    """A signature that holds: until it is ``expires`` (Unix seconds) old it must not be taken again."""

    signature: str
    expires: float


class ForbiddenError(Exception):
    """The call is not Ometria's, or cannot be known to be; the text is for the log and names no value."""


def sign(call: Call, public_key: str, private_key: str) -> str:
    """Return the signature of a call whose parameters hold the time as text and no signature."""
    signed = {key: value for key, value in call.parameters.items() if key != "signature"}
    signed["request_timestamp"] = int(str(signed.get("request_timestamp", "0")))
    text = f"{call.method}:{canonical(signed)}:{public_key}".encode()
    # A server gives the bytes of a header as Latin-1.
    message = call.host.encode("latin-1", "replace") + b":" + text
    return hmac.new(private_key.encode(), message, hashlib.sha256).hexdigest()


def verify(call: Call, public_key: str, private_keys: Sequence[str], now: float) -> Proof:
    """Return the proof of a call that one of the keys signed; raises :class:`ForbiddenError`.

    Every key is tried whatever the first one says, each in a time that does not depend on the signature.
    """
    given, time = call.parameters.get("signature"), call.parameters.get("request_timestamp")
    if not isinstance(given, str) or not _SIGNATURE.fullmatch(given):
        raise ForbiddenError("no signature of 64 hexadecimal digits")
    if not isinstance(time, str) or not _TIME.fullmatch(time):
        raise ForbiddenError("no time in seconds")
    if not public_key:
        raise ForbiddenError("the store view has no account id")
    keys = [key for key in private_keys if key]
    if not keys:
        raise ForbiddenError("no private key is set")
    held = [hmac.compare_digest(sign(call, public_key, key), given) for key in keys]
    if not any(held):
        raise ForbiddenError("wrong signature")
    # The clock is looked at last: only who holds a key is told apart by it.
    age = now - int(time)
    if age > AGE_MOST:
        raise ForbiddenError("too old")
    if -age > AHEAD_MOST:
        raise ForbiddenError("from the future")
    return Proof(given, int(time) + AGE_MOST)
