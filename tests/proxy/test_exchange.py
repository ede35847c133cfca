"""Heads and copies of bodies."""

from __future__ import annotations

from bridge.proxy.exchange import BODY_COPY_LIMIT, BodyCopy, RequestHead, ResponseHead


def test_getters_take_lower_case_names_and_give_the_first_or_all_values():
    head = RequestHead(b"GET", b"/a?b=c", headers=[(b"X-A", b"1"), (b"x-a", b"2"), (b"Y", b"3")])
    assert head.path == b"/a"
    assert head.get(b"x-a") == b"1"
    assert head.get_all(b"x-a") == [b"1", b"2"]
    assert head.get_all(b"z") == []


def test_a_repr_shows_neither_query_nor_fields():
    """P40: a repr ends in logs."""
    shown = repr(RequestHead(b"GET", b"/a?token=secret", headers=[(b"Cookie", b"secret")])) + repr(
        ResponseHead(302, headers=[(b"Location", b"/?secret")])
    )
    assert "secret" not in shown


def test_a_copy_holds_64_kb_and_not_a_byte_more():
    copy = BodyCopy()
    for _ in range(4):
        copy.add(memoryview(b"x" * (BODY_COPY_LIMIT // 4)))
    assert copy.value() == b"x" * BODY_COPY_LIMIT
    copy.add(b"y")
    copy.add(b"z")
    assert copy.value() is None
    assert copy.parts is None


def test_a_list_in_several_fields_is_one_list():
    head = RequestHead(headers=[(b"Connection", b"close"), (b"connection", b"X-A"), (b"Y", b"3")])
    assert head.combined(b"connection") == b"close, X-A"
    assert head.combined(b"y") == b"3"
    assert head.combined(b"z") is None


def test_what_logs_say_of_a_path_holds_no_token():
    """P40: a password reset over REST has its token in the path."""
    head = RequestHead(b"GET", b"/rest/V1/customers/7/password/resetLinkToken/secret?x=y")
    assert head.place == "/rest/V1"
    assert "secret" not in repr(head)
