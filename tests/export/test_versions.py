"""An older payload never overwrites a newer one, also across two workers."""

from __future__ import annotations

import pytest
import redis

from bridge.db import db
from bridge.errors import Retry
from bridge.events import EntityRef
from bridge.export import jobs, ledger
from bridge.export.gather import Gatherer
from bridge.export.versions import Versions
from bridge.models import Pending
from tests.export import samples
from tests.export.test_jobs import ORDER, owe, waiting

pytestmark = pytest.mark.redis


def test_an_older_version_may_not_go_and_an_equal_one_may(redis_client):
    versions = Versions(redis_client, "account")
    first = versions.moment()
    later = versions.moment()
    assert later > first
    assert versions.newest("order", {"/4": later, "/5": first}) == {"/4", "/5"}
    assert versions.newest("order", {"/4": first, "/5": first}) == {"/5"}
    assert versions.newest("order", {"/4": later}) == {"/4"}
    assert Versions(redis_client, "another").newest("order", {"/4": first}) == {"/4"}
    assert versions.newest("order", {}) == set()


def test_without_redis_nothing_may_go():
    gone = Versions(redis.Redis(unix_socket_path="/nonexistent/socket"), "account")
    with pytest.raises(Retry):
        gone.moment()
    with pytest.raises(Retry):
        gone.newest("order", {"/4": 1.0})


def test_a_worker_that_read_earlier_and_sends_later_does_not_turn_the_order_back(room, account, monkeypatch):
    """The order is owed by its number and by its id; the second worker reads and sends while the first one stalls."""
    order = room.shop._entities[ORDER]
    owe(account, EntityRef("order", "number:100000004"))
    whole = Gatherer.gather
    stalled = []

    def gather(self, rows):
        found = whole(self, rows)
        if not stalled and any(row.ref.kind == "order" for row in rows):
            stalled.append(True)
            room.shop.put(samples.order("4", *order.lines, status="complete", number=order.number))
            ledger.add([ledger.Owed(account.id, ORDER, "store:default")], "live")
            db.session.commit()
            jobs.session(account.id)
            assert room.records("order")["100000004"]["status"] == "complete"
        return found

    monkeypatch.setattr(Gatherer, "gather", gather)
    jobs.session(account.id)
    assert room.records("order")["100000004"]["status"] == "complete"
    (row,) = waiting().values()
    assert (row.entity, row.attempts, row.state) == ("number:100000004", 0, "waiting")
    db.session.execute(db.update(Pending).values(due_at=0))
    db.session.commit()
    jobs.session(account.id)
    assert waiting() == {}
    assert room.records("order")["100000004"]["status"] == "complete"
