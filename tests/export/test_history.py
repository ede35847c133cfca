"""The historical export: killed, paused, cancelled, begun again, by days, past what is broken, after live work."""

from __future__ import annotations

import datetime as dt
import time
from types import SimpleNamespace

import msgspec
import pytest

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, ease, history, jobs, ledger
from bridge.settings import load_book
from tests.export import samples
from tests.export.test_jobs import owe, waiting

pytestmark = pytest.mark.redis
NAME = "history:product:default"


def many(room, count=7):
    """Put more products in the shop; return all product ids."""
    for number in range(100, 100 + count):
        room.shop.put(samples.product(str(number), f"S{number}", "Thing", "5"))
    return {ref.id for ref in room.shop._entities if ref.kind == "product"}


def products():
    return {entity for kind, entity in waiting() if kind == "product"}


@pytest.mark.parametrize("calls", [1, 2, 3])
@pytest.mark.parametrize("when", ["before the page is kept", "after"])
def test_a_walk_that_is_killed_at_any_page_leaves_no_gap_and_repeats_none(room, monkeypatch, calls, when):
    ids = many(room)
    room.shop._page = 3
    history.begin("product", "default")
    whole, made = room.shop.ids, []

    def dies(kind, cursor=None):
        made.append(cursor)
        if when == "before the page is kept" and len(made) == calls:
            raise SystemExit
        page = whole(kind, cursor)
        if when == "after" and len(made) == calls + 1:
            raise SystemExit
        return page

    with monkeypatch.context() as patch:
        patch.setattr(room.shop, "ids", dies)
        with pytest.raises(SystemExit):
            history.walk("product", "default", room.shop, load_book(), 60)
    db.session.rollback()
    before = {row.entity: row.generation for row in waiting().values()}
    assert history.walk("product", "default", room.shop, load_book(), 60)[0] is False
    assert products() == ids
    assert cursors.read(NAME)["seen"] == len(ids), "each row was counted once"
    assert all(waiting()["product", entity].generation == generation for entity, generation in before.items())


def test_a_broken_product_is_set_aside_with_the_reason_and_stops_nothing(room, account):
    ids = many(room)
    room.shop.broken.add(EntityRef("product", "103"))
    history.begin("product", "default")
    jobs.history("product", "default")
    assert products() == ids
    row = waiting()["product", "103"]
    assert (row.state, row.reason) == ("refused", history.BROKEN)
    (progress,) = history.progress()
    assert (progress.state, progress.seen, progress.broken) == ("done", len(ids), 1)


def test_a_walk_by_days_owes_only_what_was_made_in_them(room, account):
    for day in (1, 2, 3):
        made = dt.datetime(2026, 3, day, 23, 59, 59, tzinfo=dt.UTC)
        room.shop.put(samples.order(str(day), samples.line("1", "1", "BAG", "34"), created_at=made))
    history.begin("order", "default", since=dt.date(2026, 3, 2), until=dt.date(2026, 3, 2))
    jobs.history("order", "default")
    assert set(waiting()) == {("order", "2")}
    assert not history.whole("order", {"default"}), "a part of the orders is not all of them"


def test_a_cancelled_walk_takes_back_what_nobody_sent_and_leaves_live_rows(room, account):
    room.shop._page = 2
    history.begin("product", "default")
    history.walk("product", "default", room.shop, load_book(), 60, wait=lambda: True)
    owe(account, EntityRef("product", "1"))
    assert len(products()) > 1
    assert history.set_state("product", "default", "cancelled", load_book())
    assert products() == {"1"}
    jobs.history("product", "default")
    assert products() == {"1"}
    assert not history.set_state("product", "default", "running"), "cancelled is the end"


def test_it_begins_anew_after_its_end_and_on_wish_while_it_runs(room):
    assert history.begin("product", "default")
    assert not history.begin("product", "default")
    cursors.save(NAME, {**cursors.read(NAME), "after": "9", "seen": 2})
    assert history.begin("product", "default", again=True)
    assert cursors.read(NAME)["after"] is None
    jobs.history("product", "default")
    assert history.begin("product", "default")


def test_it_gives_way_to_live_rows_after_each_page(room, account):
    many(room)
    room.shop._page = 2
    owe(account, EntityRef("order", "4"))
    history.begin("product", "default")
    jobs.history("product", "default")
    assert cursors.read(NAME)["seen"] == 2
    jobs.session(account.id, "live")
    jobs.upkeep()
    assert room.exporter.wakes.depth()["history"] > 0, "the walk is taken up once nothing live waits"
    jobs.history("product", "default")
    assert cursors.read(NAME)["state"] == "done"


def test_live_rows_that_cannot_be_sent_hold_up_no_history(room, account, settings):
    owe(account, EntityRef("order", "4"))
    settings(export__dry_run=True)
    assert not ease.live_waits(load_book())
    settings(export__dry_run=False)
    assert ease.live_waits(load_book())
    cursors.save(f"account:{account.id}", {"paused": "The key is refused.", "until": time.time() + 60})
    assert not ease.live_waits(load_book())


