"""What bridge itself does for an exchange: its CPU time on the event loop, without sockets.

The connections' call-backs are called with what the system would have read, and what they write is dropped. So this is
the part of a page's cost that bridge's own code can make smaller; the rest is the kernel's and uvloop's.
Writes `docs/figures/loop.json`, which `docs/performance.md` takes in. `python -m bench.loop` runs it alone.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import gzip
import json
import pstats
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from bench.origin import FILES, MADE, pages
from bridge.proxy import ProxyOptions, ProxyWiring
from bridge.proxy.client import ClientConnection
from bridge.proxy.edge import Edge, tune_malloc
from bridge.proxy.origin import OriginConnection

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures" / "loop.json"
ROUNDS, TURNS, AT_ONCE = 60, 40, 7
"""`AT_ONCE`: exchanges in one turn of the loop, about what sixteen connections give."""
EXCHANGES = TURNS * AT_ONCE
READ = 64 * 1024
PAGE, UNWATCHED, WATCHED = "page, 66 kB", "POST, unobserved", "POST, observed"
COLLECTOR = (10_000, 20, 50)
"""As `bridge web` sets Python's garbage collector."""
OBSERVED_LIMIT = 15.0
"""Microseconds that watching a POST may cost on the loop (DESIGN section 4)."""
BROWSER = (
    b"Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0\r\n"
    b"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    b"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n"
    b"Referer: https://shop.example/women.html\r\nCookie: PHPSESSID=0123456789abcdef0123456789; "
    b"form_key=AbCdEfGhIjKlMnOp; mage-cache-sessid=true; private_content_version=00112233445566778899aabbccddeeff\r\n"
)
SHOP = (
    b"Server: nginx\r\nDate: Thu, 26 Nov 2026 19:00:00 GMT\r\nExpires: Thu, 19 Nov 1981 08:52:00 GMT\r\n"
    b"Cache-Control: max-age=0, must-revalidate, no-cache, no-store\r\nPragma: no-cache\r\n"
    b"X-Content-Type-Options: nosniff\r\nX-Frame-Options: SAMEORIGIN\r\nVary: Accept-Encoding\r\n"
)
ADD = b"form_key=AbCdEfGhIjKlMnOp&product=7&qty=1&selected_configurable_option=&item=7&super_attribute%5B93%5D=50"
SECTION = """
## On the loop

`bench/loop.py` calls bridge's connections with what the system would have read: microseconds of CPU on the event loop
for an exchange, without sockets, with tag, observer, counters and access log as they run. An observed POST may cost
{limit:g} µs more on the loop than the same POST unobserved; reading it happens beside the loop.

| exchange | µs on the loop |
| --- | ---: |
{rows}

Watching a POST costs **{more:.1f} µs**, {verdict}. What its profile has more than that of another POST: {watching}.
A line of the access log costs **{line:.1f} µs**, in a thread beside the loop. A page's time goes to: {shares}.
"""


