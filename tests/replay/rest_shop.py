"""A shop's REST API on a free port: recorded answers, or data of the test's own, by route."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.replay.library import Recorded
from tests.wire.origin import Origin, Received, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = Any
"""A recorded answer, data that goes out as JSON, or a function of the query that gives either."""

EMPTY = {"items": [], "total_count": 0}


def told(data: Any) -> Recorded:
    """Return data as a shop tells it: JSON in chunks."""
    fields = ((b"Content-Type", b"application/json; charset=utf-8"), (b"Transfer-Encoding", b"chunked"))
    return Recorded("", b"GET", b"", b"", (), b"", 200, b"OK", fields, json.dumps(data).encode())


def rows(*items: dict[str, Any]) -> dict[str, Any]:
    """Return a list as the shop gives it."""
    return {"items": list(items), "total_count": len(items)}


@dataclass
class RestShop(Origin):
    """``routes`` maps a route (``orders``, ``customers/7``), or the beginning of one, to its answer; ``otherwise`` the rest.

    Routes are told without ``/rest``, store view and version. ``asked`` holds (route, query) as they came.
    """

    routes: dict[str, Answer] = field(default_factory=dict)
    otherwise: Answer = field(default_factory=lambda: dict(EMPTY))
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plays[b"*"] = self._play
        super().__post_init__()

    def fail(self, answer: Answer, route: str = "") -> Callable[[], None]:
        """Give this answer to a route, or to every one; return what takes it back."""
        before = dict(self.routes), self.otherwise
        if route:
            self.routes[route] = answer
        else:
            self.routes, self.otherwise = {}, answer

        def repair() -> None:
            self.routes, self.otherwise = before

        return repair

    def _play(self, wire: Wire, request: Received) -> bytes:
        del wire
        path, _, query = request.target.decode().partition("?")
        route = path.partition("/V1/")[2]
        self.asked.append((route, unquote(query)))
        named = max((name for name in self.routes if route.startswith(name)), key=len, default=None)
        answer = self.otherwise if named is None else self.routes[named]
        if callable(answer):
            answer = answer(unquote(query))
        recorded = answer if isinstance(answer, Recorded) else told(answer)
        takes = b"gzip" in b",".join(request.values(b"accept-encoding"))
        return recorded.answer(method=b"GET", plain=not takes)
