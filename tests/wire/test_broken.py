"""Answers that are wrong somewhere in their body, grow beyond all measure, or ask for what the adaptor cannot do."""

from __future__ import annotations

import gzip
import resource
import threading
import zlib

import pytest
import structlog

from tests.wire.conftest import MARKUP
from tests.wire.origin import chunked, ok

HEAD = b"<!doctype html><html><head>"
REST = b"<title>x</title></head><body>"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
HTML, GZIP = b"text/html", b"Content-Encoding: gzip"
MEGABYTE = 1024 * 1024


def framed(*pieces):
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize("wrong", [b"ZZ\r\n", b"5\nhello\r\n", b"3\r\nabcd\r\n", b"0\r\nno field\r\n\r\n"])
@pytest.mark.parametrize("kind", [b"text/plain", HTML])
@pytest.mark.parametrize("together", [True, False])
def test_what_comes_before_a_malformed_chunk_is_passed_then_the_answer_is_cut(origin, proxy, wrong, kind, together):
    """Passed as far as it can be, cut visibly, counted."""

    def play(wire, request):
        head = CHUNKED % kind
        if together:
            return head + framed(HEAD, REST) + wrong
        wire.send(head + framed(HEAD, REST))
        threading.Event().wait(0.05)
        return wrong

    origin.plays[b"/"] = play
    answer = proxy.get(b"/")
    assert answer.status == 200
    assert not answer.complete
    tag = MARKUP if kind == HTML else b""
    assert answer.body.removesuffix(b"abc") == HEAD + tag + REST
    assert proxy.count("proxy_failures", kind="malformed-answer") == 1
    assert proxy.count("proxy_failures", kind="origin-cut") == 0


