"""One proxied request on the event loop: from the client's connection to one of the origin's, and the answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.proxy.absent import Absent
from bridge.proxy.answer import Answer
from bridge.proxy.delivery import Delivery, head_lines
from bridge.proxy.http1 import (
    CHUNKED,
    LAST_CHUNK,
    NO_BODY,
    RESPONSE_HEAD_LIMIT,
    UNTIL_CLOSE,
    ChunkedReader,
    MalformedError,
    chunk,
    parse_response,
    response_framing,
    reusable,
)
from bridge.proxy.observing import Watch

if TYPE_CHECKING:
    from bridge.proxy.client import ClientConnection
    from bridge.proxy.core import Visit
    from bridge.proxy.counters import Failure
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer, ResponseHead
    from bridge.proxy.origin import OriginConnection

EARLY_LIMIT: Final = 64 * 1024
INTERIM_LIMIT: Final = 32
TUNNEL_SECONDS: Final = 3600.0
_REPEATABLE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})


class Relay:
    """Carries one exchange. The client's connection feeds it the request's body, the origin's connection the answer."""

    # Attributes that most exchanges never set stay on the class: one of these objects is made for each request.
    _watch: Watch | None = None
    _origin: OriginConnection | None = None
    _delivery: Delivery | None = None
    _reader: ChunkedReader | None = None
    _head: bytearray | None = None
    _early: list[Buffer] | None = None
    _early_size = 0
    _framing = _left = _interims = 0
    _got = _repeated = _reusable = _over = False
    endless = False  # a tunnel

    def __init__(self, edge: Edge, client: ClientConnection, visit: Visit, framing: int) -> None:
        self._edge = edge
        self._client: ClientConnection | Absent = client
        self._visit = visit
        self._request_framing = framing
        self._request_done = framing == NO_BODY
        self._deadline = 0.0  # settled by the first tick after start()
        if visit.route is not None:
            self._watch = Watch(visit, visit.route)

    # -- the request --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask for a connection to the origin."""
        self._edge.pool.take(self, repeatable=self._is_repeatable(), fresh=self._repeated)

    def _is_repeatable(self) -> bool:
        return self._request_framing == NO_BODY and self._visit.request.method in _REPEATABLE

    def connected(self, connection: OriginConnection) -> None:
        """Send the request's head, and what came of its body meanwhile."""
        if self._over:
            self._edge.pool.give_back(connection)
            return
        self._origin = connection
        head = self._visit.head()
        if self._client.upgrade is not None:
            head += b"\r\nConnection: Upgrade\r\nUpgrade: " + self._client.upgrade
        if self._request_framing == CHUNKED:
            head += b"\r\nTransfer-Encoding: chunked"
        connection.transport.write(head + b"\r\n\r\n")
        if self._early is not None:
            connection.transport.writelines(self._early)
            self._early = None
            self._client.resume()
        self._touch()

    def not_connected(self, error: Exception) -> None:
        """Tell the client that the origin cannot be reached."""
        del error
        if not self._over:
            self._fail(502, "connect")

    def body(self, pieces: list[Buffer]) -> None:
        """Pass a part of the request's body on."""
        if self._watch is not None:
            for piece in pieces:
                self._watch.sent(piece)
        self._send(chunk(pieces) if self._request_framing == CHUNKED else pieces)

    def body_end(self) -> None:
        """Close the request's body."""
        self._request_done = True
        if self._request_framing == CHUNKED:
            self._send([LAST_CHUNK])
        self._touch()

    def _send(self, pieces: list[Buffer]) -> None:
        if self._origin is not None:
            self._origin.transport.writelines(pieces)
            self._touch()
            return
        self._early = (self._early or []) + pieces
        self._early_size += sum(map(len, pieces))
        if self._early_size > EARLY_LIMIT:
            self._client.pause()

    def origin_writable(self, *, writable: bool) -> None:
        """Keep the client's pace to the origin's."""
        self._touch()
        if writable:
            self._client.resume()
        else:
            self._client.pause()

    def to_origin(self, data: bytes) -> None:
        """Pass bytes through the tunnel."""
        if self._origin is not None:
            self._origin.transport.write(data)
            self._touch()

    # -- the answer ---------------------------------------------------------------------------------------------------

    def from_origin(self, data: bytes) -> None:
        """Take what the origin sent."""
        if self._delivery is not None:
            self._touch()
            self._body(data, 0)
            return
        self._got = True
        if self.endless:
            self._client.write([data])
            self._touch()
            return
        at = 0
        while 0 <= at < len(data):
            start = at
            if self._head is not None:
                start = max(len(self._head) - 3, 0)
                data, self._head = bytes(self._head) + data, None
            end = data.find(b"\r\n\r\n", start)
            if end < 0:
                self._head = bytearray(data[at:] if at else data)
                if len(self._head) > RESPONSE_HEAD_LIMIT:
                    self._fail(502, "malformed-answer")
                return
            at = self._begin(data, at, end + 4)

    def _begin(self, data: bytes, at: int, end: int) -> int:
        """Read the head data[at:end]; give the offset of the next head after an interim answer, else -1."""
        raw = data[at:end]
        try:
            response = parse_response(raw)
            if response.status < 200:
                return self._interim(response, data, at, end)
            framing = response_framing(self._visit.request.method, response)
        except MalformedError:
            self._fail(502, "malformed-answer")
            return -1
        self._framing = self._left = framing
        self._reusable = reusable(response, framing)
        if not self._request_done or self._edge.stopping:
            self._client.keep_alive = False
        if isinstance(self._client, Absent):
            answer = Answer(response, [], framing)
        else:
            answer = self._edge.core.answer(self._visit, response, framing, raw)
        delivery = self._delivery = Delivery(self._edge, self._client, answer, self._watch, self._finish)
        self._touch()
        if framing == NO_BODY:
            if end < len(data):
                self._reusable = False
            delivery.take([], last=True)
        else:
            if framing == CHUNKED:
                self._reader = ChunkedReader(padded=True)
            if end < len(data):
                self._body(data, end)
            else:
                delivery.take([], last=False)
        return -1

    def _interim(self, response: ResponseHead, data: bytes, at: int, end: int) -> int:
        if response.status == 101 and self._client.upgrade is not None:
            self.endless = True
            self._client.write([data[at:]])
            self._client.open_tunnel()
            self._touch()
            return -1
        self._interims += 1
        if response.status == 101 or self._interims > INTERIM_LIMIT:
            self._fail(502, "malformed-answer")
            return -1
        if self._client.modern:
            headers = self._edge.core.passed_headers(self._visit, response)
            self._client.write([head_lines(response, headers), b"\r\n\r\n"])
        return end

    def _body(self, data: bytes, at: int) -> None:
        """Take a part of the answer's body, from data[at:]."""
        assert self._delivery is not None  # noqa: S101 - the head came before
        pieces: list[Buffer]
        last = False
        if self._reader is not None:
            try:
                views, end = self._reader.feed(data, at)
            except MalformedError:
                self._broken("malformed-answer")
                return
            pieces = list(views)
            last = end >= 0
            if last and end < len(data):
                self._reusable = False
        else:
            pieces = [memoryview(data)[at:] if at else data]
            if self._framing >= 0:
                size = len(data) - at
                if size > self._left:
                    pieces = [memoryview(data)[at : at + self._left]]
                    self._reusable = False
                    size = self._left
                self._left -= size
                last = not self._left
        if not self._delivery.take(pieces, last=last):
            self._end()

    # -- the end ------------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Go on after the last byte was given to the client's connection."""
        if self._over:
            return
        self._over = True
        self._delivery = None  # the two refer to each other: nothing is left for the garbage collector
        origin, self._origin = self._origin, None
        if origin is not None:
            if self._reusable and self._request_done:
                if self._client.write_paused:
                    origin.transport.resume_reading()
                self._edge.pool.give_back(origin)
            else:
                origin.drop()
        self._client.exchange_done(complete=self._request_done)

    def origin_lost(self, error: Exception | None) -> None:
        """Take the end of the origin's connection: the body's end, an early end, or a reason to try once more."""
        origin, self._origin = self._origin, None
        if self._over:
            return
        if self.endless:
            self._over = True
            self._client.close()
        elif self._delivery is not None:
            if self._delivery.waiting:
                return
            if self._framing == UNTIL_CLOSE and error is None:
                if not self._delivery.take([], last=True):
                    self._end()
            else:
                self._broken("origin-cut")
        elif not self._got and origin is not None and origin.reused and self._is_repeatable() and not self._repeated:
            self._repeated = True
            self.start()
        else:
            self._fail(502, "origin-cut")

    def _broken(self, kind: Failure) -> None:
        """End an answer that came only in part."""
        assert self._delivery is not None  # noqa: S101 - the head came before
        self._edge.counters.failed(kind)
        self._delivery.break_off()
        self._end()

    def _fail(self, status: int, kind: Failure) -> None:
        """Answer instead of the origin, which sent nothing that could be passed on."""
        self._edge.counters.failed(kind)
        self._end()
        self._client.refuse(status, close=not self._request_done)

    def _end(self) -> None:
        self._over = True
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.stop()
        origin, self._origin = self._origin, None
        if origin is not None:
            origin.drop()

    def client_gone(self) -> None:
        """End the origin's part, since nobody waits for it, unless the observer must see how it ends."""
        if self._reads_on() and self._edge.read_on(self):
            self._client = Absent(self._edge, self)
            if self._delivery is not None:
                self._delivery.go_on_for(self._client, self._framing)
            if self._origin is not None:
                self._origin.transport.resume_reading()
        else:
            self._end()

    def _reads_on(self) -> bool:
        """Say whether the origin has the whole of an urgent request and its answer is under way."""
        if self._over or self.endless or self._watch is None or not self._watch.route.urgent:
            return False
        if self._origin is None or self._origin.transport.is_closing() or not self._request_done:
            return False
        return self._delivery is None or not self._delivery.waiting

    def give_up(self) -> None:
        """Stop reading on for a client that is gone."""
        self._end()
        self._client.close()

    def client_writable(self, *, writable: bool) -> None:
        """Keep the origin's pace to the client's."""
        self._touch()
        if self._origin is None or self._origin.transport.is_closing():
            return
        if writable:
            self._origin.transport.resume_reading()
        else:
            self._origin.transport.pause_reading()

    def _touch(self) -> None:
        """Something moved: the time-out that holds now begins anew, with the next tick."""
        self._deadline = 0.0

    def tick(self, now: float) -> None:
        """End the exchange when its time is over."""
        if self._over or (self._delivery is not None and self._delivery.waiting):
            return
        if not self._deadline:
            self._deadline = now + self._patience()
        elif now >= self._deadline:
            self._time_out()

    def _patience(self) -> float:
        options = self._edge.options
        if self.endless:
            return TUNNEL_SECONDS
        if self._delivery is None and self._request_done and self._origin is not None:
            return options.timeout_head
        return options.timeout_idle

    def _time_out(self) -> None:
        if self._delivery is not None:
            self._broken("idle-timeout")
        elif self.endless:
            self._end()
            self._client.close()
        elif self._request_done:
            self._fail(504, "head-timeout")
        else:
            self._fail(408, "idle-timeout")
