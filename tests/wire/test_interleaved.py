"""Visitors interleaved on one worker and shared connections to the origin: no byte, cookie or field crosses."""

from __future__ import annotations

import random
import select
import threading
import time

import pytest

from tests.wire.marked import (
    KINDS,
    LASTING,
    MARKER,
    Early,
    Exchange,
    MarkedObserver,
    MarkedOrigin,
    MarkedVisitor,
    parse,
)
from tests.wire.origin import chunked, ok
from tests.wire.visitor import Answer


def exchanges(dice, name, count, kinds):
    """Return so many exchanges of a visitor, numbered."""
    sizes = (1, 1, 5, 50, 800, 20_000)
    return [
        Exchange(b"v%d-%d." % (name, number), dice.choice(kinds), dice.choice(sizes), in_chunks=dice.random() < 0.4)
        for number in range(count)
    ]


def batches(dice, line, lasting):
    """Cut a row of exchanges into those that are sent at once; none follows one that may end its connection."""
    out = []
    while line:
        size = dice.choice((1, 1, 2, 4)) if lasting else 1
        cuts = [at + 1 for at, exchange in enumerate(line[:size]) if exchange.kind in {"cut", "early"}]
        size = min([size, *cuts])
        out.append(line[:size])
        line = line[size:]
    return out


def drive(visitors, dice, seconds=15.0):
    """Let the visitors send and read in turns that chance chooses, in pieces cut anywhere, until all are done.

    One turn in two hundred ends a visitor's connection instead, orderly or not.
    """
    deadline = time.monotonic() + seconds
    try:
        while active := [visitor for visitor in visitors if not visitor.done]:
            assert time.monotonic() < deadline, [visitor.waiting for visitor in active]
            take_turn(active, dice)
        for visitor in visitors:
            visitor.receive()
            visitor.hang_up()
    finally:
        for visitor in visitors:
            if visitor.sock is not None:
                visitor.sock.close()


def take_turn(active, dice):
    if not any(visitor.sending for visitor in active):  # all wait for the proxy
        select.select([visitor.sock for visitor in active], [], [], 0.05)
    visitor = dice.choice(active)
    turn = dice.random()
    if turn < 0.005 and visitor.sock is not None:
        visitor.hang_up(reset=dice.random() < 0.5)
    elif turn < 0.6 and visitor.sending:
        visitor.send(dice.choice((1, 3, 20, 100, 400, 5000, 100_000)))
    else:
        visitor.receive()


def wait_until_quiet(proxy):
    """Let end what goes on though its visitor has gone: stopped before, it would leave a file or a socket open."""

    def busy():
        if proxy.edge is not None:
            return proxy.edge.own.running or proxy.edge.own._waiting
        return any("process_request_thread" in thread.name for thread in threading.enumerate())

    deadline = time.monotonic() + 10
    while busy():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def marked(origin, adaptor):
    playing = MarkedOrigin(whole=adaptor == "edge")
    origin.plays[b"*"] = playing.play
    origin.before_body = Early()
    return playing


@pytest.mark.parametrize("seed", range(8))
def test_nothing_crosses_between_interleaved_visitors(origin, marked, start, adaptor, seed):
    """P04: pipelined, cut anywhere, broken off by either side, on connections that all of them share."""
    dice = random.Random(seed)
    observer = MarkedObserver()
    proxy = start(observer=observer)
    count = 14 if adaptor == "edge" else 8
    kinds = KINDS if adaptor == "edge" else [kind for kind in KINDS if kind != "hinted"]
    visitors = [
        MarkedVisitor(proxy.port, batches(dice, exchanges(dice, name, 20, kinds), adaptor == "edge"))
        for name in range(count)
    ]
    drive(visitors, dice)
    wait_until_quiet(proxy)
    assert marked.crossed == []
    assert observer.crossed == []
    assert sum(visitor.checked for visitor in visitors) > count * 20 * 0.5
    assert sum(visitor.checked + visitor.left for visitor in visitors) == count * 20
    assert observer.count > 0
    assert origin.connections < marked.count
    assert max(map(len, marked.on.values())) > 2  # or nothing was put to the test


