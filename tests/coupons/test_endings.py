"""Expiry and revocation: only codes of the ledger, only under their rule; uses are known before a code goes."""

from __future__ import annotations

import datetime as dt

import pytest

from bridge.coupons import endings, jobs, ledger
from bridge.coupons.endings import ELSEWHERE, UNKNOWN
from bridge.coupons.generate import generate
from bridge.coupons.insert import insert
from bridge.coupons.room import room
from bridge.db import db
from bridge.errors import Retry
from bridge.models import AuditLog
from bridge.settings import set_value
from tests.coupons.till import AUTO, later, states

SOON = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


@pytest.fixture
def rule(till):
    return room().shop.rule(AUTO)


def test_a_code_is_deleted_when_its_time_is_over_and_not_before(till, rule, monkeypatch):
    insert(rule, ["SOON-1", "SOON-2"], "r1", SOON)
    insert(rule, ["ENDLESS"], "r2")
    till.book.insert(AUTO, "FOREIGN", 1, "2026-01-01 00:00:00", "2026-01-02 00:00:00")
    jobs.work()
    assert till.codes() == {"SOON-1", "SOON-2", "ENDLESS", "FOREIGN"}
    till.book.find("SOON-1").times_used = 1
    later(monkeypatch, 7200)
    jobs.work()
    assert till.codes() == {"ENDLESS", "FOREIGN"}, "what is in no ledger stays, expired or not"
    assert states() == {"SOON-1": "expired", "SOON-2": "expired", "ENDLESS": "given"}
    assert ledger.of_keys(["soon-1"])["soon-1"].times_used == 1, "that it was used is known after it is gone"


def test_a_code_that_is_under_another_rule_by_now_is_left_there(till, rule, monkeypatch):
    insert(rule, ["MOVED"], "r1", SOON)
    till.book.find("MOVED").rule_id = 1
    later(monkeypatch, 7200)
    assert endings.expire() == 0
    assert till.book.find("MOVED") is not None
    assert states() == {"MOVED": "gone"}


def test_what_somebody_deleted_already_ends_too(till, rule, monkeypatch):
    insert(rule, ["AWAY", "THERE"], "r1", SOON)
    till.book.delete(["AWAY"], ignore_invalid=True)
    later(monkeypatch, 7200)
    assert endings.expire() == 2
    assert set(states().values()) == {"expired"}


def test_a_shop_that_is_away_or_loses_the_answer_leaves_the_code_for_the_next_run(till, rule, monkeypatch):
    insert(rule, ["SOON-1"], "r1", SOON)
    later(monkeypatch, 7200)
    till.wire.faults["/deleteByCodes"] = ["away", "lose"]
    for there in (True, False):
        with pytest.raises(Retry):
            endings.expire()
        assert (till.book.find("SOON-1") is not None) is there
        assert states() == {"SOON-1": "given"}
    assert endings.expire() == 1
    assert states() == {"SOON-1": "expired"}


def test_codes_go_in_batches(till, rule, monkeypatch):
    set_value("default", "coupons.batch", 10, "test")
    db.session.commit()
    generate(AUTO, 25, "r1", expires_at=SOON.timestamp())
    later(monkeypatch, 7200)
    assert endings.expire() == 25
    assert till.wire.count("POST", "deleteByCodes") == 3
    assert till.codes() == set()


def test_revoking_deletes_what_is_ours_and_says_what_is_not(till, rule):
    insert(rule, ["MINE", "MOVED"], "r1")
    till.book.insert(AUTO, "FOREIGN", 1, "2026-01-01 00:00:00")
    till.book.find("MOVED").rule_id = 1
    ended = endings.revoke(["mine", "MOVED", "FOREIGN", "SAVE10", "NEVER"], who="Ada")
    assert ended.deleted == ("MINE",)
    assert ended.kept == {"MOVED": ELSEWHERE, "FOREIGN": UNKNOWN, "SAVE10": UNKNOWN, "NEVER": UNKNOWN}
    assert till.book.find("FOREIGN") is not None
    assert till.book.find("SAVE10") is not None
    assert states() == {"MINE": "revoked", "MOVED": "gone"}
    assert endings.revoke(["MINE"], who="Ada").kept == {"MINE": UNKNOWN}
    rows = db.session.query(AuditLog).all()
    assert [(row.who, row.what) for row in rows] == [("Ada", "1 coupon codes revoked")]


def test_revoking_of_another_rule_touches_nothing(till, rule):
    insert(rule, ["MINE"], "r1")
    assert endings.revoke(["MINE"], 1, who="Ada").kept == {"MINE": UNKNOWN}
    assert till.codes() == {"MINE"}


def test_all_codes_of_a_request_or_a_pool_can_be_revoked(till):
    pool = till.pool(stock=3)
    jobs.work()
    generate(AUTO, 2, "r1", pool=pool)
    generate(AUTO, 2, "r2")
    assert len(endings.revoke_where(request="r1", who="Ada").deleted) == 2
    assert len(endings.revoke_where(pool=pool.id, who="Ada").deleted) == 1
    assert till.codes() == {row.code for row in ledger.codes_of("r2")}
