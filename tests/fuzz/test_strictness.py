"""The table of what bridge refuses although others take it: each class by an example."""

from __future__ import annotations

import pytest

from fuzz import strictness, targets
from fuzz.messages import RefusedError
from fuzz.readers import rfc9112

HOST = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
TE = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"

EXAMPLES = {
    "bare LF in the head": GET + b"X: a\nY: b\r\n\r\n",
    "bare CR in the head": GET + b"X: a\rb\r\n\r\n",
    "control character in the head": GET + b"X: \x01\r\n\r\n",
    "tab after the coding's name": GET + b"Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n",
    "folded line": GET + b"X: a\r\n b\r\n\r\n",
    "chunk line or trailer line too long": TE + b"0;" + b"a" * 1100 + b"\r\n\r\n",
    "chunk size of more than 15 digits": TE + b"0" * 17 + b"\r\n\r\n",
    "bare LF in a chunk line": TE + b"1;a\nb\r\nx\r\n0\r\n\r\n",
    "bare CR in a chunk line": TE + b"1;a\rb\r\nx\r\n0\r\n\r\n",
    "control character in a chunk line": TE + b"1;\x01\r\nx\r\n0\r\n\r\n",
    "trailer too long": TE + b"0\r\n" + b"X: yyyyyyyyyyy\r\n" * 2000 + b"\r\n",
    "bare LF or CR in a trailer": TE + b"0\r\nX: y\nZ: y\r\n\r\n",
    "control character in a trailer": TE + b"0\r\nX: \x01\r\n\r\n",
    "folded trailer": TE + b"0\r\nX: y\r\n z\r\n\r\n",
    "method that is not passed": b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n",
    "method that is refused": b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n",
    "version other than 1.0 and 1.1": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "protocol other than HTTP": b"GET / ICE/1.0\r\n" + HOST + b"\r\n",
    "request line of other than three words": b"GET /\r\n" + HOST + b"\r\n",
    "target of another form, or of another host": b"GET http://b/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "target too long": b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "head too long": GET + b"X: " + b"y" * 66_000 + b"\r\n\r\n",
    "host missing in 1.1, or given twice": GET + HOST + b"\r\n",
    "host that is no name": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "length beside a coding": GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in 1.0": b"GET / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding other than chunked": GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "length that is not one number of at most 18 digits": GET + b"Content-Length: 1, 1\r\n\r\nx",
    "blanks after a chunk's size": TE + b"1 \r\nx\r\n0\r\n\r\n",
}


def test_every_class_has_an_example():
    assert set(EXAMPLES) == {each.name for each in strictness.REQUESTS}
    assert len(EXAMPLES) == len(strictness.REQUESTS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_class_is_refused_with_a_status_that_it_names(name):
    (each,) = (each for each in strictness.REQUESTS if each.name == name)
    reading, _ = targets.read_requests(EXAMPLES[name])
    assert reading.requests == []
    assert reading.refused in each.statuses
    assert name in strictness.excuse(strictness.REQUESTS, EXAMPLES[name], reading.refused)


def test_what_is_well_made_has_no_excuse():
    for raw in (GET + b"\r\n", TE + b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", GET + b"Content-Length: 3\r\n\r\na\0b"):
        for status in (400, 405, 414, 431, 501, 505, None):
            assert strictness.excuse(strictness.REQUESTS, raw, status) == []
        assert rfc9112.read_request(raw).end == len(raw)


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        GET + b"X : y\r\n\r\n",
        GET + b"X: a\r\n b\r\n\r\n",
        GET + b"X: a\nY: b\r\n\r\n",
        GET + b"X: a\rY: b\r\n\r\n",
        GET + b"X: \0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
        TE + b"5 \r\nhello\r\n0\r\n\r\n",
        TE + b"5\r\nhelloX\r\n0\r\n\r\n",
        TE + b"0\r\nX Y: z\r\n\r\n",
        TE + b"\r\n",
    ],
)
def test_the_reference_refuses_what_two_readers_could_read_differently(raw):
    with pytest.raises(RefusedError):
        rfc9112.read_request(raw)
