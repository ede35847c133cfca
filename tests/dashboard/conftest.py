"""The dashboard on a temporary SQLite file, without Redis and network.

The fixture is not called ``app``: pytest-flask would keep one context open around all requests of such a test.
"""

from __future__ import annotations

import shutil

import pytest

from bridge.auth import add_user
from bridge.db import db
from tests.dashboard.desk import PASSWORD, ROLES, FakeRedis, add_tree, make_dashboard_app, sign_in
from tests.schema import create_tables


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """A database with the store tree and a user for each role, made once: hashing passwords is slow on purpose."""
    folder = tmp_path_factory.mktemp("dashboard")
    app = make_dashboard_app(folder)
    with app.app_context():
        create_tables()
        add_tree()
        for role in ROLES:
            add_user(role, PASSWORD, role)
        db.session.remove()
        db.engine.dispose()
    return folder / "bridge.db"


@pytest.fixture
def redis_values():
    return {}


@pytest.fixture
def make_app(tmp_path, furnished):
    made = []

    def make(connection=None, **values):
        shutil.copy(furnished, tmp_path / "bridge.db")
        made.append(make_dashboard_app(tmp_path, connection, **values))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def board(make_app, redis_values):
    return make_app(FakeRedis(redis_values))


@pytest.fixture
def client(board):
    return board.test_client()


@pytest.fixture
def signed_in(board):
    def make(role):
        client = board.test_client()
        assert sign_in(client, role).status_code == 303
        return client

    return make
