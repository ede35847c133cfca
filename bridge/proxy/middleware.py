"""The adaptor for any WSGI server: the prefix's paths go to the application, all others to the origin.

Use it for tests, `flask run` and servers other than gunicorn; `edge.EdgeWorker` does the same at a fraction of the
cost. What WSGI cannot carry is not done: interim answers are not passed on, a request to upgrade (a web socket) gets a
501 that says so, header fields come as the server folded them (order and letter case of request fields are lost), and
an answer cannot begin before the request's body was read.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import structlog

from bridge.proxy.absent import READ_ON_LIMIT
from bridge.proxy.blocking import READ_SIZE, BlockingOrigin, BrokenError, SlowError, UnreachableError
from bridge.proxy.coding import CodingError
from bridge.proxy.core import Core
from bridge.proxy.counters import Counters, Failure
from bridge.proxy.counters import counters as default_counters
from bridge.proxy.forwarding import plain_address, sender_of
from bridge.proxy.http1 import CHUNKED, MalformedError, error_body, parse_request
from bridge.proxy.observing import WAIT_SECONDS, ObserverPool, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bridge.proxy.answer import Answer
    from bridge.proxy.blocking import BlockingExchange
    from bridge.proxy.exchange import Buffer
    from bridge.proxy.options import ProxyWiring

    Environ = dict[str, Any]
    StartResponse = Callable[[str, list[tuple[str, str]]], object]
    Wsgi = Callable[[Environ, Any], Iterable[bytes]]

log = structlog.get_logger("bridge.proxy")

_UNQUOTED: Final = "/~:@!$&'()*+,;=-._"
_NO_UPGRADE: Final = "This server passes no web sockets on. Run bridge as `bridge web`, which does."


class ProxyMiddleware:
    """Wraps the application. A listener of the dashboard's own is served by the application without this."""

    def __init__(self, app: Wsgi, wiring: ProxyWiring, counters: Counters = default_counters) -> None:
        self.app = app
        self.core = Core(wiring, counters)
        self.counters = counters
        self.origin = BlockingOrigin(self.core.origin, wiring.options)
        self.observers = ObserverPool(wiring.observer, counters) if wiring.observer is not None else None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        target = _target(environ)
        path = target.partition(b"?")[0]
        kind = self.core.paths.kind(path)
        if kind.own or (kind.gated and self.core.paths.lets_in(path, environ.get("HTTP_HOST", "").encode("latin-1"))):
            environ.setdefault("bridge.listener", "shop")
            self._tell_sender(environ, target)
            return self.app(environ, start_response)
        try:
            return self._proxy(environ, target, start_response)
        except MalformedError as error:
            return self._malformed(environ, start_response, error.status)
        except UnreachableError:
            return self._failed(environ, start_response, 502, "connect")
        except BrokenError:
            return self._failed(environ, start_response, 502, "origin-cut")
        except SlowError:
            return self._failed(environ, start_response, 504, "head-timeout")

    def _tell_sender(self, environ: Environ, target: bytes) -> None:
        """Tell the application the visitor's address and scheme as a trusted proxy states them."""
        core, peer = self.core, plain_address(environ.get("REMOTE_ADDR") or "127.0.0.1")
        try:
            request = parse_request(_head(environ, target))
        except MalformedError:  # the application refuses it in its own way
            return
        sender = sender_of(request, peer, core.scheme, core.options.trusted_proxies)
        environ["REMOTE_ADDR"] = sender.client
        environ["wsgi.url_scheme"] = sender.scheme

    def close(self) -> None:
        """End the threads and the connections to the origin; for tests and servers that tell when they stop."""
        if self.observers is not None:
            self.observers.stop()
        self.origin.close()

    def _failed(self, environ: Environ, start_response: StartResponse, status: int, kind: Failure) -> list[bytes]:
        self.counters.failed(kind)
        return _refuse(environ, start_response, status)

    def _malformed(self, environ: Environ, start_response: StartResponse, status: int) -> list[bytes]:
        if status == HTTPStatus.BAD_GATEWAY:
            return self._failed(environ, start_response, status, "malformed-answer")
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return self._failed(environ, start_response, status, "too-large")
        log.info("request refused", status=status)
        return self._failed(environ, start_response, status, "malformed-request")

    def _proxy(self, environ: Environ, target: bytes, start_response: StartResponse) -> Iterable[bytes]:
        request = parse_request(_head(environ, target))
        if request.upgrade is not None and request.method == b"GET":
            return _refuse(environ, start_response, 501, _NO_UPGRADE)
        framing = request.framing
        limit = self.core.options.max_body
        if framing == CHUNKED and not environ.get("wsgi.input_terminated"):
            raise MalformedError(411, "length required")
        if limit and framing > limit:
            raise MalformedError(413, "too large")
        visit = self.core.visit(request, plain_address(environ.get("REMOTE_ADDR") or "127.0.0.1"))
        watch = Watch(visit, visit.route) if visit.route is not None else None
        exchange = self.origin.open(visit, framing, _body(environ, framing, limit, watch))
        answer = self.core.answer(visit, exchange.response, exchange.framing, head_size=exchange.head_size)
        body = _Body(self, exchange, answer, watch)
        body.begin()
        start_response(*_status_and_headers(answer))
        return body


