"""A worker killed with -9 at any step: what was asked for is made whole, no code is given twice and none is lost."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from bridge.coupons import endings, generate, insert, jobs, ledger, requests, sending, stock
from bridge.coupons.pools import pool_named
from bridge.coupons.room import room
from bridge.db import db
from bridge.errors import BridgeError
from bridge.models_coupons import CouponPool
from bridge.store import CodeFormat
from bridge.store.magento import Magento
from tests.coupons.test_at_once import at_once
from tests.coupons.till import AUTO, later, states
from tests.faults.dying import run_and_die

STEPS = (
    *((room, "begin_write") for room in (ledger, requests, insert, stock, endings)),
    (ledger, "announce"),
    (ledger, "mark_sent"),
    (ledger, "landed"),
    (ledger, "book_batch"),
    (ledger, "add_batch"),
    (ledger, "take_stock"),
    (requests, "claim"),
    (sending, "send"),
    (Magento, "make_coupons"),
    (Magento, "insert_coupon"),
    (Magento, "find_coupons"),
    (Magento, "delete_coupons"),
)
"""What a worker does: it is killed before and after each of these, and of each commit."""
MOST_STEPS = 400
ROUNDS = min(int(os.environ.get("FAULT_ROUNDS", "3")), 40)
SEED = int(os.environ.get("FAULT_SEED", "20261127"))
EVERY = 1 if "FAULT_ROUNDS" in os.environ else 4
"""The long form takes every step, the short one some of them."""


def each_step(work, check, monkeypatch):
    """Kill at each step in turn, pass the leases, and let another worker go on, until one lives to the end."""
    for number, last in enumerate(range(1, MOST_STEPS, EVERY)):
        db.session.rollback()
        if run_and_die(lambda number=number: work(number), STEPS, last):
            return number
        # The clock goes on from round to round: a lease that was given back must not lie in the future.
        later(monkeypatch, (number + 1) * (2 * generate.SETTLE_SECONDS + requests.LEASE_SECONDS))
        db.session.rollback()
        jobs.work()
        work(number)
        check(number)
    raise AssertionError("the work never ended")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("layout", [CodeFormat(), CodeFormat(length=4)], ids=["made", "chosen here"])
def test_generate(till, monkeypatch, layout):
    def check(number):
        mine = [row.code for row in ledger.codes_of(f"r{number}")]
        assert len(set(mine)) == len(mine) == 3
        endings.expire()
        assert till.codes() == {code for code, state in states().items() if state in {"given", "stock"}}

    killed = each_step(lambda number: generate.generate(AUTO, 3, f"r{number}", layout=layout), check, monkeypatch)
    assert killed * EVERY > 20


@pytest.mark.timeout(300)
def test_insert(till, monkeypatch):
    rule = room().shop.rule(AUTO)

    def check(number):
        assert insert.insert(rule, *asked(number)).taken == (f"A{number}", f"B{number}")
        assert till.codes() == set(states())
        assert set(states().values()) == {"given"}

    def asked(number):
        return [f"A{number}", f"B{number}", "bad code"], f"r{number}"

    assert each_step(lambda number: insert.insert(rule, *asked(number)), check, monkeypatch) * EVERY > 20


@pytest.mark.timeout(300)
def test_stock_and_expiry(till, monkeypatch):
    pool = till.pool(expiry_days=1).id

    def target(number):
        return 2 * number + 2

    def work(number):
        # Each round wants more in stock than there is.
        db.session.get(CouponPool, pool).stock = target(number)
        db.session.commit()
        while stock.refill():
            pass
        generate.generate(AUTO, 2, f"r{number}", pool=pool_named("Welcome"), expires_at=1.0)
        endings.expire()

    def check(number):
        rows = ledger.codes_of(f"r{number}")
        assert [row.state for row in rows] == ["expired"] * 2
        assert ledger.stock_of(pool) >= target(number) - 2
        assert till.codes() == {code for code, state in states().items() if state == "stock"}

    assert each_step(work, check, monkeypatch) * EVERY > 40


@pytest.mark.parametrize("call", ["/generate", "/coupons"])
def test_killed_while_the_shop_is_at_it(till, monkeypatch, call):
    layout = CodeFormat() if call == "/generate" else CodeFormat(length=4)
    child = 0

    def kill(path):
        if path.endswith(call) and child:
            os.kill(child, signal.SIGKILL)

    till.wire.before = kill
    till.wire.calls.clear()
    child = os.fork()
    if child == 0:
        child = 0
        db.session.remove()
        db.engine.dispose(close=False)
        time.sleep(0.2)
        try:
            generate.generate(AUTO, 3, "r1", layout=layout)
        except BridgeError:
            pass
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    child = 0
    end = time.monotonic() + 10
    while till.wire.now and time.monotonic() < end:
        time.sleep(0.01)
    db.session.rollback()
    assert till.codes(), "the shop did what it was asked"
    later(monkeypatch, 2 * generate.SETTLE_SECONDS + requests.LEASE_SECONDS)
    jobs.work()
    made = generate.generate(AUTO, 3, "r1", layout=layout)
    assert len(set(made.codes)) == 3
    assert till.codes() == set(made.codes)


@pytest.mark.timeout(300)
def test_fifty_callers_whose_process_is_killed_again_and_again(any_till, monkeypatch):
    """Each round fifty callers ask in a process that is killed; what they asked for is then asked for again."""
    any_till.pool(stock=30)
    dice = random.Random(SEED)

    def call(number):
        one = number % 25
        return generate.generate(AUTO, 2, f"r{one}", pool=pool_named("Welcome") if one % 2 else None)

    for round_ in range(ROUNDS):
        # From the first call to the shop on, or before it.
        patience = dice.random() * 1.5
        _killed_after(any_till, patience, lambda: (jobs.work(), at_once(any_till, call)))
        later(monkeypatch, (round_ + 1) * 2 * (generate.SETTLE_SECONDS + requests.LEASE_SECONDS))
    jobs.work()
    found = at_once(any_till, call)
    given = {}
    for number, made in enumerate(found):
        assert len(set(made.codes)) == 2, made
        given.setdefault(number % 25, set()).add(made.codes)
    assert all(len(answers) == 1 for answers in given.values())
    codes = [code for answers in given.values() for code in next(iter(answers))]
    assert len(set(codes)) == len(codes) == 50, "no code twice"
    later(monkeypatch, ROUNDS * 10_000)
    jobs.work()
    live = {code for code, state in states().items() if state in {"given", "stock"}}
    assert any_till.codes() == live, "none lost"
    assert set(codes) <= live
    assert "sending" not in states().values()


def _killed_after(till, seconds, work):
    child = os.fork()
    if child == 0:
        try:
            db.session.remove()
            db.engine.dispose(close=False)
            work()
        finally:
            os._exit(0)
    start = till.wire.count("POST", "generate")
    end = time.monotonic() + 20
    while till.wire.count("POST", "generate") == start and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while till.wire.now and time.monotonic() < end:
        time.sleep(0.01)
    db.session.rollback()
