"""What observers get, and that they cannot harm."""

from __future__ import annotations

import gzip
import threading
import time
from ipaddress import ip_network

import pytest

from tests.wire.conftest import MARKUP, Route, Watching
from tests.wire.origin import chunked, ok

PAGE = b"<!doctype html><html><head></head><body></body></html>"


def test_an_exchange_is_copied_with_plain_bodies(origin, start):
    watching = Watching({b"/checkout/cart/add/": Route()})
    proxy = start(observer=watching, public_url="https://shop.example", trusted_proxies=(ip_network("127.0.0.1/32"),))
    origin.plays[b"/checkout/cart/add/?x=1"] = chunked(
        [gzip.compress(b'{"ok": 1}')], b"application/json", b"Content-Encoding: gzip", b"Set-Cookie: a=b"
    )
    before = time.time()
    with proxy.visitor() as visitor:
        visitor.send(b"POST /checkout/cart/add/?x=1 HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 9.9.9.9\r\n")
        visitor.send(b"Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n2\r\n&b\r\n0\r\n\r\n")
        assert visitor.answer().status == 200
    assert watching.arrived.wait(5)
    (seen,) = watching.seen_exchanges
    assert seen.request.method == b"POST"
    assert seen.request.target == b"/checkout/cart/add/?x=1"
    assert seen.request_body == b"a=1&b"
    assert seen.response.status == 200
    assert seen.response.get(b"set-cookie") == b"a=b"
    assert seen.response_body == b'{"ok": 1}'
    assert (seen.host, seen.scheme, seen.client) == (b"shop.example", "https", "9.9.9.9")
    assert before <= seen.received <= time.time()
    assert proxy.count("observed") == 1


def test_an_observed_page_is_the_origins_own(origin, start):
    watching = Watching({b"/success": Route()})
    proxy = start(observer=watching)
    origin.plays[b"/success"] = ok(PAGE)
    assert MARKUP in proxy.get(b"/success").body
    assert watching.arrived.wait(5)
    assert watching.seen_exchanges[0].response_body == PAGE
    assert watching.seen_exchanges[0].request_body == b""


def test_bodies_over_64_kb_or_not_asked_for_are_none(origin, start):
    watching = Watching({b"/a": Route(), b"/b": Route(needs_request_body=False, needs_response_body=False)})
    proxy = start(observer=watching)
    origin.plays[b"/a"] = origin.plays[b"/b"] = ok(b"x" * 65537, b"text/plain")
    assert len(proxy.get(b"/a", method=b"POST", body=b"y" * 65537).body) == 65537
    assert len(proxy.get(b"/b", method=b"POST", body=b"y").body) == 65537
    deadline = time.monotonic() + 5
    while len(watching.seen_exchanges) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert [(e.request_body, e.response_body) for e in watching.seen_exchanges] == [(None, None)] * 2


@pytest.mark.parametrize(
    "answer",
    [ok(b"1", b"application/json"), ok(b"", b"text/plain", status=b"302 Found"), chunked([b"a", b"b"], b"text/plain")],
)
def test_an_urgent_answers_last_byte_waits_for_the_observer(origin, start, answer):
    order = []
    may_go_on = threading.Event()

    def act(exchange):
        order.append("seen")
        may_go_on.set()

    watching = Watching({b"/order": Route(urgent=True)}, act)
    proxy = start(observer=watching)
    origin.plays[b"/order"] = answer
    got = proxy.get(b"/order", method=b"POST", body=b"{}")
    assert got.complete
    assert order == ["seen"]
    assert proxy.count("observer_late") == 0


def test_an_urgent_answer_does_not_wait_for_ever(origin, start):
    go_on = threading.Event()
    watching = Watching({b"/order": Route(urgent=True)}, lambda exchange: go_on.wait(10))
    proxy = start(observer=watching)
    origin.plays[b"/order"] = ok(b"1", b"application/json")
    with proxy.visitor() as visitor:
        assert visitor.get(b"/order", method=b"POST", body=b"{}").body == b"1"
        assert watching.seen_exchanges == []
        assert proxy.count("observer_late") == 1
        go_on.set()
        assert watching.arrived.wait(5)


def test_an_observer_that_raises_harms_nobody(origin, start):
    class Raising(Watching):
        def wants(self, request):
            if request.path == b"/wants":
                raise RuntimeError("a fault of the observer")
            return super().wants(request)

    def act(exchange):
        raise RuntimeError("a fault of the observer")

    proxy = start(observer=Raising({b"/seen": Route(urgent=True)}, act))
    origin.plays[b"*"] = ok(b"fine", b"text/plain")
    assert proxy.get(b"/wants").body == b"fine"
    assert proxy.get(b"/seen").body == b"fine"
    assert proxy.count("observer_failed") == 2


def test_an_answer_that_broke_off_is_not_shown(origin, start):
    watching = Watching({b"/order": Route()})
    proxy = start(observer=watching)
    origin.plays[b"/order"] = lambda wire, request: wire.send(ok(b"12345", b"text/plain")[:-1])
    assert not proxy.get(b"/order", method=b"POST", body=b"x").complete
    assert not watching.arrived.wait(0.1)


def leaves_before(part, origin, proxy, answer):
    """Have a visitor send an order and go: before the answer begins, or in its middle."""
    may_end = threading.Event()
    body_at = answer.find(b"\r\n\r\n") + 4

    def play(wire, request):
        if part == "head":
            assert may_end.wait(10)
            return answer
        wire.send(answer[: body_at + 5])
        time.sleep(0.05)  # two pieces, since the middleware keeps one back
        wire.send(answer[body_at + 5 : body_at + 20_000])
        assert may_end.wait(10)
        return answer[body_at + 20_000 :]

    origin.plays[b"/order"] = play
    visitor = proxy.visitor()
    visitor.send(b"POST /order HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\n{}")
    origin.wait_for(1)
    if part == "body":
        visitor.until(b"\r\n\r\n")
    visitor.close()
    if proxy.edge is not None:
        deadline = time.monotonic() + 5
        while proxy.edge._clients and time.monotonic() < deadline:
            time.sleep(0.005)
    may_end.set()