def bomb(megabytes):
    """A page that packs nearly a thousandfold, with its head."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blank = b" " * MEGABYTE
    return packer.compress(HEAD + REST) + b"".join(packer.compress(blank) for _ in range(megabytes)) + packer.flush()


@pytest.mark.parametrize("kind", ["with a length", "chunked"])
@pytest.mark.parametrize("accepts", [b"gzip", b"identity"])
def test_a_gzip_bomb_passes_untouched(origin, proxy, kind, accepts):
    body = bomb(200)
    play = ok(body, HTML, GZIP) if kind == "with a length" else chunked([body], HTML, GZIP)
    origin.plays[b"/"] = play
    answer = proxy.get(b"/", b"Accept-Encoding: " + accepts)
    assert answer.complete
    assert answer.body == body
    assert proxy.not_injected("size") == 1


def ask_slowly(proxy, accepts, go_on):
    """Ask, let the shop go on once the beginning of its answer is there, and read to the end."""
    visitor = proxy.visitor()
    visitor.send(b"GET / HTTP/1.1\r\nHost: shop.example\r\nAccept-Encoding: " + accepts + b"\r\n\r\n")
    assert visitor.more()
    go_on.set()
    return visitor.answer()


@pytest.mark.parametrize("accepts", [b"gzip", b"identity"])
def test_a_bomb_behind_a_page_that_has_the_tag_is_cut(origin, proxy, accepts):
    """Its beginning is with the visitor: it cannot pass untouched any more, and is not made a page of a gigabyte."""
    go_on = threading.Event()
    first = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = first.compress(HEAD + REST) + first.flush(zlib.Z_FULL_FLUSH)

    def play(wire, request):
        wire.send(CHUNKED.replace(b"\r\n\r\n", b"\r\n" + GZIP + b"\r\n\r\n") % HTML + framed(start))
        assert go_on.wait(20)
        for at in range(0, len(deflated), 20_000):
            wire.send(framed(deflated[at : at + 20_000]))
            threading.Event().wait(0.001)

    deflated = first.compress(b" " * MEGABYTE) + b"".join(first.compress(b" " * MEGABYTE) for _ in range(400))
    origin.plays[b"/"] = play
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = ask_slowly(proxy, accepts, go_on)
    assert not answer.complete
    packed = answer.value(b"content-encoding") == b"gzip"
    text = zlib.decompressobj(31).decompress(answer.body) if packed else answer.body
    assert text.startswith(HEAD + MARKUP + REST)
    assert len(text) < 20 * MEGABYTE
    assert proxy.count("proxy_failures", kind="malformed-answer") == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # kB


def test_what_is_no_gzip_behind_a_page_that_has_the_tag_is_cut_there(origin, proxy):
    go_on = threading.Event()
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(HEAD) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(REST) + packer.flush(zlib.Z_FULL_FLUSH)

    def play(wire, request):
        wire.send(CHUNKED.replace(b"\r\n\r\n", b"\r\n" + GZIP + b"\r\n\r\n") % HTML + framed(start))
        assert go_on.wait(20)
        return framed(more, b"\xff" * 50)

    origin.plays[b"/"] = play
    answer = ask_slowly(proxy, b"gzip", go_on)
    assert not answer.complete
    assert zlib.decompressobj(31).decompress(answer.body) == HEAD + MARKUP + REST
    assert proxy.count("proxy_failures", kind="malformed-answer") == 1


def test_a_page_whose_head_is_over_128_kilobytes_passes_untouched(origin, proxy):
    page = HEAD + REST
    origin.plays[b"/large"] = ok(page, HTML, b"X-Long: " + b"x" * 130 * 1024)
    origin.plays[b"/too-large"] = ok(page, HTML, b"X-Long: " + b"x" * (MEGABYTE + 4096))
    answer = proxy.get(b"/large")
    assert answer.complete
    assert answer.body == page
    assert proxy.not_injected("size") == 1
    assert proxy.get(b"/too-large").status == 502
    assert proxy.count("proxy_failures", kind="malformed-answer") == 1


@pytest.mark.parametrize("adaptor", ["middleware"], indirect=True)
def test_an_upgrade_through_wsgi_is_a_501_that_says_so(origin, proxy):
    answer = proxy.get(b"/socket", b"Connection: keep-alive, Upgrade", b"Upgrade: websocket")
    assert answer.status == 501
    assert b"web sockets" in answer.body
    assert origin.received == []


def test_a_malformed_request_is_one_line_of_the_log_without_what_it_held(origin, proxy):
    """P40."""
    with structlog.testing.capture_logs() as lines, proxy.visitor() as visitor:
        visitor.send(b"GET /?email=ann@example.com HTTP/1.1\r\nHost: shop example\r\nCookie: secret\r\n\r\n")
        assert visitor.answer().status == 400
    assert [line for line in lines if line["event"] == "request refused"] == [
        {"event": "request refused", "status": 400, "log_level": "info"}
    ]
    assert not any("ann@" in str(line) or "secret" in str(line) for line in lines)
    assert proxy.count("proxy_failures", kind="malformed-request") == 1


def test_a_packed_page_that_is_no_bomb_has_the_tag_though_it_is_long(origin, proxy):
    page = HEAD + REST + b"".join(b"<p>%d</p>" % number for number in range(1_500_000))
    body = gzip.compress(page, 1)
    assert MEGABYTE < len(body) < len(page) / 3
    go_on = threading.Event()

    def play(wire, request):
        wire.send(CHUNKED.replace(b"\r\n\r\n", b"\r\n" + GZIP + b"\r\n\r\n") % HTML + framed(body[:50_000]))
        assert go_on.wait(20)
        return framed(*(body[at : at + 50_000] for at in range(50_000, len(body), 50_000))) + b"0\r\n\r\n"

    origin.plays[b"/"] = play
    answer = ask_slowly(proxy, b"gzip", go_on)
    assert answer.complete
    assert answer.text == page.replace(HEAD, HEAD + MARKUP)
    assert proxy.not_injected("size") == 0
