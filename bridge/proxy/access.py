"""The access log: a line for each exchange, written beside the traffic, naming nobody.

A line is time, method, the first two segments of the path, status, seconds, how the exchange ended. Neither the
visitor's address nor the rest of the path or the query is in it: they are personal data or may be tokens.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.proxy.exchange import RequestHead

log = structlog.get_logger("bridge.proxy")

WAITING_LIMIT: Final = 100_000
"""Lines that may wait for the disk; what comes over is dropped and said so."""


class AccessLog:
    """Keeps what happened until flush() writes it. note() is called on the event loop, flush() in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[tuple[float, RequestHead, int, float, str]] = []
        self._dropped = 0

    def note(self, request: RequestHead, status: int, seconds: float, end: str) -> None:
        """Take an exchange; `end` is "" for one that ended as it should."""
        if len(self._waiting) >= WAITING_LIMIT:
            self._dropped += 1
        else:
            self._waiting.append((time.time(), request, status, seconds, end))

    def flush(self) -> None:
        """Write what waits. Opened anew each time, so that a rotated file is let go; what cannot be written is lost."""
        waiting, self._waiting = self._waiting, []
        dropped, self._dropped = self._dropped, 0
        if not waiting:
            return
        lines = [_line(*each) for each in waiting]
        try:
            with self.path.open("a", encoding="ascii") as file:
                file.write("".join(lines))
        except OSError as error:
            log.warning(
                "access log not written", error=error.strerror, lines=len(lines), next="the next lines are tried"
            )
        if dropped:
            log.warning("access log too slow", lines=dropped, next="these lines are lost")


def _line(at: float, request: RequestHead, status: int, seconds: float, end: str) -> str:
    method, place = request.method.decode("ascii", "replace"), _seen(request.place)
    milliseconds = int(at % 1 * 1000)
    return f"{_moment(int(at))}.{milliseconds:03}Z {method} {place} {status or '-'} {seconds:.3f} {end or 'ok'}\n"


@functools.lru_cache(maxsize=4)
def _moment(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _seen(place: str) -> str:
    """Return the place as one word of visible ASCII."""
    if place.isascii() and place.isprintable() and " " not in place:
        return place
    return "".join(char if "!" <= char <= "~" else "?" for char in place)
