"""Puts a mail server under load as shops do: one connection a mail, one recipient, and idle ones left open."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

LINE = b'<td style=3D"padding:10px 15px 10px 0">Lorem ipsum dolor sit amet, consect=\r\n'
HEAD = (
    b"Date: Tue, 14 Jul 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline\r\n"
    b"Subject: Your Main Website Store order confirmation\r\nTo: Ada <ada@example.test>\r\n"
    b"From: Sales <sales@shop.test>\r\n"
)
MAIL_BYTES = 30_000
MAIL = HEAD + b"\r\n" + LINE * ((MAIL_BYTES - len(HEAD)) // len(LINE))
ANSWER_SECONDS = 60


class Connection:
    """One SMTP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Connection:
        """Connect and greet."""
        connection = cls(*await asyncio.open_connection("127.0.0.1", port))
        await connection.say(b"")
        await connection.say(b"EHLO localhost\r\n")
        return connection

    async def say(self, line: bytes, wanted: bytes = b"2") -> None:
        """Send and wait for the whole reply; raise ConnectionError when it is not the one that is wanted."""
        self._writer.write(line)
        async with asyncio.timeout(ANSWER_SECONDS):
            while (reply := await self._reader.readline())[3:4] == b"-":
                pass
        if not reply.startswith(wanted):
            raise ConnectionError(reply)

    async def mail(self) -> float:
        """Send a mail; return the seconds from its last dot to the answer."""
        await self.say(b"MAIL FROM:<sales@shop.test>\r\n")
        await self.say(b"RCPT TO:<ada@example.test>\r\n")
        await self.say(b"DATA\r\n", b"3")
        self._writer.write(MAIL)
        await self._writer.drain()
        began = time.perf_counter()
        await self.say(b".\r\n")
        return time.perf_counter() - began

    async def close(self) -> None:
        """Say goodbye."""
        await self.say(b"QUIT\r\n")
        self._writer.close()


async def shop(port: int, until: float, waits: list[float]) -> None:
    """Send mail after mail, each in a connection of its own, as Magento does."""
    while time.perf_counter() < until:
        connection = await Connection.to(port)
        waits.append(await connection.mail())
        await connection.close()


async def load(port: int, shops: int, seconds: float) -> dict[str, Any]:
    """Return how many mails were taken, in how long, and the seconds from dot to answer of each."""
    waits: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(shop(port, began + seconds, waits) for _ in range(shops)))
    return {"mails": len(waits), "seconds": time.perf_counter() - began, "waits": waits}


async def crowd(port: int, count: int) -> dict[str, Any]:
    """Hold ``count`` connections open until a line comes on standard input; send one mail among them."""
    held = []
    for _ in range(count):
        held.append(await Connection.to(port))  # noqa: PERF401 one after the other
    waits = [await held[0].mail() for _ in range(20)]
    print(json.dumps({"waits": waits}), flush=True)  # noqa: T201 told to the bench
    await asyncio.to_thread(sys.stdin.readline)
    for connection in held:
        await connection.close()
    return {"closed": count}


if __name__ == "__main__":
    verb, port, number, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(asyncio.run(crowd(port, number) if verb == "crowd" else load(port, number, seconds))))  # noqa: T201
