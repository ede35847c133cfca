"""Whether `os.splice` carries a body at less CPU than reading and writing it: `python -m bench.splice`.

A body goes from one TCP connection to another, over and over, by one thread that does nothing else, in the two ways in
turn. The CPU is that of this thread, kernel included. Then the same between a shop and a client through the edge, in a
process of its own, with and without pipes. Writes `docs/figures/splice.json`, which
`docs/performance.md` takes in.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import multiprocessing
import os
import socket
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from bridge.proxy import ProxyOptions, ProxyWiring
from bridge.proxy.edge import Edge
from bridge.proxy.piping import LEAST, SIZE

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import Queue

    from bridge.proxy.exchange import RequestHead

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures" / "splice.json"
SIZES = (200_000, 1_000_000, 5_000_000)
EDGE_SIZES = (1_000_000, 2_000_000, 5_000_000, 20_000_000)
READ = 256 * 1024
ROUNDS, BYTES = 7, 200_000_000
SECTION = """
## Splicing

A body from one connection to another by one thread that does nothing else, CPU in microseconds each, kernel included:
reading and writing, and `os.splice` through a pipe of {pipe:.0f} kB. The edge splices what is left of a body where that
is {least:.0f} kB and more. Below that the first read has most of the body with its head; a pipe, two descriptors and
their watchers cost more than is saved.

| body | read and write | splice | splice for one of the other |
| ---: | ---: | ---: | ---: |
{rows}

The same through the edge, CPU of its process. Where both columns are alike, no pipe is used.

| body | without pipes | with | with for one without |
| ---: | ---: | ---: | ---: |
{edge}
"""
ASK = b"GET /film HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def _send(port: int, total: int) -> None:
    block = b"x" * READ
    with socket.create_connection(("127.0.0.1", port)) as sock:
        while total > 0:
            sock.sendall(block[:total])
            total -= READ


def _take(port: int) -> None:
    room = bytearray(READ)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        while sock.recv_into(room):
            pass


def copied(source: socket.socket, sink: socket.socket, size: int) -> None:
    """Carry a body by reading and writing."""
    while size:
        data = source.recv(min(READ, size))
        sink.sendall(data)
        size -= len(data)


def spliced(source: socket.socket, sink: socket.socket, size: int) -> None:
    """Carry a body through a pipe, which takes no copy of it to this process."""
    while size:
        held = os.splice(source.fileno(), _pipe[1], min(SIZE, size), flags=os.SPLICE_F_MOVE)
        size -= held
        while held:
            held -= os.splice(_pipe[0], sink.fileno(), held, flags=os.SPLICE_F_MOVE)


_pipe = os.pipe()


def measure(way: Callable[[socket.socket, socket.socket, int], None], size: int) -> float:
    """Return the CPU microseconds that a body of this size costs."""
    number = max(BYTES // size, 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        started = [
            multiprocessing.Process(target=_send, args=(port, number * size), daemon=True),
            multiprocessing.Process(target=_take, args=(port,), daemon=True),
        ]
        sockets = []
        for each in started:  # the two are told apart by their turn
            each.start()
            sockets.append(server.accept()[0])
        source, sink = sockets
        start = time.thread_time()
        for _ in range(number):
            way(source, sink, size)
        spent = time.thread_time() - start
        source.close()
        sink.close()
        for each in started:
            each.join(10)
    return spent / number * 1e6


class _NoTags:
    """Nothing asks for the tag of a film."""

    etag_suffix, csp_sources = b"", {}  # type: ignore[var-annotated]

    def markup(self, request: RequestHead) -> bytes | None:
        """Return none."""
        del request
        return None


def _shop(told: Queue[Any], size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size
    body = b"x" * size
    with socket.create_server(("127.0.0.1", 0)) as server:
        told.put(server.getsockname()[1])
        client = server.accept()[0]
        while client.recv(65536):  # one request at a time, each in one piece
            client.sendall(head)
            client.sendall(body)


def _edge(told: Queue[Any], asked: Queue[str], shop: int, *, pipes: bool) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        wiring = ProxyWiring(ProxyOptions(origin=f"http://127.0.0.1:{shop}"), _NoTags(), None, None)
        edge = Edge(wiring, lambda *_: [])
        edge.pool.pipes = pipes
        sock = socket.create_server(("127.0.0.1", 0))
        await edge.listen(sock, "shop")
        told.put(sock.getsockname()[1])
        while await loop.run_in_executor(None, asked.get):
            told.put(time.process_time())
        await edge.stop(0)

    uvloop.run(serve())


def through_edge(size: int, *, pipes: bool) -> float:
    """Return the CPU microseconds that a body of this size costs the edge."""
    number = max(BYTES // size, 1)
    told: Queue[Any] = multiprocessing.Queue()
    asked: Queue[str] = multiprocessing.Queue()
    shop = multiprocessing.Process(target=_shop, args=(told, size), daemon=True)
    shop.start()
    edge = multiprocessing.Process(target=_edge, args=(told, asked, told.get()), kwargs={"pipes": pipes}, daemon=True)
    edge.start()
    room = bytearray(READ)
    with socket.create_connection(("127.0.0.1", told.get())) as client:

        def ask(times: int) -> float:
            for _ in range(times):
                client.sendall(ASK)
                left = client.recv_into(room)
                left = size + bytes(room[:left]).index(b"\r\n\r\n") + 4 - left
                while left:
                    left -= client.recv_into(room)
            asked.put("how much")
            return float(told.get())

        before = ask(3)
        spent = ask(number) - before
    asked.put("")
    for each in (edge, shop):
        each.join(10)
        each.terminate()
    return spent / number * 1e6


def section(figures: dict[str, list[dict[str, float]]]) -> str:
    """Return the section of the page."""
    rows = {
        name: "\n".join(
            f"| {row['size'] / 1000:,.0f} kB | {row['copied']:.0f} | {row['spliced']:.0f} |"
            f" {row['spliced'] / row['copied']:.2f} |"
            for row in each
        )
        for name, each in figures.items()
    }
    return SECTION.format(pipe=SIZE / 1024, least=LEAST / 1024, **rows)


def kept_section() -> str:
    """Return the section made of what was measured last; nothing where nothing was."""
    return section(json.loads(FIGURES.read_text(encoding="utf-8"))) if FIGURES.exists() else ""


def main() -> None:
    """Measure both ways in turn, print and keep the medians."""
    fcntl.fcntl(_pipe[1], fcntl.F_SETPIPE_SZ, SIZE)
    ways: dict[str, Callable[[int, str], float]] = {
        "rows": lambda size, way: measure(spliced if way == "spliced" else copied, size),
        "edge": lambda size, way: through_edge(size, pipes=way == "spliced"),
    }
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for name, size in [("rows", size) for size in SIZES] + [("edge", size) for size in EDGE_SIZES]:
        found: dict[str, list[float]] = {"copied": [], "spliced": []}
        for _ in range(ROUNDS):
            for way, values in found.items():
                values.append(ways[name](size, way))
        figures[name].append({"size": size} | {way: statistics.median(values) for way, values in found.items()})
        print(name, figures[name][-1], flush=True)  # noqa: T201 progress
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
