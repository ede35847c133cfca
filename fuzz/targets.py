"""bridge's readers and editors, in the words of fuzz.messages.

This module, `connection` and `passing` are all that touches bridge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bridge.proxy import http1, rules, validators
from bridge.proxy.coding import CodingError, Recoder, TooLargeError, inflate, rewrite
from bridge.proxy.csp import edit_policies
from bridge.proxy.http1 import ChunkedReader, MalformedError
from bridge.proxy.options import ProxyOptions
from bridge.proxy.references import References
from bridge.proxy.splice import PROLOGUE_LIMIT, TAG_LIMIT, Splicer
from fuzz.messages import CHUNKED, CLOSE, NONE, Reading, RefusedError, Request, Response, UnfinishedError

if TYPE_CHECKING:
    from bridge.proxy.exchange import RequestHead, ResponseHead
    from fuzz.messages import Fields, Framing

MARKUP: Final = b'<script src="/_bridge/tag.js?v=fuzz" data-bridge async></script>'
SUFFIX: Final = b"fuzz1"
ORIGIN: Final = "http://origin.internal:8080"
SOURCES: Final = {
    "script-src": (b"https://cdn.ometria.com",),
    "img-src": (b"https://trk.ometria.com",),
    "connect-src": (b"https://trk.ometria.com", b"https://cdn.ometria.com"),
}
HEAD_LIMIT: Final = http1.REQUEST_HEAD_LIMIT


def framing_of(framing: int) -> Framing:
    """Translate what http1 says of a body's framing, a length of 0 apart from none."""
    if framing == http1.CHUNKED:
        return CHUNKED
    return CLOSE if framing == http1.UNTIL_CLOSE else framing


def read_requests(data: bytes) -> tuple[Reading, list[RequestHead]]:
    """Read the requests of a connection one after the other, as the edge does when all bytes come at once.

    Ends after a request that ends the connection, at one that is refused, or where more bytes are needed.
    """
    reading, heads = Reading(), []
    last: RequestHead | None = None
    while reading.at < len(data):
        try:
            request, last = _read_request(data, reading.at, last)
        except MalformedError as error:
            reading.refused, reading.why = error.status, error.why
            break
        except UnfinishedError:
            break
        reading.requests.append(request)
        heads.append(last)
        reading.at = request.end
        if not request.persistent:
            break
    return reading, heads


def _read_request(data: bytes, at: int, last: RequestHead | None) -> tuple[Request, RequestHead]:
    if data[at : at + 2] == b"\r\n":
        at += 2
    end = data.find(b"\r\n\r\n", at) + 4
    if (end if end > 3 else len(data)) - at > HEAD_LIMIT:
        raise MalformedError(431, "head too long")
    if end < 4:
        raise UnfinishedError
    line = data[at : data.find(b"\r\n", at)].split(b" ")
    head = http1.parse_request(data[at:end], last)
    framing = http1.request_framing(head)
    body, end = _body(data, end, framing)
    # The target is that of the line: an absolute one comes back in another form, which is looked at apart.
    stays = http1.keeps_alive(head.version, head.combined(b"connection"))
    request = Request(head.method, line[1], head.version, list(head.headers), body, end, framing_of(framing), stays)
    return request, head


def _body(data: bytes, at: int, framing: int) -> tuple[bytes, int]:
    if framing == http1.CHUNKED:
        pieces, end = ChunkedReader().feed(data, at)
        if end < 0:
            raise UnfinishedError
        return b"".join(pieces), end
    if len(data) - at < framing:
        raise UnfinishedError
    return data[at : at + framing], at + framing


def target_sent(head: RequestHead) -> bytes:
    """Return the target that the origin is asked for."""
    return head.target


def read_response(method: bytes, data: bytes, at: int = 0) -> tuple[Response, ResponseHead, bytes]:
    """Read the answer at an offset as the relay does; `data` is all that the origin sent before it closed.

    Also returns bridge's own head and its bytes. Raises RefusedError, or UnfinishedError for a head without end.
    """
    end = data.find(b"\r\n\r\n", at) + 4
    if end < 4:
        raise UnfinishedError
    raw = data[at:end]
    try:
        head = http1.parse_response(raw)
        framing = http1.response_framing(method, head)
        complete, body, end = _answer_body(data, end, framing)
    except MalformedError as error:
        raise RefusedError(error.why, error.status) from error
    bodyless = framing == http1.NO_BODY and (method == b"HEAD" or head.status < 200 or head.status in {204, 304})
    kind: Framing = NONE if bodyless else framing_of(framing)
    persistent = http1.reusable(head, framing)
    response = Response(
        head.status, head.reason, head.version, list(head.headers), body, end, complete, kind, persistent
    )
    return response, head, raw


