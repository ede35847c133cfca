"""What the middleware makes of an environment; its traffic is in tests/wire."""

from __future__ import annotations

import io

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy import Counters, ProxyMiddleware, ProxyOptions, ProxyWiring
from tests.wire.origin import Origin


@pytest.fixture
def origin():
    server = Origin()
    yield server
    server.close()


@pytest.fixture
def middleware(origin):
    proxy = ProxyMiddleware(
        lambda environ, start: [b"own"], ProxyWiring(ProxyOptions(origin=origin.url)), Counters(CollectorRegistry())
    )
    yield proxy
    proxy.close()


def call(middleware, **environ):
    base = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_HOST": "shop.example",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "1.1.1.1",
        "wsgi.input": io.BytesIO(),
    }
    got = []
    body = middleware({**base, **environ}, lambda status, headers: got.append(status))
    text = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return (got or [None])[0], text


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({"RAW_URI": "/a%2Fb?c=%20", "PATH_INFO": "/a/b"}, b"/a%2Fb?c=%20"),
        ({"REQUEST_URI": "/a%2Fb", "PATH_INFO": "/a/b"}, b"/a%2Fb"),
        ({"PATH_INFO": "/caf\xc3\xa9 x/$1;a=b", "QUERY_STRING": "q=%C3%A9"}, b"/caf%C3%A9%20x/$1;a=b?q=%C3%A9"),
        ({"SCRIPT_NAME": "/app", "PATH_INFO": "/x?y"}, b"/app/x%3Fy"),
    ],
)
def test_the_target_is_raw_where_the_server_tells_it_and_quoted_again_where_not(middleware, origin, environ, target):
    """P11."""
    assert call(middleware, **environ)[0] == "200 OK"
    assert origin.received[0].target == target


def test_a_chunked_body_that_the_server_does_not_end_is_a_411(middleware, origin):
    """P12: never an empty forward."""
    assert call(middleware, REQUEST_METHOD="POST", HTTP_TRANSFER_ENCODING="chunked")[0] == "411 Length Required"
    assert origin.received == []


def test_a_body_cut_short_is_a_400(middleware, origin):
    status, _ = call(middleware, **{"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"abc")})
    assert status == "400 Bad Request"
    assert origin.received == []


def test_own_paths_are_the_applications(middleware, origin):
    assert call(middleware, PATH_INFO="/_bridge/x")[1] == b"own"
    assert origin.received == []
