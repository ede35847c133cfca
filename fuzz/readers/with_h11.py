"""h11 as a reader of requests and answers."""

from __future__ import annotations

from typing import Final

import h11

from fuzz.messages import RefusedError, Request, Response, UnfinishedError

LIMIT: Final = 1 << 22


def read_request(data: bytes, at: int = 0) -> Request:
    """Read the request at an offset. An empty line before it is stepped over here: h11 takes none."""
    if data[at : at + 2] == b"\r\n":
        at += 2
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMIT)
    try:
        connection.receive_data(data[at:])
        head = connection.next_event()
        if not isinstance(head, h11.Request):
            raise UnfinishedError
        body = _body(connection)
    except h11.RemoteProtocolError as error:
        raise RefusedError(str(error), error.error_status_hint) from error
    end = len(data) - len(connection.trailing_data[0])
    return Request(head.method, head.target, head.http_version, head.headers.raw_items(), body, end)


def read_response(method: bytes, data: bytes, at: int = 0) -> Response:
    """Read the answer at an offset; `data` is all that came before the connection was closed."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LIMIT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(data[at:])
        head = connection.next_event()
        if isinstance(head, h11.InformationalResponse):
            end = len(data) - len(connection.trailing_data[0])
            return Response(head.status_code, head.reason, head.http_version, head.headers.raw_items(), b"", end)
        if not isinstance(head, h11.Response):
            raise UnfinishedError
    except h11.RemoteProtocolError as error:
        raise RefusedError(str(error), error.error_status_hint) from error
    body, complete = _body_to_the_end(connection)
    end = len(data) - len(connection.trailing_data[0]) if complete else len(data)
    return Response(
        head.status_code, head.reason, head.http_version, head.headers.raw_items(), body, end, complete=complete
    )


def read_chunks(data: bytes) -> tuple[bytes, int]:
    """Read a chunked body; give it and the offset after its trailers."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    read = read_request(head + data)
    return read.body, read.end - len(head)


def _body(connection: h11.Connection) -> bytes:
    body = b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.EndOfMessage):
            return body
        if not isinstance(event, h11.Data):
            raise UnfinishedError
        body += event.data


def _body_to_the_end(connection: h11.Connection) -> tuple[bytes, bool]:
    """Return the body, and whether it came whole; a body that h11 refuses did not."""
    body = b""
    ended = False
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.EndOfMessage):
                return body, True
            if isinstance(event, h11.Data):
                body += event.data
            elif ended:
                return body, False
            else:
                connection.receive_data(b"")
                ended = True
    except h11.RemoteProtocolError:
        return body, False
