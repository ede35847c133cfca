"""Clients that read or send slowly, or not at all: they cost a bounded amount, and only those who stand still are cut."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.wire.origin import ok

pytestmark = pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
SHOP = b"Host: shop.example\r\n"


def narrow(port):
    """A connection whose kernel takes little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", port))
    return sock


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    from bridge.proxy import edge

    monkeypatch.setattr(edge, "TICK_SECONDS", 0.05)


def gone(edge, timeout=5.0):
    """Wait until the edge has no client."""
    deadline = time.monotonic() + timeout
    while edge._clients and time.monotonic() < deadline:
        time.sleep(0.02)
    return not edge._clients


def test_requests_wait_while_their_client_does_not_take_the_answers(origin, proxy):
    """P13: memory does not grow with the answers to pipelined requests that nobody reads."""
    body = b"x" * 120_000
    origin.plays[b"*"] = lambda wire, request: ok(body, b"application/octet-stream")
    with narrow(proxy.port) as sock:
        for number in range(500):
            sock.sendall(b"GET /%d HTTP/1.1\r\n" % number + SHOP + b"\r\n")
        time.sleep(1.5)
        assert len(origin.received) < 200  # what the kernel and one buffer hold
        read = 0
        whole = 500 * len(ok(body, b"application/octet-stream"))
        while read < whole:
            read += len(sock.recv(1 << 20))
    assert read == whole
    assert [r.target for r in origin.received] == [b"/%d" % number for number in range(500)]


def test_a_client_that_takes_nothing_is_cut_in_the_end(origin, start):
    proxy = start(timeout_idle=0.3)
    origin.plays[b"*"] = ok(b"x" * 20_000_000, b"application/octet-stream")
    with narrow(proxy.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n" + SHOP + b"\r\n")
        origin.wait_for(1)
        assert gone(proxy.edge)
        assert proxy.count("proxy_failures", kind="idle-timeout") == 1


def test_a_client_that_leaves_the_end_of_an_answer_untaken_is_cut_in_the_end(origin, start):
    proxy = start(timeout_idle=0.3)
    origin.plays[b"*"] = ok(b"x" * 120_000, b"application/octet-stream")
    with narrow(proxy.port) as sock:
        sock.sendall((b"GET / HTTP/1.1\r\n" + SHOP + b"\r\n") * 100)
        origin.wait_for(1)
        assert gone(proxy.edge)


def test_a_slow_but_live_download_is_not_cut(origin, start):
    """P13."""
    proxy = start(timeout_idle=0.5)
    body = b"x" * 8_000_000
    origin.plays[b"*"] = ok(body, b"application/octet-stream")
    with narrow(proxy.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n" + SHOP + b"\r\n")
        read = 0
        for _ in range(25):
            read += len(sock.recv(2000))
            time.sleep(0.1)
        while read < len(body):
            data = sock.recv(1 << 20)
            assert data, read
            read += len(data)


def test_half_a_head_is_not_waited_for_for_ever(origin, start, monkeypatch):
    from bridge.proxy import client

    monkeypatch.setattr(client, "HEAD_SECONDS", 0.3)
    proxy = start()
    with proxy.visitor() as visitor:
        stop = threading.Event()

        def drip():
            while not stop.wait(0.05):
                try:
                    visitor.send(b"X")
                except OSError:
                    return

        visitor.send(b"GET / HTTP/1.1\r\n" + SHOP + b"X-Long: ")
        dripping = threading.Thread(target=drip)
        dripping.start()
        assert visitor.answer().status == 408
        stop.set()
        dripping.join(5)
    assert origin.received == []
