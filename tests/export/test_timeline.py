"""The timeline of one record, from the event to the answer and what went wrong."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select, update

from bridge.db import db
from bridge.errors import Stumbled
from bridge.events import EntityRef, OrderPlaced
from bridge.export import jobs, logs
from bridge.export.timeline import timeline
from bridge.models import Pending, RecordStep, SentRecord
from tests.export.test_jobs import happen, owe

pytestmark = pytest.mark.redis
BAG = EntityRef("product", "1")


def names(kind, identifier):
    return [row.step for row in timeline(kind, identifier)]


def test_an_order_is_seen_queued_sent_and_answered(room, account):
    happen(room, OrderPlaced(order="4", store="default"))
    assert names("order", "100000004") == ["seen", "queued", "next try"]
    jobs.session(account.id)
    rows = timeline("order", "100000004")
    assert [row.step for row in rows] == ["seen", "queued", "sent", "answered"]
    assert rows[0].detail == "order_placed"
    request = db.session.get(SentRecord, (account.id, "order", "4")).request_id
    assert rows[2].detail == request
    assert rows[3].detail.startswith(f"200 accepted, request {request}, 1 records in ")
    assert {row.account for row in rows} == {account.id}


def test_an_order_seen_by_its_number_only_is_found_by_it(room, account):
    happen(room, OrderPlaced(number="100000004", store="default"))
    jobs.session(account.id)
    assert names("order", "100000004")[0] == "seen"
    assert "sent" in names("order", "100000004")


def test_ten_edits_are_merged_into_one_sending(room, account):
    for _ in range(3):
        owe(account, BAG)
    assert names("product", "BAG") == ["queued", "merged", "merged", "next try"]
    assert timeline("product", "BAG")[-1].detail == "lane live, 2 changes merged into it"
    jobs.session(account.id)
    assert names("product", "BAG")[-2:] == ["sent", "answered"]
    owe(account, BAG)
    jobs.session(account.id)
    assert names("product", "BAG")[-2:] == ["queued", "unchanged"]


def test_history_leaves_its_sending_only(room, account):
    owe(account, BAG, lane="history")
    assert names("product", "BAG") == ["queued", "next try"]
    jobs.session(account.id)
    assert names("product", "BAG") == ["sent", "answered"]
    assert db.session.scalars(select(RecordStep)).all() == []


def test_a_fault_of_the_shop_is_told_with_the_next_try(room, account, monkeypatch):
    def fails(*_args, **_more):
        raise Stumbled("The shop failed.", after=60)

    monkeypatch.setattr(room.shop, "fetch", fails)
    owe(account, BAG, lane="history")
    jobs.session(account.id)
    rows = [row for row in timeline("product", "1") if row.step in {"given back", "next try"}]
    assert rows[0].detail == "The shop failed."
    assert rows[1].detail == "lane history after 1 tries"
    assert rows[1].at > time.time()


def test_a_late_error_and_its_reason_are_told(room, account):
    room.received.plan_faults({"refuse": {"type": "product", "id": "1", "message": "not a valid value"}})
    owe(account, BAG)
    jobs.session(account.id)
    jobs.upkeep()
    found = {row.step: row.detail for row in timeline("product", "1")}
    assert "Ometria refused it later" in found["late error"]
    assert "Ometria refused it later" in found["set aside"]


def test_what_nobody_complained_of_is_confirmed(room, account):
    owe(account, BAG)
    jobs.session(account.id)
    db.session.execute(update(SentRecord).values(sent_at=time.time() - 1000))
    db.session.commit()
    jobs.upkeep()
    assert "confirmed" in names("product", "BAG")


def test_what_the_shop_has_no_more_is_found_by_its_id(room, account):
    owe(account, EntityRef("product", "77"))
    jobs.session(account.id)
    assert names("product", "77") == ["queued", "skipped"]
    assert timeline("product", "77")[-1].detail == "The product is not in the shop any more."


def test_steps_are_forgotten_with_the_logs(room, account):
    owe(account, BAG)
    assert db.session.query(Pending).count() == 1
    logs.clean(1, 1, now=time.time() + 90_000)
    assert db.session.scalars(select(RecordStep)).all() == []
