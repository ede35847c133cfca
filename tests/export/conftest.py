"""The room with everything real but the shop and Ometria: database file, Redis, a shop in memory, the fake Ometria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.export import Exporter
from bridge.ometria import Ometria
from bridge.queues import Wakes
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.settings import load_book, set_value
from bridge.store import keep_tree
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.serving import serve
from tests.schema import create_tables

SECRET = "a-secret-key-for-tests-0123456789"
KEYS = {"key-main-0001": "0123456789abcdef", "key-euro-0002": "fedcba9876543210", "key-glob-0003": "00000000000000ff"}


@pytest.fixture
def database(tmp_path):
    """An application with a database of its own."""
    app = Flask("bridge-test")
    url = f"sqlite:///{tmp_path / 'test.db'}"
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use([SECRET])
    db.init_app(app)
    with app.app_context():
        create_tables()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def settings(database):
    """Set values; the store tree of the samples is there."""
    keep_tree(samples.TREE, secure=False)
    db.session.commit()

    def change(scope: str = "default", **values: Any) -> None:
        for name, value in values.items():
            set_value(scope, name.replace("__", "."), value, "test")
        db.session.commit()

    return change


@pytest.fixture
def book(settings):
    """One account for everything."""
    settings(general__api_key="key-main-0001")
    return load_book()


@pytest.fixture
def account(book):
    return book.accounts()[0]


@pytest.fixture
def shop():
    return Memory(samples.TREE, samples.ENTITIES)


@pytest.fixture(scope="session")
def ometria_app():
    app = create_ometria(OmetriaOptions(api_keys=KEYS, push_per_second=8, data_per_second=8, validation_delay=0))
    with serve(app) as url:
        yield app, url


@dataclass
class Room:
    """The room's services and the fake Ometria's memory."""

    exporter: Exporter
    received: Any
    shop: Memory

    def records(self, kind: str, account: str = "0123456789abcdef") -> dict[str, Any]:
        return {record["id"]: record for record in self.received.records_of(account, kind)}

    def pushes(self) -> list[Any]:
        return [row for row in self.received.requests if row["path"].endswith("/push")]


@pytest.fixture
def room(database, book, shop, ometria_app, redis_client, settings):
    app, url = ometria_app
    received = app.extensions["received"]
    received.reset()
    config = Config(secret_keys=(SECRET,), ometria_api_url=f"{url}/v2")
    exporter = Exporter(config, redis_client, Wakes(redis_client), shop, Ometria(config.ometria_api_url, redis_client))
    database.extensions["bridge.export"] = exporter
    settings(export__requests_per_second=8)
    return Room(exporter, received, shop)
