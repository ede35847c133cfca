"""Answers of an origin: interim heads, the head, its framing, and the head that the visitor gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import passing, strictness, targets
from fuzz.checks.requests import HOP_BY_HOP, plain
from fuzz.messages import NONE, DisagreementError, RefusedError, UnfinishedError, insist, values
from fuzz.readers import rfc9112, with_h11, with_llhttp, with_stdlib

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.chance import Chance
    from fuzz.messages import Fields, Response

MAPPED: Final = frozenset({b"location", b"content-location", b"refresh", b"set-cookie"})


def check(data: bytes, chance: Chance) -> int:
    """Read the request's method from the first line and an origin's answers from the rest."""
    del chance
    method, _, stream = data.partition(b"\n")
    compared = at = 0
    for _ in range(6):
        try:
            response, head, raw = targets.read_response(method, stream, at)
        except (RefusedError, UnfinishedError) as error:
            return compared + _not_taken(method, stream, at, error)
        compared += _taken(method, stream, at, response)
        if response.status >= 200 or response.status == 101:
            return compared + _passed(method, response, passing.passed_on(method, head, raw))
        at = response.end
    return compared


def _taken(method: bytes, data: bytes, at: int, response: Response) -> int:
    """Compare an answer that bridge takes with what the others read."""
    try:
        reference = rfc9112.read_response(method, data, at)
    except (RefusedError, UnfinishedError) as error:
        raise DisagreementError("reference refuses what bridge takes", repr(error)) from error
    same("reference", response, reference)
    insist((response.framing or NONE) == (reference.framing or NONE), "reference framing", reference.framing)
    insist(response.persistent <= reference.persistent, "reused though it ends")
    insist(response.end == reference.end, "reference end")
    others: list[tuple[str, Callable[[], Response]]] = [("h11", lambda: with_h11.read_response(method, data, at))]
    if response.status >= 200:
        others.append(("http.client", lambda: with_stdlib.read_response(method, data[at:])))
    if method != b"HEAD":
        others.append(("llhttp", lambda: with_llhttp.read_response(data[at : response.end])))
    compared = 1
    for name, read in others:
        try:
            same(name, response, read())
        except (RefusedError, UnfinishedError, DisagreementError) as error:
            bodyless = response.framing == NONE
            if not strictness.own_limit(name, data[at : response.end], bodyless=bodyless) and not _early(
                name, response
            ):
                raise DisagreementError(f"{name} refuses or differs", repr(error)) from error
            continue
        compared += 1
    return compared


def _early(name: str, response: Response) -> bool:
    """Say whether it is only that llhttp refuses a line before its end came, or that it stops at an upgrade."""
    upgrades = response.status == 101 or bool(values(response.fields, b"upgrade"))
    return name == "llhttp" and (not response.complete or upgrades)


def same(kind: str, one: Response, other: Response) -> None:
    """Insist that two readers read the same answer."""
    insist(one.status == other.status, f"{kind} status", (one.status, other.status))
    # http.client drops white space of Unicode's from it.
    reasons = {"".join(each.reason.decode("latin-1").split()) for each in (one, other)}
    insist(len(reasons) == 1, f"{kind} reason", reasons)
    insist(one.version == other.version, f"{kind} version", (one.version, other.version))
    insist(plain(one.fields) == plain(other.fields), f"{kind} fields", (one.fields, other.fields))
    # http.client leaves out the chunk that was cut.
    cut = kind == "http.client" and not one.complete
    insist(one.body.startswith(other.body) if cut else one.body == other.body, f"{kind} body", (one.body, other.body))
    # llhttp is not told of the connection's end, and http.client takes it for the end of trailers.
    told = kind != "llhttp" and (kind != "http.client" or one.complete)
    insist(not told or one.complete == other.complete, f"{kind} complete", other.complete)


def _not_taken(method: bytes, data: bytes, at: int, error: Exception) -> int:
    """What bridge refuses or waits for may be taken by another only for a reason that is in the table.

    A refusal with 502 is one of the head, any other one of the body: then another reader may have taken the head.
    """
    status = error.status if isinstance(error, RefusedError) else None
    insist(status in {None, 400, 502}, "status", status)
    for name, read in (("reference", rfc9112.read_response), ("h11", with_h11.read_response)):
        try:
            other = read(method, data, at)
        except (RefusedError, UnfinishedError):
            continue
        if other.complete or status != 400:
            excused = strictness.excuse(strictness.RESPONSES, data[at : other.end], status)
            kind = f"{name} takes what bridge refuses {error}" if status else f"{name} takes what bridge waits for"
            insist(excused, kind, status)
    return 2


def _passed(method: bytes, response: Response, head: bytes) -> int:
    """The head that the visitor gets must be read as this answer's, by a strict and by a lenient reader."""
    try:
        strict = rfc9112.read_response(b"HEAD", head)
        lenient = with_stdlib.read_response(b"HEAD", head)
    except (RefusedError, UnfinishedError) as error:
        raise DisagreementError("passed on what is refused", repr(error)) from error
    insist(strict.end == len(head), "passed on more than a head")
    insist((strict.status, strict.reason) == (response.status, response.reason), "passed on another status")
    if response.status >= 200:
        same("passed", strict, lenient)
    insist(not values(strict.fields, b"transfer-encoding"), "passed on the framing")
    _same_fields(method, response.fields, strict.fields)
    return 2


def _same_fields(method: bytes, came: Fields, passed: Fields) -> None:
    """The fields passed on are the origin's in their order, less those of its connection; references may be mapped."""
    del method
    named = {part.strip(b" \t").lower() for each in values(came, b"connection") for part in each.split(b",")}
    left = iter(passed)
    waiting = next(left, None)
    for name, value in came:
        lower = name.lower()
        if waiting is not None and waiting[0] == name and (waiting[1] == value or lower in MAPPED):
            waiting = next(left, None)
        else:
            insist(lower in HOP_BY_HOP or lower in named, "field not passed on", name)
    insist(waiting is None, "field passed on that did not come", waiting)
