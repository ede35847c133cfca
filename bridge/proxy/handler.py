"""What a client's connection hands a request to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.proxy.exchange import Buffer


class Handler(Protocol):
    """What answers a request: a relay to the origin, or a call of the application.

    `endless` says that what it does has no end of its own: a tunnel, an event stream.
    """

    endless: bool

    def start(self) -> None:
        """Begin; called once, before anything else."""

    def body(self, pieces: list[Buffer]) -> None:
        """Take a part of the request's body."""

    def body_end(self) -> None:
        """Take note that the request's body is complete."""

    def to_origin(self, data: bytes) -> None:
        """Take what came through a tunnel."""

    def client_gone(self) -> None:
        """Give up: the connection is gone."""

    def client_writable(self, *, writable: bool) -> None:
        """Stop or go on writing."""

    def tick(self, now: float) -> None:
        """Look at the clock, every half second."""
