from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.settings import Book, Store
from bridge.tracking import Tracking
from tests.chromium import launch_shell
from tests.schema import create_tables
from tests.tracking.tag_shop import Shop, serving
from tests.tracking.tag_visit import Visit

STATIC = Path(__file__).resolve().parents[2] / "static"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CAPTURES = SHARED / "captures" / "magento"
ACCOUNT = "0123456789abcdef"
SECRET_KEY = "a-secret-key-for-tests"

DEFAULT_VIEW = Store(
    ref="store:default",
    code="default",
    id=1,
    website="base",
    website_id=1,
    is_default=True,
    base_url="http://store.test/",
    link_url="http://store.test/",
    currency="GBP",
)
FRENCH_VIEW = Store(
    ref="store:fr",
    code="fr",
    id=2,
    website="europe",
    website_id=2,
    is_default=True,
    base_url="http://eu.store.test/",
    link_url="http://eu.store.test/",
    currency="EUR",
)
GERMAN_VIEW = Store(
    ref="store:de",
    code="de",
    id=3,
    website="europe",
    website_id=2,
    base_url="http://eu.store.test/",
    link_url="http://eu.store.test/",
    currency="EUR",
)
STORES = (DEFAULT_VIEW, FRENCH_VIEW, GERMAN_VIEW)


def make_book(stores=STORES, **values: Any) -> Book:
    """A book with these values at the default scope; ``general__account_id`` stands for ``general.account_id``."""
    parents = {f"website:{store.website}": "default" for store in stores}
    parents |= {store.ref: f"website:{store.website}" for store in stores}
    default = {"general.account_id": ACCOUNT} | {key.replace("__", "."): value for key, value in values.items()}
    return Book(parents, tuple(stores), {"default": default})


@dataclass
class FixedBooks:
    current: Book


@dataclass
class KeptStream:
    """A stream that keeps what it is given."""

    events: list[Any] = field(default_factory=list)
    urgent: list[Any] = field(default_factory=list)

    def put(self, event):
        self.events.append(event)

    def put_urgent(self, events):
        self.urgent.extend(events)
        self.events.extend(events)
        return True

    def close(self):
        pass


@dataclass
class Room:
    app: Flask
    books: FixedBooks
    stream: KeptStream
    tracking: Tracking
    asked: list[list[str]]
    shop_variants: dict[str, tuple[str, str | None]]


@pytest.fixture
def make_room(tmp_path):
    """Return a function giving the tracking room on a new database, wired as ``create_app`` does it."""

    def make(book: Book | None = None, **config: Any) -> Room:
        vault.use([SECRET_KEY])
        url = f"sqlite:///{tmp_path / 'bridge.db'}"
        app = Flask("bridge")
        app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
        db.init_app(app)
        with app.app_context():
            create_tables()
        books, stream, asked, shop_variants = FixedBooks(book or make_book()), KeptStream(), [], {}

        def find(skus):
            asked.append(list(skus))
            return {sku: shop_variants[sku] for sku in skus if sku in shop_variants}

        settings = Config(secret_keys=(SECRET_KEY,), database_url=url, **config)
        tracking = Tracking(
            app=app, config=settings, books=books, stream=lambda: stream, find_variants=find, static_folder=STATIC
        )
        app.register_blueprint(tracking.blueprint, url_prefix=settings.prefix)
        apps.append(app)
        return Room(app, books, stream, tracking, asked, shop_variants)

    apps: list[Flask] = []
    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def room(make_room) -> Room:
    return make_room()


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = launch_shell(playwright)
        yield browser
        browser.close()


@pytest.fixture
def make_visit(make_room, chromium):
    """Return a function giving a visitor at a shop with these settings; at the end no page may have shown an error."""
    stack, visits = [], []

    def make(book: Book | None = None) -> Visit:
        shop = Shop(make_room(book, ometria_tag_url="/tags/{account_id}.js"))
        server = serving(shop)
        origin = server.__enter__()
        context = chromium.new_context()
        visit = Visit(context, shop, origin)
        stack.append((context, server))
        visits.append(visit)
        return visit

    yield make
    for context, server in stack:
        context.close()
        server.__exit__(None, None, None)
    assert [wrong for visit in visits for wrong in visit.wrong] == []


@pytest.fixture
def visit(make_visit) -> Visit:
    return make_visit()
