"""The room of alerts with a database of its own, a Redis of values, a clock that a test moves, and sinks that listen."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import select

from bridge.alerts import jobs
from bridge.alerts.jobs import EXTENSION, Room
from bridge.clock import BEAT
from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.models_alerts import Alert, AlertNotice
from bridge.settings import save_tree, set_value
from tests.base.test_saved import tree
from tests.export.postgres_server import start_postgres, why_not
from tests.export.serving import serve
from tests.mail.raw_sink import RawSink
from tests.schema import create_tables

SECRET = "a-secret-key-for-tests-0123456789"
NOON = 1_795_608_000.0
"""25 November 2026, 12:00 UTC."""
TOKEN = "T0KEN-in-the-path-9f8e7d"


class Values:
    """The one call of Redis that the facts need, and the wake-ups."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key)


class Quiet:
    def awake(self, *_: str) -> None:
        pass


@dataclass
class Hook:
    """What a webhook was posted; ``status`` is what it answers, a list of them one after the other."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    status: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("hook")

        @app.post(f"/{TOKEN}")
        def take() -> tuple[str, int, dict[str, str]]:
            self.posts.append(json.loads(request.get_data()))
            self.marks.append(request.headers["Idempotency-Key"])
            status = self.status.pop(0) if self.status else 204
            return "", status, {"Location": f"{self.url}elsewhere"} if 300 <= status < 400 else {}

        return app


@dataclass
class Desk:
    """Everything a test asks about. ``now`` is the room's clock."""

    app: Flask
    redis: Values
    now: float = NOON
    config: Config = field(default_factory=Config)

    @property
    def room(self) -> Room:
        return Room(self.config, self.redis, Quiet())

    def tick(self) -> None:
        """Let the clock be well."""
        self.redis.values[BEAT] = str(self.now)

    def look(self, later: float = 0.0) -> int:
        """Let so much time pass, with a clock that ticks, and run the job once."""
        self.now += later
        self.tick()
        return jobs.look(self.room)

    def set(self, key: str, value: Any) -> None:
        set_value("default", key, value, "test")
        db.session.commit()

    def alerts(self, **only: Any) -> list[Alert]:
        query = select(Alert).filter_by(**only).order_by(Alert.id).execution_options(populate_existing=True)
        return list(db.session.scalars(query))

    def notices(self, **only: Any) -> list[AlertNotice]:
        query = select(AlertNotice).filter_by(**only).order_by(AlertNotice.id)
        return list(db.session.scalars(query.execution_options(populate_existing=True)))


@contextmanager
def open_desk(url: str, monkeypatch: Any):
    app = Flask("bridge-alerts-test")
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use([SECRET])
    db.init_app(app)
    desk = Desk(app, Values())
    monkeypatch.setattr(jobs, "now", lambda: desk.now)
    with app.app_context():
        db.drop_all()
        create_tables()
        save_tree(tree())
        db.session.commit()
        app.extensions[EXTENSION] = desk.room
        try:
            yield desk
        finally:
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    with open_desk(f"sqlite:///{tmp_path / 'test.db'}", monkeypatch) as made:
        yield made


@pytest.fixture(scope="session")
def postgres():
    if reason := why_not():
        pytest.skip(reason)
    with start_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_desk(request, tmp_path, monkeypatch):
    """The same on each database."""
    kind = request.param
    url = f"sqlite:///{tmp_path / 'test.db'}" if kind == "sqlite" else request.getfixturevalue("postgres")
    with open_desk(url, monkeypatch) as made:
        yield made


@pytest.fixture
def hook():
    """A webhook on this machine, whose address holds a token."""
    made = Hook()
    with serve(made.app()) as address:
        made.url = f"{address}/{TOKEN}"
        yield made


@pytest.fixture
def sink():
    """A mail server on this machine."""
    made = RawSink()
    yield made
    made.stop()
