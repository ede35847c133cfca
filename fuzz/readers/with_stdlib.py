"""Python's own http.server and http.client: lenient readers, as many applications behind a proxy are."""

from __future__ import annotations

import http.client
import http.server
import io
from typing import Any, cast

from fuzz.messages import RefusedError, Request, Response, UnfinishedError


class _Handler(http.server.BaseHTTPRequestHandler):
    """Reads one head and answers nothing."""

    def __init__(self, data: bytes) -> None:  # the base class would serve a socket
        self.rfile = io.BufferedReader(io.BytesIO(data))
        self.refused = 0
        self.raw_requestline = self.rfile.readline(65537)
        self.read = self.parse_request()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Keep the status instead of sending it."""
        del message, explain
        self.refused = int(code)


def read_request(data: bytes) -> Request:
    """Read the head of a request and, by its Content-Length, its body; a chunked body is left out."""
    handler = _Handler(data)
    if not handler.read:
        raise RefusedError("http.server", handler.refused)
    words = handler.requestline.encode("latin-1").split(b" ")
    fields = [(name.encode("latin-1"), text(value)) for name, value in handler.headers.raw_items()]
    length = int(handler.headers.get("content-length") or 0)
    body = handler.rfile.read(length)
    if len(body) < length:
        raise UnfinishedError
    return Request(words[0], words[1], words[2][5:], fields, body, handler.rfile.tell())


class _Socket:
    """Gives an answer's bytes to http.client."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def read_response(method: bytes, data: bytes) -> Response:
    """Read the answer that `data` begins with; `complete` is False where http.client calls it cut short."""
    answer = http.client.HTTPResponse(cast("Any", _Socket(data)), method=method.decode())
    try:
        answer.begin()
    except http.client.HTTPException as error:
        raise RefusedError(type(error).__name__) from error
    complete = True
    try:
        body = answer.read()
    except http.client.IncompleteRead as error:
        body, complete = error.partial, False
    except OverflowError as error:
        raise RefusedError("size") from error
    fields = [(name.encode("latin-1"), text(value)) for name, value in answer.headers.raw_items()]
    version = b"1.0" if answer.version == 10 else b"1.1"
    return Response(answer.status, answer.reason.encode("latin-1"), version, fields, body, 0, complete)


def text(value: object) -> bytes:
    """Return a value without the blanks that the email package leaves at its ends."""
    return str(value).encode("latin-1", "surrogateescape").strip(b" \t")
