"""Connections to the origin for threads: urllib3 dials (addresses, TLS, time-outs), http1 frames.

The framing is not left to the client library, because it would read more than the event loop's adaptor accepts,
re-case or join header fields, and end a broken body quietly.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.wait import wait_for_read

from bridge.proxy.http1 import (
    CHUNKED,
    LAST_CHUNK,
    NO_BODY,
    RESPONSE_HEAD_LIMIT,
    UNTIL_CLOSE,
    ChunkedReader,
    MalformedError,
    chunk,
    is_body_taken,
    is_repeatable,
    parse_response,
    response_framing,
    reusable,
)
from bridge.proxy.origin import AGE_SECONDS, FRESH_SECONDS, IDLE_SECONDS

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from bridge.proxy.core import Visit
    from bridge.proxy.exchange import Buffer, ResponseHead
    from bridge.proxy.options import Address, ProxyOptions

READ_SIZE: Final = 64 * 1024
IDLE_LIMIT: Final = 32


class UnreachableError(Exception):
    """No connection to the origin."""


class BrokenError(Exception):
    """The origin ended an answer early, or before it began."""


class UnansweredError(BrokenError):
    """The origin ended the connection before any byte of an answer."""


class SlowError(Exception):
    """The origin did not answer, or not go on, in time."""


class Link(NamedTuple):
    """A connection, and when it was made by time.monotonic()."""

    connection: HTTPConnection
    made: float


class BlockingOrigin:
    """A pool of kept-alive connections for the threads of one process."""

    def __init__(self, address: Address, options: ProxyOptions) -> None:
        self._address = address
        self._options = options
        self._idle: list[tuple[Link, float]] = []
        self._lock = threading.Lock()

    def open(self, visit: Visit, framing: int, body: Iterable[bytes]) -> BlockingExchange:
        """Send a request and read the answer's head.

        Raises UnreachableError, BrokenError, SlowError, or MalformedError for an answer that is none. A request without
        body that may be repeated is sent once more when a kept-alive connection proves closed.
        """
        repeatable = is_repeatable(visit.request.method, framing)
        link, reused = self._take(IDLE_SECONDS if repeatable else FRESH_SECONDS)
        try:
            return self._send(link, visit, framing, body)
        except UnansweredError:
            if not (reused and repeatable):
                raise
        return self._send(self._dial(), visit, framing, body)

    def _take(self, limit: float) -> tuple[Link, bool]:
        """Return a connection that has waited for at most so many seconds, or a new one; and whether it is used."""
        while True:
            with self._lock:
                if not self._idle or time.monotonic() - self._idle[-1][1] > limit:
                    break  # the others have waited longer still
                link = self._idle.pop()[0]
            if link.connection.sock is not None and not wait_for_read(link.connection.sock, 0.0):
                return link, True
            link.connection.close()
        return self._dial(), False

    def _dial(self) -> Link:
        kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        connection = kind(self._address.host, self._address.port, timeout=self._options.timeout_connect)
        try:
            connection.connect()
        except (OSError, HTTPError) as error:
            connection.close()
            raise UnreachableError from error
        return Link(connection, time.monotonic())

    def _send(self, link: Link, visit: Visit, framing: int, body: Iterable[bytes]) -> BlockingExchange:
        connection = link.connection
        sock: socket.socket = connection.sock
        head = visit.head() + (b"\r\nTransfer-Encoding: chunked\r\n\r\n" if framing == CHUNKED else b"\r\n\r\n")
        exchange = BlockingExchange(self, link, visit.request.method)
        try:
            sock.settimeout(self._options.timeout_idle)
            whole = _sent(sock, head, framing, body)
            sock.settimeout(self._options.timeout_head)
            exchange.read_head(reusable_after=whole and is_body_taken(visit.request.method, framing))
            if not exchange.complete:  # else it is closed, or another's already
                sock.settimeout(self._options.timeout_idle)
        except TimeoutError as error:
            connection.close()
            raise SlowError from error
        except OSError as error:
            connection.close()
            raise (BrokenError if exchange.begun else UnansweredError) from error
        except BaseException:
            connection.close()
            raise
        return exchange

    def give_back(self, link: Link) -> None:
        """Keep a connection for the next exchange, and end those that waited too long, or this one if it is old."""
        now = time.monotonic()
        with self._lock:
            kept = [each for each in self._idle if now - each[1] <= IDLE_SECONDS]
            ended = [each for each, since in self._idle if now - since > IDLE_SECONDS]
            if len(kept) < IDLE_LIMIT and now - link.made <= AGE_SECONDS:
                kept.append((link, now))
            else:
                ended.append(link)
            self._idle = kept
        for each in ended:
            each.connection.close()

    def close(self) -> None:
        """End the connections that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for link, _ in idle:
            link.connection.close()


