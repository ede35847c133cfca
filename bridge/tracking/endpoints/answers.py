"""What the room's endpoints have in common: JSON that nobody keeps, who may ask, and how often."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import structlog
from flask import Response, request

from bridge.tracking.cookies import visitor_cookie

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BODY_LIMIT = 32_768
CALLS_SECONDS = 10
CALLERS = 10_000
NO_STORE = "private, no-store"

log = structlog.get_logger()


class Throttle:
    """At most so many calls by one caller in ten seconds; counts in this process only."""

    def __init__(self) -> None:
        self._window = 0
        self._calls: dict[str, int] = {}

    def allows(self, caller: str, most: int) -> bool:
        """Count a call and return whether it may go on."""
        window = int(time.monotonic() // CALLS_SECONDS)
        if window != self._window or len(self._calls) > CALLERS:
            self._window, self._calls = window, {}
        self._calls[caller] = self._calls.get(caller, 0) + 1
        return self._calls[caller] <= most


def json_answer(data: dict[str, Any], status: int = 200, **headers: str) -> Response:
    """Return JSON that no cache keeps and no page of another site can read; ``headers`` with ``_`` for ``-``."""
    response = Response(msgspec.json.encode(data), status, mimetype="application/json")
    response.headers["Cache-Control"] = NO_STORE
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Vary"] = "Cookie"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def failed(error: Exception) -> AnyResponse:
    """Answer a fault of ours: the shop's page must not see more of it than a status."""
    log.error("tag endpoint failed", error=type(error).__name__, next="report it with the lines before this one")
    return json_answer({"error": "fault"}, 500)


def posted(kind: type[Any]) -> Any:
    """Return the body, which must be JSON of this kind; raises ``ValueError`` or ``msgspec.DecodeError``."""
    if request.mimetype != "application/json" or (request.content_length or 0) > BODY_LIMIT:
        # A page of another site can post forms and plain text unasked, but not JSON.
        raise ValueError("not JSON")
    return msgspec.json.decode(request.stream.read(BODY_LIMIT), type=kind)


def from_own_page() -> bool:
    """Return whether a script of the shop's own pages asks, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.host.lower()


def with_visitor(response: Response, visitor: str, days: int, *, https: bool) -> Response:
    """Set the visitor's cookie; ``days`` 0 takes it away."""
    response.set_cookie(
        visitor_cookie(https=https),
        visitor,
        max_age=days * 86_400,
        path="/",
        secure=https,
        httponly=True,
        samesite="Lax",
    )
    return response
