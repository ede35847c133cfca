"""Delivery: dry run, rows of accounts that are no more, dead letters, live before history at one key."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
import structlog
from sqlalchemy import select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import jobs, ledger, log_search, refusals
from bridge.models import Pending, RequestLog
from bridge.ometria import Pacer, pacing
from bridge.settings import load_book, unset_value
from tests.export.test_jobs import ORDER, owe, waiting

pytestmark = pytest.mark.redis


class TestDryRun:
    def test_everything_is_mapped_and_shown_and_nothing_is_sent(self, room, account, settings):
        settings(export__dry_run=True, logging__requests=True)
        owe(account, ORDER, EntityRef("product", "9"))
        jobs.session(account.id)
        assert room.pushes() == []
        rows = db.session.scalars(select(RequestLog)).all()
        assert {(row.kind, row.outcome, row.body[0]["id"]) for row in rows} == {
            ("order", "dry run", "100000004"),
            ("product", "dry run", "9"),
        }
        assert {(row.state, row.attempts) for row in waiting().values()} == {("waiting", 0)}
        jobs.session(account.id)
        assert db.session.query(RequestLog).count() == 2, "shown once an hour, not once a minute"

    def test_what_is_only_shown_is_no_error(self, room, account, settings):
        settings(export__dry_run=True, logging__errors=True)
        owe(account, ORDER)
        with structlog.testing.capture_logs() as written:
            jobs.session(account.id)
        assert db.session.query(RequestLog).count() == 1
        assert list(log_search.lines(log_search.Wanted(errors=True))) == []
        assert "request to Ometria failed" not in [row["event"] for row in written]

    def test_what_was_shown_is_sent_at_once_when_it_is_over(self, room, account, settings):
        settings(export__dry_run=True)
        owe(account, ORDER)
        jobs.session(account.id)
        settings(export__dry_run=False)
        jobs.session(account.id)
        assert set(room.records("order")) == {"100000004"}
        assert set(room.records("product")) == {"1", "13", "17"}, "and what the order entails"

    def test_a_record_that_cannot_be_made_is_set_aside_in_a_dry_run_too(self, room, account, settings):
        from tests.export import samples

        settings(export__dry_run=True)
        room.shop.put(samples.product("100", "BIG", "é" * 30_001, "5"))
        owe(account, EntityRef("product", "100"))
        jobs.session(account.id)
        assert waiting()["product", "100"].state == "refused"


class TestAccountsThatAreNoMore:
    def test_an_own_accounts_rows_never_go_to_the_global_one(self, room, account, settings):
        settings(global__api_key="key-glob-0003")
        jobs.upkeep()
        owe(account, ORDER)
        unset_value("default", "general.api_key", "test")
        db.session.commit()
        jobs.session(account.id)
        (row,) = waiting().values()
        assert row.account == account.id, "it waits for a key"
        settings(general__api_key="key-euro-0002")
        jobs.session(account.id)
        own = next(one for one in load_book().accounts() if not one.is_global)
        assert [row.account for row in waiting().values()] == [own.id]

    def test_a_global_accounts_rows_go_to_the_next_global_one(self, room, account, settings):
        settings(global__api_key="key-glob-0003")
        jobs.upkeep()
        old = next(one for one in load_book().accounts() if one.is_global)
        owe(old, ORDER)
        settings(global__api_key="key-euro-0002")
        jobs.session(old.id)
        new = next(one for one in load_book().accounts() if one.is_global)
        assert [row.account for row in waiting().values()] == [new.id]


class TestDeadLetters:
    @pytest.fixture
    def aside(self, room, account):
        owe(account, EntityRef("product", "1"), EntityRef("product", "9"), EntityRef("contact", "customer:2"))
        for row in ledger.claim(account.id, 10):
            ledger.refuse([(row, f"The {row.ref.kind} is 100% odd.")])
        return account

    @pytest.mark.parametrize(
        ("which", "count"),
        [
            ({}, 3),
            ({"kind": "product"}, 2),
            ({"entity": "2"}, 1),
            ({"entity": "9", "kind": "product"}, 1),
            ({"reason": "contact is 100% o"}, 1),
            ({"reason": "100_ odd"}, 0),
            ({"account": "another"}, 0),
        ],
    )
    def test_those_that_are_chosen_are_tried_again(self, aside, which, count):
        chosen = refusals.Which(**which)
        assert len(refusals.found(chosen)) == count
        assert refusals.replay(chosen) == (count, {aside.id} if count else set())
        assert sum(row.state == "waiting" for row in waiting().values()) == count

    def test_a_replayed_record_is_sent(self, room, aside):
        refusals.replay(refusals.Which(kind="product"))
        jobs.session(aside.id)
        assert set(room.records("product")) == {"1", "9"}
        assert {row.state for row in db.session.scalars(select(Pending))} == {"refused"}


def test_a_live_call_that_waits_goes_before_any_call_of_history(redis_client):
    """History asks first and waits; a live call comes later and goes first when the turn is free again."""
    order, started = [], threading.Event()

    def call(name, *, live):
        pacer = Pacer(redis_client)
        started.set()
        with pacer.turn("key", 10, live=live):
            order.append(name)

    # The mark of a live call that waits is there from the start: history must see it before it may take the turn.
    live = threading.Thread(target=call, args=("live",), kwargs={"live": True})
    history = threading.Thread(target=call, args=("history",), kwargs={"live": False})
    with Pacer(redis_client).turn("key", 10):
        history.start()
        started.wait(5)
        live.start()
        mark = next(iter(redis_client.scan_iter("bridge:ometria:*:gate"))).decode().replace(":gate", ":live")
        deadline = threading.Event()
        for _ in range(500):
            if redis_client.exists(mark):
                break
            deadline.wait(0.01)
    live.join(10)
    history.join(10)
    assert order == ["live", "history"]


def test_history_sleeps_while_a_live_call_is_about_to_come(redis_client, monkeypatch):
    """The turn is free then, and there is no time at which it would be: it must not ask Redis all the while."""
    with Pacer(redis_client).turn("key", 1000):
        gate = next(iter(redis_client.scan_iter("bridge:ometria:*:gate"))).decode()
    redis_client.set(gate.replace(":gate", ":live"), b"1", px=pacing.LIVE_MARK_MS)
    naps = []
    sleep = time.sleep
    monkeypatch.setattr(
        pacing,
        "time",
        SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=lambda s: naps.append(s) or sleep(s)),
    )
    with Pacer(redis_client).turn("key", 1000, live=False):
        pass
    assert 2 <= len(naps) <= pacing.LIVE_MARK_MS / 1000 / pacing.STEP_SECONDS + 2
