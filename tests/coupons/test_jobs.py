"""The job of the queue ``coupons``: may run at any time and twice, and one step's shop that is away harms no data."""

from __future__ import annotations

import importlib

import pytest
from structlog.testing import capture_logs

from bridge.clock import CHORES
from bridge.coupons import insert as inserts
from bridge.coupons import jobs
from bridge.coupons.generate import generate
from bridge.coupons.room import room
from bridge.errors import Misconfigured, Refused, Retry
from bridge.queues import JOBS
from tests.coupons.till import AUTO, OFF, later, states


def test_the_clock_wakes_the_job_of_the_queue(till):
    queue, path = JOBS["coupons"]
    module, _, name = path.rpartition(".")
    assert (queue, "coupons" in CHORES) == ("coupons", True)
    assert getattr(importlib.import_module(module), name) is jobs.coupons


def test_it_runs_twice_without_doing_anything_twice(till):
    till.pool(stock=5)
    jobs.coupons()
    before, codes = len(till.wire.calls), till.codes()
    jobs.coupons()
    assert till.codes() == codes
    assert len(till.wire.calls) == before
    assert room().wakes.woken == []


def test_a_shop_that_is_away_or_refuses_the_token_is_said_and_the_next_run_does_it(till, monkeypatch):
    till.pool(stock=5)
    store, real = room().shop, room().shop.rule
    for error in (Retry("The shop is away."), Misconfigured("The shop refuses the token (401).")):

        def fails(_, error=error):
            raise error

        monkeypatch.setattr(store, "rule", fails)
        with capture_logs() as logs:
            assert jobs.work() is False
        assert [(entry["event"], entry["step"], entry["reason"]) for entry in logs] == [
            ("coupons wait", "watch", str(error))
        ]
    monkeypatch.setattr(store, "rule", real)
    jobs.work()
    assert list(states().values()) == ["stock"] * 5


def test_a_request_that_cannot_be_done_does_not_hold_up_another(till, monkeypatch):
    monkeypatch.setattr("bridge.coupons.generate.SHARE_SECONDS", 0.0)
    assert generate(AUTO, 3, "r1").open
    assert generate(AUTO, 3, "r2").open
    monkeypatch.setattr("bridge.coupons.generate.SHARE_SECONDS", 20.0)
    real = jobs.generate.work

    def one_fails(held):
        if held.id == "r1":
            held.end("failed", "for a reason")
            raise Refused("for a reason")
        real(held)

    monkeypatch.setitem(jobs.WORKERS, "generate", one_fails)
    with capture_logs() as logs:
        jobs.work()
    assert len(generate(AUTO, 3, "r2").codes) == 3
    assert ("request for codes failed", "r1") in [(entry["event"], entry.get("request")) for entry in logs]


def test_a_long_insert_is_left_to_the_job_and_the_same_id_gives_its_answer(till, monkeypatch):
    monkeypatch.setattr(inserts, "SHARE_SECONDS", -1.0)
    codes = [f"C-{number}" for number in range(60)]
    rule = room().shop.rule(AUTO)
    with pytest.raises(Retry, match="same id"):
        inserts.insert(rule, codes, "r1")
    assert room().wakes.woken == ["coupons"]
    monkeypatch.setattr(inserts, "SHARE_SECONDS", 25.0)
    later(monkeypatch, 5)
    jobs.work()
    assert len(inserts.insert(rule, codes, "r1").taken) == 60
    assert till.codes() == set(codes)


def test_an_unusable_rule_fails_its_request_and_not_the_job(till):
    pool = till.pool(stock=1)
    pool.rule_id = OFF
    from bridge.db import db

    db.session.commit()
    with capture_logs() as logs:
        jobs.work()
    assert [entry["event"] for entry in logs] == ["coupon pool stopped"]
