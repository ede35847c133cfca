"""The room against the sandbox's shop and the sandbox's Ometria, which share no code with it."""

from __future__ import annotations

import pytest

from bridge.config import Config
from bridge.db import db
from bridge.export import Exporter, history, jobs
from bridge.models import Pending
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import load_book
from bridge.store import make_store
from tests.export.conftest import SECRET
from tests.export.serving import serve

TOKEN = "token-of-the-sandbox"


@pytest.fixture
def sandbox(room, database):
    with serve(create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN))) as url:
        config = Config(
            secret_keys=(SECRET,),
            store_url=url,
            public_url="http://shop.test",
            store_token=TOKEN,
            ometria_api_url=room.exporter.config.ometria_api_url,
        )
        own = room.exporter
        exporter = Exporter(config, own.redis, own.wakes, make_store(config), own.ometria)
        database.extensions["bridge.export"] = exporter
        jobs.poll()
        yield exporter


def export_all(kind: str) -> None:
    history.begin(kind, "default")
    jobs.history(kind, "default")
    (account,) = load_book().accounts()
    jobs.session(account.id)


def test_everything_that_the_shop_has_arrives_and_passes_ometrias_checks(room, sandbox):
    store = sandbox.store
    for kind in ("product", "contact", "order"):
        export_all(kind)
    jobs.upkeep()
    assert list(room.received.errors) == []
    products = room.records("product")
    assert set(products) == {row.ref.id for row in store.ids("product").rows}
    assert len(room.records("contact")) == store.ids("contact").left
    assert set(room.records("order")) == {order.number for order in store.pages("order").rows}
    assert db.session.query(Pending).count() == 0
    assert [row["status"] for row in room.pushes()] == [200] * len(room.pushes())


def test_variants_name_their_parent_and_parents_have_a_price_and_a_page(room, sandbox):
    export_all("product")
    products = room.records("product")
    parents = {one["parent_id"] for one in products.values() if one["is_variant"]}
    assert parents
    for parent in parents:
        assert products[parent]["price"] > 0
        assert products[parent]["url"].startswith("http://shop.test/")
        assert products[parent]["listings"][0]["store"] == "default"
    assert all(one["attributes"][0]["label"] for one in products.values() if not one["is_variant"])
