"""A rule can be used or cannot, and every reason is said."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from bridge.coupons.rules import judge
from bridge.store import Rule

NOW = dt.datetime(2026, 11, 27, 23, 30, tzinfo=dt.UTC)
ZONES = {1: "Europe/London", 2: "Europe/Berlin"}
GOOD = Rule(id=2, name="Welcome", website_ids=(1, 2), group_ids=(0, 1), uses_per_coupon=1, uses_per_customer=1)


def test_a_good_rule_has_nothing_against_it():
    found = judge(2, GOOD, ZONES, NOW)
    assert (found.faults, found.cautions) == ((), ())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"active": False}, "switched off"),
        ({"coupon_type": "NO_COUPON"}, "Specific Coupon"),
        ({"coupon_type": "AUTO"}, "Specific Coupon"),
        ({"auto": False}, "Use Auto Generation"),
        ({"website_ids": ()}, "no website"),
        ({"website_ids": (9,)}, "None of the rule's websites"),
        ({"group_ids": ()}, "no customer group"),
        ({"to_date": dt.date(2026, 11, 26)}, "ended on 2026-11-26"),
        ({"from_date": dt.date(2026, 11, 29)}, "begins on 2026-11-29"),
        ({"from_date": dt.date(2026, 11, 28), "to_date": dt.date(2026, 11, 27)}, "before it begins"),
    ],
)
def test_each_fault_alone_is_said_and_alone(changed, said):
    found = judge(2, replace(GOOD, **changed), ZONES, NOW)
    assert found.faults
    assert len(found.faults) == 1
    assert said in found.faults[0]


def test_a_rule_that_there_is_not():
    assert judge(7, None, ZONES, NOW).faults == ("The shop has no cart price rule 7.",)


def test_every_fault_is_said_not_the_first():
    bad = replace(GOOD, active=False, auto=False, to_date=dt.date(2020, 1, 1), group_ids=())
    assert len(judge(2, bad, ZONES, NOW).faults) == 4


@pytest.mark.parametrize(
    ("site", "day", "usable"),
    [
        # At half past eleven in the evening in London the next day has begun in Berlin.
        (1, dt.date(2026, 11, 27), True),
        (2, dt.date(2026, 11, 27), False),
        (1, dt.date(2026, 11, 26), False),
        (2, dt.date(2026, 11, 28), True),
    ],
)
def test_the_last_day_is_inclusive_in_the_time_zone_of_the_website(site, day, usable):
    assert (judge(2, replace(GOOD, website_ids=(site,), to_date=day), ZONES, NOW).faults == ()) is usable


@pytest.mark.parametrize(("site", "usable"), [(1, False), (2, True)])
def test_the_first_day_is_inclusive_in_the_time_zone_of_the_website(site, usable):
    assert (
        judge(2, replace(GOOD, website_ids=(site,), from_date=dt.date(2026, 11, 28)), ZONES, NOW).faults == ()
    ) is usable


def test_a_rule_that_is_good_in_one_of_its_websites_can_be_used():
    assert judge(2, replace(GOOD, to_date=dt.date(2026, 11, 27)), ZONES, NOW).faults == ()


def test_an_unknown_time_zone_counts_as_utc():
    assert judge(2, replace(GOOD, website_ids=(1,), to_date=dt.date(2026, 11, 27)), {1: "Mars/Base"}, NOW).faults == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"uses_per_coupon": 0}, "any number of times"),
        ({"uses_per_coupon": 3}, "used 3 times"),
        ({"group_ids": (1, 2)}, "not signed in"),
        ({"website_ids": (1, 9)}, "not active: 9"),
        ({"to_date": dt.date(2026, 11, 30)}, "ends on 2026-11-30"),
    ],
)
def test_what_is_odd_is_said_and_does_not_stop_it(changed, said):
    found = judge(2, replace(GOOD, **changed), ZONES, NOW)
    assert found.faults == ()
    assert [said in line for line in found.cautions] == [True]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Uses: each code once, each signed-in customer once over all its codes; 0 so far."),
        (
            {"uses_per_coupon": 0, "uses_per_customer": 5, "times_used": 1234},
            "Uses: each code without limit, each signed-in customer 5 times over all its codes; 1,234 so far.",
        ),
    ],
)
def test_how_often_a_code_and_a_customer_may_use_it_is_said(changed, said):
    assert judge(2, replace(GOOD, **changed), ZONES, NOW).uses == said
