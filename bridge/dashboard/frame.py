"""What every page of the dashboard shares: the guard before it, the headers after it, the frame around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from flask import abort, current_app, g, make_response, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from bridge.auth import current_staff, vouched_name
from bridge.dashboard.assets import asset_url
from bridge.dashboard.language import mark
from bridge.dashboard.sections import sections
from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from flask import Blueprint, Response
    from flask_wtf.csrf import CSRFProtect

    from bridge.config import Config

EXTENSION = "bridge.dashboard"
LARGEST_FORM = 256 * 1024

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

TITLES = {
    400: mark("This form could not be read"),
    403: mark("Your role does not allow this"),
    404: mark("There is no such page"),
    405: mark("This page does not take that request"),
    413: mark("This form is too large"),
    500: mark("Something went wrong"),
    503: mark("The database does not answer"),
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wired:
    """What the screens are given by the application."""

    config: Config
    redis: redis.Redis | None
    assets: Path
    csrf: CSRFProtect


def wired() -> Wired:
    """Return what :func:`bridge.dashboard.init_dashboard` was given."""
    found: Wired = current_app.extensions[EXTENSION]
    return found


def served_here() -> bool:
    """Return whether the dashboard is to be seen where this request came in; what the server does not tell is "no"."""
    listener = request.environ.get("bridge.listener")
    own = listener == "dashboard" or (listener is None and current_app.testing)
    return own or wired().config.dashboard_on_shop


def guard() -> None:
    """Hide the dashboard where it is not served, bound the form, and check the CSRF token of each change."""
    if not served_here():
        abort(404)
    request.max_content_length = LARGEST_FORM
    wired().csrf.protect()


def secure(response: Response) -> Response:
    """Add the strict headers; what an answer set itself (the chart's policy, an asset's caching) stays."""
    if not served_here():
        return response
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def context() -> dict[str, Any]:
    """Return what the frame's templates read."""
    return {
        "staff": current_staff(),
        "by_service": bool(vouched_name()),
        "sections": sections(),
        "asset_url": asset_url,
    }


def add_error_pages(blueprint: Blueprint) -> None:
    """Give the dashboard's own routes their error pages."""
    blueprint.register_error_handler(HTTPException, http_error)
    blueprint.register_error_handler(OperationalError, database_error)
    blueprint.register_error_handler(Misconfigured, misconfigured)
    blueprint.register_error_handler(InternalServerError, http_error)


def routing_error(error: HTTPException) -> Response | HTTPException:
    """Show the dashboard's page for an address below it that no route takes; leave other errors as they are."""
    ours = request.path.startswith(f"{wired().config.prefix}/dashboard")
    return http_error(error) if ours and served_here() else error


def http_error(error: HTTPException) -> Response:
    """Return the plain page of an error; it never shows more than its kind."""
    if error.response is not None:
        return secure(make_response(error.response))
    page = error_page(error.code or 500)
    if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
        page.headers["Allow"] = ", ".join(allowed)
    return page


def database_error(error: OperationalError) -> Response:
    """Say that the database is away."""
    log.error("dashboard without database", error=type(error).__name__)
    return error_page(503)


def misconfigured(error: Misconfigured) -> Response:
    """Show staff the sentence that names what to change; it holds no secret by the rule of that error."""
    log.error("dashboard page misconfigured", reason=error.what)
    return error_page(500, error.what if current_staff() else "")


def error_page(code: int, sentence: str = "") -> Response:
    """Return the page for a status."""
    # Without a database nobody can be looked up, and these pages do not need to know.
    g.setdefault("staff", None)
    title = TITLES.get(code, "The request could not be answered")
    template = f"errors/{code}.html" if code in TITLES else "errors/base.html"
    values = {"code": code, "title": title, "sentence": sentence, "asset_url": asset_url}
    return secure(make_response(render_template(template, **values), code))
