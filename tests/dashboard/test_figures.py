"""Counts and masks."""

from __future__ import annotations

import pytest

from bridge.dashboard import figures
from bridge.db import db
from bridge.models import Pending, RequestLog

NOON = 1_700_000_000 // 3600 * 3600.0


@pytest.fixture
def inside(board):
    with board.app_context():
        yield


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to ann.smith@example.com, again", "to a•••@example.com, again"),
        ("<ann@example.com>", "<a•••@example.com>"),
        ("a@b.c and d@e.f", "a•••@b.c and d•••@e.f"),
        ("j•••@example.com", "j•••@example.com"),
        ("j***@example.com", "j***@example.com"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_e_mail_addresses_are_cut_down(text, shown):
    assert figures.masked(text) == shown


@pytest.mark.usefixtures("inside")
def test_records_are_counted_by_hour_when_they_were_accepted():
    rows = [
        (NOON, "order", 5, 200),
        (NOON + 3599, "order", 2, 202),
        (NOON + 3600, "order", 100, 200),
        (NOON - 1, "contact", 3, 200),
        (NOON - 23 * 3600, "product", 7, 201),
        (NOON - 23 * 3600 - 1, "product", 100, 200),
        (NOON, "order", 100, 429),
        (NOON, "order", 100, 0),
        (NOON, "unheard of", 100, 200),
    ]
    for at, kind, records, status in rows:
        db.session.add(RequestLog(at=at, account="a", kind=kind, records=records, status=status, outcome=""))
    sent = figures.sent(NOON + 1800)
    assert sent.hours[0] == NOON - 23 * 3600
    assert sent.hours[-1] == NOON
    assert sent.counts == {
        "contact": [0] * 22 + [3, 0],
        "product": [7] + [0] * 23,
        "order": [0] * 23 + [7],
    }
    assert sent.total == 17


@pytest.mark.usefixtures("inside")
def test_hours_that_are_over_are_counted_once_and_the_last_two_each_time():
    def add(at):
        db.session.add(RequestLog(at=at, account="a", kind="order", records=1, status=200, outcome=""))

    add(NOON - 2 * 3600)
    assert figures.sent(NOON).counts["order"][-3:] == [1, 0, 0]
    for at in (NOON - 2 * 3600, NOON - 3600, NOON):
        add(at)
    assert figures.sent(NOON).counts["order"][-3:] == [1, 1, 1]
    assert figures.sent(NOON + 3600).counts["order"][-4:] == [1, 1, 1, 0], "an hour that goes on is counted once more"
    add(NOON + 3600)
    assert figures.sent(NOON + 24 * 3600).counts["order"][:2] == [1, 0], "what is older than a day is let go"


@pytest.mark.usefixtures("inside")
def test_refused_records_wait_in_neither_lane():
    for number, (lane, state) in enumerate(
        [("live", "waiting"), ("history", "waiting"), ("live", "refused"), ("history", "refused")]
    ):
        db.session.add(Pending(account="a", kind="order", entity=str(number), lane=lane, state=state))
    orders = figures.waiting()[2]
    assert (orders.noun, orders.live, orders.history, orders.refused) == ("Orders", 1, 1, 2)


@pytest.mark.usefixtures("inside")
def test_only_the_newest_twenty_are_listed():
    for number in range(25):
        db.session.add(Pending(account="a", kind="order", entity=str(number), state="refused"))
        db.session.add(RequestLog(at=NOON + number, account="a", kind="order", records=number, outcome=""))
        db.session.flush()
    assert [row.entity for row in figures.refused()] == [str(number) for number in range(24, 4, -1)]
    assert [row.records for row in figures.requests()] == list(range(24, 4, -1))
