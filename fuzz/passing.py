"""The core between its two sockets: requests as the origin gets them, answers as the visitor does, by every way."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import structlog
from prometheus_client import CollectorRegistry

from bridge.proxy import http1
from bridge.proxy.coding import CodingError, Memo
from bridge.proxy.core import Core
from bridge.proxy.counters import Counters
from bridge.proxy.delivery import head_lines
from bridge.proxy.exchange import RequestHead
from bridge.proxy.heads import HeadReader
from bridge.proxy.options import ProxyOptions, ProxyWiring
from fuzz.messages import CHUNKED, NONE
from fuzz.readers.rfc9112 import read_field
from fuzz.targets import MARKUP, ORIGIN, SOURCES, SUFFIX, framing_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.proxy.answer import Answer
    from bridge.proxy.core import Visit
    from bridge.proxy.exchange import ResponseHead
    from fuzz.messages import Fields, Framing

PEER: Final = "203.0.113.7"


class Tags:
    """A tag for every page."""

    etag_suffix = SUFFIX
    csp_sources = SOURCES

    def markup(self, request: RequestHead) -> bytes:
        """Return the script element."""
        del request
        return MARKUP


def _new_core(*, tags: bool) -> Core:
    """Make a core whose counters are its own."""
    wiring = ProxyWiring(ProxyOptions(origin=ORIGIN), Tags() if tags else None)
    return Core(wiring, Counters(CollectorRegistry()))


CORE: Final = _new_core(tags=True)
UNTAGGED: Final = _new_core(tags=False)


class SwallowedError(Exception):
    """A fault that bridge only logs, passing the page as it came."""


@contextlib.contextmanager
def loud() -> Iterator[None]:
    """Let nothing be swallowed while this holds: what would be logged as a fault is raised."""

    def raise_faults(_logger: object, method: str, event: structlog.typing.EventDict) -> NoReturn:
        if method in {"exception", "error", "critical"}:
            raise SwallowedError(str(event.get("event")))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[raise_faults])
    try:
        yield
    finally:
        structlog.configure(**before)


def forwarded(head: RequestHead, body: bytes, framing: Framing) -> bytes:
    """Write a request as the origin gets it."""
    start = CORE.visit(head, PEER).head()
    if framing == CHUNKED:
        pieces: list[Any] = [*http1.chunk([body]), http1.LAST_CHUNK]
        return b"".join([start, b"\r\nTransfer-Encoding: chunked\r\n\r\n", *pieces])
    return start + b"\r\n\r\n" + body


def passed_on(method: bytes, head: ResponseHead, raw: bytes) -> bytes:
    """Write the head of an answer without tag as the visitor gets it, less the framing that the adaptor adds."""
    framing = http1.response_framing(method, head)
    visit = UNTAGGED.visit(RequestHead(method, b"/x", b"1.1", [(b"Host", b"shop.example")]), PEER)
    answer = UNTAGGED.answer(visit, head, framing, raw)
    if answer.lines is not None:
        return answer.lines + b"\r\n\r\n"
    return head_lines(answer.response, answer.headers or []) + b"\r\n\r\n"


class Outcome(NamedTuple):
    """An answer as the visitor gets it: its fields (no framing but a length), its body, whether it was broken off."""

    fields: Fields
    length: int
    body: bytes
    broken: bool


class Told(NamedTuple):
    """What a head says; `first` is the first value of each field."""

    status: int
    reason: bytes
    version: bytes
    fields: Fields
    first: dict[bytes, bytes]
    framing: Framing
    reusable: bool


class Ways:
    """The ways that answers to one request take through the core: by the shape of a head, or by the head alone.

    What is remembered of heads and bodies begins anew with each of these. `coding` is what the visitor takes;
    `asks_identity` says that the origin is asked for none of it.
    """

    def __init__(self, method: bytes, target: bytes, coding: bytes, *, asks_identity: bool) -> None:
        self._method = method
        CORE.heads = HeadReader()
        CORE.memo = Memo()
        CORE.asks_identity = asks_identity
        fields = [(b"Host", b"shop.example"), (b"Accept-Encoding", coding)]
        self._visit: Visit = CORE.visit(RequestHead(method, target, b"1.1", fields), PEER)

    def _told(self, head: ResponseHead) -> Told:
        framing = http1.response_framing(self._method, head)
        bodyless = framing == http1.NO_BODY and head.index.get(b"content-length", b"0") != b"0"
        kind: Framing = NONE if bodyless or head.status < 200 or head.status in {204, 304} else framing_of(framing)
        again = http1.reusable(head, framing)
        return Told(head.status, head.reason, head.version, list(head.headers), head.index, kind, again)

    def anew(self, raw: bytes) -> Told | None:
        """Read a head by itself; None where it is refused."""
        try:
            return self._told(http1.parse_response(raw))
        except http1.MalformedError:
            return None

    def shaped(self, raw: bytes) -> Told | None:
        """Read a head by its shape; None where it is refused."""
        try:
            return self._told(CORE.heads.read(raw))
        except http1.MalformedError:
            return None

    def long(
        self, raw: bytes, pieces: list[bytes], *, shaped: bool = False, cut: bool = False, release_at: int = -1
    ) -> Outcome:
        """Pass an answer by its head alone, `shaped` being how that is read.

        `cut` says that the origin breaks it off; a page that is being gathered is let go after the piece `release_at`.
        """
        head = CORE.heads.read(raw) if shaped else http1.parse_response(raw)
        answer = CORE.answer(self._visit, head, http1.response_framing(self._method, head), raw)
        out: list[Any] = []
        broken = cut
        try:
            for number, piece in enumerate(pieces):
                out += answer.feed(piece)
                if number == release_at and answer.holding:
                    out += answer.release()
            out += answer.abort() if broken else answer.finish()
        except CodingError:
            broken = True
        return Outcome(_fields(answer), answer.length, b"".join(out), broken)

    def short(self, raw: bytes, begun: bytes) -> tuple[bytes, bytes, int, bool] | None:
        """Pass an answer by its shape, `begun` being the first of its body; None where it does not take the short way.

        Gives the head, what goes out of the body, how much is to come, whether the connection is good for another.
        """
        found = CORE.quick_answer(self._visit, CORE.heads.read(raw), raw + begun, len(raw))
        if found is None:
            return None
        pieces, left, again = found[:3]
        return bytes(pieces[0]), b"".join(pieces[1:]), left, again


def _fields(answer: Answer) -> Fields:
    if answer.lines is not None:
        return [read_field(line) for line in answer.lines.split(b"\r\n")[1:]]
    if answer.headers is None:  # what came was given out, or nothing was: then there is no head either
        raise SwallowedError("no head was settled")
    return list(answer.headers)
