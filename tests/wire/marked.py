"""Visitors and an origin that put their own marker, such as `v3-17.`, on everything that they send.

A marker names a visitor and an exchange; its end shows, so that half of one is none. Whatever of one exchange turns up
in another, a byte of a body, a cookie, a field, shows by it.
"""

from __future__ import annotations

import gzip
import random
import re
import socket
import struct
from dataclasses import dataclass, field

from tests.wire.conftest import MARKUP, Route
from tests.wire.origin import Received, Wire, chunked, ok
from tests.wire.visitor import Answer

MARKER = re.compile(rb"v\d+-\d+\.")
COMMON = b"<!doctype html><html><head></head><body>" + b"<p>the same for all</p>" * 100 + b"</body></html>"
KINDS = ("plain", "chunks", "page", "packed", "packing", "same", "close", "head", "nothing", "unchanged", "moved",
         "missing", "form", "upload", "hinted", "excess", "watched", "own", "cut", "early")  # fmt: skip
LASTING = tuple(kind for kind in KINDS if kind not in {"close", "excess", "cut", "own", "early"})
METHODS = {"head": b"HEAD", "form": b"POST", "upload": b"POST", "watched": b"POST", "own": b"POST", "early": b"POST"}


@dataclass
class Exchange:
    """One request of a visitor, and what must come back."""

    marker: bytes
    kind: str
    size: int
    in_chunks: bool = False

    @property
    def method(self) -> bytes:
        return METHODS.get(self.kind, b"GET")

    @property
    def target(self) -> bytes:
        if self.kind == "own":
            return b"/_bridge/echo"
        return b"/%b/%b/%d" % (self.marker, self.kind.encode(), self.size)

    @property
    def text(self) -> bytes:
        return (b"[%b]" % self.marker) * self.size

    @property
    def document(self) -> bytes:
        return b"<!doctype html><html><head></head><body>%b</body></html>" % self.text

    def request(self) -> bytes:
        visitor = self.marker.partition(b"-")[0]
        lines = [
            b"%b %b HTTP/1.1" % (self.method, self.target),
            b"Host: shop.example",
            b"Cookie: PHPSESSID=%b; form_key=%b" % (self.marker, self.marker),
            b"Authorization: Bearer " + self.marker,
            b"X-Only-%b: %b" % (visitor, self.marker),
            b"Referer: http://shop.example/" + self.marker,
        ]
        if self.kind in {"packed", "packing", "same"}:
            lines.append(b"Accept-Encoding: gzip")
        if self.method != b"POST":
            return b"\r\n".join(lines) + b"\r\n\r\n"
        if not self.in_chunks:
            return b"\r\n".join([*lines, b"Content-Length: %d" % len(self.text)]) + b"\r\n\r\n" + self.text
        half = len(self.text) // 2
        parts = [part for part in (self.text[:half], self.text[half:]) if part]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + body

    @property
    def wanted(self) -> tuple[int, bytes]:
        """The status and the body, without coding, that the visitor must get."""
        status = {"nothing": 204, "unchanged": 304, "moved": 302, "missing": 404}.get(self.kind, 200)
        if self.kind in {"head", "nothing", "unchanged"}:
            return status, b""
        if self.kind == "same":
            return status, tagged(COMMON)
        if self.kind in {"page", "packed", "packing", "missing"}:
            return status, tagged(self.document)
        return status, self.text

    def check(self, answer: Answer) -> None:
        """Hold an answer against what was asked for: every byte, and every marker in its head."""
        status, body = self.wanted
        assert set(MARKER.findall(answer.raw_head)) <= {self.marker}, self
        if self.kind == "cut" and answer.status >= 500:  # a server that has not begun the answer gives one of its own
            assert not MARKER.findall(answer.body)
            return
        assert (answer.status, answer.complete) == (status, self.kind != "cut"), (self, len(answer.body))
        same = body.startswith(answer.text) if self.kind == "cut" else answer.text == body
        assert same, (self, MARKER.findall(answer.text)[:9])  # not the bodies, which are long
        if self.kind != "own":
            assert answer.values(b"set-cookie") == [b"who=%b; HttpOnly" % self.marker], self
            assert answer.value(b"x-marker") == self.marker


def tagged(document: bytes) -> bytes:
    return document.replace(b"<head>", b"<head>" + MARKUP)


