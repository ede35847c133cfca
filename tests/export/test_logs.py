"""Logs and identities go after the days that are set, and what is younger stays."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from bridge.db import db
from bridge.export import cursors, jobs
from bridge.models import EventLog, IdentityClaim, RecordStep, RequestLog, Visitor

pytestmark = pytest.mark.redis
DAY = 86_400.0


@pytest.mark.parametrize(("days", "left"), [(3, 1), (9, 2)])
def test_upkeep_keeps_the_logs_for_the_days_that_are_set(room, account, settings, days, left):
    settings(privacy__log_days=days)
    for age in (1, 5):
        at = time.time() - age * DAY
        db.session.add(RequestLog(account=account.id, kind="order", outcome="accepted", at=at))
        db.session.add(EventLog(id=str(age) * 32, at=at, type="order_placed"))
        db.session.add(RecordStep(account=account.id, kind="order", entity="4", step="seen", at=at))
    db.session.commit()
    jobs.upkeep()
    for table in (RequestLog, EventLog, RecordStep):
        assert len(db.session.scalars(select(table)).all()) == left, table


@pytest.mark.parametrize(("days", "left"), [(3, ["young"]), (9, ["old", "young"])])
def test_upkeep_keeps_identities_for_the_days_that_are_set(room, account, settings, days, left):
    settings(privacy__identity_days=days)
    db.session.add(Visitor(id="young", email="ann@x.test", seen_at=time.time() - DAY))
    db.session.add(Visitor(id="old", email="bob@x.test", seen_at=time.time() - 5 * DAY))
    db.session.add(IdentityClaim(key="claim", email="eve@x.test", at=time.time() - 3600))
    db.session.commit()
    jobs.upkeep()
    known = db.session.scalars(select(Visitor).where(Visitor.email.is_not(None)).order_by(Visitor.id)).all()
    assert [row.id for row in known] == left
    assert db.session.scalars(select(IdentityClaim)).all() == []


def test_it_is_done_once_an_hour(room, account, settings):
    jobs.upkeep()
    at = cursors.read(jobs.CLEAN)["at"]
    jobs.upkeep()
    assert cursors.read(jobs.CLEAN)["at"] == at
