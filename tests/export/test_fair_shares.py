"""Nobody waits for ever: shares of time, what a kill leaves behind, and faults that must stop nothing else."""

from __future__ import annotations

import pytest
from rq import Queue
from sqlalchemy import select, text, update

from bridge.db import db
from bridge.errors import Stumbled
from bridge.events import AddedToCart, EntityRef, OrderPlaced, Registered, Subscribed
from bridge.export import cursors, history, jobs, ledger
from bridge.models import Pending, Subscriber
from bridge.queues import SERIALIZER
from bridge.settings import load_book
from bridge.stream import STREAM
from tests.export import samples
from tests.export.test_jobs import ORDER, happen, owe, waiting, woken

pytestmark = pytest.mark.redis


class TestFairShares:
    def test_a_session_gives_way_after_its_time_and_wakes_the_next(self, room, account, monkeypatch):
        monkeypatch.setattr("bridge.export.session.SHARE_SECONDS", 0)
        refs = [room.shop.put(samples.product(str(number), f"S{number}", "Thing", "5")) for number in range(100, 250)]
        owe(account, *refs, lane="history")
        jobs.session(account.id)
        assert len(room.records("product")) == 100
        assert woken(room) == []
        (job,) = Queue("history", connection=room.exporter.redis, serializer=SERIALIZER).jobs
        assert (job.func_name, job.args) == ("bridge.export.jobs.backlog", [account.id])

    def test_a_stream_that_never_runs_dry_does_not_keep_its_orders_waiting(self, room, account, monkeypatch):
        monkeypatch.setattr("bridge.export.intake.SHARE_SECONDS", -1)
        monkeypatch.setattr("bridge.export.intake.BATCH", 1)
        happen(room, OrderPlaced(order="4", store="default"), AddedToCart(product="1", store="default"))
        assert woken(room) == [account.id]
        assert room.exporter.redis.xlen(STREAM) == 1
        names = [job.func_name for job in Queue("live", connection=room.exporter.redis, serializer=SERIALIZER).jobs]
        assert "bridge.export.jobs.take_events" in names

    def test_rows_stay_held_however_long_the_shop_takes(self, room, account, monkeypatch):
        monkeypatch.setattr("bridge.export.session.HOLD_SECONDS", -1)
        stolen, whole = [], room.shop.order_by_number

        def slow(number):
            stolen.extend(ledger.claim(account.id, 10))
            db.session.execute(update(Pending).values(lease_until=0))
            db.session.commit()
            return whole(number)

        monkeypatch.setattr(room.shop, "order_by_number", slow)
        owe(account, EntityRef("order", "number:100000004"), EntityRef("order", "number:100000005"))
        jobs.session(account.id)
        assert {row.ref.kind for row in stolen} <= {"product", "contact"}
        assert set(room.records("order")) == {"100000004", "100000005"}

    def test_a_poll_that_runs_out_of_time_goes_on_where_it_was(self, room, account, monkeypatch):
        monkeypatch.setattr("bridge.export.watch.SHARE_SECONDS", -1)
        for number in range(100, 103):
            room.shop.put(samples.order(str(number), samples.line("1", "1", "BAG", "34"), updated_at=samples.at(1, 1)))
        room.shop.put(samples.order("103", samples.line("1", "1", "BAG", "34"), updated_at=samples.at(1, 1, 30)))
        room.shop.clock = lambda: samples.at(1, 2)
        jobs.poll()
        first = {entity for kind, entity in waiting() if kind == "order"}
        assert first == {"4", "5", "6"}, "a whole second of the shop, however long it takes"
        assert Queue("upkeep", connection=room.exporter.redis, serializer=SERIALIZER).count == 1
        jobs.poll()
        assert {entity for kind, entity in waiting() if kind == "order"} == {*first, "100", "101", "102"}
        jobs.poll()
        assert ("order", "103") in waiting()
        assert cursors.read("poll:order")["at"] is None
        assert {row.generation for row in waiting().values()} == {1}

    def test_what_a_poll_found_before_the_shop_failed_is_owed_and_not_listed_again(self, room, account, monkeypatch):
        from bridge.errors import Retry

        room.shop.clock = lambda: samples.at(1, 2)
        whole, asked = room.shop.changed_since, []

        def failing(kind, since, until):
            asked.append((kind, since))
            yield from whole(kind, since, until)
            raise Retry("The shop failed.")

        monkeypatch.setattr(room.shop, "changed_since", failing)
        jobs.poll()
        assert ("order", "4") in waiting()
        jobs.poll()
        assert [since for kind, since in asked if kind == "order"] == [samples.at(0, 57), samples.at(1)]

    def test_a_quiet_shop_is_not_asked_for_last_nights_import_all_day(self, room, account):
        room.shop.clock = lambda: samples.at(1, 2)
        jobs.poll()
        room.shop.clock = lambda: samples.at(9)
        jobs.poll()
        note = cursors.read("poll:product")
        assert note["mark"] == samples.at(8, 45).isoformat()
        assert note["seen"] == {}


