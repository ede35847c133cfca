"""Answers fed piece by piece: passed, spliced, gathered, recoded, given up."""

from __future__ import annotations

import gzip

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy.answer import UNKNOWN, Answer, Coded, Page, Spliced
from bridge.proxy.coding import WHOLE_LIMIT, Memo
from bridge.proxy.counters import Counters
from bridge.proxy.exchange import ResponseHead
from bridge.proxy.http1 import CHUNKED

TAG = b"<script tag></script>"
PAGE = b"<!doctype html><html><head><title>x</title></head></html>"
TAGGED = PAGE.replace(b"<head>", b"<head>" + TAG)
UNTOUCHED = [(b"X", b"untouched")]


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def page(registry):
    return lambda framing: Page(
        ResponseHead(), framing, [(b"X", b"injected")], lambda: UNTOUCHED, TAG, Counters(registry)
    )


def fed(answer, body, step):
    out = []
    for at in range(0, len(body), step):
        pieces = answer.feed(body[at : at + step])
        assert not pieces or answer.headers is not None
        out += pieces
    return b"".join([*out, *answer.finish()])


def test_an_answer_that_passes_gives_back_what_it_gets():
    answer = Answer(ResponseHead(), UNTOUCHED, 5)
    assert answer.direct
    assert answer.length == 5
    assert answer.feed(b"hello") == [b"hello"]
    assert answer.finish() == answer.release() == answer.abort() == []
    assert Answer(ResponseHead(), UNTOUCHED, CHUNKED).length == UNKNOWN


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_a_spliced_page_knows_its_length_before_its_body(page, step):
    answer = Spliced(page(len(PAGE)))
    assert fed(answer, PAGE, step) == TAGGED
    assert answer.headers == [(b"X", b"injected"), (b"Content-Length", b"%d" % len(TAGGED))]
    assert answer.length == len(TAGGED)
    assert answer.direct


@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_no_document_passes_with_its_own_fields(page, step):
    answer = Spliced(page(18))
    assert fed(answer, b"<div>no page</div>", step) == b"<div>no page</div>"
    assert answer.headers is UNTOUCHED
    assert answer.length == 18


def test_a_gathered_page_leaves_whole_and_is_remembered(page, registry):
    memo = Memo()
    packed = gzip.compress(PAGE)
    for _ in range(2):
        answer = Coded(page(len(packed)), memo, gzip_in=True, gzip_out=True)
        assert answer.holding
        body = fed(answer, packed, 10)
        assert gzip.decompress(body) == TAGGED
        assert answer.length == len(body)
        registry._names_to_collectors.clear()
    assert len(memo) == 1


def test_a_released_page_goes_on_as_it_comes(page):
    packed = gzip.compress(PAGE, 0)
    answer = Coded(page(len(packed)), Memo(), gzip_in=True, gzip_out=False)
    assert answer.feed(packed[:50]) == []
    out = answer.release()
    assert not answer.holding
    out += answer.feed(packed[50:])
    assert b"".join([*out, *answer.finish()]) == TAGGED
    assert answer.length == UNKNOWN
    assert (b"X", b"injected") in answer.headers


def test_a_large_page_is_not_gathered(page):
    plain = PAGE + bytes(range(256)) * (WHOLE_LIMIT // 256)
    answer = Coded(page(CHUNKED), Memo(), gzip_in=False, gzip_out=True)
    assert gzip.decompress(fed(answer, plain, 100_000)) == TAGGED + plain[len(PAGE) :]
    assert answer.length == UNKNOWN


@pytest.mark.parametrize(
    "make", [lambda page: Spliced(page(500)), lambda page: Coded(page(500), None, gzip_in=True, gzip_out=True)]
)
def test_an_answer_broken_off_before_its_head_left_gives_the_origins_bytes(page, make):
    answer = make(page)
    assert answer.feed(b"<!doct") == []
    assert answer.abort() == [b"<!doct"]
    assert answer.headers is UNTOUCHED
    assert answer.length == 500


def test_a_fault_of_ours_gives_the_origins_bytes(page, monkeypatch, registry):
    answer = Spliced(page(len(PAGE)))
    monkeypatch.setattr("bridge.proxy.splice.Splicer.feed", lambda self, data: 1 / 0)
    assert fed(answer, PAGE, 10) == PAGE
    assert answer.headers is UNTOUCHED
    assert registry.get_sample_value("bridge_not_injected_total", {"reason": "fault"}) == 1


@pytest.mark.parametrize("released", [False, True])
def test_broken_gzip_gives_the_origins_bytes_while_none_left(page, released, registry):
    answer = Coded(page(CHUNKED), None, gzip_in=True, gzip_out=True)
    out = answer.feed(b"\x1f\x8b\x08junk")
    out += answer.release() if released else []
    out += answer.feed(b"more") + answer.finish()
    assert b"".join(out) == b"\x1f\x8b\x08junkmore"
    assert answer.headers is UNTOUCHED
    assert registry.get_sample_value("bridge_not_injected_total", {"reason": "encoding"}) == 1
