"""The rolling sweep: what no list of changes tells, against a shop in memory."""

from __future__ import annotations

import time
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, ease, history, jobs, sweep
from bridge.models import SentRecord
from bridge.settings import load_book
from tests.export import samples
from tests.export.test_jobs import owe, waiting

pytestmark = pytest.mark.redis
HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def sent_all(room, account):
    """Everything was exported once."""
    owe(account, *room.shop._entities, lane="history")
    jobs.session(account.id)
    assert waiting() == {}
    return room


def swept(room, days=0.0):
    """Sweep as if the first sweep had begun so many days ago; send what it owes; return the accounts."""
    more, touched = sweep.sweep(room.shop, load_book(), now=time.time() + days * DAY)
    assert not more
    jobs.session(load_book().accounts()[0].id)
    return touched


def view(room, id_, **changes):
    """Change what a product shows without its time of change."""
    product = room.shop._entities[EntityRef("product", id_)]
    views = {code: msgspec.structs.replace(one, **changes) for code, one in product.views.items()}
    room.shop.put(msgspec.structs.replace(product, views=views))


def missing(entity):
    db.session.rollback()
    return db.session.scalar(select(SentRecord.missing).where(SentRecord.entity == entity))


def test_what_is_unchanged_is_read_and_not_sent_again(sent_all):
    before = len(sent_all.pushes())
    swept(sent_all)
    assert len(sent_all.pushes()) == before
    assert waiting() == {}


def test_a_price_by_rule_is_found_though_the_product_did_not_change(sent_all):
    view(sent_all, "1", shown_price=Decimal(34), final_price=Decimal("27.20"))
    swept(sent_all)
    assert sent_all.records("product")["1"]["special_price"] == 27.2


def test_a_category_move_is_found(sent_all):
    from bridge.store import Category

    view(sent_all, "1", categories=(Category(id="44", name="Bags"),))
    swept(sent_all)
    assert {"type": "category", "id": "44", "label": "Bags"} in sent_all.records("product")["1"]["attributes"]


def test_a_newsletter_status_that_moved_no_time_is_found(sent_all):
    jane = sent_all.shop._entities[EntityRef("contact", "customer:2")]
    before = sent_all.records("contact")["2"]["marketing_optin"]
    sent_all.shop.put(msgspec.structs.replace(jane, subscribed=False))
    swept(sent_all)
    assert (before, sent_all.records("contact")["2"]["marketing_optin"]) == ("EXPLICITLY_OPTEDIN", "NOT_SPECIFIED")


def test_a_deleted_product_is_withdrawn_after_the_second_sweep_not_the_first(sent_all):
    sent_all.shop.remove(EntityRef("product", "9"))
    swept(sent_all)
    assert missing("9") == 1
    assert sent_all.records("product")["9"].get("is_active") is True
    swept(sent_all, days=1)
    assert sent_all.records("product")["9"]["is_active"] is False
    before = len(sent_all.pushes())
    swept(sent_all, days=2)
    assert (len(sent_all.pushes()), missing("9")) == (before, 2), "told once"


def test_a_product_that_only_one_sweep_missed_is_forgiven(sent_all):
    product = sent_all.shop._entities[EntityRef("product", "9")]
    sent_all.shop.remove(EntityRef("product", "9"))
    swept(sent_all)
    sent_all.shop.put(product)
    swept(sent_all, days=1)
    assert missing("9") == 0
    assert sent_all.records("product")["9"]["is_active"] is True


def test_a_product_that_comes_back_is_told_again(sent_all):
    product = sent_all.shop._entities[EntityRef("product", "9")]
    sent_all.shop.remove(EntityRef("product", "9"))
    swept(sent_all)
    swept(sent_all, days=1)
    sent_all.shop.put(product)
    swept(sent_all, days=2)
    assert sent_all.records("product")["9"]["is_active"] is True


def test_a_list_that_lacks_what_the_shop_shows_alone_withdraws_nothing(sent_all, monkeypatch):
    whole = sent_all.shop.ids

    def short(kind, cursor=None):
        page = whole(kind, cursor)
        return msgspec.structs.replace(page, rows=tuple(row for row in page.rows if row.ref.id != "9"))

    monkeypatch.setattr(sent_all.shop, "ids", short)
    swept(sent_all)
    swept(sent_all, days=1)
    assert sent_all.records("product")["9"]["is_active"] is True


def test_a_shop_that_lists_nothing_is_not_believed(sent_all, monkeypatch):
    from bridge.store import Page

    monkeypatch.setattr(sent_all.shop, "ids", lambda *_: Page(rows=(), cursor=None, left=0))
    swept(sent_all)
    swept(sent_all, days=1)
    assert {missing(entity) for entity in ("1", "9", "customer:2", "4")} == {0}


