"""The least that any Python proxy on uvloop does: bytes go both ways unread. `python -m bench.bare SHOP_PORT PORT`.

It reads no head, frames nothing, puts nothing in: a floor to compare with, of no other use.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from bridge.proxy.edge import tune_malloc


class _Up(asyncio.Protocol):
    """The connection to the shop."""

    def __init__(self, down: _Down) -> None:
        self._down = down

    def data_received(self, data: bytes) -> None:
        self._down.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._down.transport.close()


class _Down(asyncio.Protocol):
    """The connection of a client; each has one to the shop."""

    transport: asyncio.Transport
    _up: asyncio.Transport | None = None

    def __init__(self, shop: int) -> None:
        self._shop = shop
        self._early = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._up, _ = await loop.create_connection(lambda: _Up(self), "127.0.0.1", self._shop)
        self._up.write(self._early)

    def data_received(self, data: bytes) -> None:
        if self._up is None:
            self._early += data
        else:
            self._up.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._up is not None:
            self._up.close()


async def serve(shop: int, port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: _Down(shop), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    tune_malloc()
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
