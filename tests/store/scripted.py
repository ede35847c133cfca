"""A shop that answers what the test says, and keeps what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Asked:
    """One request as it came."""

    path: str
    query: dict[str, list[str]]
    raw_query: str
    headers: dict[str, str]

    @property
    def filters(self) -> list[tuple[str, str, str]]:
        """(field, condition, value) of each filter."""
        found = []
        for group in range(9):
            name = f"searchCriteria[filter_groups][{group}][filters][0]"
            if f"{name}[field]" in self.query:
                parts = (self.query[f"{name}[{key}]"][0] for key in ("field", "condition_type", "value"))
                found.append(tuple(parts))
        return found

    def one(self, name: str) -> str:
        return self.query[name][0]


@dataclass
class Scripted:
    """A WSGI application. ``answer`` gives JSON data, or a Response for anything else."""

    answer: Callable[[Asked], Any] = lambda _: {"items": [], "total_count": 0}
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        raw = environ.get("QUERY_STRING", "")
        query = parse_qs(raw, keep_blank_values=True)
        asked = Asked(request.path, query, raw, {name.lower(): value for name, value in request.headers})
        self.asked.append(asked)
        found = self.answer(asked)
        if not isinstance(found, Response):
            found = Response(json.dumps(found), mimetype="application/json")
        return found(environ, start_response)
