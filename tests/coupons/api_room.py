"""The signed API with everything real but the shop: database file, Redis, a shop in memory, a clock that can be set."""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

from flask import Flask

from bridge.coupons.actions import CouponActions
from bridge.coupons.api import SignedApi
from bridge.coupons.insert import Codes
from bridge.coupons.replay import Replays
from bridge.coupons.room import EXTENSION, Room
from bridge.db import db, engine_options, vault
from bridge.queues import Wakes
from bridge.settings import load_book, set_value, unset_value
from bridge.store import Coupon, Rule, StoreView, Tree, Website, keep_tree
from bridge.store.memory import Memory
from tests.coupons.signed_client import SignedClient
from tests.schema import create_tables

PUBLIC, PRIVATE, SECOND = "0123456789abcdef", "private-key-0001", "private-key-0002"
HOST = "shop.example.com"


def view(id_: int, code: str, website: int, url: str, *, first: bool = True) -> StoreView:
    return StoreView(
        id=id_, code=code, name=code.upper(), website_id=website, group_id=website, is_default=first,
        base_url=url.replace("https:", "http:"), link_url=url, secure_base_url=url, secure_link_url=url, root_category=2,
        media_url=f"{url}media/", secure_media_url=f"{url}media/", currency="GBP", base_currency="GBP",
    )  # fmt: skip


TREE = Tree(
    websites=(Website(id=1, code="base", name="Main"), Website(id=2, code="europe", name="Europe")),
    views=(
        view(1, "default", 1, f"https://{HOST}/"),
        view(2, "fr", 2, f"https://{HOST}/fr/"),
        view(3, "de", 2, "https://de.example.com/", first=False),
    ),
)
RULES = (
    Rule(1, "Ten percent off", auto=False, website_ids=(1, 2), group_ids=(0, 1)),
    Rule(2, "Welcome", website_ids=(1, 2), group_ids=(0, 1), uses_per_coupon=1, uses_per_customer=1),
    Rule(3, "Summer that was", active=False, website_ids=(1,), group_ids=(0, 1)),
)


def make_shop() -> Memory:
    shop = Memory(TREE)
    shop.price_rules = {rule.id: rule for rule in RULES}
    shop.coupons = {"save10": Coupon(1, 1, "SAVE10", times_used=2, is_primary=True, type=0)}
    return shop


class ApiRoom(SimpleNamespace):
    """``client`` signs for the first store view; ``plain`` signs nothing."""

    def sets(self, scope: str = "default", **values) -> None:
        with self.app.app_context():
            for name, value in values.items():
                key = name.replace("__", ".")
                if value is None:
                    unset_value(scope, key, "test")
                else:
                    set_value(scope, key, value, "test")
            db.session.commit()
            self.books.current = load_book()

    def signed(self, **changes) -> SignedClient:
        wanted = {"host": HOST, "public": PUBLIC, "private": PRIVATE, **changes}
        return SignedClient(self.plain, lambda: self.now, self.ticks, **wanted)


def make_room(folder, redis_client, shop: Memory, pulled=None) -> ApiRoom:
    app = Flask("bridge-test")
    url = f"sqlite:///{folder / 'test.db'}"
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
    )
    vault.use(["a-secret-key-for-tests-0123456789"])
    db.init_app(app)
    with app.app_context():
        create_tables()
        keep_tree(TREE, secure=True)
        db.session.commit()
    room = ApiRoom(app=app, shop=shop, now=time.time(), ticks=itertools.count(1), books=SimpleNamespace(current=None))
    app.extensions[EXTENSION] = Room(shop, Wakes(redis_client))
    signed = CouponActions(shop, Codes()).all()
    room.api = SignedApi(room.books, Replays(redis_client), signed, pulled or {}, clock=lambda: room.now)
    app.register_blueprint(room.api.blueprint())
    room.plain = app.test_client()
    room.client = room.signed()
    room.sets(
        general__account_id=PUBLIC,
        coupons__private_key=PRIVATE,
        coupons__private_key_second=SECOND,
        coupons__signed_api=True,
    )
    return room
