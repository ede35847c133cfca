"""One proxied request on the event loop: from the client's connection to one of the origin's, and the answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.proxy.absent import Absent
from bridge.proxy.answer import Answer
from bridge.proxy.delivery import Delivery, head_lines
from bridge.proxy.http1 import (
    CHUNKED,
    NO_BODY,
    RESPONSE_HEAD_LIMIT,
    UNTIL_CLOSE,
    ChunkedReader,
    MalformedError,
    is_body_taken,
    response_framing,
    reusable,
)
from bridge.proxy.observing import Watch
from bridge.proxy.piping import LEAST, Pipe
from bridge.proxy.sending import Sending

if TYPE_CHECKING:
    from bridge.proxy.client import ClientConnection
    from bridge.proxy.core import Visit
    from bridge.proxy.counters import Failure
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer, ResponseHead
    from bridge.proxy.quick import Short

INTERIM_LIMIT: Final = 32
TUNNEL_SECONDS: Final = 3600.0


class Relay(Sending):
    """Carries one exchange. The client's connection feeds it the request's body, the origin's connection the answer."""

    _delivery: Delivery | None = None
    _reader: ChunkedReader | None = None
    _head: bytearray | None = None
    _framing = _left = _interims = 0
    _got = _reusable = _passing = False
    _pipe: Pipe | None = None
    endless = False  # a tunnel

    def __init__(self, edge: Edge, client: ClientConnection, visit: Visit, framing: int) -> None:
        super().__init__(edge, client, visit, framing)
        if visit.route is not None:
            self._watch = Watch(visit, visit.route)

    # -- the answer ---------------------------------------------------------------------------------------------------

    def from_origin(self, data: bytes) -> None:
        """Take what the origin sent."""
        if self._passing:
            self._pass(data)
            return
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
            if (end if end >= 0 else len(data)) - at > RESPONSE_HEAD_LIMIT:
                self._fail(502, "malformed-answer")
                return
            if end < 0:
                self._head = bytearray(data[at:] if at else data)
                return
            at = self._begin(data, at, end + 4)

    def _begin(self, data: bytes, at: int, end: int) -> int:
        """Read the head data[at:end]; give the offset of the next head after an interim answer, else -1."""
        raw = data[at:end]
        core = self._edge.core
        try:
            response = core.heads.read(raw)
            client, watch = self._client, self._watch
            if (
                at == 0
                and self._request_done
                and client.keep_alive
                and client.modern
                and (watch is None or not watch.route.urgent)
            ):
                short = core.quick_answer(self._visit, response, data, end)
                if short is not None:
                    if watch is not None:
                        self._show(watch, response, memoryview(data)[end:])
                    self._take_short(short)
                    return -1
            if response.status < 200:
                return self._interim(response, data, at, end)
            framing = response_framing(self._visit.request.method, response)
        except MalformedError:
            self._fail(502, "malformed-answer")
        else:
            self._take_long(response, framing, data, (at, end))
        return -1

    def _take_long(self, response: ResponseHead, framing: int, data: bytes, head: tuple[int, int]) -> None:
        """Begin an answer whose head is data[at:end], by the long way."""
        at, end = head
        self._framing = self._left = framing
        self._reusable = reusable(response, framing)
        if not self._request_done or self._edge.stopping:
            self._client.keep_alive = False
        if isinstance(self._client, Absent):
            answer = Answer(response, [], framing)
        else:
            answer = self._edge.core.answer(self._visit, response, framing, data[at:end])
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

    def _show(self, watch: Watch, response: ResponseHead, body: memoryview) -> None:
        """Hand an exchange whose answer is whole to the observer, which nobody waits for."""
        watch.received(body)
        if self._edge.observers is not None:
            self._edge.observers.submit(watch, response)

    def _take_short(self, short: Short) -> None:
        """Write what is there of an answer; what follows of its body goes on as it comes."""
        pieces, self._left, self._reusable, self._client.status = short
        self._client.write(pieces)
        if self._left:
            self._passing = self._client.answering = True
            self._deadline = 0.0
            if self._left >= LEAST:
                self._carry()
        else:
            self._finish()

    def _pass(self, data: bytes) -> None:
        """Pass a part of a body on that needs nothing else."""
        left = self._left - len(data)
        piece: Buffer = data
        if left < 0:
            piece = memoryview(data)[: self._left]
            self._reusable = False
            left = 0
        self._left = left
        self._deadline = 0.0
        self._client.pass_on(piece)
        if not left:
            self._finish()
        elif left >= LEAST:
            self._carry()

    # -- a large body, which the kernel carries (see piping.Carried) --------------------------------------------------

    def _carry(self) -> None:
        """Have the kernel carry the rest."""
        origin, client = self._origin, self._client
        if origin is None or isinstance(client, Absent) or client.transport.is_closing() or not self._edge.pool.pipes:
            return
        self._pipe = Pipe(self._edge.loop, origin.transport, client, self._left, self)
        self._pipe.start()

    def moved(self) -> None:
        """Take note that bytes moved."""
        self._deadline = 0.0

    def carried(self) -> None:
        """Take note that the whole of it was given to the client's socket."""
        self.not_carried()
        self._left = 0
        self._finish()

    def not_carried(self) -> None:
        """Read again what comes."""
        self._pipe = None
        if self._origin is not None and not self._origin.transport.is_closing():
            self._origin.transport.resume_reading()

    def source_ended(self) -> None:
        """Take note that the origin's connection ended before the body."""
        self._pipe = None
        self._broken("origin-cut")

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
            except MalformedError as error:
                if not error.pieces or self._delivery.take(list(error.pieces), last=False):
                    self._broken("malformed-answer")
                else:
                    self._end()
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
        self._passing = False
        self._delivery = None  # the two refer to each other: nothing is left for the garbage collector
        origin, self._origin = self._origin, None
        if origin is not None:
            if (
                self._reusable
                and self._request_done
                and is_body_taken(self._visit.request.method, self._request_framing)
            ):
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
        elif self._passing:
            self._broken("origin-cut")
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
        self._edge.counters.failed(kind)
        if self._delivery is not None:
            self._delivery.break_off()
        else:
            self._client.cut([], reset=False)  # its length was told, so that the cut shows
        self._end()

    def _fail(self, status: int, kind: Failure) -> None:
        """Answer instead of the origin, which sent nothing that could be passed on."""
        self._edge.counters.failed(kind)
        self._end()
        self._client.refuse(status, close=not self._request_done)

    def _end(self) -> None:
        self._over = True
        self._passing = False
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
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
        if self._pipe is not None:
            self._pipe.client_writable(writable=writable)
        elif writable:
            self._origin.transport.resume_reading()
        else:
            self._origin.transport.pause_reading()

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
        if self._delivery is None and not self._passing and self._request_done and self._origin is not None:
            return options.timeout_head
        return options.timeout_idle

    def _time_out(self) -> None:
        if self._delivery is not None or self._passing:
            self._broken("idle-timeout")
        elif self.endless:
            self._end()
            self._client.close()
        elif self._request_done:
            self._fail(504, "head-timeout")
        else:
            self._fail(408, "idle-timeout")
