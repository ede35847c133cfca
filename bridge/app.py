"""The composition root: here, and only here, the rooms are wired together."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_migrate import Migrate

from bridge import dashboard, ops
from bridge.alerts import standing
from bridge.alerts.jobs import Room as AlertRoom
from bridge.auth import init_auth
from bridge.config import Config, config_from_environ, require_store
from bridge.coupons import alerts
from bridge.coupons.actions import CouponActions
from bridge.coupons.api import SignedApi
from bridge.coupons.arguments import filters
from bridge.coupons.insert import Codes
from bridge.coupons.replay import Replays
from bridge.coupons.room import Room
from bridge.db import db, engine_options, vault
from bridge.errors import Misconfigured
from bridge.export import Exporter, find_variants, waiting_gauges
from bridge.export.pull import ACTIONS, Pull, Wanted
from bridge.mail.fingerprint import Keys
from bridge.mail.mailer import Mailer
from bridge.mail.spool import MailSpool
from bridge.mail.upstream import Upstream
from bridge.ometria import Ometria, TransactionalMail
from bridge.proxy import ProxyOptions, ProxyWiring
from bridge.queues import Wakes, connect
from bridge.settings import Books
from bridge.store import Turns, make_store
from bridge.stream import URGENT_SECONDS, EventStream, Spool
from bridge.tracking import PageViews, Tracking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from bridge.coupons.actions import Asked
    from bridge.store import Store

COUPON_CALLS = 2
"""How many calls about coupons the shop is given at once, over all processes."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the processes of one application share; at ``app.extensions["bridge"]``."""

    config: Config
    books: Books
    redis: redis.Redis
    wakes: Wakes
    tracking: Tracking
    store: Store
    ometria: Ometria


def services(app: Flask) -> Services:
    """Return the services of an application that :func:`create_app` made."""
    found: Services = app.extensions["bridge"]
    return found


def create_app(config: Config | None = None) -> Flask:
    """Return the Flask application of bridge's own paths; the process settings default to the environment.

    Raises :class:`bridge.errors.Misconfigured` with the sentence that says what to change.
    """
    config = config or config_from_environ(os.environ)
    app = Flask("bridge", static_folder=None, template_folder=str(asset_folder("templates")))
    vault.use(config.secret_keys)
    app.config.update(_flask_settings(config))
    db.init_app(app)
    Migrate(app, db, directory=str(asset_folder("migrations")), render_as_batch=True)
    connection = connect(config.redis_url)
    wakes = Wakes(connection)
    books = Books(app, config.data_dir / "settings.json")
    store = make_store(config, Turns(connection, config.store_requests))
    ometria = Ometria(config.ometria_api_url, connection)
    stream = _lazy_stream(config, wakes)
    tracking = _tracking(app, config, books, stream)
    app.extensions["bridge"] = Services(config, books, connection, wakes, tracking, store, ometria)
    app.extensions["bridge.export"] = Exporter(config, connection, wakes, store, ometria)
    app.extensions["bridge.alerts"] = AlertRoom(config, connection, wakes)
    _add_mail(app, _mailer(config, connection, wakes, store, stream))
    # Ometria waits for the answer while it makes a mail: its codes need not queue behind what the workers read.
    coupon_store = make_store(config, Turns(connection, COUPON_CALLS, name="coupons"))
    app.extensions["bridge.coupons"] = Room(coupon_store, wakes)
    api = _signed_api(books, connection, coupon_store, Pull(store, config, connection))
    app.extensions["bridge.signed_api"] = api
    init_auth(app, config)
    app.register_blueprint(tracking.blueprint, url_prefix=config.prefix)
    app.register_blueprint(tracking.old_links)
    app.register_blueprint(api.blueprint())
    app.register_blueprint(ops.make_blueprint(connection, _gauges), url_prefix=config.prefix)
    ops.add_front_door(app, config.prefix)
    dashboard.init_dashboard(app, config, connection, asset_folder("static"), asset_folder("translations"))
    return app


def _gauges() -> dict[str, float]:
    return waiting_gauges() | alerts.gauges() | standing.gauges()


