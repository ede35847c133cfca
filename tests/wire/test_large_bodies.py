"""Large bodies of a told length, which the edge has the kernel carry: the same bytes, and what follows them too."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import socket
import time
from pathlib import Path

import pytest

from bridge.proxy import piping
from tests.mail.raw_client import wait_for
from tests.wire.origin import ok

BODY = random.Random(5).randbytes(3_000_000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % len(BODY)
ASK = b"GET /film HTTP/1.1\r\nHost: shop.example\r\n\r\n"


@pytest.fixture
def spliced(monkeypatch):
    """The bytes that each call of splice(2) took from an origin's socket or gave a client's."""
    sizes, real = [], os.splice

    def splice(source, sink, count, **more):
        sizes.append(0)
        sizes[-1] = moved = real(source, sink, count, **more)
        return moved

    monkeypatch.setattr(os, "splice", splice)
    return sizes


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_large_body_arrives_whole_and_both_connections_go_on(origin, proxy, adaptor, spliced):
    origin.plays[b"/film"] = HEAD + BODY
    with proxy.visitor() as visitor:
        for _ in range(3):
            answer = visitor.get(b"/film")
            assert (answer.status, answer.complete) == (200, True)
            assert hashlib.sha256(answer.body).digest() == hashlib.sha256(BODY).digest()
            assert visitor.get(b"/next").body == b"none\n"
    assert origin.connections == 1
    if adaptor == "edge":
        assert sum(spliced) > 3 * len(BODY), "the kernel carried most of it, in and out"


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["at once", "in parts"])
def test_pipelined_requests_behind_a_large_body_are_answered_in_order(origin, proxy, pause):
    def film(wire, request):
        wire.send(HEAD + BODY[:1_000_000])
        time.sleep(pause)
        wire.send(BODY[1_000_000:2_000_000])
        time.sleep(pause)
        return BODY[2_000_000:]

    origin.plays[b"/film"] = film
    with proxy.visitor() as visitor:
        visitor.send(ASK + b"GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n" + ASK)
        assert visitor.answer().body == BODY
        assert visitor.answer().body == b"none\n"
        assert visitor.answer().body == BODY


@pytest.mark.parametrize("size", [600_000, 1_000_001, 2_999_999])
@pytest.mark.parametrize("reset", [False, True], ids=["ended", "reset"])
def test_an_origin_that_ends_early_is_seen_to(origin, proxy, size, reset):
    """What came goes out, and the client can tell that it is not all."""

    def film(wire, request):
        wire.send(HEAD + BODY[:size])
        if reset:
            time.sleep(0.2)
            wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    origin.plays[b"/film"] = film
    with proxy.visitor() as visitor:
        visitor.send(ASK)
        answer = visitor.answer()
        assert not answer.complete
        assert answer.body == BODY[: len(answer.body)]
        assert len(answer.body) == size or reset
    assert proxy.count("proxy_failures", kind="origin-cut") == 1
    origin.plays[b"/film"] = ok(b"short", b"video/mp4")
    assert proxy.get(b"/film").body == b"short"


def test_a_client_that_reads_nothing_for_a_while_gets_all_and_holds_the_origin_back(origin, start, adaptor, spliced):
    proxy = start(timeout_idle=30.0)
    sent = []
    origin.plays[b"/film"] = lambda wire, request: _long(wire, sent)
    with proxy.visitor() as visitor:
        visitor.send(ASK)
        before = -1
        while before != len(sent) or not sent:
            before = len(sent)
            time.sleep(0.3)
        assert sum(sent) < 12 * len(BODY), "the origin is not read ahead of its client"
        answer = visitor.answer()
        assert answer.complete
        assert answer.body == 12 * BODY
        assert visitor.get(b"/next").body == b"none\n"
    if adaptor == "edge":
        assert 0 in spliced, "the client's socket was full at some time"


def _long(wire, sent):
    wire.send(HEAD.replace(b"%d" % len(BODY), b"%d" % (12 * len(BODY))))
    for _ in range(12):
        for at in range(0, len(BODY), 100_000):
            wire.send(BODY[at : at + 100_000])
            sent.append(100_000)
    return b""


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
def test_a_client_that_takes_nothing_at_all_is_given_up(origin, start):
    proxy = start(timeout_idle=1.5)
    ended = []

    def film(wire, request):
        with contextlib.suppress(OSError):
            _long(wire, [])
        ended.append(wire.closed_by_peer())

    origin.plays[b"/film"] = film
    with proxy.visitor() as visitor:
        visitor.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        visitor.send(ASK)
        wait_for(lambda: ended)
    assert ended == [True]
    assert proxy.count("proxy_failures", kind="idle-timeout") == 1


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
def test_clients_that_leave_anywhere_leave_no_descriptor_behind(origin, proxy):
    origin.plays[b"/film"] = HEAD + BODY
    proxy.get(b"/film")
    proxy.get(b"/next")
    before = descriptors()
    for number in range(12):
        with proxy.visitor() as visitor:
            visitor.send(ASK)
            for _ in range(number * 3):
                visitor.more()
            if number % 2:
                visitor.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    assert proxy.get(b"/film").body == BODY
    wait_for(lambda: descriptors() <= before)


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)
def test_where_no_pipe_is_to_be_had_the_body_goes_through_the_process(origin, proxy, monkeypatch):
    asked = []

    def none(flags):
        asked.append(flags)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pipe2", none)
    origin.plays[b"/film"] = HEAD + BODY
    with proxy.visitor() as visitor:
        assert visitor.get(b"/film").body == BODY
        assert visitor.get(b"/film").body == BODY
    assert asked


def test_small_bodies_and_pages_have_no_pipe(origin, proxy, spliced):
    origin.plays[b"/photo"] = ok(BODY[: piping.LEAST], b"image/jpeg")
    assert proxy.get(b"/photo").body == BODY[: piping.LEAST]
    assert proxy.get(b"/photo", b"Connection: close").body == BODY[: piping.LEAST]
    assert not spliced


def test_two_large_bodies_at_once_keep_apart(origin, proxy):
    other = random.Random(6).randbytes(len(BODY))
    origin.plays[b"/film"] = HEAD + BODY
    origin.plays[b"/other"] = HEAD + other
    with proxy.visitor() as one, proxy.visitor() as two:
        one.send(ASK)
        two.send(ASK.replace(b"/film", b"/other"))
        assert two.answer().body == other
        assert one.answer().body == BODY
