"""Connections that end anywhere: the visitor sees it, and nothing is made up."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import zlib

import pytest

from tests.wire.conftest import MARKUP
from tests.wire.origin import chunked, cut, ok

HEAD = b"<!doctype html><html><head>"
REST = b"<title>x</title></head><body><p>text</p></body></html>"
PAGE = HEAD + REST
TAGGED = HEAD + MARKUP + REST
ANSWERS = {
    "identity": ok(PAGE),
    "chunked": chunked([PAGE[:10], PAGE[10:40], PAGE[40:]]),
    "gzip": ok(gzip.compress(PAGE), b"text/html", b"Content-Encoding: gzip"),
    "chunked gzip": chunked(
        [gzip.compress(PAGE)[:30], gzip.compress(PAGE)[30:]], b"text/html", b"Content-Encoding: gzip"
    ),
    "json": ok(b'{"cart": {"items": []}}', b"application/json"),
}


def plain(answer):
    if answer.value(b"content-encoding") != b"gzip":
        return answer.body
    try:
        return zlib.decompressobj(31).decompress(answer.body)
    except zlib.error:
        return answer.body


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_origin_cut_at_any_byte_is_an_error_or_a_visibly_early_end(origin, start, kind, adaptor):
    answer = ANSWERS[kind]
    proxy = start()
    body_at = answer.find(b"\r\n\r\n") + 4
    whole = answer[body_at:] if kind == "json" else TAGGED
    for at in range(len(answer)):
        target = b"/%d" % at
        origin.plays[target] = cut(answer, at)
        got = proxy.get(target, b"Accept-Encoding: gzip")
        if at < body_at:
            assert got.status == 502, at
            assert got.complete
        elif adaptor == "middleware" and got.status == 500:
            assert at <= body_at + 4, at  # no byte of the body came yet, so the server could still say so
        else:
            assert got.status == 200, at
            assert not got.complete, at
            assert (
                whole.startswith(plain(got)) or PAGE.startswith(plain(got)) or answer[body_at:].startswith(got.body)
            ), at
            if kind == "json":
                assert got.body == answer[body_at:at]
            elif kind == "identity":  # all that came, with the tag once its place is known
                came = PAGE[: at - body_at]
                assert got.body == (came.replace(HEAD, HEAD + MARKUP) if at - body_at >= len(HEAD) else came), at
    assert proxy.count("proxy_failures", kind="origin-cut") == len(answer)
    origin.plays[b"/whole"] = answer
    assert plain(proxy.get(b"/whole", b"Accept-Encoding: gzip")) == whole


@pytest.mark.parametrize("kind", ["identity", "gzip", "chunked"])
def test_answers_cut_into_pieces_anywhere_arrive_the_same(origin, start, kind):
    """Every two-piece chunking of the origin's bytes, head included."""
    answer = ANSWERS[kind]
    proxy = start()

    def play(wire, request):
        at = int(request.target[1:])
        wire.send(answer[:at])
        threading.Event().wait(0.001)
        return answer[at:]

    origin.plays[b"*"] = play
    with proxy.visitor() as visitor:
        for at in range(1, len(answer)):
            got = visitor.get(b"/%d" % at, b"Accept-Encoding: gzip")
            assert got.complete
            assert plain(got) == TAGGED, at


def test_a_visitor_who_leaves_ends_the_connection_to_the_origin(origin, proxy, adaptor):
    """P13."""
    left = threading.Event()

    def play(wire, request):
        wire.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1000
        )
        try:
            while True:
                wire.send(b"x" * 100_000)
        except OSError:
            left.set()

    origin.plays[b"/big"] = play
    visitor = proxy.visitor()
    visitor.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    visitor.until(b"xxx")
    visitor.close()
    assert left.wait(10)
    assert proxy.get(b"/next").status == 200