def _sent(sock: socket.socket, head: bytes, framing: int, body: Iterable[bytes]) -> bool:
    """Send a request; False when the origin stopped taking its body, as one does that has answered already (413)."""
    sock.sendall(head)
    try:
        for piece in body:
            sock.sendall(b"".join(chunk([piece])) if framing == CHUNKED else piece)
        if framing == CHUNKED:
            sock.sendall(LAST_CHUNK)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


class BlockingExchange:
    """An answer whose head was read. `read()` gives the body piece by piece."""

    def __init__(self, origin: BlockingOrigin, link: Link, method: bytes) -> None:
        self._origin = origin
        self._link: Link | None = link
        self._sock: socket.socket = link.connection.sock
        self._method = method
        self._rest = b""
        self._reader: ChunkedReader | None = None
        self._left = 0
        self._reusable = False
        self._malformed: MalformedError | None = None
        self.begun = False  # a byte of an answer came
        self.head_size = 0
        self.response: ResponseHead
        self.framing = NO_BODY

    def read_head(self, *, reusable_after: bool = True) -> None:
        """Read up to the end of the final answer's head; interim ones are dropped, since WSGI cannot pass them on.

        Without `reusable_after` the connection carries no other exchange: the request was not sent to its end.
        """
        data = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if (end if end >= 0 else len(data)) > RESPONSE_HEAD_LIMIT:
                raise MalformedError(502, "head too long")
            if end < 0:
                more = self._sock.recv(READ_SIZE)
                if not more:
                    raise BrokenError if self.begun else UnansweredError
                self.begun = True
                data += more
                continue
            self.head_size = end + 4
            response = parse_response(data[: end + 4])
            data = data[end + 4 :]
            if response.status == 101:
                raise MalformedError(502, "upgrade not asked for")
            if response.status >= 200:
                break
        self.response = response
        self.framing = self._left = response_framing(self._method, response)
        self._reusable = reusable_after and reusable(response, self.framing)
        self._reader = ChunkedReader(padded=True) if self.framing == CHUNKED else None
        self._rest = data
        if self.framing == NO_BODY:
            self._finish(excess=bool(data))

    def read(self) -> list[Buffer]:
        """Return the next pieces of the body, none at its end. Raises BrokenError, SlowError, MalformedError."""
        pieces: list[Buffer] = []
        if self._malformed is not None:
            raise self._malformed
        while self._link is not None and not pieces:
            data, self._rest = self._rest, b""
            if not data:
                data = self._receive()
            if not data:
                if self.framing != UNTIL_CLOSE:
                    self.close()
                    raise BrokenError
                self._finish(excess=False)
            elif self._reader is not None:
                views, end = self._unframed(self._reader, data)
                pieces += views
                if end >= 0:
                    self._finish(excess=end < len(data))
            elif self.framing == UNTIL_CLOSE:
                pieces.append(data)
            else:
                pieces.append(data[: self._left])
                excess = len(data) > self._left
                self._left -= len(pieces[0])
                if not self._left:
                    self._finish(excess=excess)
        return pieces

    def _unframed(self, reader: ChunkedReader, data: bytes) -> tuple[list[memoryview], int]:
        """Read on in a chunked body; what is wrong in it is told after the pieces before it."""
        try:
            return reader.feed(data)
        except MalformedError as error:
            if not error.pieces:
                raise
            self._malformed = error
            return error.pieces, -1

    @property
    def complete(self) -> bool:
        """Whether the body was read to its end."""
        return self._link is None

    def _receive(self) -> bytes:
        try:
            return self._sock.recv(READ_SIZE)
        except TimeoutError as error:
            self.close()
            raise SlowError from error
        except OSError as error:
            self.close()
            raise BrokenError from error

    def _finish(self, *, excess: bool) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        if self._reusable and not excess:
            self._origin.give_back(link)
        else:
            link.connection.close()

    def close(self) -> None:
        """End the connection if the body was not read to its end."""
        link, self._link = self._link, None
        if link is not None:
            link.connection.close()