def proxy_wiring(app: Flask) -> ProxyWiring:
    """Return what the proxy's adaptors need; raises :class:`Misconfigured` when no shop is named."""
    wired = services(app)
    config = wired.config
    options = ProxyOptions(
        origin=require_store(config),
        public_url=config.public_url,
        prefix=config.prefix,
        admin_path=config.admin_path,
        trusted_proxies=config.trusted_proxies,
        timeout_connect=config.timeout_connect,
        timeout_head=config.timeout_head,
        timeout_idle=config.timeout_idle,
        max_body=config.max_body,
        max_connections_per_ip=config.max_connections_per_ip,
        threads=config.threads,
        kill_file=config.kill_file,
        access_log=config.access_log,
        edit_meta_policies=config.edit_meta_policies,
    )
    api: SignedApi = app.extensions["bridge.signed_api"]
    return ProxyWiring(options, wired.tracking.tags, wired.tracking.observer, api.gate)


def asset_folder(name: str) -> Path:
    """Return the folder of templates, static files or migrations: beside ``wsgi.py``, or inside an installed wheel."""
    beside = Path(__file__).resolve().parents[1] / name
    return beside if (beside / "..").resolve().joinpath("wsgi.py").exists() else Path(__file__).parent / f"_{name}"


def _flask_settings(config: Config) -> dict[str, Any]:
    return {
        "SECRET_KEY": config.secret_keys[0],
        "SECRET_KEY_FALLBACKS": list(config.secret_keys[1:]),
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(config.database_url),
        "SESSION_COOKIE_NAME": "bridge_staff",
        "SESSION_COOKIE_PATH": f"{config.prefix}/dashboard",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "BOOTSTRAP_SERVE_LOCAL": True,
        "MAX_CONTENT_LENGTH": 4 * 1024 * 1024,
    }


def _lazy_stream(config: Config, wakes: Wakes) -> Callable[[], EventStream]:
    """Return a function giving the process's event stream, made on first use: it owns a thread, so after any fork."""

    @functools.cache
    def stream() -> EventStream:
        quick = connect(config.redis_url, timeout=URGENT_SECONDS)
        return EventStream(quick, Spool(config.spool_dir), lambda: wakes.try_wake("take_events"))

    return stream


def _tracking(app: Flask, config: Config, books: Books, stream: Callable[[], EventStream]) -> Tracking:
    return Tracking(
        app=app,
        config=config,
        books=books,
        stream=stream,
        # A visitor waits for the cart page: it is asked for beside what the workers ask.
        find_variants=_variant_finder(app, make_store(config)),
        static_folder=asset_folder("static"),
        # A Redis that hangs must not keep the few threads that answer visitors: a view that is not counted is no loss.
        views=PageViews(connect(config.redis_url, timeout=URGENT_SECONDS)),
    )


def _add_mail(app: Flask, mailer: Mailer) -> None:
    """Give the application its mail room, which takes its part of the event stream."""
    app.extensions["bridge.mail"] = mailer
    app.extensions["bridge.takers"] = (mailer.take_events,)


def _mailer(
    config: Config, connection: redis.Redis, wakes: Wakes, store: Store, stream: Callable[[], EventStream]
) -> Mailer:
    return Mailer(
        config=config,
        redis=connection,
        wakes=wakes,
        shop=store,
        ometria=TransactionalMail(config.ometria_api_url, connection),
        spool=MailSpool(config.smtp_spool),
        keys=Keys(config.secret_keys),
        upstream=lambda: _upstream(config),
        emit=lambda event: stream().put_urgent([event]),
    )


def _signed_api(books: Books, connection: redis.Redis, shop: Store, pull: Pull) -> SignedApi:
    def pulled(action: str) -> Callable[[Asked], Any]:
        return lambda asked: pull.answer(action, asked.store, asked.book, Wanted(**filters(asked.arguments)))

    signed = CouponActions(shop, Codes()).all()
    return SignedApi(books, Replays(connection), signed, {action: pulled(action) for action in ACTIONS})


def _upstream(config: Config) -> Upstream:
    if config.smtp_upstream is None:
        raise Misconfigured("BRIDGE_SMTP_UPSTREAM is not set: it names the mail server for mail that goes on as it is.")
    return Upstream(config.smtp_upstream, config.smtp_name)


def _variant_finder(app: Flask, store: Store) -> Callable[[Sequence[str]], dict[str, tuple[str, str | None]]]:
    def find(skus: Sequence[str]) -> dict[str, tuple[str, str | None]]:
        with app.app_context():
            return find_variants(skus, store)

    return find


__all__ = ["Services", "asset_folder", "create_app", "proxy_wiring", "services"]
