"""Each exchange on the edge leaves its line, however it ends."""

from __future__ import annotations

import pytest

from tests.browser.stack import wait_for
from tests.wire.origin import chunked, cut, ok

PAGE = b"<!doctype html><html><head></head><body></body></html>"


@pytest.fixture
def adaptor():
    """The WSGI server writes its own log."""
    return "edge"


@pytest.fixture
def logged(start, tmp_path):
    path = tmp_path / "access.log"
    proxy = start(access_log=path)

    def lines(count):
        wait_for(lambda: path.exists() and len(path.read_text().splitlines()) >= count, 5)
        return [line.split(" ")[1:4] + line.split(" ")[5:] for line in path.read_text().splitlines()]

    return proxy, lines


def test_pages_files_and_answers_of_ours(origin, logged):
    proxy, lines = logged
    origin.plays[b"/page"] = ok(PAGE)
    origin.plays[b"/slow"] = chunked([PAGE[:20], PAGE[20:]])
    origin.plays[b"/a.txt"] = ok(b"x", b"text/plain")
    with proxy.visitor() as visitor:
        for path in (b"/page", b"/slow", b"/a.txt?token=x", b"/_bridge/x"):
            visitor.get(path)
    assert lines(4) == [
        ["GET", "/page", "200", "ok"],
        ["GET", "/slow", "200", "ok"],
        ["GET", "/a.txt", "200", "ok"],
        ["GET", "/_bridge/x", "200", "ok"],
    ]


def test_exchanges_that_fail(origin, logged):
    proxy, lines = logged
    origin.plays[b"/gone"] = cut(ok(b"x"), 0)
    origin.plays[b"/cut"] = cut(ok(b"x" * 100, b"text/plain"), -50)
    assert proxy.get(b"/gone").status == 502
    assert not proxy.get(b"/cut").complete
    assert lines(2) == [["GET", "/gone", "502", "ok"], ["GET", "/cut", "200", "cut"]]
