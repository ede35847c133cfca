"""Bytes to begin from: cases of the project's own tests and the beginnings of pages that lie in its samples."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLES: Final = ROOT / "tests" / "replay" / "samples" / "pages"

REQUESTS: Final = (
    b"GET /a?b HTTP/1.1\r\nhOST: shop.example\r\nX-A: 1\r\nx-a:2  \r\nX-Empty:\r\n\r\n",
    b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\nPOST /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5;a=b\r\npedia\r\n0\r\nX:1\r\n\r\n",
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
)  # fmt: skip
CHUNKS: Final = (
    b"4\r\nwiki\r\n6;a=b\r\npedia \r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
    b"1\r\nx\r\n0\r\n\r\n",
    b"0\r\n\r\n",
)


def _answers() -> tuple[bytes, ...]:
    """Return the heads that a shop sent with the sample pages, or a made one where there are none."""
    heads = [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in _samples("*.headers.txt")]
    made = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    return (made, *heads)


def _pages() -> tuple[bytes, ...]:
    """Return the first bytes of the sample pages."""
    plain = [path.read_bytes()[:1500] for path in _samples("*.html")]
    return (b"<!doctype html><html><head><title>x</title></head><body></body></html>", *plain, *_packed())


def _packed() -> list[bytes]:
    return [gzip.decompress(path.read_bytes())[:1500] for path in _samples("*.html.gz")]


def _samples(pattern: str) -> list[Path]:
    return sorted(SAMPLES.glob(pattern))


ANSWERS: Final = _answers()
PAGES: Final = _pages()
