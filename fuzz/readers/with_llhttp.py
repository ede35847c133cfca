"""llhttp, through httptools, as a reader of messages; it is given the very bytes that another reader took for one."""

from __future__ import annotations

import contextlib

import httptools

from fuzz.messages import RefusedError, Request, Response, UnfinishedError


class _Sink:
    """Keeps what llhttp tells; `done` once a message is complete."""

    def __init__(self) -> None:
        self.url = self.body = self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.done = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self.head = list(self.fields)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.done += 1


def read_request(message: bytes) -> Request:
    """Read one whole request."""
    sink = _Sink()
    parser = httptools.HttpRequestParser(sink)
    _feed(parser, message)
    if sink.done != 1:
        raise UnfinishedError
    version = parser.get_http_version().encode()
    return Request(parser.get_method(), sink.url, version, sink.head, sink.body, len(message))


def takes_request(data: bytes) -> bool:
    """Say whether the bytes begin with a whole request."""
    sink = _Sink()
    upgraded = False
    with contextlib.suppress(RefusedError):
        upgraded = _feed(httptools.HttpRequestParser(sink), data)
    return sink.done > 0 and not upgraded  # an upgrade's body is left unread


def read_response(message: bytes) -> Response:
    """Read one answer with a body as long as its head says, HEAD's and cut ones left out."""
    sink = _Sink()
    parser = httptools.HttpResponseParser(sink)
    _feed(parser, message)
    if not hasattr(sink, "head"):
        raise UnfinishedError
    version = parser.get_http_version().encode()
    status = parser.get_status_code()
    return Response(status, sink.reason, version, sink.head, sink.body, len(message), sink.done == 1)


def _feed(parser: httptools.HttpRequestParser | httptools.HttpResponseParser, message: bytes) -> bool:
    """Feed a parser; return whether it stopped at an upgrade."""
    try:
        parser.feed_data(message)
    except httptools.HttpParserUpgrade:
        return True
    except httptools.HttpParserError as error:
        raise RefusedError(str(error)) from error
    return False
