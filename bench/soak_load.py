"""Visitors of the soak: some behave, some are slow, some leave in the middle, some send what is no request.

Each kind of visitor is a coroutine that does one thing and says whether bridge did what it must. Every connection comes
from an address of its own in 127.0.0.0/8, as visitors' do.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Act = Callable[["Visitors"], Awaitable[bool]]

PATIENCE = 30.0
MALFORMED = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
)


@dataclass
class Answer:
    """What came back; `whole` is False where the connection ended before the framing said so."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes
    whole: bool


@dataclass
class Visitors:
    """Where to ask, and what came of it so far: (kind, good) -> count."""

    port: int
    tally: Counter[tuple[str, bool]] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=lambda: random.Random("soak"))  # noqa: S311 load, no secret
    stopping: bool = False

    @contextlib.asynccontextmanager
    async def connection(self):  # noqa: ANN201 a context manager
        """Connect from any address; the connection is ended at once at the end."""
        address = f"127.{self.dice.randint(1, 250)}.{self.dice.randint(1, 250)}.{self.dice.randint(1, 250)}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0), limit=1 << 16)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    def request(self, target: str, *more: str, method: str = "GET", body: bytes = b"") -> bytes:
        """Return the bytes of a request by a visitor with a session."""
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
            f"Cookie: PHPSESSID={self.dice.getrandbits(64):x}; form_key=a",
            *more,
            *([f"Content-Length: {len(body)}"] if body else []),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    async def keep(self, kind: str, act: Act, pause: float) -> None:
        """Do the same again and again until told to stop."""
        while not self.stopping:
            try:
                async with asyncio.timeout(PATIENCE):
                    good = await act(self)
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                good = False
            if not (self.stopping and not good):  # what is under way at the end may be ended by it
                self.tally[kind, good] += 1
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.5))


async def read(reader: asyncio.StreamReader, method: str = "GET") -> Answer:
    """Read an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    answer = Answer(int(first.split(b" ")[1]), fields, b"", whole=True)
    if method == "HEAD" or answer.status in {204, 304}:
        return answer
    parts: list[bytes] = []
    try:
        if fields.get(b"transfer-encoding") == b"chunked":
            while size := int(await reader.readuntil(b"\r\n"), 16):
                parts.append((await reader.readexactly(size + 2))[:-2])
            await reader.readexactly(2)
        else:
            parts.append(await reader.readexactly(int(fields[b"content-length"])))
    except (asyncio.IncompleteReadError, ConnectionError):
        answer.whole = False
    answer.body = b"".join(parts)
    return answer


async def pages(visitors: Visitors, *, packed: bool) -> bool:
    """Read pages over one connection, as a browser does; each must be the one asked for, and hold the tag once."""
    coding = "gzip, br" if packed else "identity"
    async with visitors.connection() as (reader, writer):
        for _ in range(visitors.dice.randint(1, 12)):
            number = visitors.dice.choice((visitors.dice.randint(0, 40), visitors.dice.randint(0, 1_000_000)))
            writer.write(visitors.request(f"/page/{number}.html", f"Accept-Encoding: {coding}"))
            answer = await read(reader)
            body = gzip.decompress(answer.body) if answer.fields.get(b"content-encoding") == b"gzip" else answer.body
            right = b"<h1>%d</h1>" % number in body and body.count(b"data-bridge") == 1 and body.endswith(b"</html>\n")
            if answer.status != 200 or not answer.whole or not right:
                return False
            await asyncio.sleep(0.05)
    return True


async def files(visitors: Visitors) -> bool:
    """Read JSON and a picture, pipelined."""
    async with visitors.connection() as (reader, writer):
        targets = ["/section", "/photo.jpg", "/section"]
        writer.write(b"".join(visitors.request(target) for target in targets))
        sizes = [len((await read(reader)).body) for _ in targets]
    return sizes[0] == sizes[2] > 10 and sizes[1] == 204_800


async def posts(visitors: Visitors) -> bool:
    """Do what bridge observes: log in, subscribe, fill the cart, place an order."""
    name = f"visitor{visitors.dice.randint(0, 5000)}@shop.example"
    json = "Content-Type: application/json"
    form = "Content-Type: application/x-www-form-urlencoded"
    target, kind, body, status = visitors.dice.choice(
        (
            ("/customer/ajax/login", json, f'{{"username":"{name}","password":"x"}}', 200),
            ("/newsletter/subscriber/new/", form, f"email={name}", 302),
            ("/checkout/cart/add/", form, "product=7&qty=2", 302),
            (
                "/rest/default/V1/guest-carts/abc/payment-information",
                json,
                f'{{"email":"{name}","paymentMethod":{{}}}}',
                200,
            ),
        )
    )
    cookie = f"Cookie: bridge_visitor={visitors.dice.getrandbits(128):032x}; bridge_consent=1"
    async with visitors.connection() as (reader, writer):
        writer.write(visitors.request(target, kind, cookie, method="POST", body=body.encode()))
        answer = await read(reader)
    return answer.status == status and answer.whole


async def uploads(visitors: Visitors) -> bool:
    """Send 300 kB by chunks."""
    async with visitors.connection() as (reader, writer):
        writer.write(visitors.request("/upload", "Transfer-Encoding: chunked", method="POST"))
        for _ in range(10):
            writer.write(b"7530\r\n" + b"x" * 30_000 + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        return (await read(reader)).status == 404


async def slow(visitors: Visitors) -> bool:
    """Take a film of 4 MB at 1 MB a second, and a page that comes in pieces."""
    async with visitors.connection() as (reader, writer):
        writer.write(visitors.request("/film.mp4"))
        await reader.readuntil(b"\r\n\r\n")
        left = 4_194_304
        while left:
            left -= len(await reader.read(min(left, 50_000)))
            await asyncio.sleep(0.05)
        writer.write(visitors.request("/drip.html"))
        answer = await read(reader)
    return answer.whole and answer.body.count(b"data-bridge") == 1


async def slow_to_ask(visitors: Visitors) -> bool:
    """Send a request byte by byte."""
    async with visitors.connection() as (reader, writer):
        for byte in visitors.request("/section"):
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
        return (await read(reader)).status == 200


async def leavers(visitors: Visitors) -> bool:
    """Go away in the middle: of the request's head, its body, or the answer."""
    async with visitors.connection() as (reader, writer):
        way = visitors.dice.randrange(4)
        if way == 0:
            writer.write(visitors.request("/section")[: visitors.dice.randint(1, 90)])
        elif way == 1:
            writer.write(visitors.request("/upload", method="POST", body=b"x" * 9000)[:-100])
        else:
            writer.write(visitors.request("/film.mp4" if way == 2 else "/page/7.html"))
            await reader.read(visitors.dice.randint(1, 60_000))
    return True


