"""The coupon room before the sandbox's shop over REST, with a database of its own and a shop that loses answers."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from flask import Flask

from bridge.coupons.room import EXTENSION, Room
from bridge.db import db, engine_options, vault
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.coupons.till import SECRET, TOKEN, Till, Wakes
from tests.export.postgres_server import start_postgres, why_not
from tests.export.serving import serve
from tests.schema import create_tables


@pytest.fixture(scope="session")
def sandbox_shop():
    """The shop takes a second to make; each test gets new rules and coupons in it."""
    return create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN))


@pytest.fixture(scope="session")
def postgres():
    """One server for the run."""
    if reason := why_not():
        pytest.skip(reason)
    with start_postgres() as url:
        yield url


@contextmanager
def open_till(url, shop):
    app = Flask("bridge-test")
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use([SECRET])
    db.init_app(app)
    made = Till(app, shop)
    with serve(made.wire) as address, app.app_context():
        db.drop_all()
        create_tables()
        app.extensions[EXTENSION] = Room(made.store(address), Wakes())
        try:
            yield made
        finally:
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def till(tmp_path, sandbox_shop):
    """The room with the sandbox's shop; one application context is open."""
    with open_till(f"sqlite:///{tmp_path / 'test.db'}", sandbox_shop) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_till(request, tmp_path, sandbox_shop):
    """The same on each database."""
    kind = request.param
    url = f"sqlite:///{tmp_path / 'test.db'}" if kind == "sqlite" else request.getfixturevalue("postgres")
    with open_till(url, sandbox_shop) as made:
        yield made
