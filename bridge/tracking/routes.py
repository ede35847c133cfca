"""Which requests are watched: a path in, a route out, in a few microseconds and without I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bridge.events import AnyEvent
    from bridge.tracking.wire import Exchange, RequestHead, Token

    Read = Callable[[Exchange], Iterator[AnyEvent | Token]]

ANY = b"*"
"""One path segment of any text, in the path of a REST route."""
GRAPHQL = b"graphql"
LONGEST_PATH = 2048
"""Magento writes the address of the page that is left into the path of an add, campaign parameters and all."""
KEPT_PATH, KEPT_ROUTES = 256, 4096
FRONT_SEGMENTS = 3
"""How many segments may stand before a controller's path: a folder, ``index.php``, a store code."""


@dataclass(frozen=True, slots=True)
class Route:
    """A watched request.

    ``path`` is a controller's, ``graphql``, or ``V1/…`` for REST. ``read`` gives the events when the answer proves
    success, and raises ``ValueError`` for a body that it cannot read. ``repeats`` when the same answer may be given
    again, as a confirmation page is when it is loaded anew.
    """

    name: str
    path: bytes
    read: Read
    methods: frozenset[bytes] = frozenset({b"POST"})
    urgent: bool = True
    needs_request_body: bool = True
    needs_response_body: bool = False
    repeats: bool = False


class RouteTable:
    """Finds the route of a request head."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._rest: dict[tuple[bytes, ...], Route] = {}
        self._front: dict[tuple[bytes, ...], Route] = {}
        for route in routes:
            segments = tuple(route.path.lower().split(b"/"))
            if segments[0] == b"v1":
                self._rest[segments[1:]] = route
            else:
                self._front[segments] = route
        self._methods = frozenset().union(*(route.methods for route in [*self._rest.values(), *self._front.values()]))
        read = [*self._rest.values(), *self._front.values()]
        # Nearly all requests are GETs of other paths: one look finds them out.
        gets = {re.escape(route.path.lower()) for route in read if b"GET" in route.methods}
        self._found: dict[tuple[bytes, bytes], Route | None] = {}
        self._gets = re.compile(b"|".join(gets) or rb"(?!)", re.IGNORECASE)

    def find(self, request: RequestHead) -> Route | None:
        """Return the route, or None for traffic that is nobody's business."""
        method, path = request.method, request.path
        if method not in self._methods or len(path) > LONGEST_PATH:
            return None
        if method == b"GET" and self._gets.search(path) is None:
            return None
        key = (method, path)
        if key in self._found:
            return self._found[key]
        route = self._look(method, path)
        if len(path) <= KEPT_PATH:
            if len(self._found) >= KEPT_ROUTES:
                self._found.clear()
            self._found[key] = route
        return route

    def _look(self, method: bytes, path: bytes) -> Route | None:
        lower = path.lower()
        segments = [segment for segment in lower.split(b"/", 12)[:12] if segment]
        route = self._find_rest(segments) if b"rest" in segments[:FRONT_SEGMENTS] else self._find_front(segments)
        return route if route is not None and method in route.methods else None

    def _find_front(self, segments: list[bytes]) -> Route | None:
        if segments and segments[-1] == GRAPHQL:
            return self._front.get((GRAPHQL,)) if len(segments) <= FRONT_SEGMENTS + 1 else None
        for start in range(min(FRONT_SEGMENTS, max(len(segments) - 2, 0)) + 1):
            route = self._front.get(tuple(segments[start : start + 3]))
            if route is not None:
                return route
        return None

    def _find_rest(self, segments: list[bytes]) -> Route | None:
        after = segments[segments.index(b"rest") + 1 :][:6]
        if b"v1" not in after[:2]:
            return None
        path = after[after.index(b"v1") + 1 :]
        exact = self._rest.get(tuple(path))
        if exact is None and len(path) == 3:
            exact = self._rest.get((path[0], ANY, path[2]))
        return exact


def rest_code(path: bytes) -> str | None:
    """Return the store code of a REST path; None for ``all`` and where the path names none."""
    segments = [segment for segment in path.split(b"/") if segment]
    lower = [segment.lower() for segment in segments]
    if b"rest" not in lower[:FRONT_SEGMENTS]:
        return None
    after = lower.index(b"rest") + 1
    if lower[after + 1 : after + 2] != [b"v1"] or lower[after] == b"all":
        return None
    return segments[after].decode("ascii", "replace")
