"""Request smuggling: each known trick, by name, against both adaptors, with a second request hidden behind the first.

The edge reads heads and bodies itself; for the WSGI adaptor a real server (gunicorn) does, and what that server lets
through is read again by bridge. The origin keeps every byte that it got.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy import Counters, ProxyOptions, ProxyWiring
from tests.wire.conftest import Tags, start_edge, start_middleware
from tests.wire.origin import Origin, ok
from tests.wire.test_gunicorn import Gunicorn
from tests.wire.visitor import Visitor

HOST = b"Host: shop.example\r\n"
HIDDEN = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
GET = b"GET /first HTTP/1.1\r\n" + HOST
POST = b"POST /first HTTP/1.1\r\n" + HOST
CHUNKED = b"Transfer-Encoding: chunked\r\n"
TE = POST + CHUNKED + b"\r\n"
LAST = b"0\r\n\r\n"
END = b"\r\n"


@dataclass(frozen=True)
class Trick:
    """What is sent (the hidden request comes behind it) and the status that it is refused with."""

    raw: bytes
    status: int = 400
    # Under gunicorn: "next" where bridge refuses it but the server goes on to the hidden request, which is none to it: it
    # begins where the one before ends by its framing. "taken" where the server also writes it right before bridge sees it.
    # "waits" where the server takes the size, and refuses the body when it ends before that.
    wsgi: str = ""


TRICKS = {
    # -- both a length and a coding ---------------------------------------------------------------------------------------
    "CL.TE": Trick(POST + b"Content-Length: %d\r\n" % (len(LAST) + len(HIDDEN)) + CHUNKED + END + LAST),
    "CL.TE, coding first": Trick(POST + CHUNKED + b"Content-Length: %d\r\n" % (len(LAST) + len(HIDDEN)) + END + LAST),
    "CL.TE, a length of 0": Trick(POST + b"Content-Length: 0\r\n" + CHUNKED + END + LAST),
    "CL.TE, other letter case": Trick(POST + b"content-length: 5\r\ntransfer-ENCODING: Chunked\r\n" + END + LAST),
    "CL.TE on GET": Trick(GET + b"Content-Length: 5\r\n" + CHUNKED + END + LAST),
    "TE.CL": Trick(POST + b"Content-Length: 4\r\n" + CHUNKED + END + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + LAST),
    "TE.CL, length last": Trick(POST + CHUNKED + b"Content-Length: 4\r\n" + END + b"5c\r\n" + HIDDEN + b"\r\n" + LAST),
    "TE.CL, an unknown coding": Trick(POST + b"Transfer-Encoding: x\r\nContent-Length: 5\r\n" + END + b"hello"),
    # -- a coding that one of two readers overlooks -----------------------------------------------------------------------
    "TE.TE, identity after": Trick(POST + CHUNKED + b"Transfer-Encoding: identity\r\n" + END + LAST),
    "TE.TE, identity before": Trick(POST + b"Transfer-Encoding: identity\r\n" + CHUNKED + END + LAST, 501, wsgi="next"),
    "TE.TE, unknown after": Trick(POST + CHUNKED + b"Transfer-encoding: cow\r\n" + END + LAST),
    "TE.TE, the same twice": Trick(POST + CHUNKED + CHUNKED + END + LAST),
    "TE.TE, two in a list": Trick(POST + b"Transfer-Encoding: chunked, chunked\r\n" + END + LAST),
    "TE.TE, chunked is not the last": Trick(POST + b"Transfer-Encoding: chunked, identity\r\n" + END + LAST),
    "TE.TE, gzip before": Trick(POST + b"Transfer-Encoding: gzip, chunked\r\n" + END + LAST, 501),
    "TE.TE, an empty member": Trick(POST + b"Transfer-Encoding: ,chunked\r\n" + END + LAST, 501),
    "TE, a longer name": Trick(POST + b"Transfer-Encoding: xchunked\r\n" + END + LAST),
    "TE, a parameter": Trick(POST + b"Transfer-Encoding: chunked;q=1\r\n" + END + LAST),
    "TE, in quotes": Trick(POST + b'Transfer-Encoding: "chunked"\r\n' + END + LAST),
    "TE, empty": Trick(POST + b"Transfer-Encoding:\r\n" + END + LAST),
    "TE, blank before the colon": Trick(POST + b"Transfer-Encoding : chunked\r\n" + END + LAST),
    "TE, tab before the colon": Trick(POST + b"Transfer-Encoding\t: chunked\r\n" + END + LAST),
    "TE, vertical tab before": Trick(POST + b"Transfer-Encoding: \x0bchunked\r\n" + END + LAST),
    "TE, form feed after": Trick(POST + b"Transfer-Encoding: chunked\x0c\r\n" + END + LAST),
    "TE, a tab after": Trick(POST + b"Transfer-Encoding: chunked\t\r\n" + END + LAST, wsgi="taken"),
    "TE, NUL in it": Trick(POST + b"Transfer-Encoding: chunk\0ed\r\n" + END + LAST),
    "TE, latin-1 in it": Trick(POST + b"Transfer-Encoding: \xe9chunked\r\n" + END + LAST),
    "TE, behind a bare LF": Trick(POST + b"X: y\nTransfer-Encoding: chunked\r\n" + END + LAST),
    "TE, behind a bare CR": Trick(POST + b"X: y\rTransfer-Encoding: chunked\r\n" + END + LAST),
    "TE, folded": Trick(POST + b"Transfer-Encoding:\r\n chunked\r\n" + END + LAST),
    "TE, folded onto another": Trick(POST + b"X: y\r\n Transfer-Encoding: chunked\r\n" + END + LAST),
    "TE, its name broken": Trick(POST + b"Transfer-Encoding\r\n: chunked\r\n" + END + LAST),
    "TE in HTTP/1.0": Trick(b"POST /first HTTP/1.0\r\n" + HOST + CHUNKED + END + LAST),
    # -- lengths ----------------------------------------------------------------------------------------------------------
    "CL.CL, different": Trick(POST + b"Content-Length: 5\r\nContent-Length: 6\r\n" + END + b"hello"),
    "CL.CL, different, short first": Trick(POST + b"Content-Length: 0\r\nContent-Length: 5\r\n" + END + b"hello"),
    "CL.CL, the same": Trick(POST + b"Content-Length: 5\r\nContent-Length: 5\r\n" + END + b"hello"),
    "CL, a list of the same": Trick(POST + b"Content-Length: 5, 5\r\n" + END + b"hello"),
    "CL, a list": Trick(POST + b"Content-Length: 5, 6\r\n" + END + b"hello"),
    "CL, plus": Trick(POST + b"Content-Length: +5\r\n" + END + b"hello"),
    "CL, minus": Trick(POST + b"Content-Length: -5\r\n" + END + b"hello"),
    "CL, hexadecimal": Trick(POST + b"Content-Length: 0x5\r\n" + END + b"hello"),
    "CL, underscore": Trick(POST + b"Content-Length: 0_5\r\n" + END + b"hello"),
    "CL, fraction": Trick(POST + b"Content-Length: 5.0\r\n" + END + b"hello"),
    "CL, exponent": Trick(POST + b"Content-Length: 5e0\r\n" + END + b"hello"),
    "CL, two numbers": Trick(POST + b"Content-Length: 5 6\r\n" + END + b"hello"),
    "CL, superscript digit": Trick(POST + b"Content-Length: \xb25\r\n" + END + b"hello"),
    "CL, empty": Trick(POST + b"Content-Length:\r\n" + END + b"hello"),
    "CL, blank before the colon": Trick(POST + b"Content-Length : 5\r\n" + END + b"hello"),
    "CL, NUL after the name": Trick(POST + b"Content-Length\0: 5\r\n" + END + b"hello"),
    "CL, more than 64 bits hold": Trick(POST + b"Content-Length: 18446744073709551621\r\n" + END + b"hello"),
    "CL, more digits than are read": Trick(
        POST + b"Content-Length: 0000000000000000005\r\n" + END + b"hello", wsgi="next"
    ),
    "CL, folded": Trick(POST + b"Content-Length:\r\n 5\r\n" + END + b"hello"),
    "CL, folded digits": Trick(POST + b"Content-Length: 5\r\n 0\r\n" + END + b"hello"),
    # -- bare line ends ---------------------------------------------------------------------------------------------------
    "LF, in a value": Trick(GET + b"X: a\nY: b\r\n" + END),
    "LF, every line": Trick(b"GET /first HTTP/1.1\nHost: shop.example\n\n"),
    "LF, after the request line": Trick(b"GET /first HTTP/1.1\n" + HOST + END),
    "LF, the empty line": Trick(GET + b"X: a\n\n"),
    "LF, a request behind it": Trick(GET + b"X: a\n\nGET /smuggled HTTP/1.1\nHost: shop.example\r\n" + END),
    "CR, in a value": Trick(GET + b"X: a\rY: b\r\n" + END),
    "CR, twice": Trick(GET + b"X: a\r\r\n" + END),
    "CR, in a name": Trick(GET + b"X\r: a\r\n" + END),
    "CR, in the request line": Trick(b"GET /first\rHTTP/1.1\r\n" + HOST + END),
    "CR, after the request line": Trick(b"GET /first HTTP/1.1\r" + HOST + END),
    "CR, the empty line": Trick(GET + b"X: a\r\n\r" + HIDDEN),
    "CR LF, twice before": Trick(b"\r\n\r\n" + GET + END),
    "LF, before": Trick(b"\n" + GET + END),
    # -- folded lines -----------------------------------------------------------------------------------------------------
    "obs-fold, blank": Trick(GET + b"X: a\r\n b\r\n" + END),
    "obs-fold, tab": Trick(GET + b"X: a\r\n\tb\r\n" + END),
    "obs-fold, the first line": Trick(b"GET /first HTTP/1.1\r\n X: a\r\n" + HOST + END),
    "obs-fold, a host": Trick(GET + b"X: a\r\n Host: evil.test\r\n" + END),
    "obs-fold, nothing on it": Trick(GET + b"X: a\r\n \r\n" + END),
    "obs-fold, of the host": Trick(b"GET /first HTTP/1.1\r\nHost: shop.example\r\n .evil.test\r\n" + END),
    # -- chunks -----------------------------------------------------------------------------------------------------------
    "chunk, 16 digits": Trick(TE + b"ffffffffffffffff\r\nhello\r\n" + LAST, wsgi="waits"),
    "chunk, 17 digits": Trick(TE + b"10000000000000005\r\nhello\r\n" + LAST, wsgi="waits"),
    "chunk, 2 to the 63": Trick(TE + b"8000000000000000\r\nhello\r\n" + LAST, wsgi="waits"),
    "chunk, 40 zeros": Trick(TE + b"0" * 40 + b"5\r\nhello\r\n" + LAST, wsgi="taken"),
    "chunk, 0x": Trick(TE + b"0x5\r\nhello\r\n" + LAST),
    "chunk, plus": Trick(TE + b"+5\r\nhello\r\n" + LAST),
    "chunk, minus": Trick(TE + b"-5\r\nhello\r\n" + LAST),
    "chunk, underscore": Trick(TE + b"0_5\r\nhello\r\n" + LAST),
    "chunk, no size": Trick(TE + b"\r\nhello\r\n" + LAST),
    "chunk, no hexadecimal": Trick(TE + b"5g\r\nhello\r\n" + LAST),
    "chunk, blank before": Trick(TE + b" 5\r\nhello\r\n" + LAST),
    "chunk, blank after": Trick(TE + b"5 \r\nhello\r\n" + LAST),
    "chunk, tab after": Trick(TE + b"5\t\r\nhello\r\n" + LAST),
    "chunk, NUL after": Trick(TE + b"5\0\r\nhello\r\n" + LAST),
    "chunk, LF after the size": Trick(TE + b"5\nhello\r\n" + LAST),
    "chunk, CR after the size": Trick(TE + b"5\rhello\r\n" + LAST),
    "chunk, LF in an extension": Trick(TE + b"5;\nhello\r\n" + LAST),
    "chunk, LF in an extension hides a request": Trick(TE + b"2;\nxx\r\n5c\r\n0\r\n\r\n" + HIDDEN + b"\r\n" + LAST),
    "chunk, CR in an extension": Trick(TE + b"5;a\rb\r\nhello\r\n" + LAST),
    "chunk, NUL in an extension": Trick(TE + b"5;a\0\r\nhello\r\n" + LAST),
    "chunk, an extension without end": Trick(TE + b"5;" + b"a" * 2000 + b"\r\nhello\r\n" + LAST, wsgi="taken"),
    "chunk, more data than told": Trick(TE + b"5\r\nhelloXX\r\n" + LAST),
    "chunk, other bytes for its end": Trick(TE + b"5\r\nhelloXX" + LAST),
    "chunk, LF for its end": Trick(TE + b"5\r\nhello\n" + LAST),
    "chunk, CR for its end": Trick(TE + b"5\r\nhello\r" + LAST),
    "trailer, no colon": Trick(TE + b"0\r\nX\r\n" + END),
    "trailer, blank before the colon": Trick(TE + b"0\r\nX : y\r\n" + END),
    "trailer, folded": Trick(TE + b"0\r\nX: y\r\n z\r\n" + END),
    "trailer, NUL": Trick(TE + b"0\r\nX: \0\r\n" + END),
    "trailer, LF": Trick(TE + b"0\r\nX: a\nY: b\r\n" + END),
    "trailer, a request": Trick(TE + b"0\r\n" + HIDDEN),
    "trailer, without end": Trick(TE + b"0\r\n" + b"X: yyyyyyyy\r\n" * 2000 + END),
    # -- NUL and other control characters ---------------------------------------------------------------------------------
    "NUL, in a value": Trick(GET + b"X: a\0b\r\n" + END),
    "NUL, in a name": Trick(GET + b"X\0: a\r\n" + END),
    "NUL, in the target": Trick(b"GET /fir\0st HTTP/1.1\r\n" + HOST + END),
    "NUL, in the method": Trick(b"GET\0 /first HTTP/1.1\r\n" + HOST + END),
    "NUL, before": Trick(b"\0" + GET + END),
    "NUL, after the version": Trick(b"GET /first HTTP/1.1\0\r\n" + HOST + END),
    "control, in a value": Trick(GET + b"X: a\x01b\r\n" + END),
    "control, DEL in a value": Trick(GET + b"X: a\x7fb\r\n" + END),
    "control, vertical tab in a name": Trick(GET + b"\x0bX: a\r\n" + END),
    # -- names of fields --------------------------------------------------------------------------------------------------
    "name, none": Trick(GET + b": a\r\n" + END),
    "name, blank before": Trick(b"GET /first HTTP/1.1\r\n Host: shop.example\r\n" + END),
    "name, blank in it": Trick(GET + b"X Y: a\r\n" + END),
    "name, blank after": Trick(GET + b"X : a\r\n" + END),
    "name, latin-1": Trick(GET + b"X\xe9: a\r\n" + END),
    "name, a line without colon": Trick(GET + b"X\r\n" + END),
    "name, a request line": Trick(GET + b"GET /smuggled HTTP/1.1\r\n" + END),
    # -- hosts ------------------------------------------------------------------------------------------------------------
    "host, two": Trick(GET + b"Host: evil.test\r\n" + END),
    "host, the same twice": Trick(GET + HOST + END),
    "host, none": Trick(b"GET /first HTTP/1.1\r\n" + END, wsgi="next"),
    "host, a list": Trick(b"GET /first HTTP/1.1\r\nHost: shop.example, evil.test\r\n" + END, wsgi="next"),
    "host, a path": Trick(b"GET /first HTTP/1.1\r\nHost: shop.example/x\r\n" + END, wsgi="next"),
    "host, a blank": Trick(b"GET /first HTTP/1.1\r\nHost: shop.example evil.test\r\n" + END, wsgi="next"),
    "host, a user": Trick(b"GET /first HTTP/1.1\r\nHost: shop.example@evil.test\r\n" + END, wsgi="next"),
    "host, another in the target": Trick(b"GET http://evil.test/first HTTP/1.1\r\n" + HOST + END, wsgi="next"),
    # -- the request line -------------------------------------------------------------------------------------------------
    "line, two blanks": Trick(b"GET  /first HTTP/1.1\r\n" + HOST + END),
    "line, tabs": Trick(b"GET\t/first\tHTTP/1.1\r\n" + HOST + END),
    "line, blank at its end": Trick(b"GET /first HTTP/1.1 \r\n" + HOST + END),
    "line, blank in the target": Trick(b"GET /first x HTTP/1.1\r\n" + HOST + END),
    "line, blank before": Trick(b" " + GET + END),
    "line, no version": Trick(b"GET /first\r\n" + HOST + END),
    "line, no slash": Trick(b"GET first HTTP/1.1\r\n" + HOST + END),
    "line, bytes that are not ASCII": Trick(b"GET /f\xc3\xafrst HTTP/1.1\r\n" + HOST + END),
    "line, an authority": Trick(b"GET shop.example:80 HTTP/1.1\r\n" + HOST + END),
    "line, another version": Trick(b"GET /first HTTP/1.2\r\n" + HOST + END, 505, wsgi="taken"),
    "line, version 2": Trick(b"GET /first HTTP/2.0\r\n" + HOST + END, 505),
    "line, preface of version 2": Trick(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "line, version 0.9": Trick(b"GET /first HTTP/0.9\r\n" + HOST + END, 505),
    "line, version in lower case": Trick(b"GET /first http/1.1\r\n" + HOST + END),
    "method, lower case": Trick(b"get /first HTTP/1.1\r\n" + HOST + END, 501),
    "method, unknown": Trick(b"SMUGGLE /first HTTP/1.1\r\n" + HOST + END, 501, wsgi="next"),
    "method, CONNECT": Trick(b"CONNECT shop.example:80 HTTP/1.1\r\n" + HOST + END, 405),
    "method, TRACE": Trick(b"TRACE /first HTTP/1.1\r\n" + HOST + END, 405, wsgi="next"),
    "method, PURGE": Trick(b"PURGE /first HTTP/1.1\r\n" + HOST + END, 405, wsgi="next"),
    # -- sizes ------------------------------------------------------------------------------------------------------------
    "size, a head over 64 kB": Trick(GET + b"X: " + b"y" * 66_000 + b"\r\n" + END, 431),
    "size, a target over 16 kB": Trick(b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\n" + HOST + END, 414),
}


class Recorded:
    """A socket that keeps what was read from it."""

    def __init__(self, sock, kept):
        self._sock = sock
        self._kept = kept

    def recv(self, size):
        data = self._sock.recv(size)
        self._kept.append(data)
        return data

    def __getattr__(self, name):
        return getattr(self._sock, name)


class Watched(Origin):
    """An origin that keeps every byte that it got, of requests that never became whole too."""

    def __post_init__(self):
        self.kept = []
        super().__post_init__()

    def _serve(self, wire):
        wire.sock = Recorded(wire.sock, self.kept)
        super()._serve(wire)

    @property
    def raw(self) -> bytes:
        return b"".join(self.kept)

    @property
    def targets(self):
        return [request.target for request in self.received]

    def forget(self):
        self.kept.clear()
        self.received.clear()


def _wiring(origin):
    return ProxyWiring(ProxyOptions(origin=origin.url), Tags(), None), Counters(CollectorRegistry())


@pytest.fixture(scope="module", params=["edge", "middleware"])
def served(request, tmp_path_factory):
    """The adaptor's name, its port, and the origin behind it: the edge in this process, the middleware in gunicorn."""
    origin = Watched()
    if request.param == "edge":
        _, port, stop = start_edge(*_wiring(origin))
    else:
        gunicorn = Gunicorn(origin, "middleware", tmp_path_factory.mktemp("gunicorn"))
        port, stop = gunicorn.shop, gunicorn.stop
    yield request.param, port, origin
    stop()
    origin.close()


