"""The tag's place in documents of every kind, cut anywhere."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.proxy.splice import PROLOGUE_LIMIT, Splicer

TAG = b"<script tag></script>"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"

# A bar marks the place of the tag; without one the document passes unchanged.
DOCUMENTS = {
    "luma": b'<!doctype html>\n<html lang="en">\n    <head >|\n<script>',
    "upper case": b"<!DOCTYPE HTML><HTML><HEAD>|<TITLE>",
    "byte order mark": b"\xef\xbb\xbf<!doctype html><html><head>|x",
    "byte order mark and blanks": b"\xef\xbb\xbf \n<html><head>|x",
    "public doctype": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://x"><html xmlns="y"><head>|',
    "xml declaration": b'<?xml version="1.0"?><!doctype html><html><head>|',
    "comment with a head": b"<!-- <html><head> --><html><head>|",
    "conditional comment": b"<!--[if IE]><html class=ie><head><![endif]--><html><head>|",
    "revealed conditional": b"<![if !IE]><html><![endif]><head>|",
    "empty comments": b"<!--><!---><html><head>|x",
    "comment ended with a bang": b"<!-- x --!><html><head>|x",
    "bang right at the start is no end": b"<!--!><html><head>--><html><head>|x",
    "comment between html and head": b"<html><!-- > <head> -->\n<head>|",
    "angle in an attribute": b'<html data-x="a>b" data-y=\'c>d\'><head prefix="x>y">|z',
    "stray quote": b"<html lang=en\" x='>'><head>|z",
    "quote in an unquoted value": b"<html a=b'c><head>|z",
    "assigned twice": b"<html a==b c = d><head/>|z",
    "slashes": b"<html/><head / >|z",
    "head with attributes": b'<html><head prefix="og: http://ogp.me/ns#">|<meta',
    "head only": b"<head>|<title>x</title>",
    "no head tag": b"<!doctype html>|<title>x</title><p>ok",
    "no head tag, html": b"<html lang=en>\n|<meta charset=utf-8>",
    "body only": b"|<body class=x><p>ok",
    "html and body": b"<!doctype html><html>|<body><p>x",
    "html and header": b"<html>|<header>x</header>",
    "html and text": b"<html>|text",
    "html twice": b"<html>|<html class=x><head>",
    "doctype and text": b"<!doctype html>\n|text",
    "frameset": b"<html>|<frameset><frame src=x></frameset>",
    "closing head": b"<html>|</head><body>",
    "header is no head": b"<header><head>",
    "fragment": b"<div><header>x</header></div>",
    "fragment after a comment": b"<!-- block --><div class=a>" + b"x" * 100,
    "list items": b"<li>a</li>",
    "script first": b"<script>x</script><html><head>",
    "title first": b"<title>x</title>",
    "text first": b"Warning: x<html><head>",
    "json": b'{"a": "<html><head>"}',
    "empty": b"",
    "blank": b" \n\t ",
    "only a doctype": b"<!doctype html>\n",
    "utf-16": "<html><head>".encode("utf-16"),
    "utf-16 without mark": "<html><head>".encode("utf-16-le"),
    "amp": b"<!doctype html><html amp lang=en><head>",
    "amp in capitals": b"<!doctype html><html lang=en AMP><head>",
    "amp by lightning": "<!doctype html><html ⚡><head>".encode(),
    "amp for mail": "<!doctype html><html ⚡4email data-css-strict><head>".encode(),
    "amp as a value": b'<html class="a amp b" data-amp><head>|x',
    "vertical tab is no blank": b"<html>|\x0b<head>",
    "unclosed comment": b"<!-- <html><head>",
    "unclosed tag": b'<html lang="en><head>',
    "unclosed doctype": b"<!doctype html <html",
}


def parts(document):
    before, bar, after = document.partition(b"|")
    return document if not bar else before + TAG + after, document.replace(b"|", b"", 1)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_tag_goes_where_a_browser_opens_the_head_however_the_bytes_are_cut(name):
    expected, document = parts(DOCUMENTS[name])
    for cut in range(len(document) + 1):
        splicer = Splicer(TAG)
        out = b"".join([*splicer.feed(document[:cut]), *splicer.feed(document[cut:]), *splicer.finish()])
        assert out == expected, cut
        assert splicer.placed is (expected != document)
    splicer = Splicer(TAG)
    single = [piece for at in range(len(document)) for piece in splicer.feed(document[at : at + 1])] + splicer.finish()
    assert b"".join(single) == expected
    assert splicer.reason == ("amp" if name.startswith("amp") and expected == document else "grammar")


PIECES = [
    b"<!doctype html>", b"<html>", b"<html lang='a>b'>", b"<head>", b"<head", b">", b"<!--", b"-->", b"--!>", b"<!", b"<?x", b" ", b"\n", b"<body>",
    b"<div>", b"</head>", b'"', b"'", b"=", b"/", b"\0", b"x", b"<header>", b"<html amp>", b"\xef\xbb\xbf", b"<HTML a=", b"<title>", b"\xff",
]  # fmt: skip


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12), seed=st.integers(0, 1 << 30))
def test_any_chunking_gives_the_same_document_with_the_tag_at_most_once(pieces, seed):
    document = b"".join(pieces)
    whole = Splicer(TAG)
    expected = b"".join([*whole.feed(document), *whole.finish()])
    assert expected.replace(TAG, b"") == document
    assert expected.count(TAG) == whole.placed
    chance = random.Random(seed)
    splicer, out, at = Splicer(TAG), [], 0
    while at < len(document):
        size = chance.randint(1, 6)
        out += splicer.feed(memoryview(document)[at : at + size])
        at += size
    out += splicer.finish()
    assert b"".join(out) == expected


@pytest.mark.parametrize(
    "hostile",
    [b"<!--" * 40_000, b"<html " + b"a=" * 80_000, b"<html " + b"'" * 160_000, b'<html a="' + b">" * 160_000, b" " * 160_000, b"<!doctype" + b"x" * 160_000],
    ids=["comments", "attributes", "quotes", "angles", "blanks", "doctype"],
)  # fmt: skip
def test_a_prologue_without_end_is_given_up(hostile):
    splicer = Splicer(TAG)
    out = b"".join(splicer.feed(hostile))
    assert splicer.decided
    assert not splicer.placed
    assert out == hostile


@pytest.mark.parametrize(
    "size", [PROLOGUE_LIMIT - 100, PROLOGUE_LIMIT - 12, PROLOGUE_LIMIT - 11, PROLOGUE_LIMIT, 3 * PROLOGUE_LIMIT]
)
@pytest.mark.parametrize("step", [997, 1 << 20])
def test_the_bound_is_the_same_however_the_bytes_are_cut(size, step):
    document = b"<!--" + b"x" * (size - 7) + b"--><html><head>rest" + b"y" * 30_000
    splicer = Splicer(TAG)
    out = [
        piece for at in range(0, len(document), step) for piece in splicer.feed(document[at : at + step])
    ] + splicer.finish()
    assert splicer.placed is (size + len(b"<html><head>") <= PROLOGUE_LIMIT)
    assert b"".join(out).replace(TAG, b"") == document


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the captures are not beside the checkout")
def test_every_captured_page_of_a_real_shop_gets_the_tag_after_its_head():
    pages = sorted((SHARED / "captures/magento/pages").glob("*.html"))
    assert len(pages) > 20
    for path in pages:
        page = path.read_bytes()
        if b"<head" not in page[:2000]:
            continue
        splicer = Splicer(TAG)
        out = b"".join(splicer.feed(page))
        assert splicer.placed, path.name
        at = out.find(TAG)
        assert page[:at].rstrip().endswith(b">")
        assert b"<head" in page[:at][-200:], path.name
        assert out.replace(TAG, b"") == page
