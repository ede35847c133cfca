"""The observer that the proxy is given: which requests are watched, and what follows from what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import BridgeError
from bridge.events import URGENT, AnyEvent, Identified, LoggedOut, OrderPlaced
from bridge.tracking.capture import ROUTES
from bridge.tracking.cookies import SESSION, presented, session_after, visitor_cookie
from bridge.tracking.identity import is_visitor_id
from bridge.tracking.routes import Route, RouteTable, store_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.settings import Book, Books, Settings, Store
    from bridge.stream import EventStream
    from bridge.tracking.identity import Identities
    from bridge.tracking.wire import Exchange, RequestHead, WatchedRoute

CAPTURED = Counter("bridge_captured", "Watched requests, by what came of them", ["route", "result"])

log = structlog.get_logger()


class Capture:
    """The observer that the proxy is given: ``wants`` on its event loop, ``seen`` in a thread of its own."""

    def __init__(self, books: Books, stream: Callable[[], EventStream], identities: Identities) -> None:
        self._books = books
        self._stream = stream
        self._identities = identities
        self._table = RouteTable(ROUTES)

    def wants(self, request: RequestHead) -> Route | None:
        """Return the route of a watched request."""
        return self._table.find(request)

    def seen(self, route: WatchedRoute, exchange: Exchange) -> None:
        """Read the exchange, put its events in the stream and remember who the visitor is.

        What cannot be understood is counted and dropped; nothing of it is quoted anywhere.
        """
        if not isinstance(route, Route):
            return
        settings = self._settings(exchange)
        if not settings["general.enabled"]:
            return
        try:
            events = [self._place(event, exchange) for event in route.read(exchange)]
        except (ValueError, msgspec.DecodeError):
            CAPTURED.labels(route.name, "odd").inc()
            return
        if not settings["tracking.identify_guest_checkout"]:
            events = [event for event in events if getattr(event, "source", "") != "checkout"]
        CAPTURED.labels(route.name, "seen" if events else "refused").inc()
        urgent = [event for event in events if isinstance(event, URGENT)]
        if urgent:
            self._stream().put_urgent(urgent)
        for event in events:
            if not isinstance(event, URGENT):
                self._stream().put(event)
        self._remember(route, exchange, events)

    def _remember(self, route: Route, exchange: Exchange, events: list[AnyEvent]) -> None:
        try:
            for event in events:
                if isinstance(event, Identified):
                    self._identities.identify(event.visitor, session_after(exchange), event)
                elif isinstance(event, LoggedOut):
                    self._identities.forget(event.visitor, presented(exchange.request, SESSION), event.at)
                elif isinstance(event, OrderPlaced):
                    self._identities.end_basket(event.visitor)
        except (SQLAlchemyError, BridgeError) as error:
            CAPTURED.labels(route.name, "not-remembered").inc()
            log.warning("visitor not remembered", error=type(error).__name__, next="the event itself is in the stream")

    def _place(self, event: AnyEvent, exchange: Exchange) -> AnyEvent:
        book = self._books.current
        code = store_code(exchange.request.path)
        if code is not None and book.stores and book.store(code=code) is None:
            code = None
        cookie = visitor_cookie(https=exchange.scheme == "https")
        visitor = (presented(exchange.request, cookie.encode()) or b"").decode("ascii", "replace")
        return msgspec.structs.replace(
            event,
            at=exchange.received,
            store=code,
            host=exchange.host.decode("ascii", "replace"),
            visitor=visitor if is_visitor_id(visitor) else None,
        )

    def _settings(self, exchange: Exchange) -> Settings:
        book = self._books.current
        code = store_code(exchange.request.path)
        store = (book.store(code=code) if code else None) or _store_at(exchange.host, book)
        return book.settings(store.ref if store else "default")


def _store_at(host: bytes, book: Book) -> Store | None:
    """Return the store view that a host name leads to: the default one of its website, else that of the shop."""
    name = host.decode("latin-1").partition(":")[0].lower()
    there = [store for store in book.stores if store.active and urlsplit(store.base_url).hostname == name]
    return next((store for store in there if store.is_default), there[0] if there else book.default_store)
