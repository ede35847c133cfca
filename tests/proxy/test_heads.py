"""Heads read line by line, against the strict parser."""

from __future__ import annotations

import random

import pytest

from bridge.proxy.heads import HEAD_LIMIT, LINES_LIMIT, SHAPES_LIMIT, VALUES_LIMIT, HeadReader, ShapedHead
from bridge.proxy.http1 import CHUNKED, NO_BODY, UNTIL_CLOSE, MalformedError, parse_response

PLAIN = (b"Server: nginx", b"Content-Type: text/html; charset=UTF-8", b"Connection: keep-alive")


def raw(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, *lines, b"", b""])


def facts(head):
    return head.status, head.reason, head.version, head.headers, head.index


def varied(number: int) -> bytes:
    return raw(
        *PLAIN,
        b"Date: Thu, 26 Nov 2026 19:%02d:%02d GMT" % (number // 60, number % 60),
        b"Content-Length: %d" % number,
        b"Set-Cookie: PHPSESSID=%d; path=/" % number,
        b'ETag: "%x"' % number,
    )


def test_what_is_read_from_lines_is_what_the_strict_parser_reads():
    reader = HeadReader()
    for number in range(3 * VALUES_LIMIT):
        head = reader.read(varied(number))
        assert isinstance(head, ShapedHead)
        assert facts(head) == facts(parse_response(varied(number)))
        assert head.length() == number


def test_heads_that_differ_in_varying_lines_are_of_one_shape():
    reader = HeadReader()
    for number in range(2 * VALUES_LIMIT):
        reader.read(varied(number))
    first, second = reader.read(varied(1000)), reader.read(varied(2000))
    assert first.shape is second.shape
    assert first.get(b"etag") == b'"3e8"'
    assert second.get(b"etag") == b'"7d0"'


@pytest.mark.parametrize(
    "head",
    [
        raw(b"Server : nginx"), raw(b"Server: a", b" folded"), raw(b"Server: a\x00b"), raw(b"A: b\nC: d"), raw(b"A: b\rC: d"),
        raw(b"Content-Length: 1", b"Content-Length: 2"), raw(b"Content-Length: 1", b"Transfer-Encoding: chunked"),
        raw(b"nothing"), raw(b": empty"), raw(status=b"HTTP/1.1 20 OK"), raw(status=b"HTTP/2 200 OK"), raw(b"Content-Length: x"),
        raw(b"Content-Length: +5"), raw(b"Content-Length: 5 "),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_read_strictly_also_when_its_like_was_seen(head):
    reader = HeadReader()
    for number in range(2 * VALUES_LIMIT):
        reader.read(varied(number))
    try:
        expected = facts(parse_response(head))
    except MalformedError:
        with pytest.raises(MalformedError):
            reader.read(head)
    else:
        assert facts(reader.read(head)) == expected


def test_a_length_that_is_none_is_not_read_by_its_shape():
    reader = HeadReader()
    assert isinstance(reader.read(raw(b"Content-Length: 5")), ShapedHead)
    for value in (b"-1", b"1e3", b"", b"0x5", b"5, 5", b"9" * 19):
        head = raw(b"Content-Length: " + value)
        try:
            read = reader.read(head)
        except MalformedError:
            continue
        assert not isinstance(read, ShapedHead)


@pytest.mark.parametrize(
    ("lines", "status", "framing"),
    [
        ((b"Content-Length: 5",), b"HTTP/1.1 200 OK", 1), ((b"Transfer-Encoding: chunked",), b"HTTP/1.1 200 OK", CHUNKED),
        ((), b"HTTP/1.1 200 OK", UNTIL_CLOSE), ((b"Content-Length: 5",), b"HTTP/1.1 304 Not Modified", NO_BODY),
    ],
)  # fmt: skip
def test_the_framing_of_a_shape(lines, status, framing):
    assert HeadReader().read(raw(*lines, status=status)).shape.framing == framing


def test_a_shape_knows_whether_the_connection_is_good_for_more():
    reader = HeadReader()
    assert reader.read(raw(b"Content-Length: 5")).shape.reusable
    assert not reader.read(raw(b"Content-Length: 5", b"Connection: close")).shape.reusable
    assert not reader.read(raw()).shape.reusable


def test_a_field_that_decides_is_never_taken_by_its_name_alone():
    """A policy with a nonce differs each time; so may a content type in a hostile shop."""
    reader = HeadReader()
    for number in range(3 * VALUES_LIMIT):
        head = reader.read(raw(b"Content-Type: text/x%d" % number, b"Content-Length: 1"))
        assert head.get(b"content-type") == b"text/x%d" % number
    assert not isinstance(head, ShapedHead)


def test_what_is_remembered_is_bounded():
    reader = HeadReader()
    for number in range(3 * LINES_LIMIT):
        reader.read(raw(b"X-%d: a" % number, b"Content-Length: 1"))
    assert len(reader._lines) <= LINES_LIMIT
    assert len(reader._shapes) <= SHAPES_LIMIT
    assert not isinstance(reader.read(raw(b"X-Long: " + b"a" * HEAD_LIMIT)), ShapedHead)


def test_cookies_are_not_remembered():
    reader = HeadReader()
    reader.read(raw(b"Set-Cookie: PHPSESSID=secret", b"Content-Length: 1"))
    assert not any(b"secret" in line for line in reader._lines)


def test_random_heads_are_read_as_the_strict_parser_reads_them():
    chance = random.Random(7)
    names = [
        b"Server",
        b"server",
        b"Date",
        b"Content-Length",
        b"Vary",
        b"X-A",
        b"Set-Cookie",
        b"Connection",
        b"ETag",
        b"Age",
    ]
    values = [
        b"1",
        b"12",
        b"a",
        b"",
        b" a",
        b"a ",
        b"\ta",
        b"a\tb",
        b"\xe9",
        b"a,b",
        b"keep-alive",
        b"chunked",
        b"5\x01",
    ]
    reader = HeadReader()
    agreed = 0
    for _ in range(4000):
        fields = [
            b"%b:%b" % (chance.choice(names), chance.choice((b" ", b"", b"  ")) + chance.choice(values))
            for _ in range(4)
        ]
        head = raw(*fields)
        try:
            expected = facts(parse_response(head))
        except MalformedError:
            with pytest.raises(MalformedError):
                reader.read(head)
        else:
            assert facts(reader.read(head)) == expected
            agreed += 1
    assert agreed > 1000
