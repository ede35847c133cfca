"""Whether `os.splice` carries a body at less CPU than reading and writing it: `python -m bench.splice`.

A body goes from one TCP connection to another, over and over, by one thread that does nothing else, in the two ways in
turn. The CPU is that of this thread, kernel included. Writes `docs/figures/splice.json`, which
`docs/performance.md` takes in.
"""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import socket
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.proxy.piping import LEAST, SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures" / "splice.json"
SIZES = (200_000, 1_000_000, 5_000_000)
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
"""


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


def section(figures: list[dict[str, float]]) -> str:
    """Return the section of the page."""
    rows = []
    for row in figures:
        copied, spliced = row["copied"], row["spliced"]
        rows.append(f"| {row['size'] / 1000:,.0f} kB | {copied:.0f} | {spliced:.0f} | {spliced / copied:.2f} |")
    return SECTION.format(rows="\n".join(rows), pipe=SIZE / 1024, least=LEAST / 1024)


def kept_section() -> str:
    """Return the section made of what was measured last; nothing where nothing was."""
    return section(json.loads(FIGURES.read_text(encoding="utf-8"))) if FIGURES.exists() else ""


def main() -> None:
    """Measure both ways in turn, print and keep the medians."""
    fcntl.fcntl(_pipe[1], fcntl.F_SETPIPE_SZ, SIZE)
    figures = []
    for size in SIZES:
        found: dict[str, list[float]] = {"copied": [], "spliced": []}
        for _ in range(ROUNDS):
            for name, way in (("copied", copied), ("spliced", spliced)):
                found[name].append(measure(way, size))
        figures.append({"size": size} | {name: statistics.median(values) for name, values in found.items()})
        print(figures[-1], flush=True)  # noqa: T201 progress
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
