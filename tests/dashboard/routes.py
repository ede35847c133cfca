"""Every route of the dashboard with an address to ask for, enumerated from the URL map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.dashboard.sections import sections
from tests.dashboard.desk import BASE

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import Rule

SAMPLE: dict[str, Any] = {
    "section": "general",
    "name": "dashboard.css",
    "kind": "order",
    "entity": "4",
    "log": "requests",
    "form": "csv",
}
"""What stands in an address for a name; an id that is none of these is 1."""
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
OPEN = {"dashboard.sign_in", "dashboard.asset"}
"""Endpoints for people who are not signed in."""

LEAST: dict[str, str | None] = {
    "dashboard.choose_language": "viewer",
    "dashboard.coupon_file": "editor",
    "dashboard.password": "viewer",
    "dashboard.people": "owner",
    "dashboard.person": "owner",
    "dashboard.records": "viewer",
    "dashboard.sign_out": None,
}
"""Endpoint -> the least role, None for anybody with a token; of all others pages are for viewers, changes for editors."""


def rules(app: Flask) -> list[Rule]:
    """Return the dashboard's rules."""
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(BASE)]


def address(app: Flask, rule: Rule, **values: Any) -> str:
    """Return an address that the rule takes."""
    chosen = {name: values.get(name, SAMPLE.get(name, 1)) for name in rule.arguments}
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, chosen, method=min(rule.methods or ())))


def pages(app: Flask) -> list[str]:
    """Return the addresses of all that can be looked at, with each section of the settings and each log and file."""
    more = [f"{BASE}/settings/{section.name}" for section in sections()]
    more += [f"{BASE}/logs/errors", f"{BASE}/logs/requests/file.jsonl", f"{BASE}/none"]
    return [address(app, rule) for rule in rules(app) if "GET" in (rule.methods or ())] + more


def changes(app: Flask) -> list[tuple[str, str, str]]:
    """Return endpoint, address and method of all that changes something."""
    return [
        (rule.endpoint, address(app, rule), method)
        for rule in rules(app)
        for method in sorted((rule.methods or set()) & UNSAFE)
    ]


def least(endpoint: str, method: str) -> str | None:
    """Return the least role for a method of an endpoint."""
    return LEAST.get(endpoint, "viewer" if method == "GET" else "editor")
