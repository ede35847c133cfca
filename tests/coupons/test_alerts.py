"""A pool whose rule is switched off, over or gone is told before a campaign fails."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bridge.coupons import alerts, jobs
from bridge.db import db
from bridge.errors import Retry
from bridge.models_coupons import CouponPool
from tests.coupons.till import AUTO, later


def stored():
    return db.session.query(CouponPool).one()


def test_a_rule_that_is_switched_off_is_told_once_with_its_reason_and_since_when(till, monkeypatch):
    till.pool()
    with capture_logs() as logs:
        assert alerts.watch() == []
        till.book.rules[AUTO].is_active = False
        assert alerts.watch() == [], "looked at a moment ago"
        later(monkeypatch, alerts.EVERY_SECONDS + 1)
        assert [pool.name for pool in alerts.watch()] == ["Welcome"]
        since = stored().problem_at
        later(monkeypatch, 2 * alerts.EVERY_SECONDS + 2)
        assert len(alerts.watch()) == 1
    assert stored().problem_at == since > 0
    assert "switched off" in stored().problem
    told = [entry for entry in logs if entry["log_level"] == "error"]
    assert [(entry["event"], entry["pool"], entry["rule"]) for entry in told] == [
        ("coupon pool stopped", "Welcome", AUTO)
    ]
    assert "switched off" in told[0]["reason"]


def test_it_ends_when_the_rule_is_right_again(till):
    till.pool()
    till.book.rules[AUTO].is_active = False
    alerts.watch(fresh=True)
    till.book.rules[AUTO].is_active = True
    with capture_logs() as logs:
        assert alerts.watch(fresh=True) == []
    assert (stored().problem, stored().problem_at) == ("", 0)
    assert [entry["event"] for entry in logs] == ["coupon pool works again"]


def test_a_rule_that_was_deleted_is_told_and_its_name_stays(till):
    till.pool()
    alerts.watch()
    del till.book.rules[AUTO]
    alerts.watch(fresh=True)
    assert "no cart price rule 2" in stored().problem
    assert stored().rule_name == "Welcome"


def test_a_shop_that_does_not_answer_is_no_alert(till, monkeypatch):
    till.pool()
    alerts.watch()

    def away(_):
        raise Retry("away")

    monkeypatch.setattr(alerts.room().shop, "rule", away)
    with pytest.raises(Retry):
        alerts.watch(fresh=True)
    assert stored().problem == ""


def test_a_paused_pool_is_not_watched(till):
    pool = till.pool()
    pool.active = False
    till.book.rules[AUTO].is_active = False
    db.session.commit()
    assert alerts.watch(fresh=True) == []


def test_stock_and_state_of_each_pool_are_gauges(till):
    till.pool(stock=4)
    jobs.work()
    label = '{pool="1",rule="2"}'
    assert alerts.gauges() == {
        f"bridge_coupon_pool_stopped{label}": 0,
        f"bridge_coupon_stock{label}": 4,
        f"bridge_coupon_stock_wanted{label}": 4,
    }
    till.book.rules[AUTO].is_active = False
    alerts.watch(fresh=True)
    assert alerts.gauges()[f"bridge_coupon_pool_stopped{label}"] == 1
    assert [pool.name for pool in alerts.stopped()] == ["Welcome"]
