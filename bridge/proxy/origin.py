"""Connections to the origin on the event loop: kept alive, one exchange at a time on each."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Final, Protocol, cast

from aiohappyeyeballs import AddrInfoType, start_connection

from bridge.proxy import piping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.proxy.options import Address

IDLE_LIMIT: Final = 128  # kept-alive connections that wait for work, per process
IDLE_SECONDS: Final = 30.0
# A request that may not be repeated gets a connection that the origin has hardly had time to give up.
FRESH_SECONDS: Final = 2.0
# So that a shop that moves to another address is found there, however busy its connections are.
AGE_SECONDS: Final = 300.0
# After this the next address is tried beside the first (RFC 8305 section 5).
NEXT_ADDRESS_SECONDS: Final = 0.25
WRITE_LIMIT: Final = 128 * 1024


class User(Protocol):
    """What uses a connection: it is told of all that happens on it."""

    def connected(self, connection: OriginConnection) -> None:
        """Take the connection asked for."""

    def not_connected(self, error: Exception) -> None:
        """Take note that there is none."""

    def from_origin(self, data: bytes) -> None:
        """Take what the origin sent."""

    def origin_lost(self, error: Exception | None) -> None:
        """Take note that the connection ended; without error when the origin ended it orderly."""

    def origin_writable(self, *, writable: bool) -> None:
        """Stop or go on writing."""


class OriginConnection(asyncio.Protocol):
    """One connection. `reused` says that it has carried an exchange before."""

    __slots__ = ("idle_since", "made", "pool", "reused", "transport", "user")

    def __init__(self, pool: OriginPool, made: float) -> None:
        self.pool = pool
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.user: User | None = None
        self.reused = False
        self.made = made
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(WRITE_LIMIT)

    def data_received(self, data: bytes) -> None:
        """Hand on what the origin sends; what nobody asked for ends the connection."""
        if self.user is None:
            self.pool.forget(self)
            self.transport.abort()
        else:
            self.user.from_origin(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the user, or leave the pool."""
        if self.user is None:
            self.pool.forget(self)
        else:
            user, self.user = self.user, None
            user.origin_lost(exc)

    def pause_writing(self) -> None:
        """Hold the sender of a body back."""
        if self.user is not None:
            self.user.origin_writable(writable=False)

    def resume_writing(self) -> None:
        """Let the sender of a body go on."""
        if self.user is not None:
            self.user.origin_writable(writable=True)

    def drop(self) -> None:
        """End the connection at once."""
        self.user = None
        if not self.transport.is_closing():
            self.transport.abort()


class OriginPool:
    """The kept-alive connections of a process, the last used one first."""

    def __init__(self, address: Address, timeout: float, loop: asyncio.AbstractEventLoop) -> None:
        self._address = address
        self._timeout = timeout
        self._loop = loop
        self._good: AddrInfoType | None = None  # the address that answered last
        self._idle: list[OriginConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self.pipes = piping.CAN and self._tls is None  # the kernel may carry bodies (see piping)

    def ready(self, *, repeatable: bool) -> OriginConnection | None:
        """Take a kept-alive connection; None where there is none that this request may use."""
        idle = self._idle
        if not idle:
            return None
        now = self._loop.time()
        limit = IDLE_SECONDS if repeatable else FRESH_SECONDS
        while idle:
            connection = idle.pop()
            if connection.transport.is_closing():
                continue
            if now - connection.idle_since <= limit:
                connection.reused = True
                return connection
            # The others are older still; where this one may be used by another request it stays.
            if now - connection.idle_since > IDLE_SECONDS:
                connection.drop()
            else:
                idle.append(connection)
            break
        return None

    def open(self, user: User) -> None:
        """Open a connection for the user, who is told when it stands."""
        task = self._loop.create_task(self._connect(user))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, user: User) -> None:
        loop, host = self._loop, self._address.host
        try:
            async with asyncio.timeout(self._timeout):
                sock = await self._reach(await loop.getaddrinfo(host, self._address.port, type=socket.SOCK_STREAM))
                _, connection = await loop.create_connection(
                    lambda: OriginConnection(self, loop.time()),
                    sock=sock,
                    ssl=self._tls,
                    server_hostname=host if self._tls else None,
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            user.not_connected(error)
        else:
            connection.user = user
            user.connected(connection)

    async def _reach(self, addresses: Sequence[AddrInfoType]) -> socket.socket:
        """Connect to the one of a host's addresses that answered last, or to the first that answers."""
        if self._good is not None and self._good in addresses:
            addresses = [self._good, *(each for each in addresses if each != self._good)]
        sock = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, loop=self._loop)
        name = sock.getpeername()
        self._good = next((each for each in addresses if each[4] == name), None)
        return sock

    def give_back(self, connection: OriginConnection) -> None:
        """Keep a connection for the next exchange."""
        connection.user = None
        if connection.transport.is_closing():
            return
        now = self._loop.time()
        if len(self._idle) >= IDLE_LIMIT or now - connection.made > AGE_SECONDS:
            connection.drop()
            return
        connection.idle_since = now
        self._idle.append(connection)

    def forget(self, connection: OriginConnection) -> None:
        """Take a closed connection out."""
        if connection in self._idle:
            self._idle.remove(connection)

    def tick(self, now: float) -> None:
        """End connections that have waited too long."""
        while self._idle and now - self._idle[0].idle_since > IDLE_SECONDS:
            self._idle.pop(0).drop()

    def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        while self._idle:
            self._idle.pop().drop()
