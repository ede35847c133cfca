"""Visitors that ask one page again and again over kept connections. Prints answers and bytes as JSON.

`python -m bench.load HOST:PORT PATH CONNECTIONS SECONDS identity|gzip`
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop

HEAD = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Accept-Encoding: {coding}\r\nCookie: PHPSESSID=b2c7d1; form_key=Abc123Def456; private_content_version=9f2c\r\n\r\n"
)


CHUNKED = -1
LAST = b"\r\n0\r\n\r\n"


class Visitor(asyncio.Protocol):
    """Asks again as soon as the answer is whole; counts whole answers with status 200."""

    def __init__(self, request: bytes, tally: dict[str, int]) -> None:
        self._request = request
        self._tally = tally
        self._head = b""
        self._left = 0
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count a whole answer and ask again."""
        self._tally["bytes"] += len(data)
        if self._left == 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = self._head[:end].lower(), self._head[end + 4 :]
            length = head.partition(b"\ncontent-length:")[2].partition(b"\r")[0]
            self._left, self._head = int(length or CHUNKED), b""
            self._tally["good" if head.split(b" ", 2)[1] == b"200" else "bad"] += 1
        if self._left == CHUNKED:
            self._tail = (self._tail + data)[-len(LAST) :]
            if self._tail == LAST:
                self._left, self._tail = 0, b""
        else:
            self._left -= len(data)
        if self._left == 0:
            self._transport.write(self._request)

    def connection_lost(self, _error: Exception | None) -> None:
        """A lost connection is told, never hidden."""
        self._tally["lost"] += 1


async def main(address: str, path: str, connections: int, seconds: float, coding: str) -> None:
    """Ask for so many seconds."""
    host, _, port = address.partition(":")
    request = HEAD.format(path=path, host=address, coding=coding).encode()
    tally = {"good": 0, "bad": 0, "lost": 0, "bytes": 0}
    loop = asyncio.get_running_loop()
    ways = [
        (await loop.create_connection(lambda: Visitor(request, tally), host, int(port)))[0] for _ in range(connections)
    ]
    before, began = dict(tally), time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    told = {name: tally[name] - before[name] for name in tally}
    for way in ways:
        way.abort()
    print(json.dumps({**told, "seconds": took}))  # noqa: T201 the caller reads it


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))