def test_a_mass_action_that_took_a_product_off_every_website_is_found_at_once(sent_all):
    product = sent_all.shop._entities[EntityRef("product", "9")]
    sent_all.shop.put(msgspec.structs.replace(product, website_ids=()))
    swept(sent_all)
    assert sent_all.records("product")["9"]["is_active"] is False
    sent_all.shop.put(product)
    swept(sent_all, days=1)
    assert sent_all.records("product")["9"]["is_active"] is True


def test_a_mass_action_that_gave_a_website_is_found_where_the_catalogue_was_exported(sent_all, settings):
    settings("website:europe", general__api_key="key-euro-0002")
    bag = sent_all.shop._entities[EntityRef("product", "1")]
    sent_all.shop.put(msgspec.structs.replace(bag, website_ids=(1, 2)))
    sweep.sweep(sent_all.shop, load_book())
    euro = next(one for one in load_book().accounts() if one.owner == "website:europe")
    assert not [row for row in waiting().values() if row.account == euro.id], "nobody exported anything there"
    history.begin("product", "website:europe")
    history.walk("product", "website:europe", sent_all.shop, load_book(), 60)
    jobs.session(euro.id)
    bag = sent_all.shop.put(samples.product("55", "LATE", "Late", "9", website_ids=(1, 2)))
    sweep.sweep(sent_all.shop, load_book(), now=time.time() + DAY)
    jobs.session(euro.id)
    assert bag.id in sent_all.records("product", "fedcba9876543210")


def test_a_customer_or_an_order_that_is_gone_is_no_opt_out_and_stops_nothing(sent_all):
    sent_all.shop.remove(EntityRef("contact", "customer:2"))
    before = sent_all.records("contact")["2"]
    swept(sent_all)
    swept(sent_all, days=1)
    assert sent_all.records("contact")["2"] == before
    assert waiting() == {}


def test_the_walk_is_spread_over_the_hours(sent_all):
    sent_all.shop._page = 1
    start = time.time()
    sweep.sweep(sent_all.shop, load_book(), now=start)
    seen = cursors.read("sweep:product")["seen"]
    assert seen == 1, "the first page begins it"
    sweep.sweep(sent_all.shop, load_book(), now=start + 12 * HOUR)
    assert cursors.read("sweep:product")["seen"] == 3
    sweep.sweep(sent_all.shop, load_book(), now=start + 23 * HOUR)
    assert cursors.read("sweep:product")["ended"]


def test_the_hours_follow_the_setting(sent_all, settings):
    settings(export__sweep_hours=2)
    start = time.time()
    sweep.sweep(sent_all.shop, load_book(), now=start)
    began = cursors.read("sweep:product")["began"]
    sweep.sweep(sent_all.shop, load_book(), now=start + 1.9 * HOUR)
    assert cursors.read("sweep:product")["began"] == began
    sweep.sweep(sent_all.shop, load_book(), now=start + 2.1 * HOUR)
    assert cursors.read("sweep:product")["began"] > began


def test_a_sweep_that_was_killed_goes_on_where_it_was(sent_all, monkeypatch):
    sent_all.shop._page = 1
    whole, asked = sent_all.shop.ids, []

    def dies(kind, cursor=None):
        if kind == "product" and cursor == "9":
            raise SystemExit
        asked.append((kind, cursor))
        return whole(kind, cursor)

    monkeypatch.setattr(sent_all.shop, "ids", dies)
    start = time.time()
    sweep.sweep(sent_all.shop, load_book(), now=start)
    with pytest.raises(SystemExit):
        sweep.sweep(sent_all.shop, load_book(), now=start + 23 * HOUR)
    db.session.rollback()
    monkeypatch.setattr(sent_all.shop, "ids", whole)
    assert cursors.read("sweep:product")["after"] == "9"
    sweep.sweep(sent_all.shop, load_book(), now=start + 23 * HOUR)
    note = cursors.read("sweep:product")
    assert (note["seen"], bool(note["ended"])) == (4, True)


def test_nothing_is_swept_while_the_shop_is_slow(sent_all):
    for _ in range(5):
        ease.took("list:product", 0.5)
    assert not ease.rests()
    ease.took("list:product", 9.0)
    assert ease.rests()
    calls = len(sent_all.shop.calls)
    assert sweep.sweep(sent_all.shop, load_book()) == (False, set())
    assert len(sent_all.shop.calls) == calls


def test_no_more_is_owed_while_much_waits(sent_all, account, monkeypatch):
    monkeypatch.setattr(sweep, "BACKLOG", 2)
    owe(account, EntityRef("product", "1"), EntityRef("product", "9"), lane="history")
    sweep.sweep(sent_all.shop, load_book())
    assert {entity for kind, entity in waiting() if kind == "product"} == {"1", "9"}


def test_the_job_wakes_the_sessions(sent_all):
    sent_all.shop.remove(EntityRef("product", "9"))
    jobs.sweep()
    assert sent_all.exporter.wakes.depth()["history"] == 1
