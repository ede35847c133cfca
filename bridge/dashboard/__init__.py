"""What staff see: sign-in, the home page, the export's pages and the settings, at ``{prefix}/dashboard``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFProtect

from bridge.dashboard import (
    accounts,
    alerts_page,
    assets,
    changes,
    coupon_log,
    coupon_pages,
    drift_page,
    frame,
    from_module,
    history_page,
    home,
    language,
    live_page,
    log_pages,
    mail_pages,
    mail_setup,
    moments,
    ometria_side,
    password,
    people,
    records,
    refused_page,
    sentences,
    settings_file,
    settings_form,
    setup_page,
    sign_in,
)
from bridge.dashboard.frame import EXTENSION, Wired

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis
    from flask import Flask

    from bridge.config import Config


Route = tuple[str, str, "Callable[..., Any]"]
"""Rule, endpoint, view."""
FORMS: tuple[Route, ...] = (
    ("/sign-in", "sign_in", sign_in.sign_in),
    ("/password", "password", password.password),
    ("/settings/<section>", "settings", settings_form.settings),
    ("/settings-file", "settings_file", settings_file.settings_file),
    ("/records", "records", records.records),
    ("/people", "people", people.people),
)
PAGES: tuple[Route, ...] = (
    ("/", "home", home.home),
    ("/live", "live", live_page.live),
    ("/live/events", "live_events", live_page.live_events),
    ("/alerts", "alerts", alerts_page.alerts),
    ("/sent.svg", "sent_chart", home.sent_chart),
    ("/records/<kind>/<entity>", "record", records.record),
    ("/refused", "refused", refused_page.refused),
    ("/logs/<log>", "logs", log_pages.logs),
    ("/logs/<log>/file.<form>", "log_file", log_pages.log_file),
    ("/comparison", "comparison", drift_page.comparison),
    ("/history", "history", history_page.history),
    ("/accounts", "accounts", accounts.accounts),
    ("/changes", "changes", changes.changes),
    ("/settings-file/settings.yaml", "settings_yaml", settings_file.settings_yaml),
    ("/setup", "setup", setup_page.setup),
    ("/setup/from-module", "from_module", from_module.from_module),
    ("/ometria", "ometria_side", ometria_side.ometria_side),
    ("/mail", "mail_log", mail_pages.mail_log),
    ("/mail/setup", "mail_setup", mail_setup.mail_setup),
    ("/coupons", "coupon_pools", coupon_pages.coupon_pools),
    ("/coupons/log", "coupon_log", coupon_log.coupon_log),
    ("/coupons/<int:id_>", "coupon_pool", coupon_pages.coupon_pool),
    ("/coupons/<int:id_>/codes.csv", "coupon_file", coupon_pages.coupon_file),
    ("/assets/<path:name>", "asset", assets.asset),
)
CHANGES: tuple[Route, ...] = (
    ("/sign-out", "sign_out", sign_in.sign_out),
    ("/language", "choose_language", language.choose_language),
    ("/setup/check", "ask_check", setup_page.ask_check),
    ("/setup/record", "newest_record", setup_page.newest_record),
    ("/alerts/test", "test_alert", alerts_page.test_alert),
    ("/records/<kind>/<entity>/again", "try_again", records.try_again),
    ("/records/<kind>/<entity>/send", "send_record", records.send_record),
    ("/refused", "try_group", refused_page.try_group),
    ("/changes/<int:line>/undo", "undo_change", changes.undo_change),
    ("/comparison", "compare", drift_page.compare),
    ("/history", "begin_history", history_page.begin),
    ("/history/turn", "turn_history", history_page.turn),
    ("/history/offer", "decline_offer", history_page.decline),
    ("/people/<int:person>", "person", people.person),
    ("/mail/<int:id_>/again", "resend_mail", mail_pages.resend_mail),
    ("/mail/<int:id_>/kind", "teach_mail", mail_setup.teach_mail),
    ("/mail/test", "test_mail", mail_setup.test_mail),
    ("/coupons", "add_pool", coupon_pages.add_pool),
    ("/coupons/<int:id_>/make", "make_codes", coupon_pages.make_codes),
    ("/coupons/<int:id_>/change", "change_pool", coupon_pages.change_pool),
    ("/coupons/<int:id_>/revoke", "revoke_codes", coupon_pages.revoke_codes),
)


def init_dashboard(
    app: Flask, config: Config, connection: redis.Redis | None, static_folder: Path, translations: Path | None = None
) -> None:
    """Mount the dashboard on an application that has its database and its staff sessions (``init_auth``).

    ``static_folder`` is the one that holds ``bridge/dashboard.css``, ``translations`` the one with a folder for each
    language other than English. Without ``connection`` the pages say that Redis does not answer; everything else works.
    """
    app.config.setdefault("BOOTSTRAP_SERVE_LOCAL", True)
    # The token is as old as its session at most: a form left open over lunch must not lose what was typed.
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    # Only the dashboard's own routes are checked (by its guard): the other rooms have no staff session to protect.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    Bootstrap5(app)
    language.init_language(app, translations)
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
    blueprint.app_context_processor(language.context)
    frame.add_error_pages(blueprint)
    for shape in (moments.utc_iso, moments.utc_text, sentences.said):
        blueprint.add_app_template_filter(shape)
    for routes, methods in ((FORMS, ["GET", "POST"]), (PAGES, ["GET"]), (CHANGES, ["POST"])):
        for rule, endpoint, view in routes:
            blueprint.add_url_rule(rule, endpoint, view, methods=methods)
    return blueprint


__all__ = ["init_dashboard", "make_blueprint"]
