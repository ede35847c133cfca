"""A shop that misbehaves in measure: pages without end, slow and broken answers. `python -m bench.soak_shop PORT`.

Paths: `/page/N.html` a page of its own for each N, `/section` JSON, `/photo.jpg` 200 kB, `/film.mp4` 4 MB, `/drip.html`
a page in twenty pieces, `/cut/head`, `/cut/body` and `/cut/chunk` answers that break off, and the posts that bridge
observes. Everything else is a 404.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys

import uvloop

PHOTO = bytes(range(256)) * 800
FILM = bytes(range(256)) * 16384
MESSAGE = "Set-Cookie: mage-messages=%5B%7B%22type%22%3A%22success%22%2C%22text%22%3A%22a%22%7D%5D; path=/\r\n"
ROWS = "".join(
    f'<li class="product-item"><a href="/p{n}.html">Product {n}</a> <b>£{n}.00</b></li>\n' for n in range(600)
)


def page(number: str) -> bytes:
    """Return a page of 50 kB that no other number has."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/><title>Page {number}</title></head>\n'
        f'<body class="catalog-product-view">\n<h1>{number}</h1>\n{ROWS}</body>\n</html>\n'
    ).encode()


def answer(status: str, kind: str, body: bytes, more: str = "") -> bytes:
    """Return a whole answer with a length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


JSON = "application/json"
CART = json.dumps({"cart": {"summary_count": 2, "items": [{"product_id": "7", "qty": 2}]}}).encode()
DONE = answer("302 Found", "text/html", b"", f"Location: /\r\n{MESSAGE}")
FIXED = {
    "/section": answer("200 OK", JSON, CART, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"),
    "/photo.jpg": answer("200 OK", "image/jpeg", PHOTO, "Cache-Control: public, max-age=60\r\n"),
    "/film.mp4": answer("200 OK", "video/mp4", FILM),
    "/checkout/cart/add/": DONE,
    "/newsletter/subscriber/new/": DONE,
    "/customer/ajax/login": answer("200 OK", JSON, b'{"errors":false,"message":"Login successful."}'),
    "/rest/default/V1/guest-carts/abc/payment-information": answer("200 OK", JSON, b'"42"'),
}


def made(path: str, fields: str) -> bytes:
    """Return the whole answer to a request for `path`; `fields` in lower case."""
    if not path.startswith("/page/"):
        return FIXED.get(path) or answer("404 Not Found", "text/plain", b"no\n")
    body, more = page(path[6:-5]), "Vary: Accept-Encoding\r\n"
    if "gzip" in fields.partition("accept-encoding:")[2].partition("\r")[0]:
        body, more = gzip.compress(body, 1, mtime=0), f"{more}Content-Encoding: gzip\r\n"
    return answer("200 OK", "text/html; charset=UTF-8", body, more)


CUT = {
    "/cut/head": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Le",
    "/cut/body": answer("200 OK", "application/json", PHOTO)[:90_000],
    "/cut/chunk": b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"
    + PHOTO[:9999],
}


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a page in twenty pieces over a second."""
    body = page("drip")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    step = len(body) // 20 + 1
    for at in range(0, len(body), step):
        piece = body[at : at + step]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.write(b"0\r\n\r\n")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = head.lower()
            length = fields.partition("\ncontent-length:")[2].partition("\r")[0].strip()
            if length:
                await reader.readexactly(int(length))
            elif "\ntransfer-encoding: chunked" in fields:
                await reader.readuntil(b"0\r\n\r\n")
            path = head.split(" ", 2)[1].partition("?")[0]
            if path in CUT:
                writer.write(CUT[path])
                break
            if path == "/drip.html":
                await drip(writer)
            else:
                writer.write(made(path, fields))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass  # the other side went: that is part of the load
    finally:
        writer.close()


async def main(port: int) -> None:
    """Serve until ended."""
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024, limit=1 << 20)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
