"""Health, metrics and logs: what operators look at."""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import prometheus_client
import prometheus_client.multiprocess
import redis
import structlog
from flask import Blueprint, Response, abort, current_app, redirect, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bridge.db import db

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    from flask import Flask
    from werkzeug.wrappers import Response as WerkzeugResponse

EMAIL = re.compile(r"[^\s@\"'<>:,;=()\[\]]+@[^\s@\"'<>,;()\[\]]+\.[^\s@\"'<>,;()\[\]]+")
KEYED = re.compile(
    r"(?i)\b(authorization|cookie|set-cookie|x-ometria-auth|password|token|api[_-]?key|secret)\b(\W{1,4})(\S+(?: \S+)?)"
)

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Line breaks of any kind, the signs that a terminal takes as orders, and those that turn the direction of writing."""


def scrub(value: Any) -> Any:
    """Return ``value`` without e-mail addresses and without what follows the name of a secret."""
    if isinstance(value, str):
        masked = KEYED.sub(r"\1\2••••", EMAIL.sub("•••@•••", value))
        # One event is one line, and a terminal obeys none of it: a value must not look like a new line of the log.
        return CONTROL.sub(lambda found: ascii(found[0])[1:-1], masked)
    if isinstance(value, dict):
        return {key: scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item) for item in value]
    return value


def _scrub_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace = event.pop("exception", None)
    cleaned: MutableMapping[str, Any] = scrub(dict(event))
    if trace is not None:
        cleaned["exception"] = "\n".join(str(scrub(line)) for line in str(trace).split("\n"))
    return cleaned


def set_up_logging(process: str, folder: Path | None = None) -> None:
    """Send structured lines to standard error (JSON unless a terminal reads) and to a rotating file per process."""
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    plain = structlog.processors.JSONRenderer(ensure_ascii=False)
    screen = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else plain
    handlers: list[logging.Handler] = [_handler(logging.StreamHandler(sys.stderr), screen, shared)]
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            folder / f"{process}.log", maxBytes=10_000_000, backupCount=5, delay=True, encoding="utf-8"
        )
        handlers.append(_handler(file, plain, shared))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    for noisy in ("rq.worker", "urllib3", "werkzeug", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(process=process)


def _handler(handler: logging.Handler, renderer: Any, shared: list[Callable[..., Any]]) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    return handler


def make_blueprint(connection: redis.Redis, gauges: Callable[[], dict[str, float]]) -> Blueprint:
    """Return ``/healthz``, ``/readyz`` and ``/metrics``; ``gauges`` are read from the database at each scrape."""
    blueprint = Blueprint("ops", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        """The process lives."""
        return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        """The neighbours answer: 200, else 503 naming the one that does not."""
        faults = neighbours(connection)
        status = 503 if faults else 200
        return Response(
            "".join(f"{line}\n" for line in faults) or "ready\n",
            status,
            mimetype="text/plain",
            headers={"Cache-Control": "no-store"},
        )

    @blueprint.get("/metrics")
    def metrics() -> Response:
        """Prometheus text, on the dashboard's listener only."""
        if request.environ.get("bridge.listener") != "dashboard" and not current_app.testing:
            abort(404)
        lines = "".join(f"{name} {value:g}\n" for name, value in gauges().items())
        return Response(counted() + lines.encode(), mimetype="text/plain")

    return blueprint


def counted() -> bytes:
    """Return the counters of this process, or of all web processes where several run."""
    return prometheus_client.generate_latest(registry())


def registry() -> prometheus_client.CollectorRegistry:
    """Return what holds the counters of this process, or of all web processes where several run."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return prometheus_client.REGISTRY
    found = prometheus_client.CollectorRegistry()
    prometheus_client.multiprocess.MultiProcessCollector(found)  # type: ignore[no-untyped-call] # the library's gap
    return found


def add_front_door(app: Flask, prefix: str) -> None:
    """Lead from the root of the dashboard's listener to the dashboard; on the shop's listener it is the shop's."""

    @app.get("/")
    def front_door() -> WerkzeugResponse:
        if request.environ.get("bridge.listener") != "dashboard":
            abort(404)
        return redirect(f"{prefix}/dashboard/")


def neighbours(connection: redis.Redis) -> list[str]:
    """Return one sentence for each of database and Redis that does not answer."""
    faults = []
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        faults.append("The database does not answer: see BRIDGE_DATABASE_URL.")
    try:
        connection.ping()
    except redis.RedisError:
        faults.append("Redis does not answer: see BRIDGE_REDIS_URL, or start it with `bridge run`.")
    return faults
