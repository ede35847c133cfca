"""Faults of ours at every point: the shop's answer arrives, and the process goes on."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import zlib

import pytest

from tests.wire.conftest import MARKUP, Route, Tags, Watching
from tests.wire.origin import chunked, ok

PAGE = b"<!doctype html><html><head></head><body></body></html>"
TAGGED = PAGE.replace(b"<head>", b"<head>" + MARKUP)
SHOP = b"Host: shop.example\r\n"
only_edge = pytest.mark.parametrize("adaptor", ["edge"], indirect=True)


class NoSuffix:
    csp_sources = Tags.csp_sources

    @property
    def etag_suffix(self):
        raise RuntimeError("a fault of ours")

    def markup(self, request):
        return MARKUP


def test_a_tag_that_cannot_be_made_leaves_every_page_as_it_is(origin, start):
    """The mark of the tag is asked for before the request goes out: the shop must answer all the same."""
    proxy = start(tags=NoSuffix())
    origin.plays[b"/"] = ok(PAGE, b"text/html", b'ETag: "a"')
    page = proxy.get(b"/", b"Accept-Encoding: br")
    assert page.status == 200
    assert page.body == PAGE
    assert page.value(b"etag") == b'"a"'
    assert origin.received[0].values(b"accept-encoding") == [b"br"]
    assert proxy.not_injected("fault") == 1


def test_an_observer_without_threads_harms_nobody(origin, start, monkeypatch):
    watching = Watching({b"/seen": Route(), b"/order": Route(urgent=True)})
    proxy = start(observer=watching)
    origin.plays[b"*"] = ok(b"fine", b"text/plain")
    begin = threading.Thread.start

    def fail(thread):
        if thread.name == "observer":
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)
    for target in (b"/seen", b"/order"):
        answer = proxy.get(target, method=b"POST", body=b"x")
        assert answer.complete
        assert answer.body == b"fine"
    monkeypatch.undo()
    assert proxy.get(b"/seen").body == b"fine"
    deadline = time.monotonic() + 5
    while len(watching.seen_exchanges) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(watching.seen_exchanges) == 3


@only_edge
def test_one_fault_in_the_time_outs_does_not_end_them_all(origin, start, monkeypatch):
    from bridge.proxy import edge

    monkeypatch.setattr(edge, "TICK_SECONDS", 0.05)
    proxy = start(timeout_head=0.3)

    def fail(now):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(proxy.edge.pool, "tick", fail)
    time.sleep(0.7)  # the clock set before the patch has run
    end = threading.Event()
    origin.plays[b"/silent"] = lambda wire, request: end.wait(20) and None
    assert proxy.get(b"/silent").status == 504
    end.set()


@only_edge
def test_one_page_that_cannot_be_released_does_not_hold_the_others(origin, proxy, monkeypatch):
    go_on = threading.Event()
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    first = packer.compress(PAGE[:40]) + packer.flush(zlib.Z_SYNC_FLUSH)
    rest = packer.compress(PAGE[40:]) + packer.flush()

    class Failing:
        def release(self):
            raise RuntimeError("a fault of ours")

    def play(wire, request):
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n")
        wire.send(b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(first), first))
        assert go_on.wait(20)
        return b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest)

    origin.plays[b"/"] = play
    hold = proxy.edge.hold

    def with_failing(delivery):
        hold(Failing())
        hold(delivery)

    monkeypatch.setattr(proxy.edge, "hold", with_failing)
    visitor = proxy.visitor()
    visitor.send(b"GET / HTTP/1.1\r\n" + SHOP + b"Accept-Encoding: gzip\r\n\r\n")
    try:
        visitor.until(b"\r\n\r\n")  # else the head waits for the page's end
    finally:
        go_on.set()


def test_an_error_page_for_head_has_no_body(origin, start):
    """P07: on a connection that goes on, its bytes would be read as the beginning of the next answer."""
    proxy = start()
    origin.plays[b"/bad"] = b"SSH-2.0-OpenSSH\r\n\r\n"
    with proxy.visitor() as visitor:
        assert visitor.get(b"/bad", method=b"HEAD").status == 502
        if not visitor.over:
            assert visitor.get(b"/good").body == b"none\n"
        else:
            assert visitor.closed()


@only_edge
def test_nothing_of_ours_stands_in_the_middle_of_an_answer(origin, proxy):
    """P16: the origin answers while the body still comes, and the body proves malformed."""

    def play(wire, request):
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nbegin")
        wire.closed_by_peer()

    origin.plays[b"/"] = play
    origin.before_body.add(b"/")
    with proxy.visitor() as visitor:
        visitor.send(b"POST / HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        visitor.until(b"begin")
        visitor.send(b"zz\r\n")
        assert not visitor.more()
        assert visitor.buffer == b""


@only_edge
def test_nothing_is_read_after_a_body_that_was_refused(origin, proxy, monkeypatch):
    from bridge.proxy import ownside

    monkeypatch.setattr(ownside, "BODY_LIMIT", 4)
    with proxy.visitor() as visitor:
        visitor.send(
            b"POST /_bridge/echo HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            b"POST /second HTTP/1.1\r\n" + SHOP + b"Content-Length: 0\r\n\r\n"
        )
        assert visitor.answer().status == 413
        visitor.sock.shutdown(1)
        assert visitor.closed()
    proxy.get(b"/third")
    assert [r.target for r in origin.received] == [b"/third"]


def test_fields_named_in_a_second_connection_field_stay_here_too(origin, proxy, adaptor):
    """P16, both ways."""
    origin.plays[b"/a.txt"] = ok(b"x", b"text/plain", b"Connection: keep-alive", b"Connection: X-Inner", b"X-Inner: 1")
    answer = proxy.get(b"/a.txt", b"Connection: keep-alive", b"Connection: X-Secret", b"X-Secret: 1")
    assert origin.received[0].values(b"x-secret") == []
    assert answer.values(b"x-inner") == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_further_answers_that_could_be_read_differently_are_a_502(origin, proxy, answer):
    """P16."""
    origin.plays[b"/"] = answer
    assert proxy.get(b"/").status == 502


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_connection_on_which_more_may_come_is_not_used_again(origin, proxy, first):
    """P07: the body of one visitor's 204 would be read as the next visitor's answer."""
    origin.plays[b"/first"] = first
    assert proxy.get(b"/first").status in {200, 204}
    assert proxy.get(b"/second").body == b"none\n"
    assert [r.connection for r in origin.received] == [1, 2]


@only_edge
def test_an_interim_answer_before_an_upgrade_arrives_once(origin, proxy):
    origin.plays[b"/socket"] = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello"
    )
    visitor = proxy.visitor()
    visitor.send(b"GET /socket HTTP/1.1\r\n" + SHOP + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n")
    assert visitor.until(b"hello").count(b"103 Early Hints") == 1


def test_a_revalidated_page_keeps_its_opened_policy(origin, proxy):
    """P09: a browser takes the fields of a 304 over into the copy that it holds."""
    origin.plays[b"/"] = (
        b"HTTP/1.1 304 Not Modified\r\nETag: \"abc\"\r\nContent-Security-Policy: script-src 'self'\r\n\r\n"
    )
    opened = [b"script-src 'self' https://cdn.ometria.com"]
    assert proxy.get(b"/", b'If-None-Match: W/"abc-b1"').values(b"content-security-policy") == opened
    assert proxy.get(b"/", b'If-None-Match: "abc"').values(b"content-security-policy") == [b"script-src 'self'"]


@only_edge
def test_an_answer_given_while_stopping_says_that_the_connection_ends(origin, start):
    import asyncio

    go_on = threading.Event()

    def play(wire, request):
        go_on.wait(10)
        return chunked([b"x"], b"text/plain")

    origin.plays[b"/slow"] = play
    proxy = start()
    visitor = proxy.visitor()
    visitor.send(b"GET /slow HTTP/1.1\r\n" + SHOP + b"\r\n")
    origin.wait_for(1)
    ended = asyncio.run_coroutine_threadsafe(proxy.edge.stop(10), proxy.edge.loop)
    while not proxy.edge.stopping:
        time.sleep(0.005)
    go_on.set()
    assert visitor.answer().value(b"connection") == b"close"
    ended.result(10)


def test_an_answer_without_body_that_ends_the_connection_passes(origin, proxy):
    """A redirect of a shop that keeps no connections."""
    origin.plays[b"/"] = ok(b"", b"text/html", b"Location: /x", b"Connection: close", status=b"302 Found")
    answer = proxy.get(b"/")
    assert answer.status == 302
    assert answer.value(b"location") == b"/x"


def test_a_fault_in_the_fields_leaves_them_as_they_are(origin, start, monkeypatch):
    from bridge.proxy.references import References

    def fail(*args):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(References, "mapped", fail)
    proxy = start()
    fields = (b"Set-Cookie: a=b; Domain=x", b"Location: /y")
    for kind, body in ((b"text/html", PAGE), (b"text/html", b"{}"), (b"text/plain", b"x")):
        origin.plays[b"/"] = ok(body, kind, *fields)
        answer = proxy.get(b"/")
        assert answer.complete
        assert answer.body == (TAGGED if body == PAGE else body)
        assert answer.value(b"set-cookie") == b"a=b; Domain=x"


@pytest.mark.parametrize("step", ["feed", "finish", "abort", "release"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_fault_in_a_page_is_never_a_hang(origin, start, monkeypatch, step, packed):
    """At every point of it: the page as the shop made it, or a visible cut where its head is out."""
    import gzip

    from bridge.proxy.answer import Coded, Spliced

    def fail(self, *args):
        raise RuntimeError("a fault of ours")

    for kind in (Coded, Spliced):
        monkeypatch.setattr(kind, step, fail)
    proxy = start()
    fields = (b"Content-Encoding: gzip",) if packed else ()
    body = gzip.compress(PAGE) if packed else PAGE
    origin.plays[b"/"] = chunked([body[:20], body[20:]], b"text/html", *fields)
    answer = proxy.get(b"/", b"Accept-Encoding: gzip")
    assert not answer.complete or answer.text in {PAGE, TAGGED} or answer.status == 500
    assert proxy.get(b"/next").body == b"none\n"


@pytest.mark.parametrize("adaptor", ["middleware"], indirect=True)
def test_an_answer_before_the_end_of_an_upload_also_through_wsgi(origin, proxy):
    def play(wire, request):
        wire.send(ok(b"too large", b"text/plain", b"Connection: close", status=b"413 Content Too Large"))
        wire.sock.shutdown(socket.SHUT_RDWR)

    origin.plays[b"/upload"] = play
    origin.before_body.add(b"/upload")
    body = b"x" * 8_000_000
    with proxy.visitor() as visitor:
        sender = threading.Thread(target=lambda: _send_what_is_taken(visitor, body), daemon=True)
        visitor.send(b"POST /upload HTTP/1.1\r\n" + SHOP + b"Content-Length: %d\r\n\r\n" % len(body))
        sender.start()
        answer = visitor.answer()
        assert (answer.status, answer.body) == (413, b"too large")
        visitor.sock.shutdown(socket.SHUT_RDWR)
        sender.join(10)


def _send_what_is_taken(visitor, body):
    with contextlib.suppress(OSError):
        visitor.sock.sendall(body)
