"""The replay shop: an origin on a free port that answers what was recorded, under the recorded host names and paths."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tests.wire.origin import Origin, Received, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.replay.library import Recorded

MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
ASTRAY = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"


class ReplayShop(Origin):
    """Answers from its shelf; of several recordings of one address the one shown last counts.

    What is not on the shelf, above all static files, is a short 404 and noted in `missing`. While a script is followed,
    each request must be the next one of it: what is not is answered 500 and noted in `astray`. After `always` every
    request gets that answer.
    """

    def __init__(self, recorded: Iterable[Recorded] = ()) -> None:
        super().__init__()
        self._shelf: dict[tuple[bytes, bytes, bytes], Recorded] = {}
        self._script: deque[Recorded] | None = None
        self._always: Recorded | None = None
        self.missing: list[bytes] = []
        self.astray: list[str] = []
        self.plays[b"*"] = self._play
        self.show(*recorded)

    def show(self, *recorded: Recorded) -> None:
        """Put recordings on the shelf."""
        for each in recorded:
            self._shelf[each.method, each.host, each.target] = each

    def follow(self, steps: Iterable[Recorded]) -> None:
        """Answer these steps, in this order, and nothing else."""
        self._script = deque(steps)
        self.astray.clear()

    @property
    def left(self) -> int:
        """How many steps of the script were not asked for yet."""
        return len(self._script or ())

    def always(self, recorded: Recorded | None) -> None:
        """Answer every request with this; None takes it back."""
        self._always = recorded

    def _play(self, wire: Wire, request: Received) -> bytes:
        del wire
        method = request.line.split(b" ")[0]
        host = next(iter(request.values(b"host")), b"")
        if self._always is not None:
            return self._wire(self._always, request, method)
        if self._script is not None:
            expected = self._script.popleft() if self._script else None
            if expected is None or (expected.method, expected.host, expected.target) != (method, host, request.target):
                self.astray.append(f"{method!r} {host!r} {request.target!r} instead of {expected and expected.name}")
                return ASTRAY
            return self._wire(expected, request, method)
        found = self._shelf.get((method, host, request.target))
        if found is None and method == b"HEAD":
            found = self._shelf.get((b"GET", host, request.target))
        if found is None:
            self.missing.append(request.target)
            return MISSING
        return self._wire(found, request, method)

    @staticmethod
    def _wire(recorded: Recorded, request: Received, method: bytes) -> bytes:
        """Give the answer byte for byte; only a client that does not take gzip, where the recorded one did, gets none."""
        takes = b"gzip" in b",".join(request.values(b"accept-encoding"))
        return recorded.answer(method=method, plain=not takes)
