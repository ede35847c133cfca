"""The fast path: a gunicorn worker class that proxies on the event loop and calls the application in threads.

The object that gunicorn loads is the WSGI application with two attributes: `proxy_wiring` (ProxyWiring) and `listeners`
("host:port" of a bound socket -> "shop" or "dashboard"). On a dashboard listener every request goes to the
application; on a shop listener those under the prefix do, and all others to the origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvloop
from gunicorn.workers.base import Worker

from bridge.proxy.absent import ABSENT_LIMIT
from bridge.proxy.access import AccessLog
from bridge.proxy.client import ClientConnection
from bridge.proxy.core import Core
from bridge.proxy.counters import Counters
from bridge.proxy.counters import counters as default_counters
from bridge.proxy.forwarding import is_trusted
from bridge.proxy.observing import ObserverPool
from bridge.proxy.origin import OriginPool
from bridge.proxy.ownside import OwnCall, OwnSide
from bridge.proxy.relay import Relay

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from bridge.proxy.delivery import Delivery
    from bridge.proxy.exchange import RequestHead
    from bridge.proxy.handler import Handler
    from bridge.proxy.options import ProxyWiring
    from bridge.proxy.ownside import Wsgi

log = structlog.get_logger("bridge.proxy")

BACKLOG: Final = 2048
TICK_SECONDS: Final = 0.5
HOLD_SECONDS: Final = 0.004
MASTER_SECONDS: Final = 2.0
"""By how much a worker is done before gunicorn's master kills it, which waits as long as it tells its workers to."""


class Edge:
    """All that the connections of one process share. Made and used on the event loop."""

    def __init__(self, wiring: ProxyWiring, app: Wsgi, counters: Counters = default_counters) -> None:
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.core = Core(wiring, counters)
        self.options = wiring.options
        self.counters = counters
        self.pool = OriginPool(self.core.origin, wiring.options.timeout_connect, self.loop)
        self.own = OwnSide(app, wiring.options.threads)
        self.observers = ObserverPool(wiring.observer, counters) if wiring.observer is not None else None
        path = wiring.options.access_log
        self.access = AccessLog(path) if path is not None else None
        self.stopping = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._clients: set[ClientConnection] = set()
        self._absent: set[Relay] = set()  # those whose client has gone
        self._addresses: Counter[str] = Counter()
        self._holding: list[Delivery] = []
        self._servers: list[asyncio.Server] = []
        self._ticking = self.loop.call_later(TICK_SECONDS, self._tick)

    async def listen(self, sock: socket.socket, listener: str) -> None:
        """Serve a bound socket as "shop" or "dashboard"."""
        server = await self.loop.create_server(lambda: ClientConnection(self, listener), sock=sock, backlog=BACKLOG)
        self._servers.append(server)

    def handler(self, client: ClientConnection, request: RequestHead, framing: int) -> Handler:
        """Choose who answers a request."""
        kind = self.core.paths.kind(request.path)
        own = kind.own or (kind.gated and self.core.paths.lets_in(request.path, request.index.get(b"host", b"")))
        if own or client.listener == "dashboard":
            return OwnCall(self, client, request, framing)
        return Relay(self, client, self.core.visit(request, client.peer, kind), framing)

    def join(self, client: ClientConnection) -> bool:
        """Take a connection in; False when its address has too many already."""
        self._clients.add(client)
        self._empty.clear()
        limit = self.options.max_connections_per_ip
        if not limit or is_trusted(client.peer, self.options.trusted_proxies):
            return True  # a trusted proxy's connections are those of all its visitors
        self._addresses[client.peer] += 1
        return self._addresses[client.peer] <= limit

    def leave(self, client: ClientConnection) -> None:
        """Let a connection go."""
        self._clients.discard(client)
        self._settle()
        if client.peer in self._addresses:
            self._addresses[client.peer] -= 1
            if self._addresses[client.peer] <= 0:
                del self._addresses[client.peer]

    def read_on(self, relay: Relay) -> bool:
        """Have a relay go on without its client; False when too many do."""
        if len(self._absent) >= ABSENT_LIMIT:
            return False
        self._absent.add(relay)
        return True

    def let_go(self, relay: Relay) -> None:
        """Take note that a relay without client is over."""
        self._absent.discard(relay)
        self._settle()

    def _settle(self) -> None:
        if not self._clients and not self._absent:
            self._empty.set()

    def hold(self, delivery: Delivery) -> None:
        """Let a page be gathered for a moment, then release it."""
        if not self._holding:
            self.loop.call_later(HOLD_SECONDS, self._release)
            self._holding.append(delivery)
        elif self._holding[-1] is not delivery:
            self._holding.append(delivery)

    def _release(self) -> None:
        holding, self._holding = self._holding, []
        for delivery in holding:
            try:
                delivery.release()
            except Exception:  # it ends by its time-out; the others go on
                log.exception("page not released")

    def from_thread(self, call: Callable[..., object], *args: object) -> None:
        """Have the loop call something, from another thread."""
        try:
            self.loop.call_soon_threadsafe(call, *args)
        except RuntimeError:  # the loop is closed: the process ends
            log.debug("loop closed")

    def refused(self, status: int) -> None:
        """Note a malformed request."""
        log.info("request refused", status=status)

    def _tick(self) -> None:
        self._ticking = self.loop.call_later(TICK_SECONDS, self._tick)
        self.counters.flush()
        if self.access is not None:
            self.loop.run_in_executor(None, self.access.flush)
        now = self.now()
        ticking: tuple[ClientConnection | Relay | OriginPool, ...] = (*self._clients, *self._absent, self.pool)
        for each in ticking:
            try:
                each.tick(now)
            except Exception:  # every time-out of the process hangs on this
                log.exception("time-out failed")

    async def stop(self, grace: float) -> None:
        """Take no new connection, let the requests in hand end within `grace` seconds, then close everything."""
        self.stopping = True
        for server in self._servers:
            server.close()
        for client in list(self._clients):
            client.stop(self.now())
        end = self.now() + grace
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(end):
                await self._empty.wait()
                while self.own.running:  # noqa: ASYNC110 - calls whose client has gone; threads set no asyncio.Event
                    await asyncio.sleep(0.02)
        self._ticking.cancel()
        for client in list(self._clients):
            client.transport.abort()
        for relay in list(self._absent):
            relay.give_up()
        self.own.stop()
        self.pool.close()
        self.counters.flush()
        if self.access is not None:
            await self.loop.run_in_executor(None, self.access.flush)
        if self.observers is not None:
            await self.loop.run_in_executor(None, self.observers.stop)