class MarkedOrigin:
    """What the origin does with marked requests; `crossed` keeps what should never be there.

    `whole` is False where a server takes the half of a head for a request when its visitor goes.
    """

    def __init__(self, *, whole: bool, seed: int = 0) -> None:
        self.whole = whole
        self.crossed: list[object] = []
        self.on: dict[int, set[bytes]] = {}  # connection -> the visitors that were on it
        self.count = 0
        self._random = random.Random(seed)

    def play(self, wire: Wire, request: Received) -> bytes | None:
        markers = set(MARKER.findall(request.head)) | set(MARKER.findall(request.body))
        _, marker, kind, size = request.target.split(b"/")
        exchange = Exchange(marker, kind.decode(), int(size))
        only = [name for name, _ in request.fields if name.startswith(b"X-Only-")]
        if kind == b"early":  # the answer goes out first
            self._send(wire, self.plain(exchange))
            request.body = wire.read_body(request.head)
            markers |= set(MARKER.findall(request.body))
        body = exchange.text if exchange.method == b"POST" else b""
        counts = {len(only), len(request.values(b"cookie")), len(request.values(b"authorization"))}
        right = ({1}, (body,)) if self.whole else ({0, 1}, (body, b""))
        if markers != {marker} or not counts <= right[0] or request.body not in right[1]:
            self.crossed.append(request)
        self.on.setdefault(wire.number, set()).add(marker.partition(b"-")[0])
        self.count += 1
        return b"" if kind == b"early" else self.tell(wire, exchange)

    @staticmethod
    def own(marker: bytes) -> tuple[bytes, ...]:
        return (b"Set-Cookie: who=%b; HttpOnly" % marker, b"X-Marker: " + marker, b'ETag: "%b"' % marker)

    def plain(self, exchange: Exchange) -> bytes:
        return ok(exchange.text, b"text/plain", *self.own(exchange.marker))

    def tell(self, wire: Wire, exchange: Exchange) -> bytes | None:
        """Send the answer in pieces; None ends the connection."""
        marker, kind, text = exchange.marker, exchange.kind, exchange.text
        own, plain = self.own(marker), self.plain(exchange)
        if kind == "chunks":
            answer = chunked([text[:7], text[7:]] if len(text) > 7 else [text], b"application/json", *own)
        elif kind in {"page", "missing"}:
            answer = ok(
                exchange.document, b"text/html", *own, status=b"404 Not Found" if kind == "missing" else b"200 OK"
            )
        elif kind == "packed":
            answer = ok(gzip.compress(exchange.document), b"text/html", b"Content-Encoding: gzip", *own)
        elif kind == "packing":
            answer = chunked([gzip.compress(exchange.document)], b"text/html", b"Content-Encoding: gzip", *own)
        elif kind == "same":
            answer = ok(gzip.compress(COMMON, mtime=0), b"text/html", b"Content-Encoding: gzip", *own)
        elif kind == "close":
            answer = b"\r\n".join(
                [b"HTTP/1.1 200 OK", *own, b"Content-Type: text/plain", b"Connection: close", b"", text]
            )
        elif kind == "head":
            answer = plain[: len(plain) - len(text)]
        elif kind == "nothing":
            answer = b"\r\n".join([b"HTTP/1.1 204 No Content", *own, b"", b""])
        elif kind == "unchanged":
            answer = b"\r\n".join([b"HTTP/1.1 304 Not Modified", *own, b"Content-Length: 7", b"", b""])
        elif kind == "moved":
            answer = ok(text, b"text/plain", b"Location: /next/" + marker, *own, status=b"302 Found")
        elif kind == "hinted":
            answer = b"HTTP/1.1 103 Early Hints\r\nLink: </%b>; rel=preload\r\n\r\n" % marker + plain
        elif kind == "excess":  # what follows is an answer to nobody
            excess = ok(b"[v666-666.]", b"text/plain", b"Set-Cookie: who=v666-666.")
            at = self._random.randint(1, len(excess))
            wire.send(plain + excess[:at])
            return excess[at:]
        elif kind == "cut":
            wire.send(plain[: len(plain) - self._random.randint(1, len(text))])
            return None
        else:
            answer = plain
        self._send(wire, answer)
        return None if kind == "close" else b""

    def _send(self, wire: Wire, answer: bytes) -> None:
        for _ in range(self._random.choice((0, 0, 1, 3))):
            at = self._random.randint(0, len(answer))
            wire.send(answer[:at])
            answer = answer[at:]
        wire.send(answer)