def _answer_body(data: bytes, at: int, framing: int) -> tuple[bool, bytes, int]:
    if framing == http1.UNTIL_CLOSE:
        return True, data[at:], len(data)
    if framing == http1.CHUNKED:
        pieces, end = ChunkedReader(padded=True).feed(data, at)
        return end >= 0, b"".join(pieces), end if end >= 0 else len(data)
    body = data[at : at + framing]
    return len(body) == framing, body, at + len(body)


def read_chunks(pieces: list[bytes], *, padded: bool) -> tuple[bytes, int, bool]:
    """Read a chunked body that comes in pieces: what it holds, the offset after it (-1 if none), whether refused."""
    reader = ChunkedReader(padded=padded)
    out: list[bytes] = []
    at = 0
    for piece in pieces:
        try:
            views, end = reader.feed(piece)
        except MalformedError:
            return b"".join(out), -1, True
        out += [bytes(view) for view in views]
        if end >= 0:
            return b"".join(out), at + end, False
        at += len(piece)
    return b"".join(out), -1, False


class Spliced(NamedTuple):
    """What became of a document: its bytes, and whether and why not the tag went in."""

    out: bytes
    placed: bool
    reason: str
    held_too_long: bool  # undecided although more came than may be held


def splice(pieces: list[bytes]) -> Spliced:
    """Put the tag into a document that comes in pieces."""
    splicer = Splicer(MARKUP)
    out: list[bytes] = []
    size = 0
    late = False
    for piece in pieces:
        out += [bytes(part) for part in splicer.feed(piece)]
        size += len(piece)
        late = late or (not splicer.decided and size >= PROLOGUE_LIMIT + TAG_LIMIT)
    out += [bytes(part) for part in splicer.finish()]
    return Spliced(b"".join(out), splicer.placed, splicer.reason, late)


def inflated(body: bytes) -> bytes:
    """Unpack a whole body. Raises RefusedError."""
    try:
        return inflate(body)
    except (CodingError, TooLargeError) as error:
        raise RefusedError(type(error).__name__) from error


def rewritten(body: bytes, *, gzip_in: bool, gzip_out: bool) -> bytes | None:
    """Put the tag into a whole body; None where it has no place. Raises RefusedError."""
    try:
        return rewrite(body, Splicer(MARKUP), gzip_in=gzip_in, gzip_out=gzip_out)
    except (CodingError, TooLargeError) as error:
        raise RefusedError(type(error).__name__) from error


def recoded(pieces: list[bytes], *, gzip_in: bool, gzip_out: bool) -> tuple[bytes, str, int]:
    """Put the tag into a body that comes in pieces; give what left, how it ended, the size of the largest piece.

    The end is "whole", "cut" where the gzip body that came is not over, or "broken".
    """
    recoder = Recoder(Splicer(MARKUP), gzip_in=gzip_in, gzip_out=gzip_out)
    out: list[Any] = []
    try:
        for piece in pieces:
            out += recoder.feed(piece)
    except CodingError:
        return b"".join(out), "broken", 0
    ending = "cut" if recoder.open else "whole"
    out += recoder.finish()
    return b"".join(out), ending, max(map(len, out), default=0)


def edited(fields: Fields) -> tuple[Fields, bytes | None, tuple[str, ...]]:
    """Open the policies among an answer's fields for the tag; give the fields, the tag's nonce, what is noted."""
    headers, nonce, notes = edit_policies(fields, SOURCES)
    return headers, nonce, tuple(notes)


PUBLIC: Final = "https://www.shop.example"
_REFERENCES: Final = {
    public: References(ProxyOptions(origin=ORIGIN, public_url=PUBLIC if public else None)) for public in (False, True)
}


def mapped(name: bytes, value: bytes, host: bytes, *, public: bool) -> bytes:
    """Map a reference of an answer; `public` says that a public URL is configured."""
    return _REFERENCES[public].mapped(name, value, host, "http")


def takes_gzip(value: bytes) -> bool:
    """Say whether a visitor takes gzip."""
    return rules.takes_gzip(value)


def is_html(value: bytes) -> bool:
    """Say whether a type is HTML's."""
    return rules.is_html(value)


def path_rules(path: bytes) -> tuple[str | None, bool]:
    """Say why no page with a tag lives at a path, and whether a page may live there; the backend is at /admin."""
    return rules.path_reason(path, "/admin"), rules.may_be_page(path, "/admin")


def marked(etag: bytes) -> bytes | None:
    """Mark an entity tag."""
    return validators.marked(etag, SUFFIX)


def unmarked(value: bytes) -> tuple[bytes, frozenset[bytes]]:
    """Take the marks off a list of entity tags; also give the opaque tags that bore them."""
    return validators.unmarked(value, SUFFIX)


def restored(etag: bytes, ours: frozenset[bytes]) -> bytes:
    """Mark the entity tag of a 304 again, where it is one of ours."""
    return validators.restore(etag, ours, SUFFIX)
