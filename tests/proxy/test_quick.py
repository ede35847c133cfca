"""The short way gives the visitor the bytes of the long way."""

from __future__ import annotations

import itertools
import random

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy.coding import deflate
from bridge.proxy.core import Core
from bridge.proxy.counters import REASONS, Counters
from bridge.proxy.delivery import head_lines
from bridge.proxy.exchange import RequestHead
from bridge.proxy.http1 import response_framing
from bridge.proxy.options import ProxyOptions, ProxyWiring

PAGE = b"<!DOCTYPE html>\n<html lang='en'><head><title>a</title></head><body>b</body></html>"
MARKUP = b"<script async data-bridge></script>"
CSP = b"Content-Security-Policy: script-src 'self'; connect-src 'self'"
NONCE = b"Content-Security-Policy: script-src 'nonce-abc'"


class Tags:
    etag_suffix = b"b1"
    csp_sources = {"script-src": (b"https://cdn.ometria.com",), "img-src": (b"https://trk.ometria.com",)}  # noqa: RUF012

    def markup(self, request):
        return None if request.path == b"/untagged" else MARKUP


def make_core(**options):
    registry = CollectorRegistry()
    core = Core(ProxyWiring(ProxyOptions(origin="http://varnish:80", **options), Tags()), Counters(registry))
    return core, registry


def ask(target=b"/", method=b"GET", *fields):
    return RequestHead(method, target, headers=[(b"Host", b"shop.example"), *fields])


def answer(body, *lines, kind=b"text/html; charset=UTF-8", status=b"200 OK"):
    head = [b"HTTP/1.1 " + status, b"Date: Thu, 26 Nov 2026 19:00:00 GMT", b"Content-Type: " + kind, *lines]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", b""]) + body


def long_way(core, visit, data):
    """What core.answer() makes of a whole answer."""
    end = data.index(b"\r\n\r\n") + 4
    head = core.heads.read(data[:end])
    made = core.answer(visit, head, response_framing(visit.request.method, head), data[:end])
    body = b"".join(bytes(piece) for piece in [*made.feed(data[end:]), *made.finish()])
    lines = made.lines if made.lines is not None else head_lines(made.response, made.headers)
    return lines + b"\r\n\r\n" + body


def counted(registry):
    by_reason = {
        reason: registry.get_sample_value("bridge_not_injected_total", {"reason": reason}) for reason in REASONS
    }
    return {name: value for name, value in by_reason.items() if value}, registry.get_sample_value(
        "bridge_injected_total"
    )


LINES = [
    (), (b"Connection: keep-alive",), (b"Connection: close", b"Vary: Accept-Encoding"), (b'ETag: "abc"', b"Last-Modified: x"),
    (b'ETag: W/"abc"', b"Accept-Ranges: bytes"), (b"ETag: odd",), (CSP,), (CSP, b"Content-Security-Policy-Report-Only: img-src 'none'"),
    (NONCE,), (b"Set-Cookie: a=1; path=/", b"Set-Cookie: b=2"), (b"Set-Cookie: a=1; domain=varnish",), (b"Location: http://varnish/x",),
    (b"Location: https://else.example/x",), (b"Content-Disposition: attachment",), (b"X-100%: 5%b %d %%",), (b"Content-Encoding: br",),
    (b"Keep-Alive: timeout=5",), (b"Connection: keep-alive, X-A", b"X-A: 1"), (b"Content-Range: bytes 0-1/2",), (b"Vary: *",),
]  # fmt: skip
BODIES = [PAGE, b"no document", b"<html amp><head></head>", b"", b"<!-- a --><html><head>"]
KINDS = [b"text/html; charset=UTF-8", b"application/json", b"image/jpeg"]
REQUESTS = [ask(), ask(b"/untagged"), ask(b"/static/a.css"), ask(b"/admin/x"), ask(b"/x", b"PUT"), ask(b"/x", b"POST")]


def test_both_ways_give_the_same_bytes_and_counts():
    short = 0
    cases = [
        *itertools.product(LINES, BODIES, KINDS[:1], REQUESTS[:1]),
        *itertools.product(LINES, BODIES[:1], KINDS, REQUESTS[1:]),
    ]
    for lines, body, kind, request in cases:
        data = answer(body, *lines, kind=kind)
        end = data.index(b"\r\n\r\n") + 4
        core, registry = make_core()
        visit = core.visit(request, "1.1.1.1")
        for _ in range(2):  # the second time the shape is known
            quick = core.quick_answer(visit, core.heads.read(data[:end]), data, end)
        if quick is None:
            continue
        short += 1
        pieces, left, _, status = quick
        other, others = make_core()
        assert b"".join(map(bytes, pieces)) == long_way(other, other.visit(request, "1.1.1.1"), data)
        assert (left, status) == (0, 200)
        reasons, injected = counted(registry)
        expected, pages = counted(others)
        assert ({name: value / 2 for name, value in reasons.items()}, injected / 2) == (expected, pages)
    assert short > 150


