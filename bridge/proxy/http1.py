"""HTTP/1.1 heads and framing, without sockets.

Heads are read by llhttp (httptools) with all its strictness on, fed one complete head at a time, and checked further
here for everything that two readers could read differently. Bodies are framed here, so that they pass as views of
what was read.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

import httptools

from bridge.proxy.exchange import RequestHead, ResponseHead

NO_BODY: Final = 0
CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2

REQUEST_HEAD_LIMIT: Final = 64 * 1024
TARGET_LIMIT: Final = 16 * 1024
RESPONSE_HEAD_LIMIT: Final = 1024 * 1024
CHUNK_LINE_LIMIT: Final = 1024
TRAILER_LIMIT: Final = 16 * 1024

PASSED_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"})
REFUSED_METHODS: Final = frozenset({b"CONNECT", b"TRACE", b"PURGE", b"BAN"})
_SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9]\.[0-9])\r\n")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?")
_PADDED_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")


class MalformedError(Exception):
    """A message that is refused: the status to answer with and a word on why, which names nothing of the sender's.

    `pieces` is what was read of a body before the place that is wrong.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.pieces: list[memoryview] = []


def parse_request(data: bytes, last: RequestHead | None = None) -> RequestHead:
    """Read a request's head, blank line included. Raises MalformedError.

    `last` is the head of the request before on the same connection: where the fields are the same bytes they are not
    read again. The target of an absolute form naming the request's own host comes back in origin form.
    """
    end = data.find(b"\n") + 1
    line = data[:end]
    known = _lines.get(line)
    if known is None:
        known = _read_line(line)
        if len(line) <= KEPT_LINE and b"?" not in line:
            if len(_lines) >= KEPT_LINES:
                _lines.clear()
            _lines[line] = known
    method, target, path, version = known
    block = data[end:]
    if last is not None and block == last.block and version == last.version and target[:1] == b"/":
        return last.another(method, target, path)
    head = RequestHead(method, target, version)
    _feed(httptools.HttpRequestParser(head), data, 400)
    _settle(head, data)
    _check_host(head)
    if target[:1] != b"/":
        _to_origin_form(head)
    head.block = block
    head.framing = request_framing(head)
    connection = head.combined(b"connection")
    head.persistent = keeps_alive(version, connection)
    if connection is not None and head.framing == NO_BODY and b"upgrade" in connection.lower():
        asked = head.index.get(b"upgrade")
        if asked is not None and not asked.lower().startswith((b"h2c", b"http")):
            head.upgrade = asked
    return head


# Request lines that were read before. Those with a query are not kept: it may hold what is nobody's to keep.
_lines: dict[bytes, tuple[bytes, bytes, bytes, bytes]] = {}
KEPT_LINE: Final = 256
KEPT_LINES: Final = 4096


