"""Posting to an address that a person typed: the connection goes where was looked, and nothing tells the address."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager

import pytest

from bridge import reach
from bridge.errors import Misconfigured, Retry
from bridge.http import post_json
from tests.mail.certificates import make_certificate

TOKEN = "T0KEN-9f8e7d"


@contextmanager
def listening(answer=b"HTTP/1.1 204 No Content\r\n\r\n", context=None):
    """A server of bare bytes; give its port and the requests that it got."""
    server = socket.create_server(("127.0.0.1", 0))
    got = []

    def serve():
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            client.settimeout(10)
            try:
                line = context.wrap_socket(client, server_side=True) if context else client
                data = b""
                while b"\r\n\r\n" not in data or not data.partition(b"\r\n\r\n")[2]:
                    if not (more := line.recv(65536)):
                        break
                    data += more
                got.append(data)
                line.sendall(answer)
                line.close()
            except OSError:
                client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], got
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


def lead(monkeypatch, *turns):
    """Let names lead to addresses that differ from one look-up to the next; return how often was asked."""
    asked = []
    real = socket.getaddrinfo

    def look_up(host, port, *rest, **more):
        if host.endswith(".test"):
            address = turns[min(len(asked), len(turns) - 1)]
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        return real(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_leads_home_at_the_second_look_is_asked_once_and_leads_nowhere(monkeypatch):
    connected = []

    def connect(address, timeout=None):
        connected.append(address)
        raise ConnectionRefusedError

    asked = lead(monkeypatch, "93.184.216.34", "127.0.0.1")
    monkeypatch.setattr("bridge.http.socket.create_connection", connect)
    with pytest.raises(Retry, match=r"^rebound\.test did not answer \(ConnectionRefusedError\)\.$"):
        post_json(f"https://rebound.test:8443/{TOKEN}", {"a": 1}, ())
    assert asked == ["rebound.test"]
    assert connected == [("93.184.216.34", 8443)]


def test_a_name_that_leads_home_at_the_first_look_is_refused(monkeypatch):
    lead(monkeypatch, "127.0.0.1", "93.184.216.34")
    monkeypatch.setattr("bridge.http.socket.create_connection", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(Misconfigured, match="private network"):
        post_json(f"https://rebound.test/{TOKEN}", {}, ())


def test_the_request_names_the_host_though_the_connection_goes_to_the_address(monkeypatch):
    lead(monkeypatch, "127.0.0.1")
    with listening() as (port, got):
        assert post_json(f"http://hooks.test:{port}/{TOKEN}?a=b", {"sentence": "ü"}, (f"hooks.test:{port}",)) == 204
    head, _, body = got[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST /{TOKEN}?a=b HTTP/1.1"
    assert [line for line in lines if line.lower().startswith("host:")] == [f"Host: hooks.test:{port}"]
    assert "Content-Type: application/json" in lines
    assert body == '{"sentence":"ü"}'.encode()


def test_with_tls_the_certificate_must_hold_the_host_s_name_and_be_trusted(monkeypatch, tmp_path):
    lead(monkeypatch, "127.0.0.1")
    made = make_certificate(tmp_path / "c", names=("hooks.test",))
    with listening(context=made.serving()) as (port, got):
        named = (f"hooks.test:{port}", f"other.test:{port}")
        with pytest.raises(Retry, match="certificate that is not trusted"):
            post_json(f"https://hooks.test:{port}/{TOKEN}", {}, named)
        monkeypatch.setenv("SSL_CERT_FILE", str(made.ca))
        assert post_json(f"https://hooks.test:{port}/{TOKEN}", {}, named) == 204
        with pytest.raises(Retry, match="certificate that is not trusted") as caught:
            post_json(f"https://other.test:{port}/{TOKEN}", {}, named)
    assert TOKEN not in str(caught.value)
    assert len(got) == 1


def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch):
    with listening() as (port, got):

        def two(host, number, *_, **__):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, number)) for one in ("127.0.0.2", "127.0.0.1")]

        monkeypatch.setattr(reach.socket, "getaddrinfo", two)
        real = socket.create_connection

        def connect(address, timeout=None):
            if address[0] == "127.0.0.2":
                raise ConnectionRefusedError
            line = socket.socket()
            line.settimeout(timeout)
            line.connect(address)
            return line

        monkeypatch.setattr("bridge.http.socket.create_connection", connect)
        assert post_json(f"http://hooks.test:{port}/", {}, (f"hooks.test:{port}",)) == 204
        assert real is not connect
    assert len(got) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "did not answer"),
        (b"nonsense\r\n\r\n", "did not answer (BadStatusLine)"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n", "did not answer (HTTPException)"),
    ],
)
def test_an_answer_that_is_none_is_a_reason_and_neither_it_nor_the_log_tells_the_address(answer, said, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="bridge")
    with listening(answer) as (port, _), pytest.raises(Retry) as caught:
        post_json(f"http://127.0.0.1:{port}/{TOKEN}", {}, (f"127.0.0.1:{port}",))
    assert said in str(caught.value)
    seen = caught.value
    while seen is not None:
        assert TOKEN not in str(seen)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    assert TOKEN not in caplog.text


def test_a_redirect_is_the_answer_and_is_not_followed():
    with listening() as (other, reached):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
        with listening(moved) as (port, _):
            assert post_json(f"http://127.0.0.1:{port}/{TOKEN}", {}, (f"127.0.0.1:{port}",)) == 307
    assert reached == []
