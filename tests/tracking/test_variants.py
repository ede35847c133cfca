from __future__ import annotations

import threading

import pytest

from bridge.db import db
from bridge.errors import Retry
from bridge.models import CatalogItem
from bridge.tracking import variants as module
from bridge.tracking.variants import Variant, Variants


class ShopOf:
    def __init__(self, **known):
        self.known, self.asked = known, []

    def __call__(self, skus):
        self.asked.append(list(skus))
        return {sku: self.known[sku] for sku in skus if sku in self.known}


@pytest.fixture(autouse=True)
def context(room):
    with room.app.app_context():
        yield


def test_the_catalogue_is_read_before_the_shop_is_asked():
    db.session.add(CatalogItem(sku="S-Red", product="13", parent="17", parent_sku="HOODIE"))
    db.session.commit()
    shop = ShopOf()
    assert Variants(shop).look_up(["S-Red"]) == {"S-Red": Variant("13", "17", "HOODIE")}
    assert shop.asked == []


def test_what_the_shop_says_is_kept():
    shop = ShopOf(S=("13", "17"), T=("5", None))
    assert Variants(shop).look_up(["S", "T"]) == {"S": Variant("13", "17"), "T": Variant("5", None)}
    assert Variants(shop).look_up(["S", "T"]) == {"S": Variant("13", "17"), "T": Variant("5", None)}
    assert shop.asked == [["S", "T"]]


def test_the_parents_sku_is_filled_in_from_the_catalogue():
    db.session.add(CatalogItem(sku="HOODIE", product="17", parent=None))
    db.session.commit()
    assert Variants(ShopOf(S=("13", "17"))).look_up(["S"]) == {"S": Variant("13", "17", "HOODIE")}


def test_an_unknown_sku_is_not_asked_again_for_a_while(monkeypatch):
    shop, now = ShopOf(), [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    variants = Variants(shop)
    assert variants.look_up(["GONE"]) == {}
    assert variants.look_up(["GONE"]) == {}
    assert shop.asked == [["GONE"]]
    now[0] += module.UNKNOWN_SECONDS + 1
    variants.look_up(["GONE"])
    assert len(shop.asked) == 2


def test_the_shop_is_asked_for_few_at_once_and_not_too_often(monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 1000.0)
    shop = ShopOf()
    variants = Variants(shop)
    variants.look_up([f"S{number}" for number in range(50)])
    assert len(shop.asked[0]) == module.ASKED_AT_ONCE
    for number in range(100):
        variants.look_up([f"T{number}"])
    assert len(shop.asked) == module.ASKED_PER_MINUTE


def test_a_shop_that_does_not_answer_leaves_the_skus_unknown():
    def find(_skus):
        raise Retry("the shop does not answer")

    variants = Variants(find)
    assert variants.look_up(["S"]) == {}
    assert variants._busy.acquire(blocking=False), "the next request may ask"


def test_while_one_request_asks_the_others_do_not_wait(room):
    asked, go_on = threading.Event(), threading.Event()

    def find(skus):
        asked.set()
        assert go_on.wait(10)
        return dict.fromkeys(skus, ("1", None))

    variants = Variants(find)

    def first():
        with room.app.app_context():
            results.append(variants.look_up(["A"]))

    results = []
    thread = threading.Thread(target=first)
    thread.start()
    assert asked.wait(10)
    assert variants.look_up(["B"]) == {}
    go_on.set()
    thread.join(10)
    assert results == [{"A": Variant("1", None)}]


def test_the_memory_of_unknown_skus_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "ASKED_PER_MINUTE", 10_000)
    monkeypatch.setattr(module, "UNKNOWN_MOST", 30)
    variants = Variants(ShopOf())
    for number in range(100):
        variants.look_up([f"S{number}"])
    assert len(variants._unknown) <= 30


def test_the_sku_of_a_product_is_read_from_the_catalogue():
    db.session.add(CatalogItem(sku="BUNDLE", product="20"))
    db.session.commit()
    assert Variants(ShopOf()).skus_of(["20", "21"]) == {"20": "BUNDLE"}
