"""What stands for a client that left before the answer to an urgent request was complete.

The origin did what it was asked all the same: its answer is read on, up to a limit, so that the observer sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer
    from bridge.proxy.relay import Relay

READ_ON_LIMIT: Final = 1024 * 1024  # of an answer whose client has gone
ABSENT_LIMIT: Final = 256  # such answers per process


class Absent:
    """Takes what the relay would do to its client, and does nothing of it."""

    modern = True
    upgrade: bytes | None = None
    write_paused = False

    def __init__(self, edge: Edge, relay: Relay) -> None:
        self._edge = edge
        self._relay = relay
        self._size = 0
        self.keep_alive = False
        self.answering = False
        self.status = 0

    def write(self, pieces: list[Buffer]) -> None:
        """Drop a part of the answer; one that is too long is not read to its end."""
        self._size += sum(map(len, pieces))
        if self._size > READ_ON_LIMIT:
            self._relay.give_up()

    def pass_on(self, data: Buffer) -> None:
        """Drop a piece of the answer."""
        self.write([data])

    def pause(self) -> None:
        """Nothing comes from a client that is gone."""

    def resume(self) -> None:
        """Nothing comes from a client that is gone."""

    def open_tunnel(self) -> None:
        """There is nobody at its other end."""

    def exchange_done(self, *, complete: bool) -> None:
        """The answer was read to its end."""
        del complete
        self._edge.let_go(self._relay)

    def refuse(self, status: int, *, close: bool) -> None:
        """There was no answer."""
        del status, close
        self._edge.let_go(self._relay)

    def cut(self, rest: list[Buffer], *, reset: bool) -> None:
        """The answer ended early."""
        del rest, reset
        self._edge.let_go(self._relay)

    def close(self) -> None:
        """End."""
        self._edge.let_go(self._relay)
