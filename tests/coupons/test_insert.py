"""Codes of a caller's own: each is in the shop or has its reason, however the calls end."""

from __future__ import annotations

import datetime as dt

import pytest
from structlog.testing import capture_logs

from bridge.coupons import alerts, jobs, pools, requests
from bridge.coupons.insert import KNOWN, TWICE, Codes, insert
from bridge.coupons.ledger import of_keys
from bridge.coupons.pools import make_pool
from bridge.coupons.room import room
from bridge.coupons.sending import TAKEN
from bridge.db import db
from bridge.errors import Refused, Retry
from bridge.settings import set_value
from bridge.store import CodeFormat
from tests.coupons.till import AUTO, OFF, later, states

LATER = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@pytest.fixture
def rule(till):
    return room().shop.rule(AUTO)


def test_codes_are_put_under_the_rule_with_their_expiry(till, rule):
    kept = Codes().insert(rule, ["AA-1", "BB/2"], "r1", LATER)
    assert (kept.taken, kept.refused) == (("AA-1", "BB/2"), {})
    assert till.codes() == {"AA-1", "BB/2"}
    assert {one.expiration_date for one in till.book.coupons.values() if one.type} == {"2030-01-02 03:04:05"}
    row = of_keys(["aa-1"])["aa-1"]
    assert (row.state, row.rule_id, row.request, row.usage_limit) == ("given", AUTO, "r1", 1)
    assert row.coupon_id in till.book.coupons
    assert row.expires_at == LATER.timestamp()


def test_the_same_id_is_the_same_request_and_asks_the_shop_nothing(till, rule):
    first = insert(rule, ["AA-1", "bad code"], "r1")
    calls = len(till.wire.calls)
    assert insert(rule, ["AA-1", "bad code"], "r1") == first
    assert len(till.wire.calls) == calls
    with pytest.raises(Refused, match="used before"):
        insert(rule, ["AA-2"], "r1")
    with pytest.raises(Refused, match="request id"):
        insert(rule, ["AA-2"], "no spaces")


def test_one_bad_code_does_not_stop_the_others(till, rule):
    till.book.insert(AUTO, "THERE", 1, "2026-01-01 00:00:00")
    insert(rule, ["OLD-1"], "before")
    bad = [
        "",
        "x" * 256,
        "=cmd|'x'",
        "+1",
        "@x",
        "-1",
        "két",
        "a b",
        "a,b",
        "\U0001f600",
        "SAVE10",
        "there",
        "old-1",
        "good",
        "GOOD",
        "\ud800",
        "nul\x00",
    ]
    kept = insert(rule, ["FIRST", *bad, "LAST"], "r1")
    assert kept.taken == ("FIRST", "good", "LAST")
    assert set(kept.refused) == set(bad) - {"good"}
    assert kept.refused["SAVE10"] == kept.refused["there"] == TAKEN
    assert kept.refused["old-1"] == KNOWN
    assert kept.refused["GOOD"] == TWICE
    assert "formula" in kept.refused["+1"]
    assert "255" in kept.refused["x" * 256]
    assert till.codes() == {"THERE", "OLD-1", "FIRST", "good", "LAST"}
    assert set(states()) == {"OLD-1", "FIRST", "good", "LAST"}, "what was refused is not in the ledger of codes"


@pytest.mark.parametrize(("count", "said"), [(0, "at least 1"), (4, "coupons.request_most")])
def test_no_codes_and_too_many_are_refused(till, rule, count, said):
    set_value("default", "coupons.request_most", 3, "test")
    db.session.commit()
    with pytest.raises(Refused, match=said):
        insert(rule, [f"C{n}" for n in range(count)], "r1")
    assert till.codes() == set()


def test_small_calls_to_the_shop_bound_no_request(till, rule):
    set_value("default", "coupons.batch", 1, "test")
    db.session.commit()
    assert len(insert(rule, [f"C{n}" for n in range(21)], "r1").taken) == 21


