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