def _read_line(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Read a request line; give method, target, path and version."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise MalformedError(400, "request line")
    method, target, version = match.groups()
    if version not in {b"1.1", b"1.0"}:
        raise MalformedError(505, "version")
    if method not in PASSED_METHODS:
        raise MalformedError(405 if method in REFUSED_METHODS else 501, "method")
    if len(target) > TARGET_LIMIT:
        raise MalformedError(414, "target too long")
    return method, target, target.partition(b"?")[0], version


def parse_response(data: bytes) -> ResponseHead:
    """Read an answer's head, blank line included. Raises MalformedError with status 502."""
    head = ResponseHead(version=data[5:8])
    parser = httptools.HttpResponseParser(head)
    _feed(parser, data, 502)
    head.status = parser.get_status_code()
    if head.status < 100 or data[:7] != b"HTTP/1.":
        raise MalformedError(502, "status line")
    head.reason = data[13 : data.find(b"\r\n")]
    if b"\0" in head.reason:
        raise MalformedError(502, "status line")
    _settle(head, data)
    return head


def _feed(parser: httptools.HttpRequestParser | httptools.HttpResponseParser, data: bytes, status: int) -> None:
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # a head that asks for an upgrade is whole too
    except httptools.HttpParserError as error:
        raise MalformedError(status, "head") from error


def _settle(head: RequestHead | ResponseHead, data: bytes) -> None:
    if b" \r\n" in data or b"\t\r\n" in data:
        head.headers = [(name, value.rstrip(b" \t")) for name, value in head.headers]
    head.settle()


def _check_host(head: RequestHead) -> None:
    host = head.index.get(b"host")
    if host is None:
        if head.version == b"1.1":
            raise MalformedError(400, "host missing")
        return
    if _HOST.fullmatch(host) is None:
        raise MalformedError(400, "host")
    if len(head.index) != len(head.headers) and len(head.get_all(b"host")) > 1:
        raise MalformedError(400, "host given twice")


def _to_origin_form(head: RequestHead) -> None:
    if head.target == b"*" and head.method == b"OPTIONS":
        return
    absolute = _ABSOLUTE.match(head.target)
    if absolute is None:
        raise MalformedError(400, "target")
    host = head.index.get(b"host")
    if host is None or absolute[1].lower() != host.lower():
        raise MalformedError(400, "foreign host")
    rest = head.target[absolute.end() :]
    head.target = rest if rest[:1] == b"/" else b"/" + rest
    head.path = head.target.partition(b"?")[0]


def request_framing(head: RequestHead) -> int:
    """Say how long the request's body is: a length, NO_BODY or CHUNKED. Raises MalformedError."""
    coding = head.index.get(b"transfer-encoding")
    length = head.index.get(b"content-length")
    if coding is not None:
        if length is not None or head.version == b"1.0":
            raise MalformedError(400, "framing")
        if coding.lower() != b"chunked" or len(head.get_all(b"transfer-encoding")) > 1:
            raise MalformedError(501, "transfer coding")
        return CHUNKED
    if length is None:
        return NO_BODY
    if not length.isdigit() or len(length) > 18 or len(head.get_all(b"content-length")) > 1:
        raise MalformedError(400, "content length")
    return int(length)


def response_framing(method: bytes, head: ResponseHead) -> int:
    """Say how long the answer's body is: a length, NO_BODY, CHUNKED or UNTIL_CLOSE. Raises MalformedError."""
    if method == b"HEAD" or head.status in {204, 304} or head.status < 200:
        return NO_BODY
    coding = head.index.get(b"transfer-encoding")
    length = head.index.get(b"content-length")
    if coding is not None:
        if coding.lower() != b"chunked" or length is not None or len(head.get_all(b"transfer-encoding")) > 1:
            raise MalformedError(502, "transfer coding")
        return CHUNKED
    if length is None:
        return UNTIL_CLOSE
    if not length.isdigit() or len(length) > 18:
        raise MalformedError(502, "content length")
    return int(length)


def keeps_alive(version: bytes, connection: bytes | None) -> bool:
    """Say whether the connection outlives the message."""
    if connection is None:
        return version == b"1.1"
    options = {option.strip(b" \t") for option in connection.lower().split(b",")}
    if b"close" in options:
        return False
    return version == b"1.1" or b"keep-alive" in options


def reusable(head: ResponseHead, framing: int) -> bool:
    """Say whether another answer may be read from the connection after this one."""
    if framing == UNTIL_CLOSE or not keeps_alive(head.version, head.combined(b"connection")):
        return False
    coded = b"transfer-encoding" in head.index
    # An origin that announces a body where none can be may also send it: it must not be read as the next answer.
    if head.status == 204:
        return not coded and head.index.get(b"content-length", b"0") == b"0"
    return not coded or head.version == b"1.1"


def is_repeatable(method: bytes, framing: int) -> bool:
    """Say whether a request may be sent a second time when its connection closed before any byte of the answer."""
    return framing == NO_BODY and method in _SAFE


def is_body_taken(method: bytes, framing: int) -> bool:
    """Say whether the origin surely took the request's body: some do not look for one after a GET.

    They would read it as the next request on the connection, which then must not be another visitor's.
    """
    return framing == NO_BODY or method not in _SAFE


class ChunkedReader:
    """Takes a chunked body apart. Trailers are read and dropped.

    `padded` also takes blanks after the size, as some origins send them; requests are read without.
    """

    __slots__ = ("_left", "_line", "_pattern", "_trailer_size", "_trailing")

    def __init__(self, *, padded: bool = False) -> None:
        self._left = 0  # bytes of the chunk still to come, with its line end
        self._line = b""
        self._pattern = _PADDED_CHUNK_LINE if padded else _CHUNK_LINE
        self._trailing = False
        self._trailer_size = 0

    def feed(self, data: bytes, at: int = 0) -> tuple[list[memoryview], int]:
        """Read on from data[at:]; give the pieces of the body and the offset after the message, -1 while it goes on.

        Raises MalformedError (400), which holds the pieces before the place.
        """
        pieces: list[memoryview] = []
        try:
            return pieces, self._feed(data, at, pieces)
        except MalformedError as error:
            error.pieces = pieces
            raise

    def _feed(self, data: bytes, at: int, pieces: list[memoryview]) -> int:
        size = len(data)
        view = memoryview(data)
        while at < size:
            if self._left:
                at = self._data(data, view, at, pieces)
                continue
            end = data.find(b"\n", at)
            line = data[at : end if end >= 0 else size]
            if self._line:
                line = self._line + line
            if len(line) > CHUNK_LINE_LIMIT:
                raise MalformedError(400, "chunk line")
            if end < 0:
                self._line = line
                break
            self._line = b""
            at = end + 1
            if line[-1:] != b"\r":
                raise MalformedError(400, "chunk line")
            if self._trailing:
                if len(line) == 1:
                    return at
                self._trailer(line[:-1])
            else:
                self._size(line[:-1])
        return -1

    def _data(self, data: bytes, view: memoryview, at: int, pieces: list[memoryview]) -> int:
        left = self._left
        if left > 2:
            end = at + left
            if data[end - 2 : end] == b"\r\n":  # the rest of the chunk and its line end, as mostly
                pieces.append(view[at : end - 2])
                self._left = 0
                return end
            take = min(left - 2, len(data) - at)
            pieces.append(view[at : at + take])
        else:
            take = 1
            if data[at] != (13 if left == 2 else 10):
                raise MalformedError(400, "chunk end")
        self._left -= take
        return at + take

    def _size(self, line: bytes) -> None:
        match = self._pattern.fullmatch(line)
        if match is None:
            raise MalformedError(400, "chunk size")
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._trailing = True

    def _trailer(self, line: bytes) -> None:
        self._trailer_size += len(line)
        if self._trailer_size > TRAILER_LIMIT or _TRAILER_LINE.fullmatch(line) is None:
            raise MalformedError(400, "trailer")


def chunk(pieces: list[bytes | bytearray | memoryview]) -> list[bytes | bytearray | memoryview]:
    """Frame pieces as one chunk; nothing for no bytes, since an empty chunk would end the body."""
    size = sum(map(len, pieces))
    return [b"%x\r\n" % size, *pieces, b"\r\n"] if size else []


LAST_CHUNK: Final = b"0\r\n\r\n"


def error_body(status: int, why: str = "") -> bytes:
    """Make the short page that goes with an error of ours; `why` is a sentence of plain text for it."""
    phrase = HTTPStatus(status).phrase
    more = f"<p>{why}</p>" if why else ""
    head = f"<!doctype html><html><head><title>{status} {phrase}</title></head>"
    return f"{head}<body><h1>{phrase}</h1>{more}</body></html>\n".encode("ascii")


def error_page(status: int, *, close: bool, bare: bool = False) -> bytes:
    """Make a short answer of ours, head and body; the head alone where it is `bare`, for HEAD."""
    phrase = HTTPStatus(status).phrase
    body = error_body(status)
    head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    head += "Cache-Control: no-store\r\n" + ("Connection: close\r\n" if close else "")
    return head.encode("ascii") + b"\r\n" + (b"" if bare else body)