class EdgeWorker(Worker):  # type: ignore[misc] # gunicorn brings no types
    """`gunicorn -k bridge.proxy.edge.EdgeWorker`."""

    def init_process(self) -> None:
        """Prepare the allocator before anything is allocated in quantity."""
        tune_malloc()
        super().init_process()

    def init_signals(self) -> None:
        """Leave the signals to the loop, which is there in run(); until then they end the process."""
        for name in self.SIGNALS:
            signal.signal(name, signal.SIG_DFL)

    def run(self) -> None:
        """Serve until told to stop."""
        # What was imported stays; requests leave no cycles behind, so that the collector has little to find.
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)
        if uvloop.run(self._serve()):
            logging.shutdown()
            os._exit(0)  # the interpreter would wait for the application's threads, which nothing can end

    async def _serve(self) -> bool:
        """Serve; then say whether calls of the application are left that did not end in their time."""
        loop = asyncio.get_running_loop()
        wsgi: Any = self.wsgi
        edge = Edge(wsgi.proxy_wiring, wsgi)
        stop = asyncio.Event()

        def end(*, quick: bool) -> None:
            self.alive = False
            if quick:
                edge.stopping = True
            stop.set()

        loop.add_signal_handler(signal.SIGTERM, lambda: end(quick=False))
        loop.add_signal_handler(signal.SIGINT, lambda: end(quick=True))
        loop.add_signal_handler(signal.SIGQUIT, lambda: end(quick=True))
        loop.add_signal_handler(signal.SIGUSR1, self.log.reopen_files)
        loop.add_signal_handler(signal.SIGWINCH, lambda: None)
        loop.add_signal_handler(signal.SIGABRT, lambda: os._exit(1))
        for sock in self.sockets:
            await edge.listen(sock.sock, listener_of(sock.getsockname(), getattr(wsgi, "listeners", {})))
        while self.alive:
            self.notify()
            if self.ppid != os.getppid():
                self.log.info("parent is gone, ending")
                break
            try:
                async with asyncio.timeout(1.0):
                    await stop.wait()
            except TimeoutError:
                continue
        beat = loop.create_task(self._beat())
        await edge.stop(0.0 if edge.stopping else max(self.cfg.graceful_timeout - MASTER_SECONDS, 0.0))
        beat.cancel()
        return edge.own.running > 0

    async def _beat(self) -> None:
        while True:
            self.notify()
            await asyncio.sleep(1.0)


def listener_of(name: Any, listeners: Mapping[str, str]) -> str:
    """Return which listener a bound socket is; a wildcard address stands for any host with its port."""
    if not isinstance(name, tuple):
        return listeners.get(str(name), "shop")
    host, port = name[:2]
    exact = listeners.get(f"{host}:{port}") or listeners.get(f"[{host}]:{port}")
    if exact is not None:
        return exact
    by_port = {listener for address, listener in listeners.items() if address.rpartition(":")[2] == str(port)}
    return by_port.pop() if len(by_port) == 1 else "shop"


def tune_malloc() -> None:
    """Keep glibc from giving back the pages of every large read, to fault them in again: that doubles a page's CPU."""
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(trim_threshold, 256 << 20)
        libc.mallopt(mmap_threshold, 32 << 20)
        libc.mallopt(top_pad, 16 << 20)
    except (OSError, AttributeError):
        log.debug("no mallopt")  # another C library, which has no such trap