def test_a_rule_that_cannot_be_used_takes_no_codes_until_it_can(till):
    rule = room().shop.rule(OFF)
    with pytest.raises(Refused, match=r"switched off.*ended on 2024-08-31"):
        insert(rule, ["AA-1"], "r1")
    assert till.codes(OFF) == set()
    till.book.rules[OFF].is_active, till.book.rules[OFF].to_date = True, None
    assert insert(room().shop.rule(OFF), ["AA-1"], "r1").taken == ("AA-1",)


def test_what_was_refused_for_its_rule_is_not_done_by_the_job_later(till, monkeypatch):
    with pytest.raises(Refused, match="switched off"):
        insert(room().shop.rule(OFF), ["AA-1"], "r1")
    later(monkeypatch, 3600)
    jobs.work()
    assert till.codes(OFF) == set()
    found = requests.load("r1")
    assert (found.state, "switched off" in found.reason) == ("failed", True)


def test_a_rule_that_is_switched_off_midway_ends_the_rest_and_keeps_account_of_what_is_there(till, rule, monkeypatch):
    till.wire.faults["/coupons"] = ["pass", "away"]
    codes = ["AA-1", "BB-2", "CC-3"]
    with pytest.raises(Retry):
        insert(rule, codes, "r1")
    till.book.insert(AUTO, "BB-2", 1, "2026-11-27 00:00:00")  # what was sent came late
    till.book.rules[AUTO].is_active = False
    later(monkeypatch, 60)
    jobs.work()
    assert till.codes() == {"AA-1", "BB-2"}
    assert states() == {"AA-1": "given", "BB-2": "given", "CC-3": "sending"}, "a call that may still come is kept"
    with pytest.raises(Refused, match="switched off"):
        insert(room().shop.rule(AUTO), codes, "r1")
    till.book.rules[AUTO].is_active = True
    assert insert(room().shop.rule(AUTO), codes, "r1").taken == tuple(codes)
    assert till.codes() == set(codes)