async def broken(visitors: Visitors) -> bool:
    """Ask for what the origin breaks off: 502 before the head, a cut connection after it."""
    target = visitors.dice.choice(("/cut/head", "/cut/body", "/cut/chunk"))
    async with visitors.connection() as (reader, writer):
        writer.write(visitors.request(target))
        answer = await read(reader)
    return answer.status == 502 if target == "/cut/head" else not answer.whole


async def malformed(visitors: Visitors) -> bool:
    """Send what is no request: 400, and the connection ends."""
    async with visitors.connection() as (reader, writer):
        writer.write(visitors.dice.choice(MALFORMED))
        answer = await read(reader)
        return answer.status == 400 and await reader.read(1) == b""


async def own(visitors: Visitors) -> bool:
    """Ask what the tag asks."""
    async with visitors.connection() as (reader, writer):
        writer.write(visitors.request("/_bridge/tag.js?v=0", "Accept-Encoding: gzip"))
        script = await read(reader)
        writer.write(visitors.request("/_bridge/me", "Sec-Fetch-Site: same-origin"))
        me = await read(reader)
        writer.write(visitors.request("/_bridge/nothing"))
        nothing = await read(reader)
    return (script.status, me.status, nothing.status) == (200, 200, 404) and b"basket" in me.body


async def identity_pages(visitors: Visitors) -> bool:
    """Read pages without coding."""
    return await pages(visitors, packed=False)


async def gzip_pages(visitors: Visitors) -> bool:
    """Read pages in gzip."""
    return await pages(visitors, packed=True)


KINDS: dict[str, tuple[Act, int, float]] = {
    "pages": (identity_pages, 6, 0.05),
    "pages, gzip": (gzip_pages, 6, 0.05),
    "JSON and files": (files, 3, 0.05),
    "observed posts": (posts, 2, 0.2),
    "uploads": (uploads, 1, 0.2),
    "slow readers": (slow, 8, 0.1),
    "slow askers": (slow_to_ask, 4, 0.1),
    "leavers": (leavers, 3, 0.05),
    "broken answers": (broken, 2, 0.1),
    "malformed requests": (malformed, 2, 0.1),
    "own paths": (own, 2, 0.2),
}
"""Kind -> what it does, how many at once, and the mean pause of each in seconds."""


def start(visitors: Visitors) -> list[asyncio.Task[None]]:
    """Let all visitors begin."""
    return [
        asyncio.create_task(visitors.keep(kind, act, pause), name=kind)
        for kind, (act, count, pause) in KINDS.items()
        for _ in range(count)
    ]
