"""bridge's own connection of a client, driven without a socket: what it reads of bytes that come in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bridge.proxy.client import ClientConnection
from bridge.proxy.options import ProxyOptions
from fuzz.messages import Reading, Request
from fuzz.targets import ORIGIN, framing_of

if TYPE_CHECKING:
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer, RequestHead


class _Counters:
    def failed(self, kind: str) -> None:
        """Count nothing."""


class _Transport:
    """Takes what is written and tells nothing else."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = False
        self.ended = False

    def writelines(self, pieces: list[Buffer]) -> None:
        self.written += b"".join(pieces)

    def write(self, data: Buffer) -> None:
        self.written += data

    def set_write_buffer_limits(self, high: int) -> None:
        del high

    def get_extra_info(self, name: str) -> object:
        return ("203.0.113.7", 1) if name == "peername" else None

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = self.ended = True

    abort = close

    def pause_reading(self) -> None:
        """Nothing to pause."""

    resume_reading = pause_reading


class _Handler:
    """Keeps a request, and tells the edge when it is whole and so may be answered."""

    endless = False

    def __init__(self, edge: _Edge, client: ClientConnection, head: RequestHead, framing: int) -> None:
        self._edge = edge
        self._client = client
        self._head = head
        self._framing = framing
        self._body: list[bytes] = []

    def start(self) -> None:
        if self._framing == 0:
            self.body_end()

    def body(self, pieces: list[Buffer]) -> None:
        self._body += [bytes(piece) for piece in pieces]

    def body_end(self) -> None:
        head = self._head
        self._edge.reading.requests.append(
            Request(
                head.method, head.target, head.version, list(head.headers), b"".join(self._body), 0,
                framing_of(self._framing),
            )
        )  # fmt: skip
        self._edge.unanswered = self._client

    def client_gone(self) -> None:
        """The edge has what it needs."""


class _Edge:
    """What a connection asks of the edge."""

    stopping = False
    access = None

    def __init__(self) -> None:
        self.options = ProxyOptions(origin=ORIGIN)
        self.counters = _Counters()
        self.reading = Reading()
        self.unanswered: ClientConnection | None = None

    def now(self) -> float:
        return 0.0

    def join(self, client: ClientConnection) -> bool:
        del client
        return True

    def refused(self, status: int) -> None:
        self.reading.refused = status

    def answer(self) -> None:
        """End the exchanges whose requests are whole; each may let the next request be read."""
        while self.unanswered is not None:
            client, self.unanswered = self.unanswered, None
            client.exchange_done(complete=True)

    def handler(self, client: ClientConnection, request: RequestHead, framing: int) -> _Handler:
        return _Handler(self, client, request, framing)


def read_pieces(pieces: list[bytes], *, late: bool) -> tuple[Reading, bool, bytes]:
    """Read what comes in pieces; requests are answered between two pieces, or where `late` after the last one.

    Returns the reading, whether the connection takes no more requests, and what the client was sent.
    """
    edge = _Edge()
    transport = _Transport()
    client = ClientConnection(cast("Edge", edge), "shop")
    client.connection_made(cast("Any", transport))
    for piece in pieces:
        if transport.closed:
            break
        client.data_received(piece)
        if not late:
            edge.answer()
    edge.answer()
    return edge.reading, transport.ended, bytes(transport.written)
