"""Policies in meta elements: found as a browser finds them, opened as those in fields are."""

from __future__ import annotations

import gzip

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy.answer import Coded, Page, Spliced
from bridge.proxy.counters import Counters
from bridge.proxy.exchange import ResponseHead
from bridge.proxy.meta_policies import HEAD_PART_LIMIT, PolicySplicer

TAG = b"<script src=t></script>"
SOURCES = {"script-src": (b"https://cdn.test",), "connect-src": (b"https://api.test",)}


def page(head, rest=b"</head><body>x</body></html>"):
    return b"<!doctype html><html><head>" + head + rest


def meta(policy, quote=b'"'):
    return b"<meta http-equiv=Content-Security-Policy content=" + quote + policy + quote + b">"


def opened(body, step=1 << 20, notes=None):
    splicer = PolicySplicer(TAG, SOURCES, [].append if notes is None else notes.append)
    out = [piece for at in range(0, len(body), step) for piece in splicer.feed(body[at : at + step])]
    out += splicer.finish()
    made = b"".join(map(bytes, out))
    if splicer.placed:
        assert len(made) - len(body) == splicer.grown
    return made


SELF = b"script-src 'self'"
OPENED = b"script-src &#x27;self&#x27; https://cdn.test"
ONE = page(b"<title>a</title>" + meta(SELF) + b"<link rel=x>")
ONE_OPENED = page(TAG + b"<title>a</title>" + meta(OPENED) + b"<link rel=x>")


@pytest.mark.parametrize("step", range(1, len(ONE) + 1))
def test_a_policy_is_opened_however_the_page_is_cut(step):
    assert opened(ONE, step) == ONE_OPENED


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (meta(b"script-src &#039;self&#039;"), meta(OPENED)),
        (meta(b'script-src "x"', b"'"), meta(b"script-src &quot;x&quot; &#x27;self&#x27; https://cdn.test")),
        (b"<META content='img-src *; script-src *' HTTP-EQUIV=' content-security-policy '/>", None),
        (b"<meta content=script-src http-equiv=Content-Security-Policy>", None),
        (
            b"<meta content=connect-src&#32;https://x http-equiv=Content-Security-Policy>",
            b'<meta content="connect-src https://x &#x27;self&#x27; https://api.test" http-equiv=Content-Security-Policy>',
        ),
        (meta(b"default-src *"), None),
        (meta("script-src é".encode()), None),
        (b"<!-- " + meta(SELF) + b" -->", None),
        (b"<script>'" + meta(SELF) + b"'</script>", None),
        (b"<style>" + meta(SELF) + b"</style>", None),
        (b"<title>" + meta(SELF) + b"</TITLE >", None),
        (b"<noscript>" + meta(SELF) + b"</noscript>", None),
        (b"<template>" + meta(SELF) + b"</template>", None),
        (b"<meta name=description content=\"script-src 'self'\">", None),
        (b"<meta http-equiv=Content-Security-Policy>", None),
        (b'<meta name="x>y" content="z">' + meta(SELF), b'<meta name="x>y" content="z">' + meta(OPENED)),
        (b"< meta>" + meta(SELF), b"< meta>" + meta(OPENED)),
        (
            meta(SELF) + meta(b"connect-src 'self'"),
            meta(OPENED) + meta(b"connect-src &#x27;self&#x27; https://api.test"),
        ),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_only_what_a_browser_takes_for_a_policy_is_touched(given, expected, step):
    assert opened(page(given), step) == page(TAG + (given if expected is None else expected))


def test_what_stands_in_the_body_counts_for_nothing_and_is_left():
    body = page(b"", b"<body>" + meta(SELF) + b"</body></html>")
    assert opened(body) == page(TAG, b"<body>" + meta(SELF) + b"</body></html>")


def test_the_tag_carries_the_nonce_that_a_policy_asks_for():
    given = page(meta(b"script-src 'nonce-abc' 'strict-dynamic'; connect-src *"))
    assert opened(given) == given.replace(b"<head>", b'<head><script nonce="abc" src=t></script>')


def test_what_stands_in_the_way_is_told():
    notes = []
    assert opened(page(meta(b"script-src 'none'")), notes=notes) == page(TAG + meta(b"script-src 'none'"))
    assert notes == ["none"]


@pytest.mark.parametrize("step", [1000, 1 << 20])
def test_a_head_is_read_no_further_than_its_limit(step):
    far = page(b"<title>a</title>" + b" " * HEAD_PART_LIMIT + meta(SELF))
    assert opened(far, step) == far.replace(b"<head>", b"<head>" + TAG)
    endless = page(b"<!-- " + b"x" * 2 * HEAD_PART_LIMIT, b"")
    assert opened(endless, step) == endless.replace(b"<head>", b"<head>" + TAG)


def test_a_document_that_ends_in_its_head_and_what_is_no_document():
    assert opened(page(meta(SELF), b"")) == page(TAG + meta(OPENED), b"")
    assert opened(b"<p>no document</p>", 3) == b"<p>no document</p>"
    assert opened(b"<!doc", 2) == b"<!doc"


@pytest.mark.parametrize("step", [1, 50, 1 << 20])
@pytest.mark.parametrize("gathered", [False, True])
def test_an_answer_knows_the_length_of_what_leaves(step, gathered):
    def made(framing):
        return Page(ResponseHead(), framing, [], list, TAG, Counters(CollectorRegistry()), SOURCES)

    spliced = Spliced(made(len(ONE)))
    out = [piece for at in range(0, len(ONE), step) for piece in spliced.feed(ONE[at : at + step])] + spliced.finish()
    assert b"".join(map(bytes, out)) == ONE_OPENED
    assert spliced.length == len(ONE_OPENED)

    packed = gzip.compress(ONE)
    coded = Coded(made(len(packed)), None, gzip_in=True, gzip_out=True)
    pieces = [] if gathered else coded.release()
    pieces += [piece for at in range(0, len(packed), step) for piece in coded.feed(packed[at : at + step])]
    assert gzip.decompress(b"".join(map(bytes, pieces + coded.finish()))) == ONE_OPENED
