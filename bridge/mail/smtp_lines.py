"""The bytes of an SMTP dialogue (RFC 5321), strictly read and without I/O: command lines, paths, message data.

A line ends with CRLF and nothing else, a message with CRLF ``.`` CRLF and nothing else. What two servers could read
differently (a bare CR or LF) is refused, so that no message can carry a second one past us to the next server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COMMAND_MOST = 4096
AUTH_MOST = 12_288
"""RFC 4954 asks that a line of credentials may be so long."""
LINE_MOST = 65_536
PATH_MOST = 1000
HOPS_MOST = 50

CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
PATH = re.compile(r'<(?P<path>(?:"(?:[^"\\]|\\.)*"|[^"<>])*|[^<>]*)>(?P<rest> .*|)$|(?P<bare>[^\s<>"]+)(?P<more> .*|)$')
"""Angle brackets may stand inside quotes; where quotes do not pair, the first closing bracket ends the path."""
ROUTE = re.compile(r"^@[^:]*:")
HTTP = re.compile(
    rb"^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) |^(?:Host|User-Agent|Content-Type):", re.IGNORECASE
)
TLS_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection."""
HOP = re.compile(rb"(?im)^Received:")
END = b"\r\n.\r\n"


class BadLine(Exception):
    """A command that is answered with ``reply``; ``final`` ends the connection."""

    def __init__(self, reply: str, *, final: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.final = final


def command(line: bytes) -> tuple[str, str]:
    """Return the verb in capitals and its argument; raise :class:`BadLine` for what is no command."""
    if HTTP.match(line):
        raise BadLine("421 4.7.0 This is a mail server", final=True)
    if not line.endswith(b"\r\n") or CONTROL.search(line, 0, len(line) - 2):
        raise BadLine("500 5.5.2 A line ends with CRLF and holds no control characters")
    if len(line) > (AUTH_MOST if line[:5].upper() == b"AUTH " else COMMAND_MOST):
        raise BadLine("500 5.5.2 Line too long")
    verb, _, argument = line[:-2].partition(b" ")
    if not verb.isalpha() or not verb.isascii():
        raise BadLine("500 5.5.2 Not a command")
    try:
        return verb.decode("ascii").upper(), argument.strip().decode("utf-8")
    except UnicodeDecodeError:
        raise BadLine("501 5.5.2 The argument is not UTF-8") from None


@dataclass(frozen=True, slots=True)
class Path:
    """An address as it was sent, without angle brackets and source route, and the parameters after it."""

    address: str
    parameters: dict[str, str]


def path(argument: str, keyword: str) -> Path:
    """Read ``FROM:<path> [parameters]`` or ``TO:<path> [parameters]``; raise :class:`BadLine` for what is neither.

    Only the frame is judged. Whether the mailbox exists, or can exist, is for the server that delivers to say: one
    refused recipient makes the shop drop the message for all of them.
    """
    syntax = BadLine(f"501 5.5.4 Syntax: {'MAIL' if keyword == 'FROM' else 'RCPT'} {keyword}:<address>")
    if not argument.upper().startswith(f"{keyword}:"):
        raise syntax
    match = PATH.match(argument[len(keyword) + 1 :].strip())
    if match is None:
        raise syntax
    address = match["bare"] or ROUTE.sub("", match["path"] or "")
    if len(address.encode()) > PATH_MOST or (keyword == "TO" and not address.strip()):
        raise BadLine("553 5.1.3 Not an address")
    return Path(address, _parameters(match["rest"] or match["more"] or ""))


def _parameters(text: str) -> dict[str, str]:
    found = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if not name.replace("-", "").isalnum():
            raise BadLine("501 5.5.4 Not a parameter")
        found[name.upper()] = value
    return found


class DataReader:
    """Takes the bytes after ``DATA`` piece by piece, up to and with the line that is only a dot.

    ``done`` turns True at that line; ``rest`` is then what came after it, ``size`` how much came before. Memory stays
    within ``most`` bytes: of a message that is larger only its length is kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._shed = False
        self.size = 0
        self.done = False
        self.rest = b""

    @property
    def too_much(self) -> bool:
        """Whether more came than may be kept."""
        return self.size > self._most

    def feed(self, piece: bytes) -> int:
        """Take a piece; return by how many bytes the memory in use grew (less than 0: shrank)."""
        held = self._held
        before = len(held)
        held += piece
        self.size += len(piece)
        if self.size - len(piece) < 3 and held.startswith(b".\r\n"):
            self._end(0, 3)
        elif (at := held.find(END, max(0, before - len(END) + 1))) >= 0:
            self._end(at + 2, at + len(END))
        if (self.too_much or self._shed) and not self.done and len(held) >= len(END):
            del held[: 1 - len(END)]
        return len(held) - before

    def shed(self) -> int:
        """Keep no more of this message than is needed to find its end; return how many bytes were let go."""
        self._shed = True
        before = len(self._held)
        if self.done:
            return self.drop()
        del self._held[: 1 - len(END)]
        return before - len(self._held)

    def _end(self, length: int, after: int) -> None:
        self.rest = bytes(self._held[after:])
        self.size -= len(self._held) - length
        self.done = True
        del self._held[length:]

    def drop(self) -> int:
        """Forget what is held; return how many bytes that was."""
        length = len(self._held)
        self._held = bytearray()
        return length

    def whole(self) -> bytearray:
        """Return the lines as they were sent, not copied, for whoever goes on with them when this reader is dropped.

        Raises :class:`BadLine` when they are more than may be.
        """
        if self.too_much:
            raise BadLine("552 5.3.4 The message is larger than is taken")
        return self._held


def message_of(lines: bytes | bytearray) -> bytes:
    """Return the message with the added dots taken off; raise :class:`BadLine` with the reply that refuses it."""
    raw = bytes(lines)
    fault = unfit(raw)
    if fault:
        raise BadLine(fault)
    return unstuffed(raw)


def unfit(raw: bytes) -> str:
    """Return the reply that refuses these lines, or an empty text.

    A bare CR or LF is what smuggling is made of, so it is never passed on; a NUL or 8-bit byte harms nobody on the way.
    """
    if not raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r"):
        return "554 5.6.0 Bare CR or LF in the message: lines end with CRLF"
    if _has_long_line(raw):
        return f"554 5.6.0 A line of the message is longer than {LINE_MOST} bytes"
    head = raw[: end + 2] if (end := raw.find(b"\r\n\r\n")) >= 0 else raw
    if len(HOP.findall(head)) > HOPS_MOST:
        return "554 5.4.6 The message goes in circles: it passed too many servers"
    return ""


def _has_long_line(raw: bytes) -> bool:
    """Return whether a line is longer than it may be, looking only at the last line end within each stretch."""
    start = 0
    while len(raw) - start > LINE_MOST + 2:
        end = raw.rfind(b"\n", start, start + LINE_MOST + 2)
        if end < 0:
            return True
        start = end + 1
    return False


def unstuffed(raw: bytes) -> bytes:
    """Take off the dot that was put before each line that begins with one."""
    raw = raw.replace(b"\r\n.", b"\r\n")
    return raw[1:] if raw.startswith(b".") else raw


def stuffed(raw: bytes) -> bytes:
    """Put a dot before each line that begins with one."""
    raw = raw.replace(b"\r\n.", b"\r\n..")
    return b"." + raw if raw.startswith(b".") else raw