@pytest.mark.parametrize("seed", range(6))
def test_two_visitors_on_one_connection_to_the_origin(origin, marked, start, adaptor, seed):
    """P04: their requests come in pieces by turns, and take the same connection one after the other."""
    dice = random.Random(seed)
    proxy = start()
    kinds = LASTING if adaptor == "edge" else [kind for kind in LASTING if kind != "hinted"]
    lines = [exchanges(dice, name, 40, kinds) for name in (1, 2)]
    visitors = [proxy.visitor(), proxy.visitor()]
    for pair in zip(*lines, strict=True):
        if adaptor != "edge":  # that server ends each connection
            visitors = [proxy.visitor(), proxy.visitor()]
        requests = [exchange.request() for exchange in pair]
        heads = [request.index(b"\r\n\r\n") + 3 for request in requests]  # all of it but the last byte
        sent = [0, 0]
        while sent != heads:
            which = dice.choice([number for number in (0, 1) if sent[number] < heads[number]])
            end = min(sent[which] + dice.choice((1, 7, 60, 300)), heads[which])
            visitors[which].send(requests[which][sent[which] : end])
            sent[which] = end
        for which in dice.sample((0, 1), 2):
            visitors[which].send(requests[which][heads[which] :])
            answer = visitors[which].answer(head_only=pair[which].method == b"HEAD")
            pair[which].check(answer)
            assert visitors[which].buffer == b""
    assert marked.crossed == []
    assert marked.count == 80
    assert origin.connections == 1


def test_what_an_origin_sends_unasked_reaches_nobody(origin, proxy):
    """P04, P16: bytes on a waiting connection end it."""
    answered, sent = threading.Event(), threading.Event()
    ended = threading.Event()

    def play(wire, request):
        wire.send(ok(b"first", b"text/plain"))
        assert answered.wait(5)  # the connection waits for work by now
        wire.send(ok(b"[v666-666.]", b"text/plain"))
        sent.set()
        if wire.closed_by_peer():
            ended.set()

    origin.plays[b"/first"] = play
    assert proxy.get(b"/first").body == b"first"
    answered.set()
    assert sent.wait(5)
    assert proxy.adaptor != "edge" or ended.wait(5)  # the other one looks before it takes a connection
    for _ in range(3):
        assert proxy.get(b"/second").body == b"none\n"
    assert ended.wait(5)


@pytest.mark.parametrize("kind", [b"text/plain", b"text/html"])
def test_a_connection_with_more_than_its_answer_is_not_used_again(origin, proxy, kind):
    """P04, P16: the rest of what is too much would come before the next visitor's answer."""
    page = b"<!doctype html><html><head></head><body></body></html>"
    origin.plays[b"/first"] = ok(page, kind) + b"HTTP/1.1 200 OK\r\nX-Half"
    origin.plays[b"/chunks"] = chunked([page], kind) + b"HTTP/1.1 200 OK\r\nX-Half"
    for target in (b"/first", b"/first", b"/chunks", b"/second"):
        assert proxy.get(target).status == 200
    assert len({request.connection for request in origin.received}) == 4


def test_a_marker_out_of_place_is_noticed(marked):
    """What these tests would say of a proxy that mixes two visitors up."""
    mine, other = Exchange(b"v1-1.", "plain", 5), Exchange(b"v2-2.", "plain", 5)
    right = ok(mine.text, b"text/plain", b"Set-Cookie: who=v1-1.; HttpOnly", b"X-Marker: v1-1.")
    answer, rest = parse(right, b"GET", over=False)
    mine.check(answer)
    assert rest == b""
    for wrong in (
        right.replace(b"X-Marker: v1-1.", b"X-Marker: v1-1.\r\nX-Odd: v2-2."),
        right.replace(b"who=v1-1.", b"who=v2-2."),
        right.replace(b"[v1-1.][v1-1.]", b"[v1-1.][v2-2.]", 1),
        right[:-1],
    ):
        answer, _ = parse(wrong, b"GET", over=True)
        with pytest.raises(AssertionError):
            mine.check(answer)
    with pytest.raises(AssertionError):
        other.check(Answer(200, [], mine.text, complete=True, raw_head=b""))
    assert MARKER.findall(other.request().replace(b"\r\n", b"")) == [b"v2-2."] * 6
