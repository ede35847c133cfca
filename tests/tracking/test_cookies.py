from __future__ import annotations

import pytest

from bridge.tracking.cookies import has_new_session, last_message, presented, session_after, set_by
from tests.tracking.wires import Request, Response, exchange, messages, set_cookie


def test_the_first_of_several_cookies_of_a_name_is_presented():
    request = Request("GET", "/", [("Cookie", "a=1; PHPSESSID=x"), ("Cookie", " b=2;PHPSESSID=y")])
    assert presented(request, b"PHPSESSID") == b"x"
    assert presented(request, b"b") == b"2"
    assert presented(request, b"SESSID") is None


def test_the_last_word_of_an_answer_about_a_cookie_counts():
    def answer(*values):
        return Response(302, [set_cookie(f"PHPSESSID={value}") for value in values])

    assert set_by(answer("a", "b"), b"PHPSESSID") == b"b"
    assert set_by(answer("a", "deleted"), b"PHPSESSID") is None
    assert set_by(answer(), b"PHPSESSID") is None


def test_a_session_is_new_when_the_answer_gives_another_one():
    moved = exchange("/", cookie="PHPSESSID=a", answer=[set_cookie("PHPSESSID=b")])
    stayed = exchange("/", cookie="PHPSESSID=a", answer=[set_cookie("PHPSESSID=a")])
    silent = exchange("/", cookie="PHPSESSID=a")
    assert [has_new_session(passing) for passing in (moved, stayed, silent)] == [True, False, False]
    assert [session_after(passing) for passing in (moved, stayed, silent)] == [b"b", b"a", b"a"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), ("success",), "success"),
        ((), ("success", "error"), "error"),
        (("error",), ("error", "success"), "success"),
        (("success",), ("success",), None),
        (("error",), ("success",), "success"),
        ((), (), None),
    ],
)
def test_only_the_message_that_was_added_last_counts(before, after, expected):
    passing = exchange(
        "/", cookie=messages(*before) if before else "", answer=[set_cookie(messages(*after))] if after else []
    )
    assert last_message(passing) == expected


@pytest.mark.parametrize("value", ["%5B", "%7B%7D", "%5B1%5D", "%5B%7B%7D%5D", "%FF%FE", "deleted"])
def test_a_message_cookie_that_cannot_be_read_says_nothing(value):
    assert last_message(exchange("/", answer=[set_cookie(f"mage-messages={value}")])) is None
