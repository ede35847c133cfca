"""Both adaptors, started in this process on free ports, in front of a scripted origin."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from dataclasses import dataclass, field

import pytest
import uvloop
from prometheus_client import CollectorRegistry
from werkzeug.serving import WSGIRequestHandler, make_server

from bridge.proxy import Counters, ProxyMiddleware, ProxyOptions, ProxyWiring
from bridge.proxy.edge import Edge
from tests.wire.origin import Origin
from tests.wire.pitfalls import PROPERTY, numbers
from tests.wire.visitor import Visitor

MARKUP = b'<script src="/_bridge/tag.js?v=1" data-bridge async></script>'


class Tags:
    """A tag that says nothing of the visitor."""

    etag_suffix = b"b1"
    csp_sources = {  # noqa: RUF012
        "script-src": (b"https://cdn.ometria.com",),
        "img-src": (b"https://trk.ometria.com",),
        "connect-src": (b"https://trk.ometria.com",),
    }

    def markup(self, request):
        return None if request.path == b"/off" else MARKUP


@dataclass
class Route:
    urgent: bool = False
    needs_request_body: bool = True
    needs_response_body: bool = True


class Watching:
    """An observer of the paths in `routes`; keeps what it saw. `act` runs in its thread."""

    def __init__(self, routes=None, act=None):
        self.routes = routes or {}
        self.act = act
        self.seen_exchanges = []
        self.arrived = threading.Event()

    def wants(self, request):
        return self.routes.get(request.path)

    def seen(self, route, exchange):
        if self.act is not None:
            self.act(exchange)
        self.seen_exchanges.append(exchange)
        self.arrived.set()


def own_app(environ, start_response):
    """Stands for the Flask application."""
    path = environ["PATH_INFO"]
    if path == "/_bridge/fail":
        raise RuntimeError("a fault of the application")
    if path == "/_bridge/hangs":
        time.sleep(20)
    if path == "/_bridge/breaks":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return breaks()
    body = (
        environ["wsgi.input"].read()
        if environ.get("wsgi.input_terminated")
        else environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    )
    if path == "/_bridge/echo":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]
    text = "\n".join(
        f"{key}={environ.get(key)}"
        for key in sorted(environ)
        if key.isupper() or key.startswith(("bridge", "wsgi.url"))
    )
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


def breaks():
    yield b"first"
    raise RuntimeError("a fault of the application in the middle")


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args):
        """Say nothing."""


@dataclass
class Proxy:
    adaptor: str
    port: int
    registry: CollectorRegistry
    stop: object
    core: object
    edge: object = None
    visitors: list = field(default_factory=list)

    def visitor(self, timeout=10.0) -> Visitor:
        self.visitors.append(Visitor(self.port, timeout))
        return self.visitors[-1]

    def get(self, target=b"/", *fields, **more):
        """One request on a connection of its own."""
        with Visitor(self.port) as visitor:
            return visitor.get(target, *fields, **more)

    def count(self, name, **labels):
        return self.registry.get_sample_value(f"bridge_{name}_total", labels) or 0

    def not_injected(self, reason):
        return self.count("not_injected", reason=reason)


def start_edge(wiring, counters, app=own_app, listener="shop"):
    """The edge on an event loop in a thread. Returns (edge, port, stop)."""
    ready = threading.Event()
    state = {}

    async def main():
        edge = Edge(wiring, app, counters)
        sock = socket.create_server(("127.0.0.1", 0))
        await edge.listen(sock, listener)
        state.update(edge=edge, port=sock.getsockname()[1], loop=asyncio.get_running_loop(), end=asyncio.Event())
        ready.set()
        await state["end"].wait()
        await edge.stop(0)

    thread = threading.Thread(target=lambda: uvloop.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10)

    def stop():
        state["loop"].call_soon_threadsafe(state["end"].set)
        thread.join(10)
        assert not thread.is_alive()

    return state["edge"], state["port"], stop


def start_middleware(wiring, counters, app=own_app):
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    middleware = ProxyMiddleware(app, wiring, counters)
    server = make_server("127.0.0.1", 0, middleware, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def stop():
        server.shutdown()
        thread.join(5)
        server.server_close()
        middleware.close()

    return middleware, server.port, stop


def pytest_itemcollected(item):
    """Note which pitfalls the test covers, in its report; called for the tests of this folder only."""
    item.user_properties.append((PROPERTY, sorted(numbers(getattr(item.function, "__doc__", None)))))


@pytest.fixture
def origin():
    server = Origin()
    yield server
    server.close()


@pytest.fixture(params=["edge", "middleware"])
def adaptor(request):
    return request.param


@pytest.fixture
def start(origin, adaptor):
    """Gives the way to start a proxy of the adaptor in hand, with tags, an observer and options."""
    running = []

    def make(*, tags=None, observer=None, gate=None, app=own_app, listener="shop", **options) -> Proxy:
        registry = CollectorRegistry()
        counters = Counters(registry)
        options.setdefault("origin", origin.url)
        wiring = ProxyWiring(ProxyOptions(**options), tags or Tags(), observer, gate)
        if adaptor == "edge":
            edge, port, stop = start_edge(wiring, counters, app, listener)
            proxy = Proxy(adaptor, port, registry, stop, edge.core, edge)
        else:
            middleware, port, stop = start_middleware(wiring, counters, app)
            proxy = Proxy(adaptor, port, registry, stop, middleware.core)
        running.append(proxy)
        return proxy

    yield make
    for proxy in running:
        for visitor in proxy.visitors:
            visitor.close()
        proxy.stop()


@pytest.fixture
def proxy(start):
    return start()
