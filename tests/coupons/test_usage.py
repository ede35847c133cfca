"""The counts of used and expired codes are the shop's."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from bridge.coupons import endings, jobs, pools, usage
from bridge.coupons.generate import generate
from bridge.coupons.insert import insert
from bridge.coupons.room import room
from bridge.errors import Retry
from tests.coupons.till import AUTO, later, states


def theirs(till, moment):
    """What the shop's own table says of codes of the rule: all, used, and with a time that is over."""
    rows = [one for one in till.book.coupons.values() if one.rule_id == AUTO and one.type == 1]
    over = [one for one in rows if one.expiration_date and one.expiration_date < moment]
    return len(rows), sum(1 for one in rows if one.times_used), len(over)


def ours():
    found = list(pools.figures().values())
    return (
        sum(one.stock + one.given for one in found),
        sum(one.used for one in found),
        sum(one.expired for one in found),
    )


@pytest.mark.parametrize("page", [1000, 7])
def test_used_and_expired_counts_equal_the_shops(till, monkeypatch, page):
    monkeypatch.setattr(usage, "PART", page)
    pool = till.pool(stock=20)
    jobs.work()
    generate(AUTO, 15, "r1", pool=pool)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    insert(room().shop.rule(AUTO), [f"OM-{number}" for number in range(30)], "r2", soon)
    dice = random.Random(7)
    for one in till.book.coupons.values():
        one.times_used = dice.randrange(2)
    later(monkeypatch, usage.EVERY_SECONDS + 60)
    jobs.work()
    total, used, over = theirs(till, "2026-01-01")
    assert (total, used, over) == (*ours()[:2], 0)
    later(monkeypatch, 7200)
    moment = (soon + dt.timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    due = theirs(till, moment)
    assert due[2] == 30
    endings.expire()
    after = theirs(till, moment)
    assert ours()[0] == after[0]
    assert ours()[2] == due[2] - after[2] == 30
    assert ours()[1] == used, "used codes that expired stay counted as used"


def test_codes_that_somebody_deleted_are_told_as_gone(till, monkeypatch):
    made = generate(AUTO, 10, "r1")
    later(monkeypatch, 60)
    usage.count(AUTO, fresh=True)
    till.book.delete(list(made.codes[2:4]), ignore_invalid=True)
    usage.count(AUTO, fresh=True)
    assert {code for code, state in states().items() if state == "gone"} == set(made.codes[2:4])


def test_a_count_is_done_a_part_at_a_time_and_goes_on_where_it_was(till, monkeypatch):
    monkeypatch.setattr(usage, "PART", 4)
    generate(AUTO, 10, "r1")
    for one in till.book.coupons.values():
        one.times_used = 1
    assert usage.count(AUTO, 0.0, fresh=True) is False
    assert ours()[1] == 4
    assert usage.count(AUTO, 0.0) is False
    assert usage.count(AUTO, 0.0) is True
    assert ours()[1] == 10
    calls = len(till.wire.calls)
    assert usage.count(AUTO) is True
    assert len(till.wire.calls) == calls, "not due again yet"


def test_a_code_made_while_the_shop_is_counted_is_not_taken_for_deleted(till, monkeypatch):
    monkeypatch.setattr(usage, "PART", 4)
    generate(AUTO, 5, "r1")
    assert usage.count(AUTO, 0.0, fresh=True) is False
    insert(room().shop.rule(AUTO), ["NEW"], "r2")
    assert usage.count(AUTO) is True
    assert "gone" not in states().values()


def test_a_code_that_was_deleted_before_its_first_count_is_gone_and_is_not_given_out(till, monkeypatch):
    monkeypatch.setattr(jobs.usage, "count_due", lambda: False)
    pool = till.pool(stock=6)
    jobs.work()
    lost = sorted(till.codes())[:2]
    till.book.delete(lost, ignore_invalid=True)
    later(monkeypatch, 60)
    usage.count(AUTO, fresh=True)
    assert {code for code, state in states().items() if state == "gone"} == set(lost)
    assert not set(generate(AUTO, 4, "r1", pool=pool).codes) & set(lost)


def test_a_code_that_lands_while_a_page_is_counted_is_not_taken_for_deleted(till, monkeypatch):
    rule, shop = room().shop.rule(AUTO), room().shop
    till.wire.faults["/coupons"] = ["away"]
    with pytest.raises(Retry):
        insert(rule, ["NEW"], "r1")
    later(monkeypatch, 60)
    real = shop.find_coupons

    def while_counting(rule_id=None, **asked):
        rows = list(real(rule_id, **asked))
        if "after" in asked:
            insert(rule, ["NEW"], "r1")
        return iter(rows)

    monkeypatch.setattr(shop, "find_coupons", while_counting)
    assert usage.count(AUTO, fresh=True)
    assert states() == {"NEW": "given"}