class _Body:
    """The body of a proxied answer. It raises where the origin broke off, so that the server cuts the connection."""

    def __init__(self, proxy: ProxyMiddleware, exchange: BlockingExchange, answer: Answer, watch: Watch | None) -> None:
        self._proxy = proxy
        self._exchange = exchange
        self._answer = answer
        self._watch = watch
        self._urgent = watch is not None and watch.route.urgent
        self._ready: list[bytes] = []
        self._ended = False
        self._error: Exception | None = None

    def begin(self) -> None:
        """Read on until the answer's head is settled, and to the end of an urgent answer that has no body."""
        while self._answer.headers is None:
            self._advance()
            if self._answer.holding and self._exchange.framing < 0 and not self._ended:
                self._take(self._answer.release())
        if self._urgent and self._exchange.complete and not self._ended:
            self._advance()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        # One piece is kept while more may come, so that an urgent answer's last one waits for the observer.
        while not self._ended and len(self._ready) <= self._urgent:
            self._advance()
        if self._ready:
            return self._ready.pop(0)
        if self._error is not None:
            raise self._error
        raise StopIteration

    def close(self) -> None:
        """End the exchange, complete or not; the observer must see how an urgent one ends though the visitor left."""
        if self._urgent and not self._ended:
            self._read_on()
        self._exchange.close()

    def _read_on(self) -> None:
        left = READ_ON_LIMIT
        try:
            while left > 0:
                pieces = self._exchange.read()
                left -= sum(map(len, pieces))
                for piece in pieces:
                    if self._watch is not None:
                        self._watch.received(piece)
                if self._exchange.complete or not pieces:
                    self._end()
                    return
        except Exception:  # noqa: BLE001 - there is nobody to tell
            self._proxy.counters.failed("origin-cut")

    def _take(self, pieces: list[Buffer]) -> None:
        self._ready += [bytes(piece) for piece in pieces if piece]

    def _advance(self) -> None:
        """Read once from the origin."""
        try:
            pieces = self._exchange.read()
            for piece in pieces:
                if self._watch is not None:
                    self._watch.received(piece)
                self._take(self._answer.feed(piece))
            if self._exchange.complete or not pieces:
                self._take(self._answer.finish())
                self._end()
        except Exception as error:  # noqa: BLE001 - whatever it is, the server must cut the body
            self._proxy.counters.failed(_failure(error))
            self._take(self._answer.abort())
            self._error = error
            self._ended = True

    def _end(self) -> None:
        self._ended = True
        observers = self._proxy.observers
        if self._watch is None or observers is None:
            return
        if not self._urgent:
            observers.submit(self._watch, self._answer.response)
            return
        seen = threading.Event()
        observers.submit(self._watch, self._answer.response, seen.set)
        if not seen.wait(WAIT_SECONDS):
            self._proxy.counters.late()


def _failure(error: Exception) -> Failure:
    if isinstance(error, SlowError):
        return "idle-timeout"
    return "malformed-answer" if isinstance(error, MalformedError | CodingError) else "origin-cut"


def _target(environ: Environ) -> bytes:
    """Return the target as the visitor sent it; where the server does not tell, the decoded path quoted again."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw).encode("latin-1", "replace")
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    query = environ.get("QUERY_STRING", "")
    return (quote(path, safe=_UNQUOTED) + (f"?{query}" if query else "")).encode("latin-1")


def _head(environ: Environ, target: bytes) -> bytes:
    """Write the request's head again, so that it is read with the edge's own strictness."""
    version = "HTTP/1.0" if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" else "HTTP/1.1"
    lines = [b"%b %b %b" % (environ["REQUEST_METHOD"].encode("latin-1"), target, version.encode())]
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = key[5:]
        elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            name = key
        else:
            continue
        lines.append(f"{name.replace('_', '-').title()}: {value}".encode("latin-1", "replace"))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _body(environ: Environ, framing: int, limit: int, watch: Watch | None) -> Iterator[bytes]:
    """Read the request's body piece by piece."""
    stream = environ["wsgi.input"]
    left = framing
    size = 0
    while framing == CHUNKED or left > 0:
        try:
            piece = stream.read(READ_SIZE if framing == CHUNKED else min(READ_SIZE, left))
        except Exception as error:  # whatever the server raises for a body that is broken or cut short
            raise MalformedError(400, "body") from error
        if not piece:
            if framing != CHUNKED:
                raise MalformedError(400, "body cut short")
            return
        left -= len(piece)
        size += len(piece)
        if limit and size > limit:
            raise MalformedError(413, "too large")
        if watch is not None:
            watch.sent(piece)
        yield piece


def _status_and_headers(answer: Answer) -> tuple[str, list[tuple[str, str]]]:
    reason = answer.response.reason or b"Unknown"
    status = f"{answer.response.status} {reason.decode('latin-1')}"
    return status, [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers or []]


def _refuse(environ: Environ, start_response: StartResponse, status: int, why: str = "") -> list[bytes]:
    body = error_body(status, why)
    start_response(
        f"{status} {HTTPStatus(status).phrase}",
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]  # servers do not drop it