def test_a_packed_page_that_is_remembered_takes_the_short_way():
    core, registry = make_core()
    visit = core.visit(ask(b"/", b"GET", (b"Accept-Encoding", b"gzip")), "1.1.1.1")
    data = answer(deflate([PAGE]), b"Content-Encoding: gzip", b"Vary: Accept-Encoding")
    end = data.index(b"\r\n\r\n") + 4
    core.heads.read(data[:end])
    expected = long_way(core, visit, data)
    pieces, left, reusable, status = core.quick_answer(visit, core.heads.read(data[:end]), data, end)
    assert b"".join(map(bytes, pieces)) == expected
    assert (left, reusable, status) == (0, True, 200)
    assert registry.get_sample_value("bridge_memo_total", {"result": "hit"}) == 1


NEW = [
    (deflate([PAGE]), True),
    (deflate([PAGE[:30], PAGE[30:]]) + deflate([b"more"]), True),
    (deflate([b"no document"]), False),
    (deflate([PAGE])[:-9], False),
    (b"no gzip", False),
    (deflate([PAGE, b" " * 9_000_000]), False),
    (deflate([PAGE, random.Random(1).randbytes(4_500_000).hex().encode()]), False),
]


@pytest.mark.parametrize(("body", "gets_the_tag"), NEW, ids=range(len(NEW)))
def test_a_packed_page_that_is_new_takes_the_short_way_if_it_gets_the_tag(body, gets_the_tag):
    core, registry = make_core()
    visit = core.visit(ask(b"/", b"GET", (b"Accept-Encoding", b"gzip")), "1.1.1.1")
    data = answer(body, b"Content-Encoding: gzip", b"Vary: Accept-Encoding")
    end = data.index(b"\r\n\r\n") + 4
    core.heads.read(data[:end])
    quick = core.quick_answer(visit, core.heads.read(data[:end]), data, end)
    assert (quick is not None) is gets_the_tag
    if quick is None:
        assert counted(registry) == ({}, 0), "the long way counts"
        return
    other, others = make_core()
    assert b"".join(map(bytes, quick[0])) == long_way(other, other.visit(visit.request, "1.1.1.1"), data)
    assert counted(registry) == counted(others) == ({}, 1)
    memo = [each.get_sample_value("bridge_memo_total", {"result": "miss"}) for each in (registry, others)]
    assert memo[0] == memo[1] == 1
    assert b"".join(map(bytes, core.quick_answer(visit, core.heads.read(data[:end]), data, end)[0])) == b"".join(
        map(bytes, quick[0])
    )


@pytest.mark.parametrize("have", [0, 1, 20, len(PAGE) - 1])
def test_the_rest_of_a_body_follows_as_it_comes(have):
    core, _ = make_core()
    visit = core.visit(ask(b"/a.jpg"), "1.1.1.1")
    data = answer(PAGE, kind=b"image/jpeg")
    end = data.index(b"\r\n\r\n") + 4
    pieces, left, _, _ = core.quick_answer(visit, core.heads.read(data[:end]), data[: end + have], end)
    assert left == len(PAGE) - have
    assert b"".join(map(bytes, pieces)) == data[: end + have]


def test_a_page_whose_place_is_not_there_yet_takes_the_long_way():
    core, _ = make_core()
    visit = core.visit(ask(), "1.1.1.1")
    data = answer(PAGE)
    end = data.index(b"\r\n\r\n") + 4
    assert core.quick_answer(visit, core.heads.read(data[:end]), data[: end + 20], end) is None
    assert core.quick_answer(visit, core.heads.read(data[:end]), data[: end + 40], end) is not None


def test_more_bytes_than_told_take_the_long_way():
    core, _ = make_core()
    data = answer(PAGE) + b"more"
    end = data.index(b"\r\n\r\n") + 4
    assert core.quick_answer(core.visit(ask(), "1.1.1.1"), core.heads.read(data[:end]), data, end) is None


def test_the_kill_file_and_a_change_of_the_tag_are_heeded(tmp_path):
    core, _ = make_core(kill_file=tmp_path / "off")
    data = answer(PAGE, b'ETag: "abc"')
    end = data.index(b"\r\n\r\n") + 4

    def head():
        got = core.quick_answer(core.visit(ask(), "1.1.1.1"), core.heads.read(data[:end]), data, end)
        return None if got is None else bytes(got[0][0])

    assert b'W/"abc-b1"' in head()
    core.tags.etag_suffix = b"b2"
    assert b'W/"abc-b2"' in head()
    (tmp_path / "off").touch()
    core._killed_until = 0.0
    assert head() is None


def test_a_fault_of_ours_takes_the_long_way():
    core, _ = make_core()
    core.tags.markup = lambda request: 1 / 0
    data = answer(PAGE)
    end = data.index(b"\r\n\r\n") + 4
    assert core.quick_answer(core.visit(ask(), "1.1.1.1"), core.heads.read(data[:end]), data, end) is None
