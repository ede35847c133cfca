"""A shop that costs nothing: fixed pages from memory, gzip where it is taken. `python -m bench.origin PORT`."""

from __future__ import annotations

import asyncio
import gzip
import sys
from pathlib import Path
from typing import cast

import uvloop

CAPTURES = Path(__file__).resolve().parents[1].parent / "shared" / "captures" / "magento" / "pages"
MADE = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/><title>Made page</title></head>\n'
    '<body class="catalog-category-view page-products">\n'
    + "".join(
        f'<li class="product-item"><a href="/p{n}.html">Product {n}</a> <b>£{n}.00</b></li>\n' for n in range(800)
    )
    + "</body>\n</html>\n"
)


def pages() -> dict[str, bytes]:
    """Return path -> body: a made page, and the captured ones where they are at hand."""
    found = {"/made.html": MADE.encode()}
    for path, name in (("/category.html", "category.html"), ("/product.html", "product_configurable.html")):
        if (CAPTURES / name).exists():
            found[path] = (CAPTURES / name).read_bytes()
    return found


JSON = b'{"cart":{"summary_count":2,"subtotal":"42.00","items":[{"product_id":"7","qty":2}],"data_id":1}}'
USUAL = (
    "Content-Security-Policy-Report-Only: font-src 'self' data:; form-action 'self'; img-src 'self' data:; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' *.example.com; connect-src 'self'; default-src 'self'\r\n"
    "X-Frame-Options: SAMEORIGIN\r\nSet-Cookie: PHPSESSID=b2c7d1; Max-Age=3600; path=/; HttpOnly\r\n"
    "Set-Cookie: private_content_version=9f2c; Max-Age=315360000; path=/; SameSite=Lax\r\n"
)
"""Fields of Magento's own pages that bridge has work with."""
FILES = {
    "/customer/section/load": (b"application/json", JSON),
    "/media/photo.jpg": (b"image/jpeg", bytes(range(256)) * 782),
}
"""What gets no tag: path -> type and body."""


def answers() -> dict[tuple[bytes, bool], bytes]:
    """Return the whole answer for each path, plain and gzipped."""
    found = {}
    for path, body in pages().items():
        for packed in (False, True):
            data = gzip.compress(body, 6, mtime=0) if packed else body
            coding = "Content-Encoding: gzip\r\n" if packed else ""
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nVary: Accept-Encoding\r\n"
                f"Cache-Control: no-store\r\n{USUAL}{coding}Content-Length: {len(data)}\r\n\r\n"
            )
            found[path.encode(), packed] = head.encode() + data
    for path, (kind, data) in FILES.items():
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind.decode()}\r\nContent-Length: {len(data)}\r\n\r\n"
        found[path.encode(), False] = found[path.encode(), True] = head.encode() + data
    return found


FRESH = b"/fresh.html"
"""The made page, packed anew for each answer as far as a proxy can tell: the time in its gzip header counts up."""


class Shop(asyncio.Protocol):
    """Answers each request head; bodies are not expected."""

    known = answers()
    number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)
        self._left = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole head."""
        self._left += data
        while (end := self._left.find(b"\r\n\r\n")) >= 0:
            head, self._left = self._left[:end].lower(), self._left[end + 4 :]
            path = head.split(b" ", 2)[1]
            packed = b"gzip" in head.partition(b"\naccept-encoding:")[2].partition(b"\r")[0]
            if path == FRESH:
                path = b"/made.html"
                if packed:
                    self._transport.write(self._fresh(self.known[path, True]))
                    continue
            answer = self.known.get((path, packed), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            self._transport.write(answer)

    def _fresh(self, answer: bytes) -> bytes:
        Shop.number += 1
        time = answer.find(b"\r\n\r\n") + 4 + 4
        return answer[:time] + Shop.number.to_bytes(4, "little") + answer[time + 4 :]


async def main(port: int) -> None:
    """Serve until ended."""
    server = await asyncio.get_running_loop().create_server(Shop, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