class Early(set):
    """Targets whose answer goes out before the body was read."""

    def __contains__(self, target: object) -> bool:
        return isinstance(target, bytes) and b"/early/" in target


class MarkedObserver:
    """Watches the exchanges of kind "watched", and looks for markers of others in what it is shown."""

    def __init__(self) -> None:
        self.crossed: list[object] = []
        self.count = 0

    def wants(self, request):
        return Route(urgent=True) if b"/watched/" in request.path else None

    def seen(self, route, exchange):
        marker = exchange.request.path.split(b"/")[1]
        shown = [exchange.request_body or b"", exchange.response_body or b""]
        shown += [value for _, value in (*exchange.request.headers, *exchange.response.headers)]
        if {found for text in shown for found in MARKER.findall(text)} != {marker}:
            self.crossed.append(marker)
        self.count += 1


@dataclass
class MarkedVisitor:
    """A visitor on a socket that is never waited for. `batches` are the requests that it sends at once."""

    port: int
    batches: list[list[Exchange]]
    checked: int = 0
    left: int = 0  # exchanges that were given up, by its own will or the origin's
    sock: socket.socket | None = None
    waiting: list[Exchange] = field(default_factory=list)
    _out: bytes = b""
    _in: bytes = b""

    @property
    def done(self) -> bool:
        return not self.batches and not self.waiting

    @property
    def sending(self) -> bool:
        return bool(self._out) or not self.waiting

    def send(self, size: int) -> None:
        """Send up to so many bytes; begin the next batch where all answers to the one before are there."""
        if not self.waiting:
            self.waiting = self.batches.pop(0)
            self._out = b"".join(exchange.request() for exchange in self.waiting)
        if self.sock is None:
            self.sock = socket.create_connection(("127.0.0.1", self.port))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.setblocking(False)
        try:
            sent = self.sock.send(self._out[:size])
        except BlockingIOError:
            return
        except OSError:  # the proxy ended the connection: what it sent before is there to be read
            self._out = b""
            return
        self._out = self._out[sent:]

    def receive(self) -> None:
        """Take what is there, and check every answer that is complete."""
        if self.sock is None:
            return
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._in += data
        while self.waiting:
            found = parse(self._in, self.waiting[0].method, over=not data)
            if found is None:
                break
            answer, self._in = found
            exchange = self.waiting.pop(0)
            exchange.check(answer)
            self.checked += 1
            if not answer.complete or answer.value(b"connection") == b"close":
                self.hang_up()
                return
        if not data:
            assert self.waiting or not self._in, self._in[:99]
            self.hang_up()

    def hang_up(self, *, reset: bool = False) -> None:
        """End the connection; what was not answered is given up, and what came of it held no other's marker."""
        allowed = {exchange.marker for exchange in self.waiting}
        found = set(MARKER.findall(self._in))
        assert found <= allowed, (found, allowed)
        self.left += len(self.waiting)
        self.waiting, self._in, self._out = [], b"", b""
        if self.sock is not None:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
            self.sock = None


def parse(data: bytes, method: bytes, *, over: bool) -> tuple[Answer, bytes] | None:
    """Read an answer from the beginning of data; None while it is not whole. `over`: nothing more will come."""
    while True:
        head, mark, rest = data.partition(b"\r\n\r\n")
        if not mark:
            return None
        status = int(head.split(b" ", 2)[1])
        if status >= 200:
            break
        data = rest
    fields = [(name, value) for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:])]
    answer = Answer(status, fields, b"", complete=True, raw_head=head)
    length = answer.value(b"content-length")
    if method == b"HEAD" or status in {204, 304}:
        return answer, rest
    if answer.value(b"transfer-encoding") == b"chunked":
        return _chunks(answer, rest, over=over)
    if length is None:
        answer.body = rest
        return (answer, b"") if over else None
    answer.body, rest = rest[: int(length)], rest[int(length) :]
    answer.complete = len(answer.body) == int(length)
    return (answer, rest) if answer.complete or over else None


def _chunks(answer: Answer, rest: bytes, *, over: bool) -> tuple[Answer, bytes] | None:
    while True:
        line, mark, after = rest.partition(b"\r\n")
        size = int(line, 16) if mark else 0
        if not mark or len(after) < size + 2:
            answer.body += after[:size]
            answer.complete = False
            return (answer, b"") if over else None
        assert after[size : size + 2] == b"\r\n"
        answer.body, rest = answer.body + after[:size], after[size + 2 :]
        if not size:
            return answer, rest
