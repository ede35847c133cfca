"""Several workers of one room at once, on one database file."""

from __future__ import annotations

import threading

import pytest

from bridge.db import db
from bridge.events import EntityRef, OrderPlaced, encode_event
from bridge.export import Exporter, intake, jobs, ledger
from bridge.models import EventLog, Pending, RequestLog, SentRecord
from bridge.ometria import Ometria
from bridge.store.memory import Memory
from bridge.stream import STREAM
from tests.export import samples


def run(app, *works) -> list[BaseException]:
    """Run each work in a thread with an application context of its own; return what they raised."""
    faults: list[BaseException] = []

    def guarded(work) -> None:
        with app.app_context():
            try:
                work()
            except BaseException as error:
                faults.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def orders(count: int) -> list:
    return [samples.order(str(number), samples.line("1", "1", "BAG", "34")) for number in range(100, 100 + count)]


def test_sessions_and_intake_at_once_lose_nothing_and_send_each_record_once(room, account, database):
    for order in orders(60):
        room.shop.put(order)
    events = [OrderPlaced(order=str(number), store="default") for number in range(100, 160)]
    for event in events[:30]:
        room.exporter.redis.xadd(STREAM, {b"e": encode_event(event)})
    jobs.take_events()
    for event in events[30:]:
        room.exporter.redis.xadd(STREAM, {b"e": encode_event(event)})

    def session() -> None:
        for _ in range(3):
            jobs.session(account.id)

    assert run(database, session, session, jobs.take_events, jobs.upkeep) == []
    jobs.session(account.id)
    db.session.rollback()
    assert db.session.query(Pending).count() == 0
    assert set(room.records("order")) == {f"1{number:08d}" for number in range(100, 160)}
    calls = db.session.query(RequestLog).filter_by(kind="order", outcome="accepted")
    assert sum(call.records for call in calls) == 60
    assert all(row["status"] == 200 for row in room.pushes())


def test_two_readers_of_the_stream_store_each_event_once(room, database):
    for number in range(700):
        event = OrderPlaced(order=str(number), store="default")
        room.exporter.redis.xadd(STREAM, {b"e": encode_event(event)})
    assert run(database, jobs.take_events, jobs.take_events) == []
    assert db.session.query(EventLog).count() == 700
    assert {row.generation for row in db.session.query(Pending)} == {1}
    assert room.exporter.redis.xlen(STREAM) == 0


def test_events_stay_in_the_stream_when_the_database_fails(room, monkeypatch):
    room.exporter.redis.xadd(STREAM, {b"e": encode_event(OrderPlaced(order="4", store="default"))})

    def broken(*_, **__):
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "add", broken)
        with pytest.raises(RuntimeError):
            jobs.take_events()
    db.session.rollback()
    assert db.session.query(EventLog).count() == 0
    jobs.take_events()
    assert [row.entity for row in db.session.query(Pending)] == ["4"]
    assert not room.exporter.redis.exists(intake.LOCK)


def test_a_session_that_dies_after_the_push_is_made_up_for(room, account, database, monkeypatch):
    """The record was accepted and not written down: the next session sends it again, and Ometria has it once."""

    class Dead(BaseException):
        pass

    def die(*_, **__):
        raise Dead

    ledger.add([ledger.Owed(account.id, EntityRef("product", "1"))], "live")
    db.session.commit()
    with monkeypatch.context() as patch:
        patch.setattr("bridge.export.sent.keep", die)
        with pytest.raises(Dead):
            jobs.session(account.id)
    db.session.rollback()
    assert set(room.records("product")) == {"1"}
    row = db.session.query(Pending).one()
    assert row.claim is not None
    row.lease_until = 0.0
    db.session.commit()
    jobs.session(account.id)
    assert db.session.query(Pending).count() == 0
    assert db.session.get(SentRecord, (account.id, "product", "1")) is not None


def test_a_change_while_the_record_is_on_its_way_is_sent_too(room, account, database):
    """The shop's price changes after it was read and before Ometria has answered."""

    class Changing(Ometria):
        def push(self, owner, parcels, allow=tuple, *, live=True):
            room.shop.put(samples.product("1", "BAG", "Duffle Bag", "20"))
            ledger.add([ledger.Owed(account.id, EntityRef("product", "1"))], "live")
            db.session.commit()
            return Ometria.push(self, owner, parcels, allow, live=live)

    own = room.exporter
    changing = Changing(own.config.ometria_api_url, own.redis)
    ledger.add([ledger.Owed(account.id, EntityRef("product", "1"))], "live")
    db.session.commit()
    database.extensions["bridge.export"] = Exporter(own.config, own.redis, own.wakes, own.store, changing)
    first = jobs.load_book().accounts()[0]
    assert first.settings["export.max_per_run"] > 1
    database.extensions["bridge.export"].store.put(samples.product("1", "BAG", "Duffle Bag", "34"))
    from bridge.export.session import Session

    session = Session(database.extensions["bridge.export"], first, jobs.load_book())
    rows = ledger.claim(account.id, 10)
    session._work(rows)
    database.extensions["bridge.export"] = own
    jobs.session(account.id)
    assert room.records("product")["1"]["price"] == 20
    assert isinstance(own.store, Memory)
