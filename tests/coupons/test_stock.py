"""The warm stock: kept filled, given out without the shop, not filled while its rule cannot be used."""

from __future__ import annotations

from collections import Counter

from bridge.coupons import alerts, jobs, ledger, stock
from bridge.coupons.generate import generate
from bridge.db import db
from bridge.models_coupons import CouponPool
from bridge.settings import set_value
from tests.coupons.till import AUTO, later, states


def test_the_job_fills_each_pool_to_its_stock_in_batches(till):
    set_value("default", "coupons.batch", 20, "test")
    db.session.commit()
    first, second = till.pool("One", stock=50, prefix="A-"), till.pool("Two", stock=5, prefix="B-", every=4)
    till.pool("None", stock=0)
    jobs.work()
    assert (ledger.stock_of(first.id), ledger.stock_of(second.id)) == (50, 5)
    assert till.codes() == set(states())
    assert till.wire.count("POST", "generate") == 4
    assert jobs.work() is False
    assert till.wire.count("POST", "generate") == 4


def test_a_request_is_answered_from_the_stock_without_the_shop_and_the_stock_is_filled_again(till):
    pool = till.pool(stock=10, expiry_days=30)
    jobs.work()
    calls = len(till.wire.calls)
    made = generate(AUTO, 4, "r1", pool=pool)
    assert len(made.codes) == 4
    assert len(till.wire.calls) == calls
    assert ledger.stock_of(pool.id) == 6
    rows = ledger.codes_of("r1")
    assert all(abs(row.expires_at - row.at - 30 * 86_400) < 60 for row in rows)
    jobs.work()
    assert ledger.stock_of(pool.id) == 10
    assert Counter(states().values()) == {"stock": 10, "given": 4}


def test_what_the_stock_lacks_is_made(till):
    pool = till.pool(stock=3)
    jobs.work()
    made = generate(AUTO, 8, "r1", pool=pool)
    assert len(set(made.codes)) == 8
    assert till.codes() == set(made.codes)


def test_a_pool_whose_rule_is_off_is_not_filled_and_gives_nothing(till):
    pool = till.pool(stock=3)
    till.book.rules[AUTO].is_active = False
    jobs.work()
    assert till.codes() == set()
    assert "switched off" in db.session.get(CouponPool, pool.id).problem
    till.book.rules[AUTO].is_active = True
    alerts.watch(fresh=True)
    stock.refill()
    assert ledger.stock_of(pool.id) == 3


def test_a_paused_pool_is_not_filled(till):
    pool = till.pool(stock=3)
    pool.active = False
    db.session.commit()
    jobs.work()
    assert till.wire.count("POST", "generate") == 0


def test_a_lost_answer_fills_the_stock_once(till, monkeypatch):
    pool = till.pool(stock=6)
    till.wire.faults["/generate"] = ["lose"]
    jobs.work()
    assert ledger.stock_of(pool.id) == 6
    assert till.codes() == set(states())
    assert till.wire.count("POST", "generate") == 1


def test_a_shop_that_is_away_is_left_alone_and_asked_again_later(till, monkeypatch):
    pool = till.pool(stock=6)
    till.wire.faults["/generate"] = ["away"]
    jobs.work()
    jobs.work()
    assert till.wire.count("POST", "generate") == 1
    later(monkeypatch, 200)
    jobs.work()
    assert ledger.stock_of(pool.id) == 6
    assert till.codes() == set(states())


def test_short_codes_of_a_stock_are_inserted(till):
    pool = till.pool(stock=60, length=5)
    jobs.work()
    assert ledger.stock_of(pool.id) == 60
    assert till.codes() == set(states())
    assert till.wire.count("POST", "generate") == 0