@pytest.mark.parametrize("came", [True, False])
def test_a_code_that_may_have_come_after_its_request_failed_is_looked_up_and_expires(till, rule, monkeypatch, came):
    till.wire.faults["/coupons"] = ["away"]
    with pytest.raises(Retry):
        insert(rule, ["AA-1"], "r1", dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    till.book.rules[AUTO].is_active = False
    later(monkeypatch, 60)
    jobs.work()
    assert (requests.load("r1").state, states()) == ("failed", {"AA-1": "sending"})
    if came:
        till.book.insert(AUTO, "AA-1", 1, "2026-11-27 00:00:00")
    later(monkeypatch, 4000)
    jobs.work()
    assert states() == ({"AA-1": "given"} if came else {})
    jobs.work()
    assert states() == ({"AA-1": "expired"} if came else {})
    assert till.codes() == set()


def test_what_was_never_sent_is_forgotten_when_its_rule_is_switched_off(till, rule, monkeypatch):
    monkeypatch.setattr("bridge.coupons.insert.SHARE_SECONDS", -1.0)
    with pytest.raises(Retry):
        insert(rule, ["AA-1", "BB-2"], "r1")
    assert set(states().values()) == {"sending"}
    till.book.rules[AUTO].is_active = False
    later(monkeypatch, 60)
    jobs.work()
    assert states() == {}
    assert till.codes() == set()


def test_what_ometria_inserts_under_a_rule_is_a_pool_that_is_watched(till, rule, monkeypatch):
    for number in range(3):
        Codes().insert(rule, [f"AA-{number}", "bad code"], f"r{number}")
    (pool,) = pools.all_pools()
    assert (pool.name, pool.rule_id, pool.rule_name, pool.stock) == ("Ometria, rule 2", AUTO, "Welcome", 0)
    found = pools.figures()[AUTO, pool.id]
    assert (found.made, found.given) == (3, 3)
    done = requests.load("r1")
    assert (done.who, done.pool, done.reason) == ("Ometria", pool.id, "1 of 2 codes were not taken.")
    till.book.rules[AUTO].is_active = False
    later(monkeypatch, 600)
    jobs.work()
    assert [one.name for one in alerts.stopped()] == ["Ometria, rule 2"]


def test_a_refused_insert_of_ometrias_is_told_at_once(till):
    with pytest.raises(Refused):
        Codes().insert(room().shop.rule(OFF), ["AA-1"], "r1")
    (pool,) = alerts.stopped()
    assert (pool.rule_id, "switched off" in pool.problem) == (OFF, True)


def test_a_pool_of_staffs_with_the_same_name_is_no_other_rules(till, rule):
    make_pool("Ometria, rule 2", OFF, CodeFormat(), stock=0, expiry_days=0, who="test")
    for number in range(2):
        Codes().insert(rule, [f"AA-{number}"], f"r{number}")
    found = {pool.name: (pool.rule_id, pools.figures().get((AUTO, pool.id))) for pool in pools.all_pools()}
    assert found["Ometria, rule 2"] == (OFF, None)
    rule_id, figures = found["Ometria, rule 2 (2)"]
    assert (rule_id, figures.given) == (AUTO, 2)
    assert len(found) == 2


def test_codes_that_were_not_taken_are_told_to_the_log_without_them(till, rule):
    with capture_logs() as logs:
        Codes().insert(rule, ["AA-1", "bad code", "SAVE10"], "r1")
    (told,) = [entry for entry in logs if entry["event"] == "codes not taken"]
    assert (told["count"], told["rule"], TAKEN in told["reasons"]) == (2, AUTO, True)
    assert not any(code in str(told) for code in ("AA-1", "bad code", "SAVE10"))


def test_a_lost_answer_is_looked_up_and_the_code_is_not_sent_again(till, rule):
    till.wire.faults["/coupons"] = ["lose", "pass"]
    assert insert(rule, ["AA-1", "BB-2"], "r1").taken == ("AA-1", "BB-2")
    assert till.wire.count("POST", "coupons") == 2


def test_a_shop_that_is_away_keeps_the_request_and_the_same_id_or_the_job_goes_on(till, rule, monkeypatch):
    till.wire.faults["/coupons"] = ["pass", "away"]
    with pytest.raises(Retry):
        insert(rule, ["AA-1", "BB-2", "CC-3"], "r1")
    assert states() == {"AA-1": "given", "BB-2": "sending", "CC-3": "sending"}
    with pytest.raises(Retry):
        insert(rule, ["AA-1", "BB-2", "CC-3"], "r1")
    later(monkeypatch, 60)
    jobs.work()
    assert insert(rule, ["AA-1", "BB-2", "CC-3"], "r1").taken == ("AA-1", "BB-2", "CC-3")
    assert till.codes() == {"AA-1", "BB-2", "CC-3"}


def test_a_code_that_lands_after_the_caller_gave_up_is_known_as_sent(till, rule, monkeypatch):
    till.wire.faults["/coupons"] = ["away"]
    with pytest.raises(Retry):
        insert(rule, ["AA-1"], "r1")
    till.book.insert(AUTO, "AA-1", 1, "2026-11-27 00:00:00")
    later(monkeypatch, 60)
    assert insert(rule, ["AA-1"], "r1").taken == ("AA-1",)
    assert till.wire.count("POST", "coupons") == 1


def test_a_deleted_code_may_come_again(till, rule):
    insert(rule, ["AA-1"], "r1")
    room().shop.delete_coupons(["AA-1"])
    Codes().removed(["aa-1"])
    assert states() == {"AA-1": "revoked"}
    assert insert(rule, ["AA-1"], "r2").taken == ("AA-1",)
    assert states() == {"AA-1": "given"}
