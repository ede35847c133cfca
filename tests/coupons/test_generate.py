"""Generated codes: as many as were asked for, each given once, whatever becomes of the calls to the shop."""

from __future__ import annotations

import re

import pytest

from bridge.coupons import generate as module
from bridge.coupons import jobs, ledger, stock
from bridge.coupons.generate import generate
from bridge.coupons.room import room
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models_coupons import CouponBatch, CouponRequest
from bridge.settings import set_value
from bridge.store import CodeFormat
from tests.coupons.till import AUTO, OFF, OWN_CODE, later, states


def test_codes_are_made_under_the_rule_and_the_same_id_gives_the_same(till):
    made = generate(AUTO, 5, "r1", layout=CodeFormat(prefix="OM-", length=12, every=4))
    assert len(set(made.codes)) == made.wanted == 5
    assert not made.open
    assert all(re.fullmatch(r"OM-[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}", code) for code in made.codes)
    assert till.codes() == set(made.codes)
    calls = len(till.wire.calls)
    assert generate(AUTO, 5, "r1", layout=CodeFormat(prefix="OM-", length=12, every=4)) == made
    assert len(till.wire.calls) == calls
    with pytest.raises(Refused, match="used before"):
        generate(AUTO, 6, "r1", layout=CodeFormat(prefix="OM-", length=12, every=4))


@pytest.mark.parametrize(
    ("quantity", "said"), [(0, "at least 1"), (-1, "at least 1"), (10_000_000, "coupons.request_most")]
)
def test_a_number_that_cannot_be_made_is_refused_before_the_shop_is_asked(till, quantity, said):
    with pytest.raises(Refused, match=said):
        generate(AUTO, quantity, "r1")
    assert till.wire.calls == []


@pytest.mark.parametrize(
    ("rule_id", "said"),
    [(999, "no cart price rule 999"), (OFF, "switched off"), (OWN_CODE, "Use Auto Generation"), (4, "Specific Coupon")],
)
def test_a_rule_that_cannot_be_used_gives_its_reasons_and_leaves_a_trace(till, rule_id, said):
    with pytest.raises(Refused, match=said):
        generate(rule_id, 3, "r1")
    row = db.session.get(CouponRequest, "r1")
    assert row.state == "failed"
    assert said in row.reason
    assert len(till.book.coupons) == 1


def test_a_failed_request_may_be_asked_for_again_when_the_rule_is_right(till):
    with pytest.raises(Refused):
        generate(OFF, 3, "r1")
    till.book.rules[OFF].is_active, till.book.rules[OFF].to_date = True, None
    assert len(generate(OFF, 3, "r1").codes) == 3


def test_large_requests_come_in_batches(till):
    set_value("default", "coupons.batch", 20, "test")
    db.session.commit()
    made = generate(AUTO, 50, "r1")
    assert len(set(made.codes)) == 50
    assert till.wire.count("POST", "generate") == 3
    assert till.codes() == set(made.codes)


def test_a_large_request_stays_open_and_the_job_goes_on(till, monkeypatch):
    monkeypatch.setattr(module, "SHARE_SECONDS", 0.0)
    made = generate(AUTO, 30, "r1")
    assert (made.open, made.codes) == (True, ())
    assert room().wakes.woken == ["coupons"]
    monkeypatch.setattr(module, "SHARE_SECONDS", 20.0)
    jobs.work()
    made = generate(AUTO, 30, "r1")
    assert (made.open, len(made.codes)) == (False, 30)
    assert till.codes() == set(made.codes)


def test_a_lost_answer_is_found_by_its_tag_and_nothing_is_made_twice(till):
    till.wire.faults["/generate"] = ["lose"]
    made = generate(AUTO, 5, "r1")
    assert till.codes() == set(made.codes)
    assert len(made.codes) == 5
    assert till.wire.count("POST", "generate") == 1


def test_others_that_make_codes_of_the_same_look_meanwhile_lose_none(till):
    till.wire.faults["/generate"] = ["lose"]
    made_by_hand: set[str] = set()

    def meanwhile(path):
        if path.endswith("/generate") and not made_by_hand:
            from bridge.sandbox.promotions import Layout

            made_by_hand.update(till.book.generate(AUTO, 5, 12, layout=Layout(), now="2026-11-27 00:00:00"))

    till.wire.before = meanwhile
    made = generate(AUTO, 5, "r1")
    assert len(made.codes) == 5
    assert till.codes() - set(made.codes) == made_by_hand


@pytest.mark.parametrize("fault", ["fewer", "lie"])
def test_a_shop_that_answers_with_fewer_codes_is_asked_for_the_rest(till, fault):
    till.wire.faults["/generate"] = [fault, fault]
    made = generate(AUTO, 5, "r1")
    assert len(set(made.codes)) == 5
    assert till.codes() == set(made.codes)
    assert till.wire.count("POST", "generate") == {"fewer": 3, "lie": 1}[fault]


def test_a_shop_that_makes_none_ends_the_request_with_a_reason(till, monkeypatch):
    store = room().shop
    monkeypatch.setattr(store, "make_coupons", lambda *_: [])
    with pytest.raises(Refused, match="makes no codes"):
        generate(AUTO, 5, "r1")
    assert db.session.get(CouponRequest, "r1").state == "failed"


