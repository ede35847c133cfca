"""What bridge refuses although another reader takes it: a closed table. Anything outside of it is a disagreement.

The rule of agreement:

* Where bridge takes a message, every reader that takes it too must read the same method, target, fields, framing, body
  and end, and the reference reader (readers/rfc9112.py) must take it.
* Where bridge refuses a message, or waits for more of it, and another reader takes it, at least one class of these
  tables must hold of its bytes, and the status must be one that the class names.
* Where another reader refuses what bridge takes, the reason must be in OWN_LIMITS of that reader.

The predicates look at raw bytes and lines, not at what bridge says: each is given a Loose view of a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fuzz.messages import values

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.messages import Fields

HEAD_LIMIT: Final = 64 * 1024
TARGET_LIMIT: Final = 16 * 1024
CHUNK_LINE_LIMIT: Final = 1024
TRAILER_LIMIT: Final = 16 * 1024
PASSED: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"})
REFUSED: Final = frozenset({b"CONNECT", b"TRACE", b"PURGE", b"BAN"})

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_FOLD = re.compile(rb"\n[ \t]")
_PADDED_CODING = re.compile(rb"\ntransfer-encoding:[ \t]*chunked[ \t]+\r\n", re.IGNORECASE)
_TABBED_CODING = re.compile(rb"\ntransfer-encoding:[ \t]*chunked *\t[ \t]*\r\n", re.IGNORECASE)
_FRAMING_TRAILER = re.compile(rb"(?:content-length|transfer-encoding):", re.IGNORECASE)
_PROTOCOL = re.compile(rb"HTTP/[0-9]\.[0-9]")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_HEAD_END = re.compile(rb"\n\r?\n")


@dataclass(slots=True)
class Loose:
    """A message as the most lenient reader would see it: the head up to the first empty line, then the body's bytes."""

    raw: bytes
    bodyless: bool = False  # an answer that has no body whatever its fields say
    head: bytes = b""
    body: bytes = b""
    words: list[bytes] = field(default_factory=list)
    fields: Fields = field(default_factory=list)

    def __post_init__(self) -> None:
        start = 2 if self.raw[:2] == b"\r\n" else 0
        end = _HEAD_END.search(self.raw, start)
        self.head = self.raw[start : end.end() if end else len(self.raw)]
        self.body = self.raw[start + len(self.head) :]
        lines = self.head.split(b"\n")
        self.words = lines[0].rstrip(b"\r").split(b" ")
        for line in lines[1:]:
            name, colon, value = line.rstrip(b"\r").partition(b":")
            if colon:
                self.fields.append((name, value.strip(b" \t")))

    @property
    def method(self) -> bytes:
        """The first word."""
        return self.words[0]

    @property
    def target(self) -> bytes:
        """The second word."""
        return self.words[1] if len(self.words) > 1 else b""

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of a field."""
        return values(self.fields, name)

    def _chunks(self) -> tuple[list[bytes], int]:
        """Return the lines of a chunked body that are not data, as far as they can be told, and the offset after."""
        lines: list[bytes] = []
        at = 0 if self.all(b"transfer-encoding") else len(self.body)
        while at < len(self.body):
            end = self.body.find(b"\n", at)
            line = self.body[at:] if end < 0 else self.body[at : end + 1]
            lines.append(line)
            digits = re.match(rb"[0-9A-Fa-f]+", line)
            size = int(digits[0], 16) if digits else 0
            at += len(line)
            if end < 0 or not size:
                break
            at += size + 2
        return lines, at

    @property
    def chunk_lines(self) -> list[bytes]:
        """The lines that give the sizes of chunks."""
        return self._chunks()[0]

    @property
    def trailer(self) -> bytes:
        """What follows the last chunk's line."""
        return self.body[self._chunks()[1] :]


@dataclass(frozen=True, slots=True)
class Class:
    """One kind of message that is refused: when it holds, and with which statuses."""

    name: str
    holds: Callable[[Loose], object]
    statuses: frozenset[int]


def _origin_form(loose: Loose) -> bool:
    target = loose.target
    if target[:1] == b"/" or (target == b"*" and loose.method == b"OPTIONS"):
        return True
    match = re.fullmatch(rb"(?i:https?)://([^/?#]*)(?:[/?].*)?", target, re.DOTALL)
    hosts = loose.all(b"host")
    return match is not None and bool(hosts) and hosts[0].lower() == match[1].lower()


def _length_form(loose: Loose) -> bool:
    lengths = loose.all(b"content-length")
    return len(lengths) > 1 or any(re.fullmatch(rb"[0-9]{1,18}", length) is None for length in lengths)


def _upgrades(loose: Loose) -> bool:
    return bool(loose.all(b"upgrade")) and b"upgrade" in b",".join(loose.all(b"connection")).lower()


def _chunk_class(pattern: bytes) -> Callable[[Loose], object]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda loose: any(compiled.search(line) for line in loose.chunk_lines)


def _class(name: str, holds: Callable[[Loose], object], *statuses: int) -> Class:
    return Class(name, holds, frozenset(statuses))


