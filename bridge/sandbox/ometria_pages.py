"""What people and tests see of the fake Ometria: a live page, the same as JSON, and the switches for both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, request, url_for

from bridge.sandbox.ometria_faults import FaultInvalid

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from bridge.sandbox.ometria_state import Received

MOST_ADDRESS: Final = 120

pages = Blueprint("pages", __name__)


def _received() -> Received:
    received: Received = current_app.extensions["received"]
    return received


@pages.after_request
def _only_own_assets(answer: AnyResponse) -> AnyResponse:
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/")
def index() -> str:
    """Show what was received, for people. `?account=` shows one account only."""
    account = request.args.get("account") or None
    snapshot = _received().snapshot(account)
    return render_template(
        "ometria/index.html",
        received=snapshot,
        visitors=visitors_of(snapshot["events"]),
        accounts=sorted(set(_received().options.api_keys.values())),
        account=account,
    )


@pages.get("/received.json")
def received_json() -> Response:
    """Give everything, for tests. `?account=` gives one account only."""
    return jsonify(_received().snapshot(request.args.get("account") or None))


@pages.get("/version.json")
def version_json() -> Response:
    """Give a number that changes whenever something is received: what the live page asks for."""
    return jsonify({"version": _received().current_version()})


@pages.get("/requests/<int:number>/body")
def request_body(number: int) -> Response:
    """Give the body of one of the newest API requests as it came."""
    body = _received().bodies.get(number)
    if body is None:
        abort(404)
    return Response(body, mimetype="text/plain")


@pages.post("/reset")
def reset() -> AnyResponse:
    """Forget everything, planned faults too."""
    _received().reset()
    return _done()


@pages.post("/faults")
def plan_faults() -> AnyResponse:
    """Plan faults (`ometria_faults` says how) and tell all that is planned."""
    try:
        planned = _received().plan_faults(request.get_json(force=True, silent=True))
    except FaultInvalid as invalid:
        answer = jsonify({"status": "ERROR", "message": str(invalid)})
        answer.status_code = 400
        return answer
    return jsonify({"status": "OK", "faults": planned})


@pages.route("/faults", methods=["DELETE"])
def clear_faults() -> AnyResponse:
    """Behave again."""
    _received().clear_faults()
    return _done()


def _done() -> AnyResponse:
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return redirect(url_for("pages.index"), 303)
    return jsonify({"status": "OK"})


def visitors_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Group events by visitor, in the order in which the pages sent them; the visitor seen last comes first."""
    visitors: dict[str, dict[str, Any]] = {}
    for event in sorted(events, key=lambda each: (each.get("sent") or 0, each.get("seq") or 0)):
        visitor = visitors.setdefault(event["cid"], {"cid": event["cid"], "identity": None, "events": []})
        visitor["identity"] = event.get("uiid") or visitor["identity"]
        visitor["events"].append(event)
    return sorted(visitors.values(), key=lambda each: each["events"][-1]["n"], reverse=True)


@pages.app_template_filter("address")
def address(url: Any) -> str:
    """Shorten an address to what tells pages of one shop apart."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return str(url)
    shown = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return shown if len(shown) <= MOST_ADDRESS else f"{shown[:MOST_ADDRESS]}…"


@pages.app_template_filter("clock_time")
def clock_time(stamp: Any) -> str:
    """Shorten 2026-01-31T12:00:00.000Z to its time of day."""
    return str(stamp)[11:19]


@pages.app_template_filter("as_json")
def as_json(value: Any) -> str:
    """Give a value as indented JSON text."""
    return json.dumps(value, indent=2, ensure_ascii=False)
