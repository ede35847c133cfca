"""The rest of a large body carried from the origin's socket to the client's inside the kernel: splice(2), by a pipe.

What needs no look of ours need not pass through this process: the edge takes some 0.8 of the CPU for a body of 5 MB and
0.7 for one of 20 (`python -m bench.splice`). Both connections stay the loop's: their transports rest meanwhile, and the
pipe has copies of the two descriptors, which the loop may watch beside its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import asyncio

    from bridge.proxy.client import ClientConnection

LEAST: Final = 1024 * 1024
"""Below this a pipe, two descriptors and their watchers cost what they save."""
SIZE: Final = 256 * 1024
"""Of the pipe, in bytes. The pages of a slow client's body wait in it, so that it is no larger than it must be."""
TURN: Final = 4
"""Pipes full that are carried before the loop's other work has its turn."""
CAN: Final = hasattr(os, "splice")  # Linux alone
_FLAGS: Final = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK if CAN else 0


class Carried(Protocol):
    """Whose body it is. The pipe is at its end with any call but the first."""

    def moved(self) -> None:
        """Take note that bytes moved."""

    def carried(self) -> None:
        """Take note that the whole of it was given to the client's socket."""

    def not_carried(self) -> None:
        """Take note that there is no pipe to be had: nothing was taken from the origin's socket."""

    def source_ended(self) -> None:
        """Take note that the origin's connection ended before the body."""


class Pipe:
    """Carries `left` bytes, as fast as both sides can, once the client has taken what was written to it before."""

    __slots__ = (
        "_blocked",
        "_client",
        "_entry",
        "_exit",
        "_held",
        "_left",
        "_loop",
        "_origin",
        "_sink",
        "_source",
        "_user",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: asyncio.Transport,
        client: ClientConnection,
        left: int,
        user: Carried,
    ) -> None:
        self._loop = loop
        self._origin = origin
        self._client = client
        self._left = left
        self._user = user
        self._held = 0  # bytes in the pipe
        self._blocked = False  # by the client
        self._source = self._sink = self._entry = self._exit = -1

    def start(self) -> None:
        """Begin; the user may be called before this returns."""
        self._origin.pause_reading()
        if self._client.drained():
            self._open()

    def client_writable(self, *, writable: bool) -> None:
        """Take note that the client has all that was written to it before, or has yet to take it."""
        if writable and self._source < 0:
            self._open()

    def _open(self) -> None:
        self._client.usual_limits()
        try:
            source, sink = (each.get_extra_info("socket") for each in (self._origin, self._client.transport))
            with contextlib.ExitStack() as undo:
                self._exit, self._entry = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
                undo.callback(os.close, self._exit)
                undo.callback(os.close, self._entry)
                self._sink = os.dup(sink.fileno())
                undo.callback(os.close, self._sink)
                self._source = os.dup(source.fileno())
                undo.pop_all()
        except OSError:
            self._source = -1
            self._user.not_carried()
            return
        with contextlib.suppress(OSError):  # beyond what a user may have of them, a pipe keeps its usual size
            fcntl.fcntl(self._entry, fcntl.F_SETPIPE_SZ, SIZE)
        self._loop.add_reader(self._source, self._fill)

    def close(self) -> None:
        """Let go of the sockets; what is in the pipe is lost."""
        if self._source < 0:
            return
        if self._blocked:
            self._loop.remove_writer(self._sink)
            self._client.write_paused = False
        else:
            self._loop.remove_reader(self._source)
        for descriptor in (self._source, self._sink, self._entry, self._exit):
            os.close(descriptor)
        self._source = -1

    def _fill(self) -> None:
        """Take from the origin's socket what there is, and pass it on."""
        for _ in range(TURN):
            try:
                self._held = os.splice(self._source, self._entry, min(SIZE, self._left), flags=_FLAGS)
            except BlockingIOError:
                return
            except OSError:
                self._held = 0
            if not self._held:
                self.close()
                self._user.source_ended()
                return
            self._left -= self._held
            self._user.moved()
            if not self._empty():
                return

    def _empty(self) -> bool:
        """Give the client's socket what is in the pipe; False when nothing more is to be read for now."""
        try:
            while self._held:
                self._held -= os.splice(self._exit, self._sink, self._held, flags=_FLAGS)
        except BlockingIOError:
            if not self._blocked:
                self._blocked = self._client.write_paused = True
                self._loop.remove_reader(self._source)
                self._loop.add_writer(self._sink, self._go_on)
            return False
        except OSError:  # the client's connection is broken, which it tells the user itself
            self.close()
            self._client.transport.abort()
            return False
        if self._left:
            return True
        self.close()
        self._user.carried()
        return False

    def _go_on(self) -> None:
        """Write again to a client that had taken nothing for a while."""
        self._user.moved()
        if self._empty():
            self._blocked = self._client.write_paused = False
            self._loop.remove_writer(self._sink)
            self._loop.add_reader(self._source, self._fill)