@pytest.mark.parametrize("kind", ["identity", "chunked gzip"])
def test_a_visitor_who_leaves_at_any_byte_of_an_answer_harms_nobody(origin, start, kind):
    proxy = start()
    origin.plays[b"*"] = ANSWERS[kind]
    whole = proxy.get(b"/", b"Accept-Encoding: gzip")
    assert plain(whole) == TAGGED
    for at in range(len(ANSWERS[kind])):
        with proxy.visitor() as visitor:
            visitor.send(b"GET /%d HTTP/1.1\r\nHost: shop.example\r\nAccept-Encoding: gzip\r\n\r\n" % at)
            while len(visitor.buffer) < at:
                data = visitor.sock.recv(at - len(visitor.buffer))
                if not data:
                    break
                visitor.buffer += data
            end_by_reset(visitor.sock)
        if at % 10 == 0:
            again = proxy.get(b"/", b"Accept-Encoding: gzip")
            assert (again.body, again.complete) == (whole.body, True), at
    assert {request.target for request in origin.received} >= {b"/%d" % at for at in range(1, len(ANSWERS[kind]))}
    assert proxy.count("proxy_failures", kind="malformed-answer") == 0
    assert proxy.count("proxy_failures", kind="origin-cut") == 0


def test_a_visitor_cut_at_any_byte_of_a_request_sends_nothing_half_to_others(origin, start, adaptor):
    proxy = start()
    request = b"POST /order HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 11\r\n\r\nhello world"
    head = request.find(b"\r\n\r\n") + 4
    for at in range(0 if adaptor == "edge" else head, len(request)):
        visitor = proxy.visitor()
        visitor.send(request[:at])
        visitor.close()
    assert proxy.get(b"/after").status == 200
    assert [r for r in origin.received if r.target == b"/order"] == []


def test_a_get_on_a_connection_that_the_origin_had_closed_is_sent_once_more(origin, proxy):
    """Only before any byte of the answer, and only what may be repeated."""
    calls = []

    def play(wire, request):
        calls.append((request.line, wire.number))
        if wire.number == 1 and len(calls) > 1:
            return None
        return ok(b"fine", b"text/plain")

    origin.plays[b"*"] = play
    assert proxy.get(b"/1").status == 200
    assert proxy.get(b"/2").body == b"fine"
    assert calls == [(b"GET /1 HTTP/1.1", 1), (b"GET /2 HTTP/1.1", 1), (b"GET /2 HTTP/1.1", 2)]


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("first", [b"H", b"HTTP/1.1 200 OK\r\n", EARLY_HINTS])
def test_a_get_whose_answer_has_begun_is_never_sent_twice(origin, proxy, first, reset):
    calls = []

    def play(wire, request):
        calls.append(request.line)
        if request.target == b"/1":
            return ok(b"fine", b"text/plain")
        wire.send(first)
        threading.Event().wait(0.05)
        if reset:
            end_by_reset(wire.sock)
        return None

    origin.plays[b"*"] = play
    assert proxy.get(b"/1").status == 200
    assert proxy.get(b"/2").status == 502
    assert calls == [b"GET /1 HTTP/1.1", b"GET /2 HTTP/1.1"]


def end_by_reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("age", [300.0, -1.0])
def test_a_connection_to_the_origin_is_not_used_for_ever(origin, proxy, adaptor, monkeypatch, age):
    """The shop may have moved to another address meanwhile."""
    module = "origin" if adaptor == "edge" else "blocking"
    monkeypatch.setattr(f"bridge.proxy.{module}.AGE_SECONDS", age)
    for number in range(3):
        assert proxy.get(b"/%d" % number).status == 200
    assert origin.connections == (1 if age > 0 else 3)


@pytest.mark.parametrize("first", [b"", b"H"])
def test_a_post_is_never_sent_twice(origin, proxy, first):
    """P20: an order is placed once."""
    calls = []

    def play(wire, request):
        calls.append(request.line)
        if request.line.startswith(b"POST"):
            wire.send(first)
            return None
        return ok(b"fine", b"text/plain")

    origin.plays[b"*"] = play
    assert proxy.get(b"/1").status == 200
    assert proxy.get(b"/order", method=b"POST", body=b"x").status == 502
    assert calls == [b"GET /1 HTTP/1.1", b"POST /order HTTP/1.1"]