# What concerns the lines of any message.
_LINES: Final = (
    _class("bare LF in the head", lambda m: _BARE_LF.search(m.head), 400, 502),
    _class("bare CR in the head", lambda m: _BARE_CR.search(m.head), 400, 502),
    _class("control character in the head", lambda m: _CONTROL.search(m.head), 400, 502),
    _class("tab after the coding's name", lambda m: _TABBED_CODING.search(m.head), 400, 502),
    _class("folded line", lambda m: _FOLD.search(m.head), 400, 502),
)
_CHUNKS: Final = (
    _class("chunk line or trailer line too long",
           lambda m: max(map(len, [*m.chunk_lines, *m.trailer.split(b"\n")]), default=0) > CHUNK_LINE_LIMIT, 400, 502),
    _class("chunk size of more than 15 digits", _chunk_class(rb"^[0-9A-Fa-f]{16}"), 400, 502),
    _class("bare LF in a chunk line", _chunk_class(rb"(?<!\r)\n"), 400, 502),
    _class("bare CR in a chunk line", _chunk_class(rb"\r(?!\n)"), 400, 502),
    _class("control character in a chunk line", _chunk_class(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"), 400, 502),
    _class("trailer too long", lambda m: len(m.trailer) > TRAILER_LIMIT, 400, 502),
    _class("bare LF or CR in a trailer", lambda m: re.search(rb"(?<!\r)\n|\r(?!\n)", m.trailer), 400, 502),
    _class("control character in a trailer", lambda m: _CONTROL.search(m.trailer), 400, 502),
    _class("folded trailer", lambda m: _FOLD.search(b"\n" + m.trailer), 400, 502),
)  # fmt: skip
REQUESTS: Final = (
    *_LINES,
    *_CHUNKS,
    _class("method that is not passed", lambda m: m.method not in PASSED | REFUSED, 501),
    _class("method that is refused", lambda m: m.method in REFUSED, 405),
    _class("version other than 1.0 and 1.1", lambda m: m.words[2:] not in ([b"HTTP/1.0"], [b"HTTP/1.1"]), 505),
    _class("protocol other than HTTP", lambda m: m.words[2:3] and not _PROTOCOL.fullmatch(m.words[2]), 400),
    _class("request line of other than three words", lambda m: len(m.words) != 3, 400),
    _class("target of another form, or of another host", lambda m: not _origin_form(m), 400),
    _class("target too long", lambda m: len(m.target) > TARGET_LIMIT, 414),
    _class("head too long", lambda m: len(m.head) > HEAD_LIMIT, 431),
    _class("host missing in 1.1, or given twice", lambda m: len(m.all(b"host")) > 1
           or (m.words[2:] == [b"HTTP/1.1"] and not m.all(b"host")), 400),
    _class("host that is no name", lambda m: any(_HOST.fullmatch(host) is None for host in m.all(b"host")), 400),
    _class("length beside a coding", lambda m: m.all(b"transfer-encoding") and m.all(b"content-length"), 400),
    _class("coding in 1.0", lambda m: m.all(b"transfer-encoding") and m.words[2:] == [b"HTTP/1.0"], 400),
    _class("coding other than chunked", lambda m: [x.lower() for x in m.all(b"transfer-encoding")] != [b"chunked"]
           and m.all(b"transfer-encoding"), 400, 501),
    _class("length that is not one number of at most 18 digits", _length_form, 400),
    _class("blanks after a chunk's size", _chunk_class(rb"^[0-9A-Fa-f]+[ \t]"), 400),
)  # fmt: skip
RESPONSES: Final = (
    *_LINES,
    *_CHUNKS,
    _class("101 that names no protocol", lambda m: m.target == b"101" and not _upgrades(m), 502),
    _class("version other than 1.0 and 1.1", lambda m: m.method not in {b"HTTP/1.0", b"HTTP/1.1"}, 502),
    _class("length beside a coding", lambda m: m.all(b"transfer-encoding") and m.all(b"content-length"), 502),
    _class("coding other than chunked", lambda m: [x.lower() for x in m.all(b"transfer-encoding")] != [b"chunked"]
           and m.all(b"transfer-encoding"), 502),
    _class("length that is not one number of at most 18 digits", _length_form, 502),
)  # fmt: skip

# Limits of the other readers' own: where one holds of a message, that reader may refuse it or read it otherwise.
# What the reference reader says of it counts in any case.
OWN_LIMITS: Final[dict[str, dict[str, Callable[[Loose], object]]]] = {
    "h11": {
        "framing fields in trailers are checked, which bridge drops": lambda m: _FRAMING_TRAILER.search(m.trailer),
        "framing fields are checked where there is no body": lambda m: m.bodyless,
        "white space other than blanks ends a reason": lambda m: re.match(rb"[^\n]*[\x0b\x0c]", m.head),
        "blanks between a chunk's size and its extensions": _chunk_class(rb"^[0-9A-Fa-f]+[ \t]+;"),
    },
    "llhttp": {
        "framing fields in trailers are checked, which bridge drops": lambda m: _FRAMING_TRAILER.search(m.trailer),
        "blanks after a coding's name are a part of it": lambda m: _PADDED_CODING.search(m.head),
        "no blanks after a chunk's size": _chunk_class(rb"^[0-9A-Fa-f]+[ \t]"),
        "the grammar of chunk extensions is read, which bridge drops": _chunk_class(rb"^[0-9A-Fa-f]+[ \t]*;"),
    },
    "http.server": {},
    "http.client": {
        "blanks after a coding's name are a part of it": lambda m: _PADDED_CODING.search(m.head),
        "no size that no index holds": _chunk_class(rb"^[0-9A-Fa-f]{16}"),
        "a chunked body is read where there is none": lambda m: m.bodyless and m.all(b"transfer-encoding"),
    },
}


def excuse(table: tuple[Class, ...], raw: bytes, status: int | None) -> list[str]:
    """Name the classes that hold of a message refused with a status; None stands for one that is waited for."""
    loose = Loose(raw)
    return [each.name for each in table if (status is None or status in each.statuses) and each.holds(loose)]


def own_limit(reader: str, raw: bytes, *, bodyless: bool = False) -> list[str]:
    """Name the limits of a reader's own that hold of a message which bridge takes."""
    loose = Loose(raw, bodyless=bodyless)
    return [name for name, holds in OWN_LIMITS[reader].items() if holds(loose)]
