"""What only the edge can do, since it has the visitor's connection in its own hands."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from ipaddress import ip_network

import pytest

from tests.wire.conftest import MARKUP, Route, Watching
from tests.wire.origin import chunked, ok

pytestmark = pytest.mark.parametrize("adaptor", ["edge"], indirect=True)

PAGE = b"<!doctype html><html><head></head><body></body></html>"
TAGGED = PAGE.replace(b"<head>", b"<head>" + MARKUP)
SHOP = b"Host: shop.example\r\n"


def test_requests_sent_at_once_are_answered_in_their_order(origin, proxy):
    def play(wire, request):
        return ok(request.target + b" " + request.body, b"text/plain")

    origin.plays[b"*"] = play
    with proxy.visitor() as visitor:
        visitor.send(
            b"GET /1 HTTP/1.1\r\n" + SHOP + b"\r\nPOST /2 HTTP/1.1\r\n" + SHOP + b"Content-Length: 3\r\n\r\nabc"
            b"\r\nPOST /3 HTTP/1.1\r\n"
            + SHOP
            + b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\nGET /_bridge/x HTTP/1.1\r\n"
            + SHOP
            + b"\r\nGET /4 HTTP/1.1\r\n"
            + SHOP
            + b"Connection: close\r\n\r\n"
        )
        bodies = [visitor.answer().body for _ in range(5)]
        assert bodies[:3] == [b"/1 ", b"/2 abc", b"/3 de"]
        assert b"PATH_INFO=/_bridge/x" in bodies[3]
        assert bodies[4] == b"/4 "
        assert visitor.closed()
    assert origin.connections == 1


def test_a_request_arriving_byte_by_byte_is_read(origin, proxy):
    origin.plays[b"/"] = ok(PAGE)
    with proxy.visitor() as visitor:
        for byte in b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n":
            visitor.send(bytes([byte]))
        assert visitor.answer().body == TAGGED


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: 5, 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: +5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: 0x5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX Y: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + SHOP + b"X-A: b\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + SHOP + b"X-A: b\rc\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + SHOP + b"X-A: b\nX-B: c\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + SHOP + b"X-A: b\0c\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + SHOP + b": x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET  / HTTP/1.1\r\n" + SHOP + b"\r\n",
        b"GET /a b HTTP/1.1\r\n" + SHOP + b"\r\n",
        b"GET x HTTP/1.1\r\n" + SHOP + b"\r\n",
        b"GET /\r\n\r\n",
        b"hello\r\n\r\n",
        b"\r\n\r\n\r\nGET / HTTP/1.1\r\n" + SHOP + b"\r\n",
    ],
)
def test_what_two_readers_could_read_differently_is_refused_and_the_connection_closed(origin, proxy, request_bytes):
    """P16: and nothing of what follows is taken for a request."""
    with proxy.visitor() as visitor:
        visitor.send(request_bytes + b"GET /smuggled HTTP/1.1\r\n" + SHOP + b"\r\n")
        answer = visitor.answer()
        assert answer.status in {400, 501, 505}
        assert answer.value(b"connection") == b"close"
        visitor.sock.shutdown(1)
        assert visitor.closed()
    assert [r.target for r in origin.received if r.target == b"/smuggled"] == []
    assert proxy.count("proxy_failures", kind="malformed-request") == 1


def test_a_head_without_end_is_refused(origin, proxy):
    with proxy.visitor() as visitor:
        visitor.send(b"GET / HTTP/1.1\r\n" + SHOP + b"X: " + b"x" * 70_000)
        assert visitor.answer().status == 431
    with proxy.visitor() as visitor:
        assert visitor.get(b"/" + b"x" * 20_000).status == 414
    assert origin.received == []


def test_interim_answers_pass_and_an_expected_continue_is_the_origins(origin, proxy):
    def play(wire, request):
        wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        assert wire.read(5) == b"hello"
        return ok(b"done", b"text/plain")

    origin.plays[b"/upload"] = play
    origin.before_body.add(b"/upload")
    with proxy.visitor() as visitor:
        visitor.send(b"POST /upload HTTP/1.1\r\n" + SHOP + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert visitor.until(b"\r\n\r\n") == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
        assert visitor.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        visitor.send(b"hello")
        assert visitor.answer().body == b"done"


def test_an_answer_before_the_end_of_an_upload_reaches_the_visitor(origin, proxy):
    def play(wire, request):
        return ok(b"too large", b"text/plain", status=b"413 Content Too Large")

    origin.plays[b"/upload"] = play
    origin.before_body.add(b"/upload")
    with proxy.visitor() as visitor:
        visitor.send(b"POST /upload HTTP/1.1\r\n" + SHOP + b"Content-Length: 50000000\r\n\r\n" + b"x" * 300_000)
        answer = visitor.answer()
        assert answer.status == 413
        assert answer.complete
        assert answer.value(b"connection") == b"close"


def test_an_upgrade_becomes_a_tunnel(origin, proxy):
    def play(wire, request):
        assert request.values(b"upgrade") == [b"websocket"]
        assert request.values(b"connection") == [b"Upgrade"]
        wire.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
        wire.send(b"you said " + wire.read(4))

    origin.plays[b"/socket"] = play
    with proxy.visitor() as visitor:
        visitor.send(
            b"GET /socket HTTP/1.1\r\n" + SHOP + b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert visitor.answer().status == 101
        visitor.until(b"hello")
        visitor.send(b"ping")
        visitor.until(b"you said ping")
        assert visitor.closed()


def test_an_upgrade_to_another_http_is_not_passed_on(origin, proxy):
    assert proxy.get(b"/", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: x").status == 200
    assert origin.received[0].values(b"upgrade") == []
    assert origin.received[0].values(b"http2-settings") == []


def test_a_slow_reader_holds_the_origin_back(origin, proxy):
    """P13: memory does not grow with the body."""
    sent = []
    stop = threading.Event()

    def play(wire, request):
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 100000000\r\n\r\n")
        wire.sock.settimeout(0.5)
        try:
            while not stop.is_set():
                wire.send(b"x" * 100_000)
                sent.append(100_000)
        except TimeoutError:
            pass

    origin.plays[b"/big"] = play
    visitor = proxy.visitor()
    visitor.send(b"GET /big HTTP/1.1\r\n" + SHOP + b"\r\n")
    visitor.until(b"\r\n\r\n")
    time.sleep(1.0)
    stop.set()
    assert sum(sent) < 30_000_000


def test_a_slow_origin_holds_an_upload_back(origin, proxy):
    go_on = threading.Event()

    def play(wire, request):
        go_on.wait(10)
        wire.read(40_000_000)
        return ok(b"done", b"text/plain")

    origin.plays[b"/upload"] = play
    origin.before_body.add(b"/upload")
    visitor = proxy.visitor(timeout=1.0)
    visitor.send(b"POST /upload HTTP/1.1\r\n" + SHOP + b"Content-Length: 40000000\r\n\r\n")
    sent = 0
    try:
        while sent < 40_000_000:
            sent += visitor.sock.send(b"x" * 100_000)
    except TimeoutError:
        pass
    assert sent < 30_000_000
    go_on.set()
    visitor.sock.settimeout(10)
    visitor.send(b"x" * (40_000_000 - sent))
    assert visitor.answer().body == b"done"


def test_a_request_that_comes_too_slowly_ends(origin, start):
    proxy = start(timeout_idle=0.2)
    with proxy.visitor() as visitor:
        visitor.send(b"POST /x HTTP/1.1\r\n" + SHOP + b"Content-Length: 10\r\n\r\nabc")
        answer = visitor.answer()
        assert answer.status == 408
        assert visitor.closed()
    with proxy.visitor() as visitor:
        visitor.get(b"/")
        assert visitor.closed()


def test_one_address_has_a_limited_number_of_connections(origin, start):
    proxy = start(max_connections_per_ip=2)
    first, second = proxy.visitor(), proxy.visitor()
    assert first.get(b"/").status == second.get(b"/").status == 200
    with proxy.visitor() as third:
        assert third.answer().status == 429
    first.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with proxy.visitor() as again:
            if again.get(b"/").status == 200:
                break
    else:
        pytest.fail("the place of a closed connection stays taken")


def test_a_trusted_proxy_has_as_many_connections_as_its_visitors_need(origin, start):
    proxy = start(max_connections_per_ip=2, trusted_proxies=(ip_network("127.0.0.0/8"),))
    visitors = [proxy.visitor() for _ in range(6)]
    assert [visitor.get(b"/").status for visitor in visitors] == [200] * 6


def test_stopping_lets_the_request_in_hand_end_and_ends_the_idle_ones(origin, start):
    go_on = threading.Event()

    def play(wire, request):
        go_on.wait(10)
        return ok(PAGE)

    origin.plays[b"/slow"] = play
    proxy = start()
    idle, busy = proxy.visitor(), proxy.visitor()
    idle.get(b"/")
    busy.send(b"GET /slow HTTP/1.1\r\n" + SHOP + b"\r\n")
    origin.wait_for(2)

    import asyncio

    ended = asyncio.run_coroutine_threadsafe(proxy.edge.stop(10), proxy.edge.loop)
    assert idle.closed()
    go_on.set()
    answer = busy.answer()
    assert answer.body == TAGGED
    assert answer.complete
    assert busy.closed()
    ended.result(10)


def test_a_request_that_is_on_its_way_when_the_server_stops_has_its_answer(origin, start, monkeypatch):
    """On a connection that was kept alive: it is closed only after it, or when it stays idle."""
    import asyncio

    monkeypatch.setattr("bridge.proxy.client.NEW_SECONDS", 20.0)
    origin.plays[b"/"] = ok(PAGE)
    proxy = start()
    kept = [proxy.visitor() for _ in range(3)]
    for visitor in kept:
        assert visitor.get(b"/").complete
    ended = asyncio.run_coroutine_threadsafe(proxy.edge.stop(10), proxy.edge.loop)
    deadline = time.monotonic() + 5
    while not proxy.edge.stopping and time.monotonic() < deadline:
        time.sleep(0.001)
    for visitor in kept:
        answer = visitor.get(b"/")
        assert answer.body == TAGGED
        assert answer.value(b"connection") == b"close"
        assert visitor.closed()
    ended.result(10)


def test_connections_to_the_origin_are_kept_and_shared(origin, proxy):
    for number in range(20):
        assert proxy.get(b"/%d" % number).status == 200
    assert origin.connections == 1


def test_an_answer_longer_than_it_says_ends_the_origins_connection(origin, proxy):
    origin.plays[b"/1"] = ok(b"fine", b"text/plain") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    with proxy.visitor() as visitor:
        assert visitor.get(b"/1").body == b"fine"
        assert visitor.get(b"/2").body == b"none\n"
    assert origin.connections == 2


def test_the_order_and_case_of_a_requests_fields_are_kept(origin, proxy):
    fields = [
        b"host: shop.example",
        b"X-b: 1",
        b"x-A: 2",
        b"X-b: 3",
        b"Cookie: a=b",
        b"COOKIE: c=d",
        b"X-Bytes: \xe9\xff",
    ]
    with proxy.visitor() as visitor:
        visitor.send(b"GET /a HTTP/1.1\r\n" + b"\r\n".join(fields) + b"\r\n\r\n")
        assert visitor.answer().status == 200
    lines = origin.received[0].head.split(b"\r\n")
    assert lines[1 : 1 + len(fields)] == fields


def test_a_field_spelt_with_underscores_does_not_slip_in_as_a_forwarding_field(origin, proxy):
    """P14: CGI reads both spellings alike."""
    proxy.get(b"/", b"X_Forwarded_For: 1.2.3.4", b"X_Harmless: 1")
    assert origin.received[0].values(b"x_forwarded_for") == []
    assert origin.received[0].values(b"x_harmless") == [b"1"]


def test_the_queue_of_observed_exchanges_is_bounded_and_urgent_ones_pass(origin, start):
    go_on = threading.Event()
    watching = Watching({b"/seen": Route(), b"/order": Route(urgent=True)}, lambda exchange: go_on.wait(20))
    proxy = start(observer=watching)
    proxy.edge.observers._limit = 5
    with proxy.visitor() as visitor:
        for _ in range(20):
            assert visitor.get(b"/seen").status == 200
        assert proxy.count("observer_dropped") >= 10
        assert visitor.get(b"/order").status == 200
    go_on.set()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not any(e.request.path == b"/order" for e in watching.seen_exchanges):
        time.sleep(0.01)
    assert any(e.request.path == b"/order" for e in watching.seen_exchanges)


def test_a_chunked_answer_in_many_small_chunks_passes(origin, proxy):
    pieces = [b"%d;" % number for number in range(3000)]
    origin.plays[b"/a.csv"] = chunked(pieces, b"text/csv")
    answer = proxy.get(b"/a.csv")
    assert answer.complete
    assert answer.body == b"".join(pieces)


def test_what_the_client_sends_behind_a_last_request_takes_nothing_of_the_answer(origin, proxy):
    """A reset, which closing with bytes unread gives, would throw away what a slow client has not read yet."""
    body = bytes(range(256)) * 1600
    origin.plays[b"/big"] = ok(body, b"image/jpeg")
    with proxy.visitor() as visitor:
        visitor.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        visitor.send(b"GET /big HTTP/1.1\r\n" + SHOP + b"Connection: close\r\n\r\n")
        visitor.sock.settimeout(0.5)
        with contextlib.suppress(OSError):
            visitor.sock.sendall(b"POST /next HTTP/1.1\r\n" + SHOP + b"Content-Length: 900000\r\n\r\n" + b"x" * 900_000)
        visitor.sock.settimeout(10)
        time.sleep(0.3)
        answer = visitor.answer()
        assert answer.complete
        assert answer.body == body
        assert visitor.closed()
    assert [request.target for request in origin.received] == [b"/big"]


def test_a_body_that_an_origin_may_not_look_for_ends_its_connection(origin, proxy):
    origin.plays[b"*"] = ok(b"x", b"text/plain")
    with proxy.visitor() as visitor:
        visitor.get(b"/a")
        visitor.get(b"/b", method=b"GET", body=b"GET /hidden HTTP/1.1\r\n\r\n")
        visitor.get(b"/c")
    assert origin.connections == 2
