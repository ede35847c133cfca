"""The stock sweep against a shop in memory."""

from __future__ import annotations

import time

import msgspec
import pytest
from sqlalchemy import select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, jobs, stock
from bridge.models import StockLevel
from bridge.settings import load_book
from tests.export.test_jobs import owe, waiting

pytestmark = pytest.mark.redis
QUARTER = 900.0


@pytest.fixture
def learnt(room, account):
    """Everything was exported, and the first sweep has read the levels."""
    owe(account, *room.shop._entities, lane="history")
    jobs.session(account.id)
    assert stock.sweep(room.shop, load_book()) == (False, set())
    return room


def later(room, quarters=1):
    return stock.sweep(room.shop, load_book(), now=time.time() + quarters * QUARTER)


def sells(room, id_, salable):
    product = room.shop._entities[EntityRef("product", id_)]
    room.shop.put(msgspec.structs.replace(product, salable=salable))


def test_the_first_sweep_learns_and_owes_nothing(learnt):
    assert waiting() == {}
    assert {row.sku for row in db.session.scalars(select(StockLevel)) if row.website == "base"} >= {"BAG", "HOOD-S"}


def test_a_product_that_sold_out_is_told_and_told_again_when_it_returns(learnt, account):
    sells(learnt, "1", salable=False)
    assert later(learnt) == (False, {account.id})
    jobs.session(account.id)
    assert learnt.records("product")["1"]["is_in_stock"] is False
    sells(learnt, "1", salable=True)
    later(learnt, 2)
    jobs.session(account.id)
    assert learnt.records("product")["1"]["is_in_stock"] is True


def test_what_did_not_change_is_not_owed(learnt):
    assert later(learnt) == (False, set())
    assert waiting() == {}


def test_a_product_that_left_the_list_is_asked_for_alone_and_withdrawn(learnt, account):
    learnt.shop.remove(EntityRef("product", "9"))
    later(learnt)
    jobs.session(account.id)
    assert learnt.records("product")["9"]["is_active"] is False


def test_a_list_that_lacks_a_product_of_the_shop_withdraws_nothing(learnt, account, monkeypatch):
    whole = learnt.shop.stock

    def short(website, cursor=None):
        page = whole(website, cursor)
        return msgspec.structs.replace(page, rows=tuple(row for row in page.rows if row.sku != "BAG"))

    monkeypatch.setattr(learnt.shop, "stock", short)
    later(learnt)
    jobs.session(account.id)
    assert learnt.records("product")["1"]["is_active"] is True


def test_a_list_that_lacks_most_is_not_believed(learnt, monkeypatch):
    monkeypatch.setattr(stock, "GONE_AT_ONCE", 1)
    whole = learnt.shop.stock
    monkeypatch.setattr(
        learnt.shop,
        "stock",
        lambda website, cursor=None: msgspec.structs.replace(whole(website, cursor), rows=whole(website).rows[:1]),
    )
    later(learnt)
    assert waiting() == {}


def test_it_is_not_due_before_its_minutes(learnt):
    calls = len(learnt.shop.calls)
    stock.sweep(learnt.shop, load_book(), now=time.time() + QUARTER / 2)
    assert len(learnt.shop.calls) == calls


def test_a_shop_without_such_a_list_is_left_to_the_rolling_sweep(learnt, monkeypatch):
    monkeypatch.setattr(learnt.shop, "stock", lambda *_: None)
    assert later(learnt) == (False, set())
    assert cursors.read("stock:base")["without"] is True


def test_a_list_that_the_shop_has_only_now_is_learnt_first(room, account, monkeypatch):
    owe(account, *room.shop._entities, lane="history")
    jobs.session(account.id)
    with monkeypatch.context() as patch:
        patch.setattr(room.shop, "stock", lambda *_: None)
        for quarters in range(2):
            later(room, quarters)
    assert later(room, 2) == (False, set())
    assert waiting() == {}
    sells(room, "1", salable=False)
    assert later(room, 3) == (False, {account.id})
    assert set(waiting()) == {("product", "1")}


def test_a_sweep_that_ran_out_of_time_goes_on_where_it_was(learnt, account, monkeypatch):
    learnt.shop._page = 1
    sells(learnt, "13", salable=False)
    with monkeypatch.context() as patch:
        patch.setattr(stock, "SHARE_SECONDS", -1)
        assert later(learnt) == (True, set())
    assert later(learnt) == (False, {account.id})
    assert set(waiting()) == {("product", "13")}


def test_the_job_wakes_the_session(learnt, account, settings):
    settings(export__stock_minutes=1)
    sells(learnt, "1", salable=False)
    cursors.save("stock:base", {**cursors.read("stock:base"), "began": time.time() - 61})
    jobs.stock()
    assert ("product", "1") in waiting()
    assert learnt.exporter.wakes.depth()["live"] == 1
