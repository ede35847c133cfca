"""The request's half of a relay: from the client's connection to one of the origin's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from bridge.proxy.http1 import CHUNKED, LAST_CHUNK, NO_BODY, chunk, is_repeatable

if TYPE_CHECKING:
    from bridge.proxy.absent import Absent
    from bridge.proxy.client import ClientConnection
    from bridge.proxy.core import Visit
    from bridge.proxy.counters import Failure
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer
    from bridge.proxy.observing import Watch
    from bridge.proxy.origin import OriginConnection

EARLY_LIMIT: Final = 64 * 1024


class Sending(ABC):
    """Sends one request on. The client's connection feeds it the body."""

    # Attributes that most exchanges never set stay on the class: one of these objects is made for each request.
    _watch: Watch | None = None
    _origin: OriginConnection | None = None
    _early: list[Buffer] | None = None
    _early_size = 0
    _repeated = _over = False

    def __init__(self, edge: Edge, client: ClientConnection, visit: Visit, framing: int) -> None:
        self._edge = edge
        self._client: ClientConnection | Absent = client
        self._visit = visit
        self._request_framing = framing
        self._request_done = framing == NO_BODY
        self._deadline = 0.0  # settled by the first tick after start()

    def start(self) -> None:
        """Ask for a connection to the origin."""
        pool = self._edge.pool
        connection = None if self._repeated else pool.ready(repeatable=self._is_repeatable())
        if connection is None:
            pool.open(self)
        else:
            connection.user = self
            self.connected(connection)

    def _is_repeatable(self) -> bool:
        return is_repeatable(self._visit.request.method, self._request_framing)

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

    def _touch(self) -> None:
        """Something moved: the time-out that holds now begins anew, with the next tick."""
        self._deadline = 0.0

    # The answer's half is the relay's.

    @abstractmethod
    def from_origin(self, data: bytes) -> None:
        """Take what the origin sent."""

    @abstractmethod
    def origin_lost(self, error: Exception | None) -> None:
        """Take the end of the origin's connection."""

    @abstractmethod
    def _fail(self, status: int, kind: Failure) -> None:
        """Answer instead of the origin."""
