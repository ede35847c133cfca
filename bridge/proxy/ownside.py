"""Calls of the WSGI application from the event loop: the bridge's own paths, in a bounded number of threads.

The request's body is read whole before a thread is used; an answer that goes on (an event stream) or whose client is
slow moves to threads of its own, so that neither can take the application's threads from others.
"""

from __future__ import annotations

import io
import itertools
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import structlog

from bridge.proxy.forwarding import sender_of
from bridge.proxy.http1 import LAST_CHUNK, NO_BODY, chunk, error_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO

    from bridge.proxy.client import ClientConnection
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer, RequestHead

    Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = structlog.get_logger("bridge.proxy")

BODY_LIMIT: Final = 16 * 1024 * 1024
IN_MEMORY: Final = 256 * 1024
STREAMS: Final = 32
WAITING: Final = 256
GATHERED: Final = 64 * 1024
CALL_SECONDS: Final = 300.0
STREAM_SECONDS: Final = 24 * 3600.0


class OwnSide:
    """The application's threads, and those of its streams."""

    def __init__(self, app: Wsgi, threads: int) -> None:
        self.app = app
        self._calls = ThreadPoolExecutor(threads, thread_name_prefix="own")
        self._streams: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._waiting: set[OwnCall] = set()
        self.running = 0
        self.stopping = False

    def submit(self, call: OwnCall) -> bool:
        """Run a call in a thread; False when too many wait."""
        with self._lock:
            if len(self._waiting) >= WAITING or self.stopping:
                return False
            self._waiting.add(call)
        self._calls.submit(self._run, call)
        return True

    def _run(self, call: OwnCall) -> None:
        with self._lock:
            self._waiting.discard(call)
            self.running += 1
        try:
            call.run()
        finally:
            with self._lock:
                self.running -= 1

    def stream(self, work: Callable[[], None]) -> bool:
        """Run the rest of an answer in a thread of its own; False when there are too many."""
        with self._lock:
            if len(self._streams) >= STREAMS or self.stopping:
                return False
            thread = threading.Thread(target=self._stream, args=(work,), name="own-stream", daemon=True)
            self._streams.add(thread)
        thread.start()
        return True

    def _stream(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._streams.discard(threading.current_thread())

    def stop(self) -> None:
        """Take no more calls, and give up those that wait for a thread."""
        self.stopping = True
        self._calls.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            given_up, self._waiting = self._waiting, set()
        for call in given_up:
            call.give_up()


class OwnCall:
    """One call of the application. The loop's side feeds the body and writes; run() is the thread's side."""

    def __init__(self, edge: Edge, client: ClientConnection, request: RequestHead, framing: int) -> None:
        self._edge = edge
        self._client = client
        self._request = request
        self._framing = framing
        self._input: IO[bytes] = io.BytesIO()
        self._size = 0
        self._deadline = edge.now() + edge.options.timeout_idle
        self._submitted = False
        self.endless = False
        # Of the thread's side:
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._head_sent = False
        self._chunked = False
        self._gone = threading.Event()
        self._free = threading.Event()
        self._free.set()
        self._acknowledged = threading.Event()

    # -- on the loop --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin once the body is here."""
        if self._framing > BODY_LIMIT:
            self._refuse(413)
            return
        if self._framing == NO_BODY:
            self._submit()
            return
        self._input = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when the call is over
        if (self._request.index.get(b"expect") or b"").lower() == b"100-continue" and self._client.modern:
            self._client.write([b"HTTP/1.1 100 Continue\r\n\r\n"])

    def body(self, pieces: list[Buffer]) -> None:
        """Keep a part of the body."""
        self._deadline = self._edge.now() + self._edge.options.timeout_idle
        self._size += sum(map(len, pieces))
        if self._gone.is_set():
            return
        if self._size > BODY_LIMIT:
            self._refuse(413)
            return
        for piece in pieces:
            self._input.write(piece)

    def body_end(self) -> None:
        """Call the application."""
        if not self._gone.is_set():
            self._input.seek(0)
            self._submit()

    def _submit(self) -> None:
        self._deadline = self._edge.now() + CALL_SECONDS
        if not self._edge.own.submit(self):
            self._edge.counters.failed("busy")
            self._refuse(503)
            return
        self._submitted = True

    def _refuse(self, status: int) -> None:
        self._gone.set()
        self._input.close()
        self._client.refuse(status, close=True)

    def to_origin(self, data: bytes) -> None:
        """Drop what a client sends in a tunnel: there is none here."""

    def client_gone(self) -> None:
        """Let the thread know."""
        self._gone.set()
        if not self._submitted:
            self._input.close()
        self._free.set()
        self._acknowledged.set()

    def give_up(self) -> None:
        """Drop a call that no thread will take."""
        self._gone.set()
        self._input.close()

    def client_writable(self, *, writable: bool) -> None:
        """Keep the thread's pace to the client's."""
        self._deadline = self._edge.now() + self._edge.options.timeout_idle
        if writable:
            self._free.set()
        else:
            self._free.clear()

    def tick(self, now: float) -> None:
        """End a call whose time is over."""
        if now > self._deadline:
            self.client_gone()
            self._client.cut([], reset=False)

    def _write(self, pieces: list[Buffer]) -> None:
        if not self._gone.is_set():
            self._client.write(pieces)
            self._deadline = self._edge.now() + STREAM_SECONDS
            if self._client.write_paused:
                self._deadline = self._edge.now() + self._edge.options.timeout_idle
        self._acknowledged.set()

    def _done(self, pieces: list[Buffer], *, keep_alive: bool) -> None:
        if not self._gone.is_set():
            self._client.keep_alive = self._client.keep_alive and keep_alive
            self._client.status = int(self._status[:3] or 500)
            self._client.write(pieces)
            self._client.exchange_done(complete=True)

    def _cut(self) -> None:
        if not self._gone.is_set():
            self._client.cut([], reset=not self._chunked)

    # -- in a thread --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Call the application and send what it answers."""
        if self._gone.is_set():
            self._input.close()
            return
        answer: Iterable[bytes] = ()
        try:
            answer = self._edge.own.app(self._environ(), self._start_response)
            parts = iter(answer)
            first = next(parts, b"")
            if self._streams():
                self.endless = True
                if not self._edge.own.stream(lambda: self._send(answer, itertools.chain([first], parts))):
                    _close(answer)
                    self._fail(503)
                return
        except Exception:
            log.exception("application failed", path=self._request.place)
            _close(answer)
            self._fail(500)
            return
        self._send(answer, itertools.chain([first], parts))

    def _fail(self, status: int) -> None:
        self._input.close()
        if self._head_sent:
            self._edge.from_thread(self._cut)
        else:
            page = error_page(status, close=True, bare=self._request.method == b"HEAD")
            self._edge.from_thread(partial(self._done, [page], keep_alive=False))

    def _streams(self) -> bool:
        return any(
            name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in self._headers
        )

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info and self._head_sent:
            raise exc_info[1]
        self._status = status
        self._headers = headers
        return lambda data: self._push([data])

    def _send(self, answer: Iterable[bytes], parts: Iterator[bytes]) -> None:
        """Send the parts; small ones together where the length is known, so that most answers leave in one write."""
        gathered: list[Buffer] = []
        size = 0
        try:
            wait = any(name.lower() == "content-length" for name, _ in self._headers)
            for part in parts:
                if self._gone.is_set():
                    break
                gathered.append(part)
                size += len(part)
                if part and (not wait or size >= GATHERED):
                    self._push(gathered)
                    gathered, size = [], 0
                    if not self._free.is_set() and self._hand_over(answer, parts):
                        return
            self._end(gathered)
        except Exception:
            log.exception("application failed", path=self._request.place)
            self._fail(500)
        self._input.close()
        _close(answer)

    def _hand_over(self, answer: Iterable[bytes], parts: Iterator[bytes]) -> bool:
        """Move on to a thread of its own, since the client is slow; False where this is one."""
        if threading.current_thread().name == "own-stream":
            self._free.wait()
            return False
        if self._edge.own.stream(lambda: self._send(answer, parts)):
            return True
        if not self._free.wait(CALL_SECONDS):
            raise TimeoutError("the client takes nothing")
        return False

    def _head(self) -> bytes:
        self._head_sent = True
        names = {name.lower() for name, _ in self._headers}
        lines = [f"HTTP/1.1 {self._status}", *[f"{name}: {value}" for name, value in self._headers]]
        if "date" not in names:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        status = int(self._status[:3])
        if self._request.method != b"HEAD" and status not in {204, 304} and "content-length" not in names:
            if self._client.modern:
                self._chunked = True
                lines.append("Transfer-Encoding: chunked")
            else:
                self._client.keep_alive = False
        if not self._client.keep_alive or self._edge.stopping:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _framed(self, parts: list[Buffer]) -> list[Buffer]:
        head: list[Buffer] = [] if self._head_sent else [self._head()]
        if self._request.method == b"HEAD":
            return head
        return head + (chunk(parts) if self._chunked else parts)

    def _push(self, parts: list[Buffer]) -> None:
        """Have the loop write, and wait until it did: that is the back-pressure."""
        self._acknowledged.clear()
        if self._gone.is_set():
            return
        self._edge.from_thread(self._write, self._framed(parts))
        self._acknowledged.wait(CALL_SECONDS)

    def _end(self, parts: list[Buffer]) -> None:
        pieces = self._framed(parts)
        if self._chunked:
            pieces.append(LAST_CHUNK)
        self._edge.from_thread(partial(self._done, pieces, keep_alive=True))

    def _environ(self) -> dict[str, Any]:
        """Make the environment of PEP 3333."""
        request = self._request
        edge = self._edge
        sender = sender_of(request, self._client.peer, edge.core.scheme, edge.options.trusted_proxies)
        raw_path, _, query = request.target.partition(b"?")
        host = request.index.get(b"host", b"localhost").decode("latin-1")
        name, _, port = host.rpartition(":") if ":" in host.rpartition("]")[2] else (host, "", "")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method.decode("ascii"),
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "RAW_URI": request.target.decode("latin-1"),
            "REQUEST_URI": request.target.decode("latin-1"),
            "SERVER_NAME": name,
            "SERVER_PORT": port or ("443" if sender.scheme == "https" else "80"),
            "SERVER_PROTOCOL": "HTTP/" + request.version.decode("ascii"),
            "REMOTE_ADDR": sender.client,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": sender.scheme,
            "wsgi.input": self._input,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "bridge.listener": self._client.listener,
            "bridge.peer": self._client.peer,
        }
        _add_fields(environ, request)
        environ["CONTENT_LENGTH"] = str(self._size)
        return environ


def _add_fields(environ: dict[str, Any], request: RequestHead) -> None:
    for field, value in request.headers:
        if b"_" in field:
            continue  # CGI could not tell it from the one with hyphens
        key = field.decode("ascii").upper().replace("-", "_")
        if key not in {"CONTENT_LENGTH", "CONTENT_TYPE"}:
            key = "HTTP_" + key
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        try:
            close()
        except Exception:
            log.exception("application failed", step="close")
