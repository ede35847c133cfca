"""Requests prepared and answers decided, without sockets."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy.core import Core
from bridge.proxy.counters import Counters
from bridge.proxy.exchange import RequestHead, ResponseHead
from bridge.proxy.http1 import CHUNKED, NO_BODY, UNTIL_CLOSE
from bridge.proxy.options import ProxyOptions, ProxyWiring

TAG = b"<script tag></script>"
HTML = (b"Content-Type", b"text/html")
PEER = "1.1.1.1"


class Tags:
    etag_suffix = b"b1"
    csp_sources = {"script-src": (b"https://cdn.ometria.com",)}  # noqa: RUF012

    def markup(self, request):
        return TAG


@pytest.fixture
def core():
    return Core(ProxyWiring(ProxyOptions(origin="http://varnish:80"), Tags()), Counters(CollectorRegistry()))


def ask(*fields, target=b"/", method=b"GET"):
    return RequestHead(method, target, headers=[(b"Host", b"shop.example"), *fields])


@pytest.mark.parametrize(
    ("accepted", "target", "asked"),
    [
        (b"gzip, br", b"/", b"gzip"), (b"br", b"/", b"identity"), (b"gzip;q=0", b"/", b"identity"), (None, b"/", None),
        (b"gzip, br", b"/static/a.css", b"gzip, br"), (b"br", b"/logo.svg", b"br"), (b"br", b"/admin/", b"br"),
    ],
)  # fmt: skip
def test_the_coding_asked_for(core, accepted, target, asked):
    """P01."""
    fields = [] if accepted is None else [(b"Accept-Encoding", accepted)]
    head = core.visit(ask(*fields, target=target), PEER).head()
    line = next((line for line in head.split(b"\r\n") if line.startswith(b"Accept-Encoding")), None)
    assert line == (None if asked is None else b"Accept-Encoding: " + asked)


def test_what_was_worked_out_from_the_fields_is_not_worked_out_again(core):
    request = ask((b"Accept-Encoding", b"gzip"))
    first = core.visit(request, PEER).head()
    assert core.visit(request.another(b"POST", b"/x?y", b"/x"), PEER).head() == first.replace(b"GET / ", b"POST /x?y ")
    core.asks_identity = True
    assert b"Accept-Encoding: identity" in core.visit(request, PEER).head()
    assert b"X-Forwarded-For: 2.2.2.2" in core.visit(request, "2.2.2.2").head()


def test_a_request_without_host_gets_the_public_one(core):
    assert b"\r\nHost: varnish\r\n" in core.visit(RequestHead(version=b"1.0"), PEER).head()


RAW = b"HTTP/1.1 200 Fine\r\nX: 1\r\nConnection: keep-alive\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_head_that_needs_no_change_passes_as_the_origin_wrote_it(core):
    fields = [
        (b"X", b"1"),
        (b"Connection", b"keep-alive"),
        (b"Content-Type", b"a/b"),
        (b"Transfer-Encoding", b"chunked"),
    ]
    answer = core.answer(core.visit(ask(), PEER), ResponseHead(headers=fields), CHUNKED, RAW)
    assert answer.lines == b"HTTP/1.1 200 Fine\r\nX: 1\r\nContent-Type: a/b"


@pytest.mark.parametrize(
    "fields",
    [
        [(b"Connection", b"keep-alive, X"), (b"X", b"1")],
        [(b"connection", b"keep-alive")],
        [(b"Set-Cookie", b"a=b")],
        [(b"Keep-Alive", b"x")],
        [(b"Connection", b"close"), (b"Connection", b"close")],
    ],
)
def test_a_head_that_needs_a_change_is_written_anew(core, fields):
    raw = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n"
    answer = core.answer(core.visit(ask(), PEER), ResponseHead(headers=fields), UNTIL_CLOSE, raw)
    assert answer.lines is None
    assert answer.headers == [field for field in fields if field[0] == b"Set-Cookie"]


def test_a_head_request_for_a_page_gets_the_fields_of_the_page_and_no_length(core):
    """P07."""
    fields = [
        HTML,
        (b"Content-Length", b"5120"),
        (b"ETag", b'"a"'),
        (b"Last-Modified", b"x"),
        (b"Content-Security-Policy", b"script-src 'self'"),
    ]
    answer = core.answer(core.visit(ask(method=b"HEAD"), PEER), ResponseHead(headers=fields), NO_BODY)
    assert answer.bodyless
    assert answer.headers == [
        HTML,
        (b"ETag", b'W/"a-b1"'),
        (b"Content-Security-Policy", b"script-src 'self' https://cdn.ometria.com"),
    ]


def test_the_kill_file_is_looked_at_once_a_second(tmp_path, monkeypatch):
    kill = tmp_path / "no-injection"
    core = Core(ProxyWiring(ProxyOptions(origin="http://a", kill_file=kill), Tags()), Counters(CollectorRegistry()))
    now = [100.0]
    monkeypatch.setattr("bridge.proxy.core.time.monotonic", lambda: now[0])
    assert not core.killed()
    kill.touch()
    now[0] += 0.9
    assert not core.killed()
    now[0] += 0.2
    assert core.killed()