@pytest.fixture(scope="module")
def lenient():
    """The middleware under a server that reads requests as loosely as http.server does."""
    origin = Watched()
    _, port, stop = start_middleware(*_wiring(origin))
    yield port, origin
    stop()
    origin.close()


def settled(port, origin):
    """Wait until all that came before has reached the origin, if anything did: until a later request has."""
    with Visitor(port) as visitor:
        assert visitor.get(b"/later").status == 200
    end = time.monotonic() + 5
    while b"/later" not in origin.targets and time.monotonic() < end:
        time.sleep(0.002)
    return [target for target in origin.targets if target != b"/later"]


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_is_refused_and_nothing_of_it_is_taken_for_a_request(served, name):
    """P16."""
    adaptor, port, origin = served
    trick = TRICKS[name]
    after = trick.wsgi if adaptor == "middleware" else ""
    origin.forget()
    with Visitor(port) as visitor:
        visitor.send(trick.raw + HIDDEN)
        if after == "waits":
            visitor.sock.shutdown(1)
        answer = visitor.answer()
        if adaptor == "edge":
            assert answer.status == trick.status
            assert answer.value(b"connection") == b"close"
            assert answer.complete
        else:
            assert answer.status in ({200} if after == "taken" else {400, 405, 414, 431, 501, 505})
        if after != "waits":
            visitor.sock.shutdown(1)
        if after in {"next", "taken"}:
            assert visitor.answer().status == 200
        else:
            assert visitor.closed()
    assert settled(port, origin) == {"next": [b"/smuggled"], "taken": [b"/first", b"/smuggled"]}.get(after, [])
    assert after or b"smuggled" not in origin.raw


