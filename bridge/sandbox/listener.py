"""An HTTP/1.1 server with kept-alive connections for one WSGI application, in threads of this process.

Werkzeug's own handler closes each connection after one answer. A proxy in front of the sandbox should meet a server
that behaves as a shop's does, so this one keeps them open. For trials and tests only.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from werkzeug.exceptions import NotFound
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

MOST_BODY: Final = 64_000_000
IDLE_SECONDS: Final = 75

log = logging.getLogger(__name__)


class Listener:
    """Serves an application at `host:port` from `start` to `stop`; port 0 takes a free one: see `port` and `url`.

    The address is bound, and an OSError raised, on construction, so that the application can be made with its own URL.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self._connections: set[socket.socket] = set()
        handler = type("Handler", (_Handler,), {"connections": self._connections})
        with socket.create_server((host, port), backlog=128) as bound:
            self.port: int = bound.getsockname()[1]
            self._server = make_server(
                host, self.port, NotFound(), threaded=True, request_handler=handler, fd=bound.fileno()
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address to open, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    def start(self, app: WSGIApplication) -> None:
        """Begin to answer with this application."""
        self._server.app = app
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, close every connection, give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("connection was closed already")


class _Handler(WSGIRequestHandler):
    """Answers one connection's requests one after another."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Head and body go out in two writes; without this each answer would wait for an acknowledgement.
    disable_nagle_algorithm = True
    connections: set[socket.socket]

    def setup(self) -> None:
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        self.connections.discard(self.connection)
        super().finish()

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        log.debug("%s: %s", type, message % args)

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        body = self._body(environ)
        if body is None:
            self.close_connection = True
            self.send_error(413)
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, environ)
        except Exception:
            log.exception("the application failed")
            self.close_connection = True
            self.send_error(500)
            return
        try:
            self._answer(status, headers.to_wsgi_list(), chunks)
        except OSError:
            self.close_connection = True
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    @staticmethod
    def _body(environ: WSGIEnvironment) -> bytes | None:
        """Read the whole body, so that what the application leaves unread is not taken for the next request."""
        source: BinaryIO = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):
            return source.read()
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BODY:
            return None
        return source.read(int(length))

    def _answer(self, status: str, headers: list[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        bodiless = self.command == "HEAD" or code in {"204", "304"}
        sized = any(name.lower() == "content-length" for name, _ in headers)
        chunked = not sized and not bodiless and self.request_version != "HTTP/1.0"
        if not sized and not bodiless and not chunked:
            self.close_connection = True
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        for chunk in () if bodiless else chunks:
            if chunk:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
