"""Chunked bodies: the same bytes and the same end however they were cut, and as others read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import strictness, targets
from fuzz.messages import DisagreementError, RefusedError, UnfinishedError, insist
from fuzz.readers import rfc9112, with_h11, with_llhttp, with_stdlib

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.chance import Chance

REQUEST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
RESPONSE: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def check(data: bytes, chance: Chance) -> int:
    """Read a chunked body, strictly or padded, whole and cut."""
    padded = chance.one_in(2)
    body, end, refused = targets.read_chunks([data], padded=padded)
    for pieces in (chance.pieces(data), chance.pieces(data, 12)):
        cut_body, cut_end, cut_refused = targets.read_chunks(pieces, padded=padded)
        insist((cut_end, cut_refused) == (end, refused), "cut: end", (end, refused, cut_end, cut_refused))
        insist(refused or cut_body == body, "cut: body", (body, cut_body))
    if end < 0:
        return _not_taken(data, cut_body, refused=refused, padded=padded)
    try:
        insist(rfc9112.read_chunks(data, 0, padded=padded) == (body, end), "reference differs", (body, end))
    except (RefusedError, UnfinishedError) as error:
        raise DisagreementError("reference refuses what bridge takes", repr(error)) from error
    return 1 + (_answered(data[:end], body) if padded else _asked(data[:end], body))


def _asked(data: bytes, body: bytes) -> int:
    return _other("h11", data, REQUEST, body, lambda raw: with_h11.read_request(raw).body) + _other(
        "llhttp", data, REQUEST, body, lambda raw: with_llhttp.read_request(raw).body
    )


def _answered(data: bytes, body: bytes) -> int:
    return _other("http.client", data, RESPONSE, body, lambda raw: with_stdlib.read_response(b"GET", raw).body)


def _other(name: str, data: bytes, head: bytes, body: bytes, read: Callable[[bytes], bytes]) -> int:
    """Compare with another reader, which is given the very bytes of the body."""
    try:
        other = read(head + data)
    except (RefusedError, UnfinishedError) as error:
        insist(strictness.own_limit(name, head + data), f"{name} refuses what bridge takes", repr(error))
        return 0
    insist(other == body, f"{name} body", (other, body))
    return 1


def _not_taken(data: bytes, begun: bytes, *, refused: bool, padded: bool) -> int:
    """What bridge refuses or waits for may be taken by another only for a reason that is in the table."""
    try:
        insist(rfc9112.begun_chunks(data, 0).startswith(begun), "gave what is no body", begun)
    except RefusedError:
        insist(refused, "reference refuses what bridge waits for")
    status = 400 if refused else None
    table = strictness.RESPONSES if padded else strictness.REQUESTS
    head = RESPONSE if padded else REQUEST
    others: tuple[tuple[str, Callable[[], tuple[bytes, int]]], ...] = (
        ("reference", lambda: rfc9112.read_chunks(data, 0, padded=padded)),
        ("h11", lambda: with_h11.read_chunks(data)),
    )
    for name, read in others:
        try:
            _, end = read()
        except (RefusedError, UnfinishedError):
            continue
        word = "refuses" if refused else "waits for"
        insist(strictness.excuse(table, head + data[:end], status), f"{name} takes what bridge {word}", padded)
    return 2
