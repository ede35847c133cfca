"""A slow and simple reader of HTTP/1.1, written from RFC 9112 and RFC 9110 alone.

Where the RFC leaves a choice between leniency and refusal it refuses: no bare CR or LF, no folded lines, no blank
before the colon, no length beside a coding. Answers are read with three leniencies that origins need: blanks after the
size of a chunk, no blank after a status code that has no reason, and any bytes but NUL and line ends in the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz.messages import CHUNKED, CLOSE, NONE, RefusedError, Request, Response, UnfinishedError, values

if TYPE_CHECKING:
    from fuzz.messages import Fields, Framing

DIGITS: Final = frozenset(b"0123456789")
HEX: Final = frozenset(b"0123456789abcdefABCDEF")
ALPHA: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
TCHAR: Final = DIGITS | ALPHA | frozenset(b"!#$%&'*+-.^_`|~")
VCHAR: Final = frozenset(range(0x21, 0x7F))
TEXT: Final = VCHAR | frozenset(b" \t") | frozenset(range(0x80, 0x100))
CR: Final = 13
LF: Final = 10


def read_line(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the line that begins at an offset, and the offset of the next."""
    end = data.find(LF, at)
    if end < 0:
        raise UnfinishedError
    line = data[at:end]
    if line[-1:] != b"\r":
        raise RefusedError("bare LF", 400)
    if CR in line[:-1]:
        raise RefusedError("bare CR", 400)
    return line[:-1], end + 1


def read_fields(data: bytes, at: int) -> tuple[Fields, int]:
    """Return the fields from an offset to the blank line, and the offset after that."""
    fields: Fields = []
    while True:
        line, at = read_line(data, at)
        if not line:
            return fields, at
        fields.append(read_field(line))


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """Take a field line apart."""
    if line[0] in b" \t":
        raise RefusedError("folded line", 400)
    size = 0
    while size < len(line) and line[size] in TCHAR:
        size += 1
    if size == 0 or size == len(line) or line[size] != ord(":"):
        raise RefusedError("field name", 400)
    start, end = size + 1, len(line)
    while start < end and line[start] in b" \t":
        start += 1
    while end > start and line[end - 1] in b" \t":
        end -= 1
    if not TEXT.issuperset(line[start:end]):
        raise RefusedError("field value", 400)
    return line[:size], line[start:end]


def read_request(data: bytes, at: int = 0) -> Request:
    """Read the request at an offset. Raises RefusedError or UnfinishedError."""
    if data[at : at + 2] == b"\r\n":
        at += 2
    line, at = read_line(data, at)
    parts = line.split(b" ")
    if len(parts) != 3:
        raise RefusedError("request line", 400)
    method, target, protocol = parts
    if not method or not TCHAR.issuperset(method) or not target or not VCHAR.issuperset(target):
        raise RefusedError("request line", 400)
    version = read_protocol(protocol)
    fields, at = read_fields(data, at)
    check_host(version, fields)
    framing = request_framing(version, fields)
    body, at = _request_body(data, at, framing)
    return Request(method, target, version, fields, body, at, framing, persists(version, fields))


def read_protocol(protocol: bytes) -> bytes:
    """Return the version of `HTTP/1.x`."""
    if len(protocol) != 8 or protocol[:5] != b"HTTP/" or protocol[6:7] != b".":
        raise RefusedError("protocol", 400)
    if protocol[5] not in DIGITS or protocol[7] not in DIGITS:
        raise RefusedError("protocol", 400)
    if protocol[5:] not in {b"1.0", b"1.1"}:
        raise RefusedError("version", 505)
    return protocol[5:]


def check_host(version: bytes, fields: Fields) -> None:
    """RFC 9112 section 3.2: one Host in 1.1, at most one in 1.0."""
    hosts = values(fields, b"host")
    if len(hosts) > 1 or (version == b"1.1" and not hosts):
        raise RefusedError("host", 400)


def request_framing(version: bytes, fields: Fields) -> Framing:
    """RFC 9112 section 6.3, refusing all that the section calls an attempt to smuggle."""
    codings, lengths = values(fields, b"transfer-encoding"), values(fields, b"content-length")
    if codings:
        if lengths or version == b"1.0":
            raise RefusedError("coding beside a length, or in 1.0", 400)
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise RefusedError("coding", 501)
        return CHUNKED
    if not lengths:
        return NONE
    return _length(lengths)


def _length(lengths: list[bytes]) -> int:
    if len(lengths) > 1 or not lengths[0] or not DIGITS.issuperset(lengths[0]):
        raise RefusedError("length", 400)
    return int(lengths[0][-30:]) if len(lengths[0]) <= 30 else 10**30


