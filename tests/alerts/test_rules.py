"""Each rule by table: what it takes for an alarm, what ends it, and when nobody can tell."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from bridge.alerts.rules import ADVICE, KINDS, RULES, Account, Facts, Relayed, Stopped, judge, opened_at

BERLIN = ZoneInfo("Europe/Berlin")
NOON = dt.datetime(2026, 11, 25, 12, 0, tzinfo=BERLIN)
NOW = NOON.timestamp()
MINUTE = 60.0


def said(kind, **facts):
    """Return the sentences of a kind's alarms, None where it could not be asked."""
    alarms = RULES[kind](Facts(**({"now": NOON} | facts)))
    return None if alarms is None else [alarm.sentence for alarm in alarms]


def test_every_kind_has_a_rule_a_name_and_advice():
    assert set(RULES) == set(KINDS) == set(ADVICE)
    assert set(judge(Facts(NOON))) == set(KINDS)
    assert {kind: alarms for kind, alarms in judge(Facts(NOON, beat=NOW)).items() if alarms} == {}


def test_an_account_that_is_refused_is_told_with_ometria_s_reason():
    accounts = (Account("a1", "Main Website", refused="the key is not valid"), Account("a2", "Outlet"))
    alarms = RULES["key_refused"](Facts(NOON, accounts))
    assert [(one.key, one.subject) for one in alarms] == [("key_refused:a1", "Main Website")]
    assert alarms[0].sentence == "Ometria refuses the account of Main Website: the key is not valid"


@pytest.mark.parametrize(
    ("minutes", "limit", "expected"),
    [(0, 30, False), (30, 30, False), (31, 30, True), (31, 60, False), (600, 60, True)],
)
def test_live_rows_that_wait_longer_than_the_setting_are_a_backlog(minutes, limit, expected):
    account = Account("a", "Shop", oldest=NOW - minutes * MINUTE, looks=(4,))
    found = said("backlog", accounts=(account,), backlog_minutes=limit)
    assert bool(found) is expected
    if expected:
        assert found == [f"Live changes of Shop have waited {minutes} minutes for Ometria (4 wait)."]


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ((), False),
        ((2000,), False),
        ((1000, 2000, 3000), False),
        ((1000, 2000, 3000, 4000), True),
        ((9000, 1000, 2000, 3000, 4000), True),
        ((1000, 2000, 2000, 4000), False),
        ((4000, 3000, 2000, 1000), False),
        ((1, 2, 3, 4), False),
        ((1, 2, 3, 500), False),
        ((1, 2, 3, 501), True),
    ],
)
def test_a_backlog_that_grew_at_three_looks_and_is_more_than_a_session_is_told(looks, expected):
    assert bool(said("backlog", accounts=(Account("a", "Shop", looks=looks, most=500),))) is expected


@pytest.mark.parametrize(
    ("when", "hours", "expected"),
    [
        ("12:00", (8, 22), "08:00"),
        ("08:00", (8, 22), "08:00"),
        ("07:59", (8, 22), None),
        ("22:00", (8, 22), None),
        ("21:59", (8, 22), "08:00"),
        ("23:30", (18, 2), "18:00"),
        ("01:59", (18, 2), "yesterday 18:00"),
        ("02:00", (18, 2), None),
        ("17:00", (18, 2), None),
        ("00:00", (0, 24), "00:00"),
        ("23:59", (0, 24), "00:00"),
    ],
)
def test_shop_hours_begin_on_the_clock_of_the_shop_also_over_midnight(when, hours, expected):
    hour, minute = map(int, when.split(":"))
    opened = opened_at(NOON.replace(hour=hour, minute=minute), hours)
    if expected is None:
        assert opened is None
    else:
        day = 24 if "yesterday" in expected else 25
        begins = dt.datetime(2026, 11, day, int(expected[-5:-3]), tzinfo=BERLIN)
        assert opened == begins.timestamp()


@pytest.mark.parametrize(
    ("when", "event", "expected"),
    [
        (12, 5, "well"),
        (12, 59, "well"),
        (12, 60, "alarm"),
        (12, 60 * 24 * 9, "alarm"),
        (8, 60 * 11, "unknown"),
        (9, 60 * 11, "alarm"),
        (7, 60 * 11, "unknown"),
        (23, 90, "unknown"),
        (23, 30, "well"),
    ],
)
def test_an_hour_without_events_counts_only_when_the_shop_was_open_all_of_it(when, event, expected):
    now = NOON.replace(hour=when)
    facts = {"now": now, "tracked": True, "hours": (8, 22), "event": now.timestamp() - event * MINUTE}
    found = said("no_events", **facts)
    assert {"well": found == [], "alarm": bool(found), "unknown": found is None}[expected]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"hours": None}, []), ({"tracked": False}, []), ({"event": None}, None)],
)
def test_without_hours_tracking_or_any_event_ever_there_is_no_alarm(changed, expected):
    facts = {"tracked": True, "hours": (8, 22), "event": NOW - 7200}
    assert said("no_events", **facts) == ["No event of a visitor has come for 120 minutes, in shop hours."]
    assert said("no_events", **(facts | changed)) == expected


def test_relayed_mails_are_told_by_kind_with_count_and_the_most_frequent_reason():
    rows = (
        Relayed("stock_alert", "Stock alert", "Stock alert has no template id", 1),
        Relayed("order_confirmation", "Order confirmation", "the shop did not answer", 2),
        Relayed("order_confirmation", "Order confirmation", "no store view could be told", 5),
        Relayed("order_confirmation", "Order confirmation", "the shop did not answer", 1),
    )
    told = "of the last hour went out as the shop's own instead of through Ometria"
    assert said("mail_relayed", relayed=rows) == [
        f"Order confirmation: 8 mails {told}; most often because: no store view could be told.",
        f"Stock alert: 1 mail {told}; because: Stock alert has no template id.",
    ]


@pytest.mark.parametrize(
    ("beat", "expected"),
    [
        (None, None),
        (NOW - 150, []),
        (NOW + 5, []),
        (NOW - 151, "3 minutes"),
        (NOW - 1200, "20 minutes"),
        (0.0, "of late"),
    ],
)
def test_a_clock_that_has_not_ticked_for_150_seconds_has_stopped(beat, expected):
    found = said("clock_stopped", beat=beat)
    assert found == expected if not isinstance(expected, str) else expected in found[0]


def test_a_pool_whose_rule_cannot_be_used_is_told():
    found = RULES["coupons_stopped"](Facts(NOON, pools=(Stopped(3, "Welcome", "The rule is switched off."),)))
    assert [(one.key, one.subject) for one in found] == [("coupons_stopped:3", "Welcome")]
    assert found[0].sentence == "The rule of the pool Welcome cannot be used: The rule is switched off."
