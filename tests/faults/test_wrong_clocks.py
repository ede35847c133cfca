"""Clocks that are wrong by an hour, and the hours of summer time: nothing is lost, late, or sent again."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import select

from bridge.clock import due
from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, ease, jobs, ledger
from bridge.export.session import Session, pause_name
from bridge.export.versions import Versions
from bridge.models import Pending
from bridge.settings import load_book
from tests.export.conftest import account, book, database, ometria_app, room, settings, shop
from tests.export.test_jobs import owe, waiting

pytestmark = pytest.mark.redis
__all__ = ["account", "book", "database", "ometria_app", "room", "settings", "shop"]
PRODUCT = EntityRef("product", "9")
HOUR = dt.timedelta(hours=1)
LONDON = ZoneInfo("Europe/London")


def wrong(seconds):
    """Return a ``time`` whose clock is wrong by so many seconds."""
    return SimpleNamespace(time=lambda: time.time() + seconds, monotonic=time.monotonic)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_shop_whose_clock_is_wrong_is_polled_by_its_own(room, account, ahead):
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0) + ahead
    room.shop.clock = lambda: moment
    jobs.poll()
    product = room.shop._entities[PRODUCT]
    for minute in range(1, 4):
        later = moment + dt.timedelta(minutes=minute)
        view = msgspec.structs.replace(product.views[""], name=f"Name {minute}")
        room.shop.put(msgspec.structs.replace(product, views={"": view}, updated_at=later))
        room.shop.clock = lambda later=later: later + dt.timedelta(seconds=1)
        jobs.poll()
        jobs.session(account.id)
        assert room.records("product")["9"]["title"] == f"Name {minute}"
    sent = len(room.pushes())
    for _ in range(3):
        jobs.poll()
        jobs.session(account.id)
    assert len(room.pushes()) == sent


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_shop_whose_clock_is_set_right_misses_no_change(room, account, step):
    """The clock jumps by an hour between two polls; a change of the very next second is found."""
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
    room.shop.clock = lambda: moment
    jobs.poll()
    after = moment + step + dt.timedelta(seconds=1)
    room.shop.put(msgspec.structs.replace(room.shop._entities[PRODUCT], updated_at=after))
    room.shop.clock = lambda: after + dt.timedelta(seconds=1)
    jobs.poll()
    assert ("product", "9") in waiting()


def test_what_a_worker_added_whose_clock_was_ahead_is_due_at_once(room, account, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("bridge.export.ledger.time", wrong(3600))
        owe(account, PRODUCT)
    jobs.session(account.id)
    assert room.records("product") == {}
    jobs.upkeep()
    jobs.session(account.id)
    assert set(room.records("product")) == {"9"}


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_the_leases_of_a_worker_whose_clock_is_wrong_last_a_minute(room, account, monkeypatch, seconds):
    """Else a right worker would take the rows from it while it sends them, or wait an hour for them when it died."""
    owe(account, PRODUCT)

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("bridge.export.session.time", wrong(seconds))
        patch.setattr(Session, "_push", dies)
        db.session.execute(db.update(Pending).values(due_at=0))
        db.session.commit()
        with pytest.raises(SystemExit):
            jobs.session(account.id)
    db.session.rollback()
    (row,) = db.session.scalars(select(Pending)).all()
    assert 30 < row.lease_until - time.time() <= ledger.LEASE_SECONDS
    assert ledger.claim(account.id, 1) == []


def test_a_lease_from_the_future_ends_in_time(room, account):
    owe(account, PRODUCT)
    ledger.claim(account.id, 1, lease=4000)
    jobs.upkeep()
    (row,) = waiting().values()
    assert row.lease_until <= time.time() + ledger.LEASE_SECONDS


def test_versions_from_before_redis_clock_was_set_back_hold_up_nothing(room, account, redis_client):
    versions = Versions(redis_client, account.id)
    (key,) = versions.newest("product", {"/9": versions.moment() + 3600})
    assert versions.newest("product", {key: versions.moment()}) == {key}
    owe(account, PRODUCT)
    jobs.session(account.id)
    assert set(room.records("product")) == {"9"}


def test_waits_that_a_wrong_clock_noted_are_not_kept(room, account):
    until = time.time() + 3600
    cursors.save(pause_name(account.id), {"paused": "The key is refused.", "until": until})
    cursors.save(ease.PACE, {"usual": {}, "rest_until": until})
    assert not ease.rests()
    owe(account, PRODUCT)
    assert ease.live_waits(load_book())
    jobs.session(account.id)
    assert set(room.records("product")) == {"9"}


@pytest.mark.parametrize("name", ["sweep:product", "stock:base"])
def test_a_sweep_that_began_in_the_future_begins_anew(room, account, name):
    future = time.time() + 3600
    cursors.save(name, {"began": future, "after": None, "number": 1, "seen": 0, "total": None, "ended": future})
    jobs.sweep()
    jobs.stock()
    note = cursors.read(name)
    assert note["began"] < future
    assert note["ended"]
    assert note["ended"] < future


NIGHTS = {"to summer time": dt.date(2026, 3, 29), "to winter time": dt.date(2026, 10, 25)}


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("expression", ["30 0 * * *", "30 1 * * *", "0 2 * * *", "30 2 * * *"])
def test_a_daily_run_happens_once_in_the_nights_in_which_the_clock_changes(night, expression):
    minute = dt.datetime.combine(NIGHTS[night], dt.time(0), dt.UTC) - 2 * HOUR
    runs = sum(due(expression, (minute + dt.timedelta(minutes=n)).astimezone(LONDON)) for n in range(8 * 60))
    assert runs == 1


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize(("expression", "every"), [("* * * * *", 1), ("*/15 * * * *", 15)])
def test_what_runs_all_the_time_goes_on_through_the_change(night, expression, every):
    minute = dt.datetime.combine(NIGHTS[night], dt.time(0), dt.UTC) - HOUR
    local = [(minute + dt.timedelta(minutes=n)).astimezone(LONDON) for n in range(5 * 60)]
    hours = Counter(moment.astimezone(dt.UTC).hour for moment in local if due(expression, moment))
    assert set(hours.values()) == {60 // every}


def test_a_shop_whose_clock_was_set_back_in_the_middle_of_a_long_poll_is_looked_at(room, account):
    """The place up to which the poll had come lies in what is the future now."""
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
    room.shop.clock = lambda: moment
    jobs.poll()
    note = cursors.read("poll:product")
    cursors.save("poll:product", {**note, "at": (moment - dt.timedelta(seconds=5)).isoformat()})
    after = moment - HOUR + dt.timedelta(seconds=1)
    room.shop.put(msgspec.structs.replace(room.shop._entities[PRODUCT], updated_at=after))
    room.shop.clock = lambda: after + dt.timedelta(seconds=1)
    jobs.poll()
    assert ("product", "9") in waiting()
