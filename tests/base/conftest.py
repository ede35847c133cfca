"""An application with nothing but a database."""

from __future__ import annotations

import pytest
from flask import Flask

from bridge.db import db, engine_options, vault
from tests.schema import create_tables


@pytest.fixture
def bare_app(tmp_path):
    app = Flask("bridge-test")
    url = f"sqlite:///{tmp_path / 'test.db'}"
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use(["a-secret-key-for-tests-0123456789"])
    db.init_app(app)
    with app.app_context():
        create_tables()
        yield app
        db.session.remove()
        db.engine.dispose()