def _request_body(data: bytes, at: int, framing: Framing) -> tuple[bytes, int]:
    if framing == NONE:
        return b"", at
    if framing == CHUNKED:
        return read_chunks(data, at)
    assert isinstance(framing, int)  # noqa: S101 - the only one left
    if len(data) - at < framing:
        raise UnfinishedError
    return data[at : at + framing], at + framing


def read_chunks(data: bytes, at: int, *, padded: bool = False) -> tuple[bytes, int]:
    """Return a chunked body and the offset after its trailers (RFC 9112 section 7.1)."""
    body = b""
    while True:
        line, at = read_line(data, at)
        size = chunk_size(line, padded=padded)
        if size == 0:
            break
        if len(data) - at < size:
            raise UnfinishedError
        body += data[at : at + size]
        at += size
        end = data[at : at + 2]
        if end != b"\r\n"[: len(end)]:
            raise RefusedError("chunk end", 400)
        if len(end) < 2:
            raise UnfinishedError
        at += 2
    _, at = read_fields(data, at)
    return body, at


def chunk_size(line: bytes, *, padded: bool) -> int:
    """Return the size that a chunk's line tells; what stands in its extensions is not looked at but for its bytes."""
    digits = 0
    while digits < len(line) and line[digits] in HEX:
        digits += 1
    rest = line[digits:]
    if padded:
        rest = rest.lstrip(b" \t")
    if not digits or (rest and (rest[:1] != b";" or not TEXT.issuperset(rest))):
        raise RefusedError("chunk size", 400)
    return int(line[:digits], 16)


def read_response(method: bytes, data: bytes, at: int = 0) -> Response:
    """Read the answer to a request with `method`, of which `data` holds all that the origin sent before it closed.

    An answer that is cut short comes back with `complete` False. Interim answers are answers of their own here.
    """
    line, at = read_line(data, at)
    version, status, reason = read_status(line)
    fields, at = read_fields(data, at)
    framing = response_framing(method, status, version, fields)
    body, complete = b"", True
    if framing == CHUNKED:
        try:
            body, at = read_chunks(data, at, padded=True)
        except UnfinishedError:
            body, complete, at = begun_chunks(data, at), False, len(data)
    elif framing == CLOSE:
        body, at = data[at:], len(data)
    elif isinstance(framing, int):
        body = data[at : at + framing]
        complete = len(body) == framing
        at += len(body)
    persistent = framing != CLOSE and persists(version, fields)
    return Response(status, reason, version, fields, body, at, complete, framing, persistent)


def begun_chunks(data: bytes, at: int) -> bytes:
    """Return what a chunked body that has no end holds."""
    body = b""
    while True:
        try:
            line, at = read_line(data, at)
        except UnfinishedError:
            return body
        size = chunk_size(line, padded=True)
        if size == 0:
            return body
        body += data[at : at + size]
        if len(data) - at <= size:
            return body
        at += size + 2


def read_status(line: bytes) -> tuple[bytes, int, bytes]:
    """Return version, status and reason of a status line."""
    version = read_protocol(line[:8])
    code = line[9:12]
    if line[8:9] != b" " or len(code) != 3 or not DIGITS.issuperset(code) or line[12:13] not in {b" ", b""}:
        raise RefusedError("status line", 502)
    reason = line[13:]
    if 0 in reason:
        raise RefusedError("reason", 502)
    if code[0] == ord("0"):
        raise RefusedError("status", 502)
    return version, int(code), reason


def response_framing(method: bytes, status: int, version: bytes, fields: Fields) -> Framing:
    """RFC 9112 section 6.3, refusing a length beside a coding and codings besides chunked."""
    if method == b"HEAD" or status < 200 or status in {204, 304}:
        return NONE
    codings, lengths = values(fields, b"transfer-encoding"), values(fields, b"content-length")
    if codings:
        if lengths or len(codings) > 1 or codings[0].lower() != b"chunked":
            raise RefusedError("coding", 502)
        del version  # a coding in 1.0 is read, but nothing after it
        return CHUNKED
    return _length(lengths) if lengths else CLOSE


def persists(version: bytes, fields: Fields) -> bool:
    """RFC 9112 section 9.3: whether the connection outlives the message."""
    options = {part.strip(b" \t").lower() for value in values(fields, b"connection") for part in value.split(b",")}
    if b"close" in options:
        return False
    if version == b"1.0":
        return b"keep-alive" in options and not values(fields, b"transfer-encoding")
    return True
