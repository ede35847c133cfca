"""A client's connection on the event loop: requests read one after the other, each handed to what answers it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from bridge.proxy.forwarding import plain_address
from bridge.proxy.http1 import (
    CHUNKED,
    NO_BODY,
    REQUEST_HEAD_LIMIT,
    ChunkedReader,
    MalformedError,
    error_page,
    parse_request,
)
from bridge.proxy.sockets import end_by_reset, unsent

if TYPE_CHECKING:
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer, RequestHead
    from bridge.proxy.handler import Handler

WRITE_LIMIT: Final = 128 * 1024
PIPELINE_LIMIT: Final = 64 * 1024
LINGER_SECONDS: Final = 5.0
LINGER_BYTES: Final = 4 * 1024 * 1024
HEAD_SECONDS: Final = 30.0
NEW_SECONDS: Final = 1.0
NO_LIMIT: Final = 1 << 62


class ClientConnection(asyncio.Protocol):
    """One connection of a client. `handler` answers the request in hand, None between requests."""

    __slots__ = (
        "_deadline",
        "_edge",
        "_in_body",
        "_last",
        "_left",
        "_lingering",
        "_max_body",
        "_pending",
        "_read_paused",
        "_reader",
        "_received",
        "_since",
        "_timeout_idle",
        "_tunnel",
        "_unsent",
        "answering",
        "handler",
        "keep_alive",
        "listener",
        "modern",
        "peer",
        "status",
        "transport",
        "upgrade",
        "write_paused",
    )

    def __init__(self, edge: Edge, listener: str) -> None:
        self._edge = edge
        self.listener = listener
        self._max_body = edge.options.max_body or NO_LIMIT
        self._timeout_idle = edge.options.timeout_idle
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.peer = ""
        self.handler: Handler | None = None
        self.keep_alive = True
        self.modern = True  # speaks HTTP/1.1
        self.upgrade: bytes | None = None  # the protocol that the request in hand asks for
        self.write_paused = False
        self._pending = b""
        self._last: RequestHead | None = None
        self._in_body = False
        self._left = 0
        self._reader: ChunkedReader | None = None
        self._received = 0
        self._read_paused = False
        self._tunnel = False
        self._lingering = -1
        self._deadline = 0.0
        self._unsent = 0
        self.answering = False  # a part of the answer to the request in hand is out
        self.status = 0  # of the answer to the request in hand
        self._since = 0.0

    # -- call-backs of the transport ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the edge's connections, unless the address has too many."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(WRITE_LIMIT)
        name = transport.get_extra_info("peername")
        self.peer = plain_address(name[0]) if isinstance(name, tuple) else "127.0.0.1"
        self._deadline = self._edge.now() + HEAD_SECONDS
        if not self._edge.join(self):
            self.refuse(429, close=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave; whoever answers is told."""
        del exc
        self._drop_handler()
        self._edge.leave(self)

    def pause_writing(self) -> None:
        """Hold the answer back."""
        self.write_paused = True
        if self.handler is not None:
            self.handler.client_writable(writable=False)

    def resume_writing(self) -> None:
        """Let the answer go on."""
        self.write_paused = False
        if self.handler is not None:
            self.handler.client_writable(writable=True)
        elif self._lingering < 0 and not self.transport.is_closing():
            self._next()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self.handler is None and not self._pending and self._lingering < 0 and not self._in_body:
            self._head(data, 0)
        elif self._tunnel:
            if self.handler is not None:
                self.handler.to_origin(data)
        elif self._lingering >= 0:
            self._lingering += len(data)
            if self._lingering > LINGER_BYTES:
                self.transport.abort()
        elif self._in_body:
            at = self._body(data)
            if 0 <= at < len(data) and self._lingering < 0:
                self.data_received(data[at:])
        else:
            self._early(data)

    def _early(self, data: bytes) -> None:
        """Take what belongs to a head that has begun, or to a request behind the one in hand."""
        start = max(len(self._pending) - 3, 0)
        self._pending += data
        if self.handler is None:
            data, self._pending = self._pending, b""
            self._head(data, start)
        elif len(self._pending) > PIPELINE_LIMIT:
            self.pause()

    # -- requests -----------------------------------------------------------------------------------------------------

    def _head(self, data: bytes, start: int) -> None:
        """Read a request's head from the beginning of data, whose end need not be looked for before `start`."""
        begin = 2 if data[:2] == b"\r\n" else 0  # one empty line before a request is let pass (RFC 9112 section 2.2)
        end = data.find(b"\r\n\r\n", max(start, begin))
        if end < 0:
            if len(data) - begin > REQUEST_HEAD_LIMIT:
                self._refuse_malformed(431)
            else:
                self._pending = data  # with that line, so that a second one shows
            return
        if begin:
            data = data[2:]
        end += 4 - begin
        if end > REQUEST_HEAD_LIMIT:
            self._refuse_malformed(431)
            return
        try:
            request = self._last = parse_request(data[:end] if end < len(data) else data, self._last)
        except MalformedError as error:
            self._refuse_malformed(error.status)
            return
        framing = request.framing
        if framing > self._max_body:
            self.keep_alive = False
            self._edge.counters.failed("too-large")
            self.refuse(413, close=True)
            return
        if framing != NO_BODY:
            self._in_body = True
            self._received = 0
            self._left = framing
            self._reader = ChunkedReader() if framing == CHUNKED else None
        self._start(request, framing)
        if end < len(data):
            self.data_received(data[end:])

    def _start(self, request: RequestHead, framing: int) -> None:
        self.modern = request.version == b"1.1"
        self.keep_alive = request.persistent and not self._edge.stopping
        self.upgrade = request.upgrade if request.method == b"GET" else None
        if self._edge.access is not None:
            self.status = 0
            self._since = self._edge.now()
        self.handler = handler = self._edge.handler(self, request, framing)
        handler.start()

    def _body(self, data: bytes) -> int:
        """Take a part of the request's body; give the offset after it, -1 while it goes on."""
        handler = self.handler
        if self._reader is not None:
            try:
                views, end = self._reader.feed(data)
            except MalformedError as error:
                self._in_body = False
                self._drop_handler()
                self._refuse_malformed(error.status)
                return -1
            pieces: list[Buffer] = list(views)
        else:
            end = self._left if self._left <= len(data) else -1
            pieces = [data if end < 0 or end == len(data) else memoryview(data)[:end]]
            self._left -= len(pieces[0])
        if end >= 0:
            self._in_body = False
            self._reader = None
        self._received += sum(map(len, pieces))
        if self._received > self._max_body:
            self._in_body = False
            self._drop_handler()
            self._edge.counters.failed("too-large")
            self.refuse(413, close=True)
            return -1
        if handler is not None:
            if pieces:
                handler.body(pieces)
            if end >= 0:
                handler.body_end()
        return end

    def _drop_handler(self) -> None:
        handler, self.handler = self.handler, None
        if handler is not None:
            self._note("client left")
            handler.client_gone()

    def _note(self, end: str = "") -> None:
        """Have the exchange in hand logged."""
        access = self._edge.access
        if access is not None and self._last is not None:
            access.note(self._last, self.status, self._edge.now() - self._since, end)

    def exchange_done(self, *, complete: bool) -> None:
        """Go on to the next request; `complete` says that this one was read to its end."""
        if self._edge.access is not None and self.handler is not None:
            self._note()
        self.handler = None
        self.upgrade = None
        self.answering = False
        if not self.keep_alive or not complete:
            self._close_gently()
            return
        # Where the answer began before the edge stops it did not say that the connection ends: one more may be coming.
        self._deadline = self._edge.now() + (NEW_SECONDS if self._edge.stopping else self._timeout_idle)
        if self._pending or self.write_paused or self._read_paused:
            self._next()

    def _next(self) -> None:
        """Go on reading requests, unless the client has yet to take the answers that it has."""
        if self.write_paused:
            self.pause()
            return
        if self._pending:
            data, self._pending = self._pending, b""
            self._head(data, 0)
        self.resume()

    # -- what handlers do to the connection ---------------------------------------------------------------------------

    def write(self, pieces: list[Buffer]) -> None:
        """Write to the client, if it is still there."""
        transport = self.transport
        if not transport.is_closing():
            transport.writelines(pieces)

    def pass_on(self, data: Buffer) -> None:
        """Write a piece to the client, if it is still there."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def drained(self) -> bool:
        """Say whether the system has all that was written; if not, client_writable tells when it does."""
        self.transport.set_write_buffer_limits(0)
        return not self.transport.get_write_buffer_size()

    def usual_limits(self) -> None:
        """Buffer again what is written."""
        self.transport.set_write_buffer_limits(WRITE_LIMIT)

    def pause(self) -> None:
        """Stop reading from the client."""
        if not self._read_paused and not self.transport.is_closing():
            self._read_paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read from the client again."""
        if self._read_paused and not self.transport.is_closing() and len(self._pending) <= PIPELINE_LIMIT:
            self._read_paused = False
            self.transport.resume_reading()

    def open_tunnel(self) -> None:
        """Pass everything on from now, both ways."""
        self._tunnel = True
        if self._pending and self.handler is not None:
            data, self._pending = self._pending, b""
            self.handler.to_origin(data)

    def _refuse_malformed(self, status: int) -> None:
        self._edge.counters.failed("malformed-request")
        self._edge.refused(status)
        self.refuse(status, close=True)

    def refuse(self, status: int, *, close: bool) -> None:
        """Answer the request in hand with an error page of ours, which no cache keeps."""
        if self.answering:  # nothing of ours may stand in the middle of an answer
            self.cut([], reset=True)
            return
        self.keep_alive = self.keep_alive and not close
        self.status = status
        bare = self.handler is not None and self._last is not None and self._last.method == b"HEAD"
        self.write([error_page(status, close=not self.keep_alive, bare=bare)])
        self._in_body = False
        self.exchange_done(complete=not close)

    def cut(self, rest: list[Buffer], *, reset: bool) -> None:
        """End the connection in the middle of an answer. `reset` where a plain end would look like the answer's own."""
        if self.handler is not None:
            self._note("cut")
        self.handler = None
        self.write(rest)
        if reset:
            end_by_reset(self.transport)
        if reset or self.write_paused:  # one that takes nothing is not waited for
            self.transport.close()
        else:
            self._close_gently()

    def close(self) -> None:
        """End the connection once all is written."""
        if self.handler is not None:
            self._note()
        self.handler = None
        self.transport.close()

    def _close_gently(self) -> None:
        """Close once all is written, reading on for a while what the client still sends, and dropping it.

        Closed with bytes unread, the system would reset the connection, and what the client has not read yet of the
        answer would be lost (RFC 9112 section 9.6).
        """
        if self.transport.is_closing() or not self.transport.can_write_eof():
            self.transport.close()
            return
        self._in_body = False
        self._pending = b""
        self._lingering = 0
        self._deadline = self._edge.now() + LINGER_SECONDS
        self.resume()
        self.transport.write_eof()

    def tick(self, now: float) -> None:
        """End the connection when it has been silent for too long."""
        if (self.write_paused or self.transport.is_closing()) and self._takes():
            self._deadline = now + self._edge.options.timeout_idle
            if self.handler is not None:  # told again, it knows that the client is slow but there
                self.handler.client_writable(writable=False)
        if self.handler is not None:
            self.handler.tick(now)
        elif now <= self._deadline:
            return
        elif self.write_paused or self.transport.is_closing():
            self.transport.abort()  # what is left would wait for ever for a client that does not read
        elif self._pending and self._lingering < 0:
            self._edge.counters.failed("idle-timeout")
            self.refuse(408, close=True)
        else:
            self.transport.close()

    def _takes(self) -> bool:
        """Say whether the client took some of what was written since the last look."""
        before, self._unsent = self._unsent, unsent(self.transport)
        return self._unsent != before

    def stop(self, now: float) -> None:
        """End what is endless, and what stays idle for a moment: a request that is on its way still gets its answer."""
        if self.handler is None:
            self._deadline = min(self._deadline, now + NEW_SECONDS)
        elif self.handler.endless:
            self._drop_handler()
            self.cut([], reset=False)