# A body that a threaded server notices to be unwanted: it only finds out by writing.
LONG = b"[" + b"1, " * 20_000 + b"1]"


@pytest.mark.parametrize("part", ["head", "body"])
@pytest.mark.parametrize(
    "answer",
    [ok(LONG, b"application/json"), chunked([LONG[:7], LONG[7:]], b"application/json")],
    ids=["length", "chunked"],
)
def test_an_urgent_exchange_is_seen_though_the_visitor_left(origin, start, part, answer):
    """P20: the shop has taken the order."""
    watching = Watching({b"/order": Route(urgent=True)})
    proxy = start(observer=watching)
    leaves_before(part, origin, proxy, answer)
    assert watching.arrived.wait(5)
    (seen,) = watching.seen_exchanges
    assert seen.request_body == b"{}"
    assert seen.response_body == LONG
    assert proxy.get(b"/next").status == 200


def test_an_urgent_page_whose_visitor_left_is_seen_as_the_origin_made_it(origin, start):
    watching = Watching({b"/order": Route(urgent=True)})
    proxy = start(observer=watching)
    page = PAGE + b"x" * 60_000
    packed = gzip.compress(page, 0)
    answer = chunked([packed[:25_000], packed[25_000:]], b"text/html", b"Content-Encoding: gzip")
    leaves_before("body", origin, proxy, answer)
    assert watching.arrived.wait(5)
    assert watching.seen_exchanges[0].response_body == page


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
def test_what_is_read_on_for_the_observer_is_bounded(origin, start):
    watching = Watching({b"/order": Route(urgent=True), b"/seen": Route()})
    proxy = start(observer=watching)
    ended = threading.Event()

    def play(wire, request):
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 900000000\r\n\r\n")
        try:
            while True:
                wire.send(b"x" * 100_000)
        except OSError:
            ended.set()

    origin.plays[b"/order"] = origin.plays[b"/seen"] = play
    for target in (b"/order", b"/seen"):
        ended.clear()
        visitor = proxy.visitor()
        visitor.send(b"GET " + target + b" HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        visitor.until(b"\r\n\r\n")
        visitor.close()
        assert ended.wait(10)
    assert watching.seen_exchanges == []
    assert not proxy.edge._absent


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
def test_an_urgent_answer_that_never_comes_is_given_up_and_stopping_waits_for_one_that_does(origin, start, monkeypatch):
    import asyncio

    from bridge.proxy import edge

    monkeypatch.setattr(edge, "TICK_SECONDS", 0.05)
    watching = Watching({b"/order": Route(urgent=True)})
    proxy = start(observer=watching, timeout_head=0.3)
    may_end = threading.Event()
    origin.plays[b"/order"] = lambda wire, request: may_end.wait(10) and None
    leaving = proxy.visitor()
    leaving.send(b"GET /order HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    origin.wait_for(1)
    leaving.close()
    deadline = time.monotonic() + 5
    while not proxy.count("proxy_failures", kind="head-timeout") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not proxy.edge._absent
    assert proxy.count("proxy_failures", kind="head-timeout") == 1
    may_end.set()

    patient = start(observer=watching)
    go_on = threading.Event()
    origin.plays[b"/order"] = lambda wire, request: go_on.wait(10) and ok(b"1", b"application/json")
    leaving = patient.visitor()
    leaving.send(b"GET /order HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    origin.wait_for(2)
    leaving.close()
    while not patient.edge._absent:
        time.sleep(0.005)
    ended = asyncio.run_coroutine_threadsafe(patient.edge.stop(10), patient.edge.loop)
    go_on.set()
    ended.result(10)
    assert len(watching.seen_exchanges) == 1


@pytest.mark.parametrize(
    ("wish", "asked"),
    [(b"gzip, deflate, br, zstd", b"gzip"), (b"br, zstd", b"identity"), (b"gzip;q=0", b"identity")],
)
def test_an_answer_that_must_be_read_is_asked_for_in_a_coding_that_can_be_read(origin, start, wish, asked):
    """P01: a browser's own wish for Brotli would hide an order from the observer."""
    watching = Watching({b"/rest/default/V1/orders": Route(urgent=True)})
    proxy = start(observer=watching)
    origin.plays[b"/rest/default/V1/orders"] = ok(b'"23"', b"application/json")
    origin.plays[b"/rest/default/V1/other"] = ok(b"1", b"application/json")
    for path in (b"/rest/default/V1/orders", b"/rest/default/V1/other"):
        assert proxy.get(path, b"Accept-Encoding: " + wish, method=b"POST", body=b"{}").status == 200
    assert origin.received[0].values(b"accept-encoding") == [asked]
    assert origin.received[1].values(b"accept-encoding") == [wish]
    assert watching.arrived.wait(5)
    assert watching.seen_exchanges[0].response_body == b'"23"'


def test_an_answer_that_need_not_be_read_keeps_the_visitors_wish(origin, start):
    proxy = start(observer=Watching({b"/rest/x": Route(needs_response_body=False)}))
    origin.plays[b"/rest/x"] = ok(b"1", b"application/json")
    proxy.get(b"/rest/x", b"Accept-Encoding: br")
    assert origin.received[0].values(b"accept-encoding") == [b"br"]
