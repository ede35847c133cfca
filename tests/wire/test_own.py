"""The bridge's own paths on both adaptors, and what the edge does so that they cannot starve one another."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.browser.stack import wait_for
from tests.wire.origin import ok

only_edge = pytest.mark.parametrize("adaptor", ["edge"], indirect=True)


def test_the_prefix_and_what_lies_below_is_answered_by_the_application(origin, proxy):
    for target in (b"/_bridge", b"/_bridge/x?y=%20z"):
        assert b"bridge.listener=shop" in proxy.get(target).body
    assert origin.received == []
    for target in (b"/_bridges", b"/x/_bridge/", b"/"):
        assert proxy.get(target).body == b"none\n"


class Gate:
    on = False

    def takes(self, path, host):
        return self.on and path.endswith(b"/version") and host == b"shop.example"


def test_paths_behind_the_gate_are_ours_while_it_says_so_and_else_the_shops_untouched(origin, start):
    gate = Gate()
    proxy = start(gate=gate)
    target, asked = b"/fr/ometria_api/v1/version?a=%2F&signature=x", b"Host: shop.example"

    def ask(target=target, host=asked):
        with proxy.visitor() as visitor:
            visitor.send(b"POST %b HTTP/1.1\r\n%b\r\nContent-Length: 3\r\n\r\na=b" % (target, host))
            return visitor.answer()

    for _ in range(2):
        gate.on = False
        assert ask().body == b"none\n"
        assert origin.received[-1].line.startswith(b"POST /fr/ometria_api/v1/version?a=%2F&signature=x HTTP/1.1")
        gate.on = True
        count = len(origin.received)
        assert b"bridge.listener=shop" in ask().body
        assert len(origin.received) == count
        assert ask(host=b"Host: other.example").body == b"none\n"
        assert ask(target=b"/ometria_api/v1/orders").body == b"none\n"


@pytest.mark.parametrize("trusted", [False, True])
def test_the_environment_is_that_of_pep_3333(start, adaptor, trusted):
    from ipaddress import ip_network

    proxy = start(public_url="https://shop.example", trusted_proxies=(ip_network("127.0.0.1/32"),) if trusted else ())
    body = proxy.get(
        b"/_bridge/caf%C3%A9%2Fx?q=%C3%A9", b"X-Forwarded-For: 9.9.9.9", b"X-Two: a", b"X-Two: b"
    ).body.decode()
    lines = dict(line.partition("=")[::2] for line in body.splitlines())
    assert lines["REQUEST_METHOD"] == "GET"
    assert lines["RAW_URI"] == lines["REQUEST_URI"] == "/_bridge/caf%C3%A9%2Fx?q=%C3%A9"
    assert lines["PATH_INFO"].encode("latin-1") == "/_bridge/café/x".encode() or adaptor == "middleware"
    assert lines["QUERY_STRING"] == "q=%C3%A9"
    assert lines["HTTP_X_TWO"] in {"a,b", "a, b"}
    assert lines["REMOTE_ADDR"] == ("9.9.9.9" if trusted else "127.0.0.1")
    assert lines["wsgi.url_scheme"] == "https"
    assert lines.get("bridge.peer") == ("127.0.0.1" if adaptor == "edge" else None), "whatever the fields claim"


@pytest.mark.parametrize("size", [0, 11, 1_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_reaches_the_application(proxy, size, chunked):
    body = b"x" * size
    with proxy.visitor() as visitor:
        if chunked:
            visitor.send(b"POST /_bridge/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            visitor.send((b"%x\r\n%b\r\n" % (size, body) if size else b"") + b"0\r\n\r\n")
        else:
            visitor.send(b"POST /_bridge/echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (size, body))
        answer = visitor.answer()
        assert answer.body == body
        assert answer.complete


def test_a_head_request_gets_no_body(proxy):
    with proxy.visitor() as visitor:
        for _ in range(2):
            assert visitor.get(b"/_bridge/echo", method=b"HEAD").status == 200
        assert visitor.buffer == b""


@only_edge
def test_a_fault_of_the_application_is_a_500_or_a_cut(proxy):
    assert proxy.get(b"/_bridge/fail").status == 500
    answer = proxy.get(b"/_bridge/breaks")
    assert answer.status == 200
    assert answer.body == b"first"
    assert not answer.complete


@only_edge
def test_a_dashboard_listener_hands_everything_to_the_application(origin, start):
    proxy = start(listener="dashboard")
    assert b"bridge.listener=dashboard" in proxy.get(b"/anything").body
    assert origin.received == []


@only_edge
def test_an_expected_continue_is_given_for_an_own_path(proxy):
    with proxy.visitor() as visitor:
        visitor.send(b"POST /_bridge/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert visitor.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        visitor.send(b"ok")
        assert visitor.answer().body == b"ok"


class Streams:
    """An application with event streams that end when told."""

    def __init__(self):
        self.step = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/_bridge/events":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return self.events()
        if environ["PATH_INFO"] == "/_bridge/big":
            start_response("200 OK", [("Content-Type", "text/csv")])
            return (b"x" * 65536 for _ in range(250))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    def events(self):
        try:
            yield b"data: 0\n\n"
            number = 0
            while True:
                if self.step.acquire(timeout=0.2):
                    number += 1
                    yield b"data: %d\n\n" % number
                else:
                    yield b": still here\n\n"
        finally:
            self.closed.release()


@only_edge
def test_event_streams_flow_and_do_not_take_the_threads_of_others(start):
    app = Streams()
    proxy = start(app=app, threads=2)
    streams = [proxy.visitor() for _ in range(6)]
    for stream in streams:
        stream.send(b"GET /_bridge/events HTTP/1.1\r\nHost: a\r\n\r\n")
        stream.until(b"data: 0\n\n")
    for _ in range(5):
        assert proxy.get(b"/_bridge/x").body == b"ok"
    app.step.release()
    streams[0].sock.settimeout(10)
    for stream in streams:
        stream.close()
    for _ in streams:
        assert app.closed.acquire(timeout=10)


def held_app():
    """Return an application whose calls wait, what lets them go on, and what counts those that began."""
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def app(environ, start_response):
        begun.release()
        go_on.wait(30)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    return app, go_on, begun


@only_edge
def test_calls_that_hang_hold_up_no_page_of_the_shop_and_too_many_are_told_to_come_back(origin, start, monkeypatch):
    from bridge.proxy import ownside

    monkeypatch.setattr(ownside, "WAITING", 3)
    app, go_on, begun = held_app()

    origin.plays[b"/a"] = ok(b"shop", b"text/plain")
    proxy = start(app=app, threads=2)
    waiting = []
    try:
        for _ in range(5):
            waiting.append(proxy.visitor())
            waiting[-1].send(b"GET /_bridge/x HTTP/1.1\r\nHost: a\r\n\r\n")
            if len(waiting) <= 2:
                assert begun.acquire(timeout=10)
        with proxy.visitor() as visitor:
            for _ in range(50):
                assert visitor.get(b"/a").body == b"shop"
        refused = proxy.get(b"/_bridge/x")
        assert refused.status == 503
        assert proxy.count("proxy_failures", kind="busy") == 1
        assert proxy.get(b"/a").body == b"shop"
    finally:
        go_on.set()
    assert [visitor.answer().body for visitor in waiting] == [b"ok"] * 5


@only_edge
def test_more_event_streams_than_there_may_be_are_told_to_come_back(start, monkeypatch):
    from bridge.proxy import ownside

    monkeypatch.setattr(ownside, "STREAMS", 1)
    app = Streams()
    proxy = start(app=app)
    stream = proxy.visitor()
    stream.send(b"GET /_bridge/events HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.until(b"data: 0\n\n")
    assert proxy.get(b"/_bridge/events").status == 503
    stream.close()
    assert app.closed.acquire(timeout=10)


@only_edge
def test_slow_readers_of_large_answers_do_not_take_the_threads_of_others(start):
    proxy = start(app=Streams(), threads=2)
    slow = [proxy.visitor() for _ in range(4)]
    for visitor in slow:
        visitor.send(b"GET /_bridge/big HTTP/1.1\r\nHost: a\r\n\r\n")
    for _ in range(5):
        assert proxy.get(b"/_bridge/x").body == b"ok"
    answer = slow[0].answer()
    assert answer.complete
    assert len(answer.body) == 16_384_000


def test_own_answers_and_the_shops_share_a_connection(origin, proxy):
    origin.plays[b"/a"] = ok(b"shop", b"text/plain")
    with proxy.visitor() as visitor:
        for _ in range(3):
            assert visitor.get(b"/a").body == b"shop"
            assert visitor.get(b"/_bridge/echo", method=b"POST", body=b"own").body == b"own"


@only_edge
def test_bodies_of_calls_that_waited_at_the_end_are_closed(start, monkeypatch):
    from bridge.proxy import ownside

    bodies = []
    real = ownside.tempfile.SpooledTemporaryFile

    def kept(**options):
        bodies.append(real(**options))
        return bodies[-1]

    monkeypatch.setattr(ownside.tempfile, "SpooledTemporaryFile", kept)
    app, go_on, begun = held_app()

    proxy = start(app=app, threads=1)
    for number in range(3):
        proxy.visitor().send(b"POST /_bridge/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b")
        if not number:
            assert begun.acquire(timeout=10)
    wait_for(lambda: len(proxy.edge.own._waiting) == 2)
    assert [body.closed for body in bodies] == [False] * 3
    asyncio.run_coroutine_threadsafe(proxy.edge.stop(0), proxy.edge.loop).result(10)
    assert [body.closed for body in bodies] == [False, True, True], "the one in hand ends by itself"
    go_on.set()
    wait_for(lambda: bodies[0].closed)
    assert not begun.acquire(timeout=0.2), "what was given up is not called"


@only_edge
def test_a_reader_that_takes_nothing_is_cut_when_no_thread_can_wait_for_it(start, monkeypatch):
    from bridge.proxy import ownside

    monkeypatch.setattr(ownside, "STREAMS", 0)
    monkeypatch.setattr(ownside, "CALL_SECONDS", 0.5)
    closed = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/csv")])
        try:
            yield from (b"x" * 65536 for _ in range(1000))
        finally:
            closed.set()

    proxy = start(app=app, threads=1)
    slow = proxy.visitor()
    slow.send(b"GET /_bridge/big HTTP/1.1\r\nHost: a\r\n\r\n")
    assert closed.wait(10)
    assert not slow.answer().complete