class Nowhere(asyncio.Transport):
    """A transport that drops what is written."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Name the other end."""
        return ("127.0.0.1", 1) if name == "peername" else default

    def is_closing(self) -> bool:
        """Stay open."""
        return False

    def get_write_buffer_size(self) -> int:
        """Keep nothing."""
        return 0

    def write(self, data: Any) -> None:
        """Drop it."""

    def writelines(self, list_of_data: Any) -> None:
        """Drop them."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Keep nothing."""

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""

    def abort(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


def _answer(kind: bytes, body: bytes, coding: bytes = b"") -> list[bytes]:
    """Return an answer in the pieces in which it would be read."""
    head = b"HTTP/1.1 200 OK\r\n" + SHOP + b"Content-Type: " + kind + b"\r\n" + coding
    whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    return [whole[at : at + READ] for at in range(0, len(whole), READ)]


def cases() -> dict[str, tuple[bytes, list[bytes], bool]]:
    """Return exchanges by name: the request, the pieces of the answer, whether it is watched."""
    made = MADE.encode()
    packed = gzip.compress(made, 6, mtime=0)
    coded = BROWSER + b"Accept-Encoding: gzip, deflate, br\r\n"
    post = b"POST /checkout/cart/add/ HTTP/1.1\r\n" + BROWSER
    post += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(ADD) + ADD
    photo, section = FILES["/media/photo.jpg"], FILES["/customer/section/load"]
    found = {
        PAGE: (b"GET /made.html HTTP/1.1\r\n" + BROWSER + b"\r\n", _answer(b"text/html", made), False),
        "the same as gzip, remembered": (
            b"GET /made.html HTTP/1.1\r\n" + coded + b"\r\n",
            _answer(b"text/html", packed, b"Content-Encoding: gzip\r\n"),
            False,
        ),
        "JSON": (b"GET /customer/section/load HTTP/1.1\r\n" + BROWSER + b"\r\n", _answer(*section), False),
        "picture, 200 kB": (b"GET /media/photo.jpg HTTP/1.1\r\n" + BROWSER + b"\r\n", _answer(*photo), False),
        UNWATCHED: (post, _answer(b"application/json", b"[]"), False),
        WATCHED: (post, _answer(b"application/json", b"[]"), True),
    }
    captured = pages().get("/category.html")
    if captured is not None:
        request = b"GET /category.html HTTP/1.1\r\n" + BROWSER + b"\r\n"
        found["captured category page"] = (request, _answer(b"text/html", captured), False)
    return found


class Exchanges:
    """One case on connections of its own, with what every request meets: tag, observer, counters, access log."""

    def __init__(self, tags: Any, observer: Any, log_file: Path, case: tuple[bytes, list[bytes], bool]) -> None:
        self._request, self._pieces, watched = case
        options = ProxyOptions(origin="http://127.0.0.1:9", access_log=log_file)
        self._edge = Edge(ProxyWiring(options, tags, observer if watched else _Blind(observer)), lambda *_: [])
        self._client, self._origin = (
            ClientConnection(self._edge, "shop"),
            OriginConnection(self._edge.pool, self._edge.now()),
        )
        for connection in (self._client, self._origin):
            connection.connection_made(Nowhere())
        self._edge.pool.give_back(self._origin)

    def make(self) -> None:
        """Make the exchanges of one turn of the loop, one after the other."""
        for _ in range(AT_ONCE):
            self._client.data_received(self._request)
            for piece in self._pieces:
                self._origin.data_received(piece)
            if self._client.handler is not None:
                raise SystemExit("the exchange did not come to its end")

    async def stop(self) -> None:
        """End what the connections share."""
        self._client.connection_lost(None)
        await self._edge.stop(0.0)

    def flush(self) -> None:
        """Write the lines of the access log, as a thread does beside the traffic."""
        assert self._edge.access is not None  # noqa: S101 - the options name a file
        self._edge.access.flush()


class _Blind:
    """An observer that is asked like the real one and wants nothing."""

    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def wants(self, request: Any) -> None:
        """Ask, and forget the answer."""
        self._observer.wants(request)

    def seen(self, *_: Any) -> None:
        """See nothing."""


async def measure(
    tags: Any, observer: Any, folder: Path, named: dict[str, tuple[bytes, list[bytes], bool]]
) -> tuple[dict[str, float], dict[str, dict[str, float]], float]:
    """Return the median microseconds of each exchange, shares by name, and the cost of a log line.

    The shares are those of a page's modules, and those of the functions that a watched POST needs more time in.

    The cases take turns, so that a busy machine disturbs all alike.
    """
    cases = {name: Exchanges(tags, observer, folder / "access.log", case) for name, case in named.items()}
    found: dict[str, list[float]] = {name: [] for name in cases}
    lines = []
    for number in range(-1, ROUNDS):  # the first is not counted
        for name, case in cases.items():
            before = time.thread_time()
            for _ in range(TURNS):
                case.make()
                await asyncio.sleep(0)
            if number >= 0:
                found[name].append((time.thread_time() - before) / EXCHANGES * 1e6)
            before = time.thread_time()
            case.flush()
            lines.append((time.thread_time() - before) / EXCHANGES * 1e6)
            await asyncio.sleep(0.005)  # the observer's threads catch up
    watched, unwatched = [await _spent(cases[name].make, _function) for name in (WATCHED, UNWATCHED)]
    page = await _spent(cases[PAGE].make, _module)
    shares = {"page": _shares(page), "watching": _shares(_more(watched, unwatched))}
    for case in cases.values():
        await case.stop()
    return {name: statistics.median(values) for name, values in found.items()}, shares, statistics.median(lines)


def _module(path: str, function: str) -> str:
    del function
    return Path(path).stem if path != "~" and "bridge" in path else "built-in functions"


def _function(path: str, function: str) -> str:
    if path != "~":
        return f"{Path(path).stem}.{function}"
    method = re.fullmatch(r"<method '(\w+)' of '(?:.*\.)?(\w+)' objects>", function)
    return f"{method[2]}.{method[1]}" if method else function.strip("<>")


async def _spent(exchange: Any, name_of: Any) -> dict[str, float]:
    """Return the seconds that a profile of some exchanges finds in each name's own code."""
    # This thread's own time: what it waits for the observer's threads would fall on whatever runs just then.
    profile = cProfile.Profile(time.thread_time)
    for _ in range(max(ROUNDS // 10, 1)):
        for _ in range(TURNS):
            profile.enable()
            exchange()
            profile.disable()
            await asyncio.sleep(0)
        await asyncio.sleep(0.005)
    spent: dict[str, float] = {}
    rows: dict[tuple[str, int, str], tuple[Any, ...]] = vars(pstats.Stats(profile))["stats"]
    for (path, _, function), (_, _, own, *_) in rows.items():
        name = name_of(path, function)
        spent[name] = spent.get(name, 0.0) + own
    return spent


def _more(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    found = {name: own - other.get(name, 0.0) for name, own in one.items()}
    return {name: more for name, more in found.items() if more > 0}


def _shares(spent: dict[str, float]) -> dict[str, float]:
    whole = sum(spent.values())
    return {name: own / whole for name, own in sorted(spent.items(), key=lambda item: -item[1])}


def _largest(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:10])


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page."""
    times = figures["microseconds"]
    rows = "\n".join(f"| {name} | {value:.1f} |" for name, value in times.items())
    more = times[WATCHED] - times[UNWATCHED]
    verdict = "within the bound" if more <= OBSERVED_LIMIT else "more than the bound"
    told = {"more": more, "verdict": verdict, "line": figures["line"]}
    shares = {"shares": _largest(figures["shares"]["page"]), "watching": _largest(figures["shares"]["watching"])}
    return SECTION.format(limit=OBSERVED_LIMIT, rows=rows, **told, **shares)


def kept_section() -> str:
    """Return the section of the last run, or an empty text."""
    return section(json.loads(FIGURES.read_text(encoding="utf-8"))) if FIGURES.exists() else ""


def main() -> None:
    """Measure and write."""
    from tests.replay.bridged import tracking_room  # noqa: PLC0415 the harness of the tests

    tune_malloc()
    with tempfile.TemporaryDirectory(prefix="bridge-loop-") as folder, tracking_room(Path(folder)) as room:
        gc.freeze()
        gc.set_threshold(*COLLECTOR)
        measuring = measure(room.tracking.tags, room.tracking.observer, Path(folder), cases())
        times, shares, line = uvloop.run(measuring)
    figures = {"microseconds": times, "line": line, "shares": shares}
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(section(figures))  # noqa: T201 what it is for
    more = times[WATCHED] - times[UNWATCHED]
    if more > OBSERVED_LIMIT:
        raise SystemExit(f"watching a POST costs {more:.1f} µs, more than {OBSERVED_LIMIT:g}")


if __name__ == "__main__":
    main()
