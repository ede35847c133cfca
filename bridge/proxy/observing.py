"""Hands copies of exchanges to the observer, in threads beside the traffic."""

from __future__ import annotations

import queue
import threading
import zlib
from typing import TYPE_CHECKING, Final

import structlog

from bridge.proxy.coding import CodingError, TooLargeError, inflate
from bridge.proxy.exchange import BODY_COPY_LIMIT, BodyCopy, Exchange
from bridge.proxy.rules import coding_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.proxy.core import Visit
    from bridge.proxy.counters import Counters
    from bridge.proxy.exchange import ResponseHead
    from bridge.proxy.options import Observer, Route

log = structlog.get_logger("bridge.proxy")

WAIT_SECONDS: Final = 0.05
QUEUE_LIMIT: Final = 1000
URGENT_SHARE: Final = 8
"""How many times as many may wait when what comes is urgent: memory has an end even for orders."""
THREADS: Final = 2


class Watch:
    """Copies the bodies of one exchange as its route asks. Lives on the event loop or in the request's thread."""

    __slots__ = ("_request", "_response", "route", "visit")

    def __init__(self, visit: Visit, route: Route) -> None:
        self.visit = visit
        self.route = route
        self._request = BodyCopy() if route.needs_request_body else None
        self._response = BodyCopy() if route.needs_response_body else None

    def sent(self, piece: bytes | bytearray | memoryview) -> None:
        """Copy a piece of the request's body."""
        if self._request is not None:
            self._request.add(piece)

    def received(self, piece: bytes | bytearray | memoryview) -> None:
        """Copy a piece of the answer's body, as the origin sent it."""
        if self._response is not None:
            self._response.add(piece)

    def restarted(self) -> None:
        """Forget the answer's body: another one comes."""
        if self._response is not None:
            self._response = BodyCopy()

    def exchange(self, response: ResponseHead) -> Exchange:
        """Make the exchange; this unpacks, so it belongs into the observer's thread."""
        visit = self.visit
        body = self._response.value() if self._response is not None else None
        return Exchange(
            request=visit.request,
            request_body=self._request.value() if self._request is not None else None,
            response=response,
            response_body=_plain(body, coding_of(response)) if body is not None else None,
            host=visit.host,
            scheme=visit.sender.scheme,
            client=visit.sender.client,
            received=visit.received,
        )


def _plain(body: bytes, coding: bytes) -> bytes | None:
    if not coding or not body:
        return body
    try:
        if coding == b"gzip":
            return inflate(body, BODY_COPY_LIMIT)
        if coding == b"deflate":
            return zlib.decompressobj().decompress(body, BODY_COPY_LIMIT)
    except (CodingError, TooLargeError, zlib.error):
        return None
    return None


class ObserverPool:
    """A bounded number of threads with a bounded queue. Overload drops what is not urgent and counts it."""

    def __init__(
        self, observer: Observer, counters: Counters, threads: int = THREADS, limit: int = QUEUE_LIMIT
    ) -> None:
        self._observer = observer
        self._counters = counters
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[Watch, ResponseHead, Callable[[], object] | None] | None] = (
            queue.SimpleQueue()
        )
        self._size = threads
        self._threads: list[threading.Thread] = []

    def submit(self, watch: Watch, response: ResponseHead, done: Callable[[], object] | None = None) -> bool:
        """Queue an exchange; `done` is called in the thread once it was seen. False when it was dropped."""
        if self._queue.qsize() >= self._limit * (URGENT_SHARE if watch.route.urgent else 1):
            self._counters.dropped()
            return False
        self._queue.put((watch, response, done))
        if len(self._threads) < self._size:
            self._start()
        return True

    def see(self, watch: Watch, response: ResponseHead) -> None:
        """Show an exchange to the observer; whatever it raises is counted and stays here."""
        try:
            self._observer.seen(watch.route, watch.exchange(response))
            self._counters.observed()
        except Exception:
            self._counters.observer_failed()
            log.exception("observer failed", step="seen", path=watch.visit.request.place)

    def stop(self, timeout: float = 5.0) -> None:
        """See what is queued, then end the threads."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout)
        self._threads.clear()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="observer", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads: the next exchange tries again
            self._counters.observer_failed()
            log.exception("observer failed", step="start")
        else:
            self._threads.append(thread)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            watch, response, done = item
            self.see(watch, response)
            if done is not None:
                done()
