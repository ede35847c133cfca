"""Entity tags of injected pages."""

from __future__ import annotations

import pytest

from bridge.proxy.exchange import RequestHead
from bridge.proxy.validators import marked, prepare, restore, unmarked


@pytest.mark.parametrize(
    ("etag", "expected"),
    [
        (b'"a"', b'W/"a-b1"'),
        (b'W/"a"', b'W/"a-b1"'),
        (b'""', b'W/"-b1"'),
        (b"a", None),
        (b'"a', None),
        (b'w/"a"', None),
    ],
)
def test_an_entity_tag_is_made_weak_and_marked(etag, expected):
    assert marked(etag, b"b1") == expected


@pytest.mark.parametrize(
    ("value", "plain", "ours"),
    [
        (b'W/"a-b1"', b'W/"a"', {b"a"}), (b'W/"a-b0"', b'W/"a-b0"', set()), (b'"a-b1"', b'"a-b1"', set()), (b"*", b"*", set()),
        (b'"x", W/"a-b1" , W/"b-b1"', b'"x", W/"a" , W/"b"', {b"a", b"b"}),
    ],
)  # fmt: skip
def test_only_the_current_mark_is_taken_off(value, plain, ours):
    assert unmarked(value, b"b1") == (plain, ours)


def test_a_conditional_request_for_a_page_keeps_only_its_entity_tags():
    headers = [(b"Host", b"a"), (b"If-Modified-Since", b"x"), (b"if-none-match", b'W/"a-b1"')]
    out, ours = prepare(RequestHead(headers=headers), headers, b"b1")
    assert out == [(b"Host", b"a"), (b"if-none-match", b'W/"a"')]
    assert ours == {b"a"}
    same = [(b"Host", b"a")]
    assert prepare(RequestHead(headers=same), same, b"b1") == (same, frozenset())


@pytest.mark.parametrize(
    ("dest", "tag", "kept"),
    [
        (b"document", b'"a"', False),
        (b"document", b'W/"a-b0"', False),
        (b"document", b'W/"a-b1"', True),
        (b"empty", b'"a"', True),
        (None, b'"a"', True),
    ],
)
def test_a_document_stored_without_the_tag_is_asked_for_anew(dest, tag, kept):
    headers = [(b"If-None-Match", tag)] + ([(b"Sec-Fetch-Dest", dest)] if dest else [])
    out, _ = prepare(RequestHead(headers=headers), headers, b"b1")
    assert any(name == b"If-None-Match" for name, _ in out) is kept


@pytest.mark.parametrize("method", [b"PUT", b"POST", b"OPTIONS", b"DELETE"])
def test_the_condition_of_a_change_is_never_left_out(method):
    headers = [(b"Sec-Fetch-Dest", b"document"), (b"If-None-Match", b"*")]
    assert prepare(RequestHead(method=method, headers=headers), headers, b"b1") == (headers, frozenset())


@pytest.mark.parametrize(("etag", "expected"), [(b'"a"', b'W/"a-b1"'), (b'"b"', b'"b"'), (b"junk", b"junk")])
def test_a_304_bears_the_mark_that_the_visitors_copy_has(etag, expected):
    assert restore(etag, frozenset({b"a"}), b"b1") == expected
