"""Ometria's lists: what is asked, what is taken for a list, and that what is none is never an empty one."""

from __future__ import annotations

import pytest

from bridge.errors import Retry
from bridge.ometria.reading import list_path, read_list


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (("order", 0), "/orders?limit=250&offset=0"),
        (("product", 500), "/products?limit=250&offset=500&includeVariants=true"),
        (("contact", 0, "my list"), "/contacts?limit=250&offset=0&collection=my+list"),
    ],
)
def test_a_page_is_asked_for_by_offset(given, path):
    assert list_path(*given) == path


@pytest.mark.parametrize(
    "body", [b'[{"id":"1"}]', b'{"data":[{"id":"1"}]}', b'{"orders":[{"id":"1"},5]}', b'{"results":[{"id":"1"},null]}']
)
def test_a_list_is_taken_bare_or_under_a_usual_name(body):
    assert read_list(200, body) == [{"id": "1"}]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_list_that_is_closed_to_the_key_says_nothing(status):
    assert read_list(status, b"[]") is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"message":"OK"}', b'"text"', b"[1", b"null"])
def test_what_is_no_list_is_none_and_never_an_empty_one(body):
    with pytest.raises(Retry):
        read_list(200, body)


@pytest.mark.parametrize(("retry_after", "after"), [(None, 60.0), ("7", 7.0), ("soon", 60.0)])
def test_what_cannot_be_read_now_is_tried_later(retry_after, after):
    for status in (429, 500, 302):
        with pytest.raises(Retry) as caught:
            read_list(status, b"[]", retry_after)
        assert caught.value.after == after


def test_an_empty_list_is_one():
    assert read_list(200, b"[]") == []
