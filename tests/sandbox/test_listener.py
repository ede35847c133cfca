"""The sandbox's HTTP server on the wire: connections stay open, bodies are framed, stop means stop."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING, Any

import pytest

from bridge.sandbox.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/fails":
        raise RuntimeError("on purpose")
    if path == "/ignores":
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    if path == "/empty":
        start_response("204 No Content", [])
        return []
    body = environ["wsgi.input"].read()
    if path == "/sized":
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (bytes([byte]) for byte in body)


@pytest.fixture
def listener() -> Iterator[Listener]:
    serving = Listener("127.0.0.1", 0)
    serving.start(app)
    yield serving
    serving.stop()


@pytest.fixture
def connection(listener: Listener) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
    yield opened
    opened.close()


def ask(connection: http.client.HTTPConnection, path: str, body: Any = None, method: str = "POST") -> tuple[int, bytes]:
    connection.request(method, path, body=body, encode_chunked=False)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_many_requests_share_one_connection(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    used = connection.sock
    for path in ("/sized", "/chunked", "/ignores", "/sized"):
        assert ask(connection, path, b"hello")[0] == 200
        assert connection.sock is used


def test_a_body_that_the_application_ignores_is_not_taken_for_a_request(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/ignores", b"GET /fails HTTP/1.1\r\n\r\n" * 1000) == (200, b"ok")
    assert ask(connection, "/sized", b"next") == (200, b"next")


def test_an_answer_without_length_is_chunked(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/", body=b"hello")
    answer = connection.getresponse()
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.read() == b"hello"


def test_a_chunked_request_is_read(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/sized", body=iter([b"he", b"llo"]), encode_chunked=True)
    assert connection.getresponse().read() == b"hello"
    assert ask(connection, "/sized", b"next") == (200, b"next")


def test_head_and_204_have_no_body_and_keep_the_connection(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/ignores", method="HEAD") == (200, b"")
    assert ask(connection, "/empty", method="GET") == (204, b"")
    assert ask(connection, "/sized", b"next") == (200, b"next")


def test_a_failing_application_answers_500(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/fails", method="GET")[0] == 500


def test_an_old_client_gets_a_closed_connection(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as plain:
        plain.sendall(b"GET /chunked HTTP/1.0\r\n\r\n")
        with plain.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 OK\r\n")


def test_stop_closes_open_connections_and_gives_the_port_back(connection: http.client.HTTPConnection) -> None:
    serving = Listener("127.0.0.1", 0)
    serving.start(app)
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as idle:
        idle.sendall(b"GET /ignores HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
        serving.stop()
        while idle.recv(1000):
            pass
    again = Listener("127.0.0.1", serving.port)
    again.stop()


def test_an_address_that_is_taken_is_an_error_at_once(listener: Listener) -> None:
    with pytest.raises(OSError, match="in use"):
        Listener("127.0.0.1", listener.port)