# That server never ends reading a chunk whose announced bytes do not come.
ENDLESS = {"chunk, 16 digits", "chunk, 17 digits", "chunk, 2 to the 63"}


@pytest.mark.parametrize("name", [name for name in TRICKS if name not in ENDLESS])
def test_whatever_a_loose_server_makes_of_a_trick_the_origin_gets_no_request_behind_it(lenient, name):
    """P16: what reaches the origin is written anew, so that it holds the requests that bridge sent and no other."""
    port, origin = lenient
    origin.forget()
    with Visitor(port) as visitor:
        visitor.send(TRICKS[name].raw + HIDDEN)
        visitor.sock.shutdown(1)
        while visitor.more():
            pass
    assert set(settled(port, origin)) <= {b"/first"}


HONEST = {
    # What looks like a request where a body is: the origin gets it as a body.
    "a body": (POST + b"Content-Length: %d\r\n" % len(HIDDEN) + END + HIDDEN, [(b"/first", HIDDEN)]),
    "a body of GET": (GET + b"Content-Length: %d\r\n" % len(HIDDEN) + END + HIDDEN, [(b"/first", HIDDEN)]),
    "a chunk": (TE + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + LAST, [(b"/first", HIDDEN)]),
    "a body that the Connection field wants unframed": (
        POST + b"Connection: content-length\r\nContent-Length: %d\r\n" % len(HIDDEN) + END + HIDDEN,
        [(b"/first", HIDDEN)],
    ),
    "a chunk that the Connection field wants unframed": (
        POST + b"Connection: transfer-encoding\r\n" + CHUNKED + END + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + LAST,
        [(b"/first", HIDDEN)],
    ),
    "a body of an own path that reads it": (
        b"POST /_bridge/echo HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n" % len(HIDDEN) + END + HIDDEN,
        [],
    ),
    "a body of an own path that fails": (
        b"POST /_bridge/fail HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n" % len(HIDDEN) + END + HIDDEN,
        [],
    ),
    "a body with an upgrade": (
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n" % len(HIDDEN) + END + HIDDEN,
        [(b"/first", HIDDEN)],
    ),
    # What comes behind a request that ends the connection is nobody's.
    "behind the end": (GET + b"Connection: close\r\n" + END + HIDDEN, [(b"/first", b"")]),
    "behind the end of 1.0": (b"GET /first HTTP/1.0\r\n" + HOST + END + HIDDEN, [(b"/first", b"")]),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_looks_like_a_request_where_none_can_be_is_none(served, name):
    """P16."""
    _, port, origin = served
    raw, expected = HONEST[name]
    origin.forget()
    with Visitor(port) as visitor:
        visitor.send(raw)
        assert visitor.answer().status in {200, 500}
    settled(port, origin)
    assert [(request.target, request.body) for request in origin.received if request.target != b"/later"] == expected


def test_an_origin_that_takes_a_body_for_a_request_answers_it_to_nobody(served):
    """P16: it answers from the head alone, and then the body as if it were a request on the kept connection."""
    _, port, origin = served
    poisoned = threading.Event()

    def poison(wire, request):
        wire.send(ok(b"poison", b"text/plain"))
        poisoned.set()
        return b""

    origin.forget()
    origin.before_body.add(b"/first")
    origin.plays[b"/smuggled"] = poison
    try:
        with Visitor(port) as visitor:
            visitor.send(HONEST["a body"][0])
            assert visitor.answer().body == b"none\n"
        assert poisoned.wait(5)
        for _ in range(5):
            with Visitor(port) as visitor:
                assert visitor.get(b"/later").body == b"none\n"
    finally:
        origin.before_body.clear()
        origin.plays.clear()
