from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.coupons.parameters import (
    PAIRS_MOST,
    UnreadableError,
    canonical,
    form_pairs,
    parsed,
    path_pairs,
    php_json,
    united,
)


def read(query: bytes):
    return parsed(form_pairs(query))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"ids[]=1&ids[]=2", {"ids": {0: "1", 1: "2"}}),
        (b"ids%5B%5D=1&ids%5b%5d=2", {"ids": {0: "1", 1: "2"}}),
        (b"ids[3]=a&ids[]=b&ids[x]=c", {"ids": {3: "a", 4: "b", "x": "c"}}),
        (b"a[b][c]=1&a[b][]=2", {"a": {"b": {"c": "1", 0: "2"}}}),
        (b"a=1&a[]=2", {"a": {0: "2"}}),
        (b"a[]=2&a=1", {"a": "1"}),
        (b"a.b=1&c+d=2&+e=3", {"a_b": "1", "c_d": "2", "e": "3"}),
        (b"a[b=1", {"a_b": "1"}),
        (b"a[b]c=1", {"a": {"b": "1"}}),
        (b"[a]=1&=2&&c", {"c": ""}),
        (b"5=a&05=b&-0=c&-3=d", {5: "a", "05": "b", "-0": "c", -3: "d"}),
        (b"a=%C3%A9+%2B", {"a": "é +"}),
        (b"a%00b=1", {"a": "1"}),
    ],
)
def test_names_are_read_as_php_reads_them(query, found):
    assert read(query) == found


@pytest.mark.parametrize("query", [b"a=%FF", b"%C3=1", b"a=\xe9", b"a" + b"[b]" * 100 + b"=1", b"&" * PAIRS_MOST])
def test_what_cannot_have_been_signed_is_refused_and_not_repeated(query):
    with pytest.raises(UnreadableError) as caught:
        read(query)
    assert "%" not in str(caught.value)


def test_as_many_as_are_taken_are_numbered_in_their_order():
    codes = read(b"&".join(b"codes[]=%d" % number for number in range(PAIRS_MOST)))["codes"]
    assert list(codes.items()) == [(number, str(number)) for number in range(PAIRS_MOST)]


def test_segments_of_the_path_are_names_and_values_in_turn():
    assert path_pairs(["rule_id", "12", "color"]) == [("rule_id", "12"), ("color", "")]
    assert path_pairs([]) == path_pairs([""]) == []


def test_path_goes_before_query_and_query_before_body():
    assert united({"a": "path"}, {"a": "query", "b": "query"}, {"b": "body", "c": "body"}) == {
        "a": "path",
        "b": "query",
        "c": "body",
    }


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (b"", "[]"),
        (b"a=0&b=&c=00", '{"c":"00"}'),
        (b"b=1&a=2&B=3", '{"B":"3","a":"2","b":"1"}'),
        (b"codes[]=A/1&codes[]=B", '{"codes":["A\\/1","B"]}'),
        (b"c[1]=a&c[0]=b", '{"c":{"1":"a","0":"b"}}'),
        (b"c[]=&c[]=0", '{"c":["","0"]}'),  # only the top level loses what is empty
        (b"a=%C3%A9%F0%9F%98%80%22%5C%0A%01%7F", '{"a":"\\u00e9\\ud83d\\ude00\\"\\\\\\n\\u0001\x7f"}'),
        (b"10=a&9=b&x=c", '{"9":"b","10":"a","x":"c"}'),
        (b"1=b&0=a", '["a","b"]'),
    ],
)
def test_the_signed_text_is_phps_json(query, text):
    assert canonical(read(query)) == text


@given(st.recursive(st.text(), lambda inner: st.lists(inner, max_size=4), max_leaves=20))
def test_json_says_what_the_array_holds(value):
    def array(item):
        return item if isinstance(item, str) else {at: array(inner) for at, inner in enumerate(item)}

    text = php_json(array(value)) if not _lone(value) else '""'
    assert text.isascii()
    if not _lone(value):
        assert json.loads(text, strict=False) == value


def _lone(value) -> bool:
    """Text with half of a surrogate pair cannot come from UTF-8."""
    if isinstance(value, str):
        return any("\ud800" <= mark <= "\udfff" for mark in value)
    return any(_lone(item) for item in value)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reading(query):
    try:
        text = canonical(read(query))
    except UnreadableError:
        return
    assert text[0] in "[{"
    json.loads(text, strict=False)
