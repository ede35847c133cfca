"""Fifty callers at once, with the same and with different request ids: no code twice, none lost."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from bridge.app import COUPON_CALLS
from bridge.coupons import jobs, ledger, pools
from bridge.coupons.generate import generate
from bridge.coupons.insert import insert
from bridge.coupons.pools import pool_named
from bridge.coupons.room import EXTENSION, Room, room
from bridge.db import db
from bridge.errors import BridgeError, Retry
from bridge.models_coupons import CouponCode
from bridge.store import Turns
from tests.coupons.till import AUTO, states

CALLERS = 50


def at_once(till, call):
    """Let all callers begin together; each gives what it got, or the error."""
    start, found = threading.Barrier(CALLERS), [None] * CALLERS

    def run(number):
        with till.app.app_context():
            start.wait(30)
            for _ in range(20):
                try:
                    found[number] = call(number)
                except Retry:
                    continue
                except BridgeError as error:
                    found[number] = error
                break
            db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    db.session.rollback()
    return found


@pytest.mark.timeout(110)
@pytest.mark.parametrize("stock", [0, 60])
def test_fifty_generate(any_till, stock):
    any_till.pool(stock=stock)
    jobs.work()
    assert len(states()) == stock
    calls = len(any_till.wire.calls)
    found = at_once(any_till, lambda number: generate(AUTO, 2, f"r{number % 25}", pool=pool_named("Welcome")))
    by_request = {}
    for number, made in enumerate(found):
        assert len(made.codes) == 2, made
        by_request.setdefault(f"r{number % 25}", set()).add(made.codes)
    assert all(len(answers) == 1 for answers in by_request.values()), "one id, one answer"
    given = Counter(code for answers in by_request.values() for codes in answers for code in codes)
    assert len(given) == 50
    assert set(given.values()) == {1}, "no code twice"
    assert any_till.codes() == set(states()), "none lost"
    if stock:
        assert len(any_till.wire.calls) == calls, "answered from the ledger"
        assert Counter(states().values()) == {"given": 50, "stock": 10}
        figures = pools.figures()[AUTO, 1]
        assert (figures.made, figures.stock, figures.given, figures.used) == (60, 10, 50, 0)


@pytest.mark.timeout(110)
def test_fifty_insert(any_till):
    rule = room().shop.rule(AUTO)
    # Ids r0 to r24, each twice; the codes of neighbours overlap, so that two ids want the same code.
    found = at_once(
        any_till, lambda number: insert(rule, [f"C{number % 25}", f"C{(number + 1) % 25}"], f"r{number % 25}")
    )
    for number in range(25):
        assert found[number] == found[number + 25]
        assert {*found[number].taken, *found[number].refused} == {f"C{number}", f"C{(number + 1) % 25}"}
    taken = Counter(code for made in found[:25] for code in made.taken)
    assert taken == {f"C{number}": 1 for number in range(25)}, "each code was given to one request"
    assert any_till.codes() == set(states()) == set(taken)


@pytest.mark.timeout(110)
def test_fifty_insert_the_same_new_code_under_ids_of_their_own(till):
    rule = room().shop.rule(AUTO)
    found = at_once(till, lambda number: insert(rule, ["ONLY-ONE"], f"r{number}"))
    assert sorted(len(made.taken) for made in found) == [0] * 49 + [1]
    assert till.wire.count("POST", "coupons") == 1


@pytest.mark.redis
@pytest.mark.timeout(110)
def test_the_shop_is_given_two_calls_at_once_however_many_ask(till, redis_client):
    store = till.store(till.address, Turns(redis_client, COUPON_CALLS, name="coupons"))
    till.app.extensions[EXTENSION] = Room(store, room().wakes)
    made = at_once(till, lambda number: generate(AUTO, 1, f"r{number}"))
    assert len({code for one in made for code in one.codes}) == 50
    assert till.wire.most == COUPON_CALLS == 2


@pytest.mark.timeout(110)
def test_fifty_workers_fill_one_stock(till):
    till.pool(stock=30)
    at_once(till, lambda _: jobs.stock.refill())
    assert ledger.stock_of(1) == 30
    assert till.codes() == set(states())
    assert db.session.query(CouponCode).count() == 30
