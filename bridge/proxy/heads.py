"""Answers' heads, read by the lines that they are made of.

A shop's answers repeat themselves line by line: what a line says is worked out once and looked up from then on, and so
is what follows from all lines of a head together, its `Shape`. Lines whose value differs from answer to answer (`Date`,
`Content-Length`, `ETag`) stand in a shape by their name alone; which names those are shows by itself.

Only heads that are plain in every line are read here. All others are left to http1.parse_response(), and each shape
was read by it once, so that nothing is taken here that it refuses, and nothing is read in another way.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from bridge.proxy.csp import POLICY_FIELDS
from bridge.proxy.exchange import Head, ResponseHead
from bridge.proxy.forwarding import HOP_BY_HOP
from bridge.proxy.http1 import CHUNKED, NO_BODY, UNTIL_CLOSE, parse_response, reusable

if TYPE_CHECKING:
    from bridge.proxy.exchange import Headers

HEAD_LIMIT: Final = 32 * 1024
LINE_LIMIT: Final = 8 * 1024
LINES_LIMIT: Final = 2048
SHAPES_LIMIT: Final = 512
VALUES_LIMIT: Final = 12
"""How many values of a field are remembered before it counts as one that varies."""

_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([!-~\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[!-~\x80-\xff])?)")
_VALUE = re.compile(rb" [!-~\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[!-~\x80-\xff])?")
_LENGTH = re.compile(rb" [0-9]{1,18}")
_STATUS = re.compile(rb"HTTP/1\.1 [2-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*)?")

# What these say decides how an answer is read or what is done with it: they may not differ within a shape.
_DECIDING: Final = (
    HOP_BY_HOP
    | POLICY_FIELDS
    | {b"content-type", b"content-encoding", b"content-disposition", b"content-range", b"vary", b"host"}
)
# These differ nearly always, and what a cookie says is not kept.
_VARYING: Final = {b"content-length", b"set-cookie", b"location"}


class Line:
    """What a line of a head says; `field` is None for the name alone of a field whose value varies."""

    __slots__ = ("field", "lower", "name")

    def __init__(self, name: bytes, field: tuple[bytes, bytes] | None) -> None:
        self.name = name
        self.lower = name.lower()
        self.field = field


class Shape:
    """What follows from the lines of a head, but for the values of those that vary.

    `framing` is CHUNKED, UNTIL_CLOSE, NO_BODY, or 1 where the line at `length_at` gives the length. `memo` is for what
    else is worked out from it.
    """

    __slots__ = ("framing", "index", "length_at", "lines", "memo", "reason", "reusable", "status", "version")

    def __init__(self, lines: tuple[Line, ...], head: ResponseHead) -> None:
        self.lines = lines
        self.status = head.status
        self.reason = head.reason
        self.version = head.version
        names = [line.lower for line in lines[1:-2]]
        self.index = {name: at + 1 for at, name in reversed(list(enumerate(names)))}
        self.length_at = self.index.get(b"content-length", -1)
        self.framing = _framing(self)
        self.reusable = self.framing != UNTIL_CLOSE and reusable(head, self.framing)
        self.memo: dict[object, Any] = {}


def _framing(shape: Shape) -> int:
    if shape.status in {204, 304}:
        return NO_BODY
    if b"transfer-encoding" in shape.index:
        return CHUNKED
    return 1 if shape.length_at >= 0 else UNTIL_CLOSE


class ShapedHead(ResponseHead):
    """The head of an answer of a known shape; its fields are made when somebody asks for them."""

    __slots__ = ("lines", "shape")

    def __init__(self, shape: Shape, lines: list[bytes]) -> None:  # the base class would make the fields at once
        self.shape = shape
        self.lines = lines
        self.status = shape.status
        self.reason = shape.reason
        self.version = shape.version

    def __getattr__(self, name: str) -> Any:
        """Make the fields; called for what is not there yet."""
        if name not in {"headers", "index"}:
            raise AttributeError(name)
        headers: Headers = []
        for line, text in zip(self.shape.lines[1:-2], self.lines[1:-2], strict=True):
            headers.append(line.field or (line.name, text.partition(b":")[2].strip(b" \t")))
        self.headers = headers
        self.settle()
        return getattr(self, name)

    def length(self) -> int:
        """Return what Content-Length says, of a shape that has it."""
        return int(self.lines[self.shape.length_at].partition(b":")[2])


class _Lines(dict[bytes, Line]):
    """Lines by their text; what is missing may be a line of a field that varies. Raises KeyError for others."""

    def __init__(self, names: dict[bytes, Line]) -> None:
        super().__init__()
        self._names = names
        self[b""] = Line(b"", (b"", b""))

    def __missing__(self, line: bytes) -> Line:
        name, _, value = line.partition(b":")
        found = self._names[name]
        pattern = _LENGTH if found.lower == b"content-length" else _VALUE
        if pattern.fullmatch(value) is None:
            raise KeyError
        return found


class HeadReader:
    """Reads the heads of a process's answers. Used by one thread."""

    def __init__(self) -> None:
        self._names: dict[bytes, Line] = {}  # fields that vary, by name as written
        self._values: Counter[bytes] = Counter()  # how many values of a field were remembered, by lower-case name
        self._shapes: dict[tuple[Line, ...], Shape] = {}
        self._lines = _Lines(self._names)

    def read(self, raw: bytes) -> ResponseHead:
        """Read a head with its blank line; a ShapedHead where it is plain. Raises MalformedError."""
        lines = raw.split(b"\r\n")
        try:
            shape = self._shapes[tuple(map(self._lines.__getitem__, lines))]
        except KeyError:
            return self._learn(raw, lines)
        return ShapedHead(shape, lines)

    def _learn(self, raw: bytes, lines: list[bytes]) -> ResponseHead:
        """Read a head strictly, and remember its lines and its shape where it is plain."""
        head = parse_response(raw)
        if len(raw) > HEAD_LIMIT or b"" in lines[:-2] or not _STATUS.fullmatch(lines[0]):
            return head
        known = [self._first(lines[0]), *map(self._line, lines[1:-2]), *[self._lines[b""]] * 2]
        plain = tuple(line for line in known if line is not None)
        if len(plain) < len(known) or not _is_plain(plain, head):
            return head
        if len(self._shapes) >= SHAPES_LIMIT:
            self._shapes.clear()
        shape = self._shapes[plain] = Shape(plain, head)
        return ShapedHead(shape, lines)

    def _first(self, line: bytes) -> Line:
        found = self._lines.get(line)
        if found is None:
            found = self._keep(line, Line(b"", (b"", line)))
        return found

    def _line(self, line: bytes) -> Line | None:
        """Return what a line says, remembering it; None where it is not plain, or differs and decides."""
        with contextlib.suppress(KeyError):
            return self._lines[line]
        match = _FIELD.fullmatch(line)
        if match is None or len(line) > LINE_LIMIT:
            return None
        name, value = match.groups()
        lower = name.lower()
        self._values[lower] += 1
        if lower not in _VARYING and self._values[lower] <= VALUES_LIMIT:
            return self._keep(line, Line(name, (name, value)))
        if lower in _DECIDING or len(self._names) >= LINES_LIMIT:
            return None
        self._names.setdefault(name, Line(name, None))
        with contextlib.suppress(KeyError):
            return self._lines[line]
        return None

    def _keep(self, text: bytes, line: Line) -> Line:
        if len(self._lines) >= LINES_LIMIT:
            self._shapes.clear()
            self._values.clear()
            self._lines = _Lines(self._names)
        self._lines[text] = line
        return line


def _is_plain(lines: tuple[Line, ...], head: Head) -> bool:
    """Say whether a shape may stand for all heads of these lines."""
    names = [line.lower for line in lines[1:-2]]
    if names.count(b"content-length") > 1 or (b"transfer-encoding" in names and b"content-length" in names):
        return False
    return b"transfer-encoding" not in names or head.get_all(b"transfer-encoding") == [b"chunked"]
