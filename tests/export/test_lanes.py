"""What holds history back and nothing live, and what a change of the set-up in the middle of an export does."""

from __future__ import annotations

import datetime as dt

import pytest

from bridge.events import EntityRef
from bridge.export import history, jobs
from bridge.export.mapping import order_record
from bridge.ometria.client import QUEUE_RESERVE
from bridge.settings import load_book
from bridge.store import magento_read as read
from tests.export.books import make, sent
from tests.export.test_jobs import owe, waiting
from tests.export.test_map_orders import raw

pytestmark = pytest.mark.redis
BAG, HOOD = EntityRef("product", "1"), EntityRef("product", "17")
JANE = EntityRef("contact", "customer:2")


def queue_of_ometria(room, remaining):
    room.received.faults.plan({"queue": {"remaining": remaining}})


def later(room):
    """Let the time pass for which a full queue holds history back."""
    for key in room.exporter.redis.scan_iter("*:slow"):
        room.exporter.redis.delete(key)


@pytest.mark.parametrize(("remaining", "goes"), [(QUEUE_RESERVE - 1, False), (QUEUE_RESERVE, True)])
def test_a_queue_of_ometrias_that_is_nearly_full_holds_history_back_and_nothing_live(room, account, remaining, goes):
    queue_of_ometria(room, remaining)
    owe(account, BAG)
    jobs.session(account.id)
    owe(account, JANE, lane="history")
    owe(account, HOOD)
    jobs.session(account.id)
    assert "17" in room.records("product")
    assert bool(room.records("contact")) is goes
    assert (("contact", "customer:2") in waiting()) is not goes


def test_history_goes_on_once_ometrias_queue_has_room_again(room, account):
    queue_of_ometria(room, QUEUE_RESERVE - 1)
    owe(account, BAG)
    jobs.session(account.id)
    owe(account, JANE, lane="history")
    jobs.session(account.id)
    assert room.records("contact") == {}
    queue_of_ometria(room, 50_000)
    later(room)
    jobs.session(account.id)
    assert set(room.records("contact")) == {"2"}
    assert waiting() == {}


def test_a_namespace_changed_after_an_export_sends_everything_under_the_new_ids_and_nothing_twice(room, settings):
    def export():
        history.begin("product", "default")
        jobs.history("product", "default")
        jobs.session(load_book().accounts()[0].id)

    settings(general__api_key="key-main-0001")
    export()
    old = set(room.records("product"))
    settings(products__namespace="uk", products__namespace_separator="-")
    export()
    assert set(room.records("product")) == old | {f"uk-{id_}" for id_ in old}
    new = room.records("product")
    assert {one["parent_id"] for id_, one in new.items() if one.get("is_variant") and id_ not in old} == {"uk-17"}
    before = len(room.pushes())
    export()
    assert len(room.pushes()) == before
    assert waiting() == {}


@pytest.mark.parametrize("created", ["2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-03-29 01:30:00"])
def test_moments_at_the_change_of_the_clocks_keep_their_order(created):
    """In London 00:30 and 01:30 UTC are the same 01:30 on the last Sunday of October: records are in UTC."""
    account, book = make()
    record = sent(order_record(read.order(raw(created_at=created)), account, book))
    assert dt.datetime.fromisoformat(record["timestamp"]) == dt.datetime.fromisoformat(created + "+00:00")
