"""What staff see: sign-in, the home page and the settings, at ``{prefix}/dashboard``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFProtect

from bridge.dashboard import assets, frame, home, moments, password, settings_form, sign_in
from bridge.dashboard.frame import EXTENSION, Wired

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis
    from flask import Flask

    from bridge.config import Config


Route = tuple[str, str, "Callable[..., Any]"]


def init_dashboard(app: Flask, config: Config, connection: redis.Redis | None, static_folder: Path) -> None:
    """Mount the dashboard on an application that has its database and its staff sessions (``init_auth``).

    ``static_folder`` is the one that holds ``bridge/dashboard.css``. Without ``connection`` the pages say that Redis
    does not answer; everything else works.
    """
    app.config.setdefault("BOOTSTRAP_SERVE_LOCAL", True)
    # The token is as old as its session at most: a form left open over lunch must not lose what was typed.
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    # Only the dashboard's own routes are checked (by its guard): the other rooms have no staff session to protect.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    Bootstrap5(app)
    app.extensions[EXTENSION] = Wired(config, connection, static_folder / "bridge", CSRFProtect(app))
    app.register_blueprint(make_blueprint(), url_prefix=f"{config.prefix}/dashboard")
    for code in (404, 405):
        app.register_error_handler(code, frame.routing_error)


def make_blueprint() -> Blueprint:
    """Return the routes, all behind one guard: listener, size, CSRF."""
    blueprint = Blueprint("dashboard", __name__)
    blueprint.before_request(frame.guard)
    blueprint.after_request(frame.secure)
    blueprint.context_processor(frame.context)
    frame.add_error_pages(blueprint)
    for shape in (moments.utc_iso, moments.utc_text):
        blueprint.add_app_template_filter(shape)
    forms: tuple[Route, ...] = (
        ("/sign-in", "sign_in", sign_in.sign_in),
        ("/password", "password", password.password),
        ("/settings/<section>", "settings", settings_form.settings),
    )
    for rule, endpoint, view in forms:
        blueprint.add_url_rule(rule, endpoint, view, methods=["GET", "POST"])
    pages: tuple[Route, ...] = (
        ("/", "home", home.home),
        ("/sent.svg", "sent_chart", home.sent_chart),
        ("/assets/<path:name>", "asset", assets.asset),
    )
    for rule, endpoint, view in pages:
        blueprint.add_url_rule(rule, endpoint, view, methods=["GET"])
    blueprint.add_url_rule("/sign-out", "sign_out", sign_in.sign_out, methods=["POST"])
    return blueprint


__all__ = ["init_dashboard", "make_blueprint"]
