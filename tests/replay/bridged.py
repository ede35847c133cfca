"""bridge in front of the replay shop: either adaptor, with the real tag and the real observers."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask
from prometheus_client import CollectorRegistry

from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.proxy import Counters, ProxyOptions, ProxyWiring
from bridge.tracking import Tracking
from tests.schema import create_tables
from tests.tracking.conftest import SECRET_KEY, STATIC, FixedBooks, KeptStream, Room, make_book
from tests.wire.conftest import Proxy, own_app, start_edge, start_middleware

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADAPTORS = ("edge", "middleware")


@contextmanager
def tracking_room(folder: Path, **config: Any) -> Iterator[Room]:
    """Make the tracking room on a database in this folder, wired as the application does it."""
    vault.use([SECRET_KEY])
    url = f"sqlite:///{folder / 'bridge.db'}"
    app = Flask("bridge")
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
    db.init_app(app)
    with app.app_context():
        create_tables()
    books, stream = FixedBooks(make_book()), KeptStream()
    settings = Config(secret_keys=(SECRET_KEY,), database_url=url, **config)
    tracking = Tracking(
        app=app, config=settings, books=books, stream=lambda: stream, find_variants=lambda _: {}, static_folder=STATIC
    )
    app.register_blueprint(tracking.blueprint, url_prefix=settings.prefix)
    try:
        yield Room(app, books, stream, tracking, [], {})
    finally:
        with app.app_context():
            db.engine.dispose()


class Heeding:
    """The real observer, with a count of what it asked for and of what it has read."""

    def __init__(self, observer: Any) -> None:
        self._observer = observer
        self._changed = threading.Condition()
        self.wanted = 0
        self.read = 0

    def wants(self, request: Any) -> Any:
        route = self._observer.wants(request)
        if route is not None:
            with self._changed:
                self.wanted += 1
        return route

    def seen(self, route: Any, exchange: Any) -> None:
        try:
            self._observer.seen(route, exchange)
        finally:
            with self._changed:
                self.read += 1
                self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all that was asked for has been read."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.read == self.wanted, 10), "an exchange was never shown"


@contextmanager
def bridged(adaptor: str, origin: str, *, tags: Any, observer: Any = None, app: Any = own_app) -> Iterator[Proxy]:
    """Start one adaptor in front of an origin."""
    registry = CollectorRegistry()
    counters = Counters(registry)
    wiring = ProxyWiring(ProxyOptions(origin=origin), tags, observer)
    edge = None
    if adaptor == "edge":
        edge, port, stop = start_edge(wiring, counters, app)
        core = edge.core
    else:
        middleware, port, stop = start_middleware(wiring, counters, app)
        core = middleware.core
    proxy = Proxy(adaptor, port, registry, stop, core, edge)
    try:
        yield proxy
    finally:
        for visitor in proxy.visitors:
            visitor.close()
        stop()