class TestAfterAKill:
    @pytest.mark.parametrize("name", ["poll", "history:product:default"])
    def test_the_lock_of_a_killed_worker_opens_within_a_minute(self, room, name):
        room.exporter.redis.flushall()
        with jobs._alone(room.exporter, name) as hold:
            assert hold is not None
            assert room.exporter.redis.pttl(f"bridge:lock:{name}") <= 60_000

    def test_a_walk_that_another_worker_has_taken_over_does_not_turn_it_back(self, room, monkeypatch):
        history.begin("product", "default")
        room.shop._page = 1
        name, whole = "history:product:default", room.shop.ids

        def slow(kind, cursor):
            page = whole(kind, cursor)
            cursors.save(name, {**cursors.read(name), "after": "9", "seen": 2})
            return page

        monkeypatch.setattr(room.shop, "ids", slow)
        assert history.walk("product", "default", room.shop, load_book(), 60) == (False, set())
        assert (cursors.read(name)["after"], cursors.read(name)["seen"]) == ("9", 2)

    def test_live_rows_whose_wake_up_was_lost_do_not_wait_for_a_nightly_schedule(self, room, account, settings):
        settings(export__schedule="0 2 * * *")
        owe(account, ORDER)
        jobs.upkeep()
        assert woken(room) == [account.id]

    def test_history_waits_for_its_schedule(self, room, account):
        owe(account, ORDER, lane="history")
        jobs.upkeep()
        assert woken(room) == []


def test_an_event_that_cannot_be_kept_holds_up_none_of_the_others(room, monkeypatch):
    from bridge.export import logs

    def summary(event):
        if getattr(event, "product", "") == "13":
            raise ValueError("text fields cannot contain NUL bytes")
        return ""

    monkeypatch.setattr(logs, "summary", summary)
    happen(
        room,
        OrderPlaced(order="4", store="default"),
        AddedToCart(product="13", store="default"),
        OrderPlaced(order="5", store="default"),
    )
    assert {("order", "4"), ("order", "5")} <= set(waiting())
    assert room.exporter.redis.xlen(STREAM) == 0
    assert cursors.read("events:dropped")["count"] == 1


def test_events_wait_while_the_database_cannot_be_written(room, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def locked(*_):
        raise OperationalError("insert", {}, Exception("database is locked"))

    monkeypatch.setattr("bridge.export.intake.logs.event", locked)
    with pytest.raises(OperationalError):
        happen(room, OrderPlaced(order="4", store="default"))
    monkeypatch.undo()
    jobs.take_events()
    assert ("order", "4") in waiting()


def test_history_of_a_scope_owes_a_product_of_two_websites_to_the_scopes_account_only(room, account, settings):
    settings("website:europe", general__api_key="key-euro-0002")
    history.begin("product", "website:europe")
    jobs.history("product", "website:europe")
    db.session.rollback()
    euro = next(one.id for one in load_book().accounts() if one.owner == "website:europe")
    assert [(row.account, row.entity) for row in db.session.scalars(select(Pending))] == [(euro, "9")]


def test_a_log_that_cannot_be_written_does_not_send_the_records_again(room, account, monkeypatch):
    def broken(*_):
        raise ValueError("text fields cannot contain NUL bytes")

    monkeypatch.setattr("bridge.export.session.logs.requests", broken)
    owe(account, EntityRef("product", "1"))
    with pytest.raises(ValueError, match="NUL"):
        jobs.session(account.id)
    assert waiting() == {}


class TestABrokenEntity:
    """One product or order at which the shop fails makes every list that names it fail."""

    @pytest.fixture
    def broken(self, room, monkeypatch):
        whole = room.shop.fetch

        def fetch(refs, views=()):
            if any(ref.id == "666" for ref in refs):
                raise Stumbled("The shop's REST API failed (500).", after=30)
            return whole(refs, views)

        monkeypatch.setattr(room.shop, "fetch", fetch)

    @pytest.mark.parametrize("kind", ["product", "order"])
    def test_it_stands_alone_and_the_others_are_sent(self, room, account, broken, kind):
        good = [ref for ref in room.shop._entities if ref.kind == kind]
        owe(account, EntityRef(kind, "666"), *good)
        jobs.session(account.id)
        assert len(room.records(kind)) == len(good)
        assert waiting()[kind, "666"].attempts == 1

    def test_it_is_set_aside_with_the_reason_after_some_tries(self, room, account, broken):
        owe(account, EntityRef("order", "666"))
        for _ in range(5):
            db.session.execute(update(Pending).values(due_at=0))
            db.session.commit()
            jobs.session(account.id)
        row = waiting()["order", "666"]
        assert (row.state, row.reason) == ("refused", "The shop's REST API failed (500).")

    def test_a_shop_that_fails_at_everything_counts_against_no_row(self, room, account):
        room.shop.fault = Stumbled("The shop's REST API failed (500).", after=30)
        owe(account, EntityRef("order", "4"), EntityRef("order", "5"))
        jobs.session(account.id)
        assert {row.attempts for row in waiting().values()} == {0}

    def test_an_order_known_by_its_number_stands_alone_too(self, room, account, monkeypatch):
        def failing(_number):
            raise Stumbled("The shop's REST API failed (500).")

        monkeypatch.setattr(room.shop, "order_by_number", failing)
        owe(account, EntityRef("order", "number:666"), ORDER)
        jobs.session(account.id)
        assert set(room.records("order")) == {"100000004"}

    def test_a_walk_over_the_families_that_fails_holds_up_no_variant(self, room, account, monkeypatch):
        def failing():
            raise Stumbled("The shop's REST API failed (500).")

        monkeypatch.setattr(room.shop, "families", failing)
        owe(account, EntityRef("product", "13"))
        jobs.session(account.id)
        assert set(room.records("product")) == {"13"}


def test_a_subscription_seen_late_counts_where_none_was_known(room):
    happen(room, Registered(email="anna@x.test", store="default", at=2000.0))
    happen(room, Subscribed(email="anna@x.test", store="default", at=1000.0))
    db.session.rollback()
    assert db.session.scalars(select(Subscriber.status)).one() == 1


def test_no_value_of_a_statement_is_in_an_errors_text(room):
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError) as raised:
        db.session.execute(text("select * from nowhere where email = :email"), {"email": "anna@x.test"})
    db.session.rollback()
    assert "anna" not in str(raised.value)