def test_it_rests_while_the_shop_is_slow(room, monkeypatch):
    history.begin("product", "default")
    monkeypatch.setattr(ease, "rests", lambda: True)
    jobs.history("product", "default")
    assert cursors.read(NAME)["seen"] == 0


def test_a_session_woken_by_a_live_event_leaves_history_alone(room, account):
    owe(account, EntityRef("product", "9"), lane="history")
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id, "live")
    assert set(room.records("product")) == {"1"}
    jobs.backlog(account.id)
    assert set(room.records("product")) == {"1", "9"}


def test_a_session_of_history_gives_way_to_the_live_rows_of_another_account(room, settings, monkeypatch):
    settings("website:europe", general__api_key="key-euro-0002")
    main, euro = sorted(load_book().accounts(), key=lambda one: one.owner)
    monkeypatch.setattr("bridge.export.session.CHUNK", 2)
    for number in range(100, 106):
        owe(main, room.shop.put(samples.product(str(number), f"S{number}", "Thing", "5")), lane="history")
    owe(euro, EntityRef("order", "6"))
    jobs.backlog(main.id)
    assert len(room.records("product")) == 2, "one chunk is its budget"
    jobs.session(euro.id, "live")
    jobs.backlog(main.id)
    assert len(room.records("product")) == 6


def test_progress_tells_rate_and_end(room):
    many(room)
    room.shop._page = 5
    history.begin("product", "default")
    history.walk("product", "default", room.shop, load_book(), 60, wait=lambda: True)
    began = cursors.read(NAME)["began"]
    (row,) = history.progress(began + 10)
    assert (row.state, row.seen, row.total) == ("running", 5, 11)
    assert row.rate == pytest.approx(0.5)
    assert row.ends == pytest.approx(began + 22)


def test_a_night_for_which_it_was_paused_says_nothing_of_its_rate(room, monkeypatch):
    many(room)
    room.shop._page = 5
    history.begin("product", "default")
    history.walk("product", "default", room.shop, load_book(), 60, wait=lambda: True)
    began = cursors.read(NAME)["began"]
    for moment, state in ((10, "paused"), (20, "paused"), (10_000, "running")):
        with monkeypatch.context() as patch:
            patch.setattr("bridge.export.history.time", SimpleNamespace(time=lambda moment=moment: began + moment))
            history.set_state("product", "default", state)
            (row,) = history.progress(began + moment + 5_000)
            if state == "paused":
                assert row.rate == pytest.approx(0.5), "it stands still while paused"
    (row,) = history.progress(began + 10_000)
    assert row.rate == pytest.approx(0.5)
    assert row.ends == pytest.approx(began + 10_012)


def test_a_forced_walk_sends_what_is_unchanged(room, account):
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    history.begin("product", "default", force=True)
    jobs.history("product", "default")
    jobs.backlog(account.id)
    assert len([row for row in room.pushes() if row["status"] == 200]) == 2
    assert ledger.owing_accounts() == set()


def test_a_product_off_every_website_is_withdrawn_by_the_poll(room, account):
    owe(account, EntityRef("product", "9"))
    jobs.session(account.id)
    product = room.shop._entities[EntityRef("product", "9")]
    room.shop.clock = lambda: samples.at(2)
    jobs.poll()
    room.shop.put(msgspec.structs.replace(product, website_ids=(), updated_at=samples.at(2)))
    room.shop.clock = lambda: samples.at(2, 1)
    jobs.poll()
    jobs.session(account.id)
    assert room.records("product")["9"]["is_active"] is False


def test_a_walk_is_not_far_ahead_of_what_is_sent_and_goes_on_with_it(room, account, monkeypatch):
    """The ledger stays small, and with one worker the sessions have their turn long before the walk is over."""
    ids = many(room, 40)
    room.shop._page = 5
    monkeypatch.setattr(ease, "AHEAD", 10)
    history.begin("product", "default")
    most = 0
    for _ in range(60):
        jobs.history("product", "default")
        most = max(most, len(waiting()))
        jobs.backlog(account.id)
        if not history.running():
            break
        assert room.exporter.wakes.depth()["history"] > 0, "the session has woken the walk"
        room.exporter.redis.delete("rq:queue:history", "bridge:wake:history:product:default")
    assert most <= 15
    jobs.backlog(account.id)
    assert set(room.records("product")) == ids


def test_an_account_that_cannot_be_sent_to_does_not_hold_up_the_walk(room, account, settings, monkeypatch):
    ids = many(room, 40)
    room.shop._page = 5
    monkeypatch.setattr(ease, "AHEAD", 10)
    cursors.save(f"account:{account.id}", {"paused": "The key is refused.", "until": time.time() + 60})
    history.begin("product", "default")
    jobs.history("product", "default")
    assert products() == ids