def test_while_the_shop_may_be_at_it_nothing_more_is_asked_and_then_what_is_missing(till, monkeypatch):
    till.wire.faults["/generate"] = ["away"]
    with pytest.raises(Retry):
        generate(AUTO, 5, "r1")
    with pytest.raises(Retry):
        generate(AUTO, 5, "r1")
    assert till.wire.count("POST", "generate") == 1
    later(monkeypatch, module.SETTLE_SECONDS + 60)
    made = generate(AUTO, 5, "r1")
    assert till.codes() == set(made.codes)
    assert len(made.codes) == 5


def test_codes_that_come_late_are_found_later_and_kept_or_deleted(till, monkeypatch):
    """The shop was still at the call when the rest was asked for: nobody gets a code twice and none is lost."""
    pool = till.pool()
    till.wire.faults["/generate"] = ["away", "pass"]
    for request, own in (("r1", pool), ("r2", None)):
        till.wire.faults["/generate"] = ["away"]
        with pytest.raises(Retry):
            generate(AUTO, 2, request, pool=own)
    tags = {row.request: row.tag for row in ledger.batches()}
    later(monkeypatch, module.SETTLE_SECONDS + 60)
    given = {*generate(AUTO, 2, "r1", pool=pool).codes, *generate(AUTO, 2, "r2").codes}
    for tag in tags.values():
        till.book.insert(AUTO, f"{tag}LATECODE", 1, "2026-11-27 00:00:00")
    later(monkeypatch, 2 * module.LATE_SECONDS)
    stock.look_again()
    assert states()[f"{tags['r1']}LATECODE"] == "stock"
    jobs.endings.expire()
    assert till.codes() == given | {f"{tags['r1']}LATECODE"}
    assert all(row.look_at == 0 for row in ledger.batches(CouponBatch.state == "done"))


@pytest.mark.parametrize("fault", ["pass", "lose"])
def test_short_codes_are_chosen_here_and_inserted(till, fault):
    till.wire.faults["/coupons"] = ["pass", fault]
    made = generate(AUTO, 4, "r1", layout=CodeFormat(kind="num", length=4, prefix="N"))
    assert all(re.fullmatch(r"N\d{4}", code) for code in made.codes)
    assert till.wire.count("POST", "generate") == 0
    assert till.codes() == set(made.codes)
    assert len(made.codes) == 4


def test_codes_without_letters_that_look_alike_are_inserted_and_the_same_id_gives_the_same(till):
    look = CodeFormat(kind="clear", length=10, prefix="OM-", every=5)
    made = generate(AUTO, 12, "r1", layout=look)
    assert till.codes() == set(made.codes)
    assert len(till.codes()) == 12
    assert all(re.fullmatch("OM-[A-HJKMNP-Z2-9]{5}-[A-HJKMNP-Z2-9]{5}", code) for code in made.codes)
    assert till.wire.count("POST", "generate") == 0
    assert generate(AUTO, 12, "r1", layout=look) == made


def test_more_codes_than_there_can_be_are_refused(till):
    with pytest.raises(Refused, match="only 100 codes"):
        generate(AUTO, 30, "r1", layout=CodeFormat(kind="num", length=2))
    assert till.codes() == set()


@pytest.mark.parametrize(
    "layout",
    [
        CodeFormat(kind="../../etc"),
        CodeFormat(length=0),
        CodeFormat(length=33),
        CodeFormat(prefix="=SUM("),
        CodeFormat(prefix="-X"),
        CodeFormat(prefix="é"),
        CodeFormat(suffix="a b"),
        CodeFormat(prefix="P" * 300),
        CodeFormat(prefix="P" * 20, suffix="S" * 9),
        CodeFormat(every=-1),
        CodeFormat(every=4, delimiter="="),
    ],
)
def test_a_look_that_cannot_be_is_refused_before_the_shop_is_asked(till, layout):
    with pytest.raises(Refused):
        generate(AUTO, 1, "r1", layout=layout)
    assert till.wire.calls == []


def test_a_right_that_is_missing_is_said_and_when_it_is_given_the_same_id_goes_on(till, monkeypatch):
    store, real = room().shop, room().shop.make_coupons

    def refused(*_):
        raise Misconfigured("The shop refuses the token for Magento_SalesRule::quote (401).")

    monkeypatch.setattr(store, "make_coupons", refused)
    with pytest.raises(Misconfigured, match="Magento_SalesRule::quote"):
        generate(AUTO, 3, "r1")
    with pytest.raises(Retry, match="Magento_SalesRule::quote"):
        generate(AUTO, 3, "r1")
    monkeypatch.setattr(store, "make_coupons", real)
    later(monkeypatch, 60)
    assert len(generate(AUTO, 3, "r1").codes) == 3


def test_a_pool_is_of_its_rule(till):
    with pytest.raises(Refused, match="The pool Welcome is of rule 2, not of rule 3"):
        generate(OFF, 1, "r1", pool=till.pool())
