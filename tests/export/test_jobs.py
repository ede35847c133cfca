"""From an event to a pushed record, with everything real but the shop."""

from __future__ import annotations

import time

import msgspec
import pytest
from rq import Queue
from sqlalchemy import select

from bridge.db import db
from bridge.events import AddedToCart, EntityRef, OrderPlaced, Registered, Subscribed, encode_event
from bridge.export import cursors, history, jobs, ledger
from bridge.export.preview import preview
from bridge.models import CatalogItem, EventLog, Pending, RequestLog, SentRecord, Subscriber
from bridge.queues import SERIALIZER
from bridge.settings import load_book
from bridge.stream import STREAM
from tests.export import samples

ORDER = EntityRef("order", "4")


def happen(room, *events):
    for event in events:
        room.exporter.redis.xadd(STREAM, {b"e": event if isinstance(event, bytes) else encode_event(event)})
    jobs.take_events()


def owe(account, *refs, lane="live", **more):
    ledger.add([ledger.Owed(account.id, ref, "store:default") for ref in refs], lane, **more)
    db.session.commit()


def waiting():
    db.session.rollback()
    return {(row.kind, row.entity): row for row in db.session.scalars(select(Pending))}


def woken(room):
    queue = Queue("live", connection=room.exporter.redis, serializer=SERIALIZER)
    return [job.args[0] for job in queue.jobs if job.func_name.endswith(".session")]


def test_a_guest_order_seen_by_the_proxy_reaches_ometria_with_its_products(room, account):
    happen(room, OrderPlaced(order="4", store="default"))
    assert woken(room) == [account.id]
    jobs.session(account.id)
    order = room.records("order")["100000004"]
    assert [(item["product_id"], item.get("variant_id")) for item in order["lineitems"]] == [("17", "13"), ("1", None)]
    assert set(room.records("product")) == {"1", "13", "17"}
    assert room.records("product")["13"]["parent_id"] == "17"
    assert room.records("contact") == {}, "a guest's order makes no contact"
    assert waiting() == {}


def test_products_are_pushed_before_the_order_that_names_them(room, account):
    owe(account, ORDER)
    jobs.session(account.id)
    kinds = list(db.session.scalars(select(RequestLog.kind).order_by(RequestLog.id)))
    assert kinds == ["product", "order"]
    assert all(row["status"] == 200 for row in room.pushes())


def test_a_customers_order_brings_the_customer(room, account):
    owe(account, EntityRef("order", "5"))
    jobs.session(account.id)
    contact = room.records("contact")["2"]
    assert contact["@collection"] == "customers"
    assert contact["customer_id"] == room.records("order")["100000005"]["customer"]["id"] == "2"


def test_an_order_known_by_its_number_only_is_looked_up(room, account):
    happen(room, OrderPlaced(number="100000004", store="default"))
    jobs.session(account.id)
    assert set(room.records("order")) == {"100000004"}
    assert db.session.get(SentRecord, (account.id, "order", "4")) is not None


def test_what_is_unchanged_is_not_sent_twice_unless_forced(room, account):
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    assert len(room.pushes()) == 1
    assert waiting() == {}
    owe(account, EntityRef("product", "1"), force=True)
    jobs.session(account.id)
    assert len(room.pushes()) == 2


def test_a_changed_product_is_sent_again(room, account):
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    room.shop.put(samples.product("1", "BAG", "Duffle Bag", "30"))
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    assert room.records("product")["1"]["price"] == 30


def test_the_same_event_twice_is_one_event(room):
    event = OrderPlaced(order="4", store="default")
    happen(room, event)
    happen(room, event)
    assert waiting()["order", "4"].generation == 1
    assert db.session.query(EventLog).count() == 1


def test_an_event_that_cannot_be_understood_is_counted_and_stops_nothing(room):
    happen(room, b"{nonsense", b'{"type":"order_placed","id":7}', OrderPlaced(order="4", store="default"))
    assert cursors.read("events:dropped")["count"] == 2
    assert ("order", "4") in waiting()
    assert room.exporter.redis.xlen(STREAM) == 0


def test_the_event_log_hides_the_address(room):
    happen(room, Subscribed(email="anna@x.test", store="default"), AddedToCart(product="1", store="default"))
    rows = {row.type: row.summary for row in db.session.scalars(select(EventLog))}
    assert rows["subscribed"] == "a•••@x.test"
    assert rows["added_to_cart"] == "product 1, quantity 1"


def test_a_subscriber_without_account_goes_to_the_subscribers(room, account):
    happen(room, Subscribed(email="anna@x.test", store="default", at=samples.at(3).timestamp()))
    jobs.session(account.id)
    (contact,) = room.records("contact").values()
    assert contact["@collection"] == "subscribers"
    assert contact["marketing_optin"] == "EXPLICITLY_OPTEDIN"
    assert contact["timestamp_subscribed"] == "2026-11-25T03:00:00Z"
    assert "customer_id" not in contact
    stored = db.session.connection().exec_driver_sql("select email, email_key from subscriber").all()
    assert "anna" not in str(stored)


def test_a_subscriber_with_an_account_is_the_account(room, account):
    happen(room, Subscribed(email="Jane@example.com", store="default", at=samples.at(3).timestamp()))
    jobs.session(account.id)
    (contact,) = room.records("contact").values()
    assert (contact["@collection"], contact["id"]) == ("customers", "2")
    assert contact["timestamp_subscribed"] == "2026-11-25T03:00:00Z"
    assert db.session.get(SentRecord, (account.id, "contact", "customer:2")) is not None


def test_a_new_account_that_the_shop_does_not_show_yet_is_asked_for_again(room, account):
    happen(room, Registered(email="new@x.test", store="default"))
    jobs.session(account.id)
    (row,) = waiting().values()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.due_at > time.time()
    assert room.records("contact") == {}


def test_an_older_observation_does_not_replace_a_newer_one(room):
    happen(room, Subscribed(email="anna@x.test", store="default", at=2000.0))
    row = db.session.scalars(select(Subscriber)).one()
    row.status = 3
    db.session.commit()
    happen(room, Subscribed(email="anna@x.test", store="default", at=1000.0))
    db.session.refresh(row)
    assert row.status == 3


def test_without_an_account_the_event_is_kept_and_nothing_is_owed(room, settings):
    settings(general__enabled=False)
    happen(room, OrderPlaced(order="4", store="default"))
    assert waiting() == {}
    assert db.session.query(EventLog).count() == 1


def test_an_order_placed_before_there_was_an_account_is_found_by_the_poll(room, settings):
    room.shop.clock = lambda: samples.at(0, 58)
    settings(general__enabled=False)
    jobs.poll()
    settings(general__enabled=True)
    room.shop.clock = lambda: samples.at(9)
    jobs.poll()
    assert ("order", "4") in waiting()


def test_a_dry_run_sends_nothing_and_keeps_the_rows(room, account, settings):
    settings(export__dry_run=True)
    owe(account, ORDER)
    jobs.session(account.id)
    assert room.pushes() == []
    assert set(waiting()) == {("order", "4")}


def test_live_rows_wait_while_live_updates_are_off(room, account, settings):
    settings(export__live=False)
    owe(account, EntityRef("product", "1"))
    owe(account, EntityRef("product", "9"), lane="history")
    jobs.session(account.id)
    assert set(room.records("product")) == {"9"}
    assert set(waiting()) == {("product", "1")}


def test_a_session_sends_no_more_than_its_share_and_wakes_the_next(room, account, settings):
    settings(export__max_per_run=1)
    owe(account, EntityRef("product", "1"), EntityRef("product", "9"))
    jobs.session(account.id)
    assert len(room.records("product")) == 1
    assert woken(room) == [account.id]
    jobs.session(account.id)
    assert set(room.records("product")) == {"1", "9"}


def test_what_an_order_entails_is_part_of_the_share(room, account, settings):
    settings(export__max_per_run=2)
    owe(account, ORDER)
    jobs.session(account.id)
    assert len(room.records("order")) == len(room.records("product")) == 1
    assert woken(room) == [account.id]
    jobs.session(account.id)
    assert len(room.records("product")) == 3


def test_fifty_orders_that_the_shop_does_not_know_hold_up_none_of_the_others(room, account):
    good = [
        room.shop.put(samples.order(str(number), samples.line("1", "1", "BAG", "34"))) for number in range(200, 230)
    ]
    owe(account, *[EntityRef("order", str(number)) for number in range(900, 950)])
    owe(account, *good)
    jobs.session(account.id)
    assert len(room.records("order")) == len(good)
    assert len(waiting()) == 50


def test_one_refused_record_of_many_stands_alone_and_is_kept_with_its_reason(room, account):
    refs = [room.shop.put(samples.product(str(number), f"S{number}", "Thing", "5")) for number in range(100, 120)]
    room.received.faults.plan({"refuse": {"type": "product", "id": "107", "at_once": True}})
    owe(account, *refs)
    jobs.session(account.id)
    assert set(room.records("product")) == {ref.id for ref in refs} - {"107"}
    (row,) = waiting().values()
    assert (row.entity, row.state) == ("107", "refused")
    assert row.reason


def test_a_record_too_large_is_set_aside_before_sending(room, account):
    room.shop.put(samples.product("100", "BIG", "é" * 30_001, "5"))
    owe(account, EntityRef("product", "100"), EntityRef("product", "1"))
    jobs.session(account.id)
    (row,) = waiting().values()
    assert row.state == "refused"
    assert "60000" in row.reason
    assert set(room.records("product")) == {"1"}


def test_a_late_refusal_marks_the_record_and_the_next_change_is_sent(room, account):
    room.received.faults.plan({"refuse": {"type": "product", "id": "1", "message": "not a valid value"}})
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    assert waiting() == {}
    jobs.upkeep()
    (row,) = waiting().values()
    assert (row.entity, row.state) == ("1", "refused")
    assert "not a valid value" in row.reason
    assert ledger.retry_refused() == 1
    jobs.upkeep()
    assert waiting()["product", "1"].state == "waiting", "an error seen before refuses nothing twice"


def test_a_refused_key_pauses_the_account_in_words_and_keeps_the_rows(room, settings):
    settings(general__api_key="key-unknown-9999")
    (account,) = load_book().accounts()
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    note = cursors.read(f"account:{account.id}")
    assert "API key" in note["paused"]
    row = waiting()["product", "1"]
    assert (row.state, row.attempts) == ("waiting", 0)
    before = len(room.pushes())
    jobs.session(account.id)
    assert len(room.pushes()) == before, "a paused account is left alone"


def test_too_many_requests_count_against_no_record(room, account):
    room.received.faults.plan({"push": {"status": 429, "times": 1, "retry_after": "30"}})
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    row = waiting()["product", "1"]
    assert (row.state, row.attempts) == ("waiting", 0)
    assert row.due_at > time.time() + 25
    assert len(room.pushes()) == 1
    owe(account, EntityRef("product", "9"))
    jobs.session(account.id)
    assert len(room.pushes()) == 1, "the key pauses as a whole"


def test_a_lost_answer_sends_again_and_loses_nothing(room, account):
    room.received.faults.plan({"push": {"status": "cut", "times": 1, "when": "after"}})
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    assert waiting()["product", "1"].attempts == 0
    room.exporter.redis.flushall()
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    assert waiting() == {}
    assert set(room.records("product")) == {"1"}


def test_a_shop_that_refuses_the_token_stops_the_session_and_keeps_the_rows(room, account):
    from bridge.errors import Misconfigured

    room.shop.fault = Misconfigured("The shop refuses the token for Magento_Sales::actions_view (401).")
    owe(account, ORDER)
    jobs.session(account.id)
    assert "Magento_Sales" in cursors.read("shop")["problem"]
    assert waiting()["order", "4"].attempts == 0
    room.shop.fault = None
    owe(account, ORDER)
    jobs.session(account.id)
    assert cursors.read("shop") == {}
    assert set(room.records("order")) == {"100000004"}


def test_a_poll_that_the_shop_answers_takes_its_fault_back(room):
    from bridge.errors import Misconfigured

    room.shop.fault = Misconfigured("The shop refuses the token for Magento_Sales::actions_view (401).")
    jobs.poll()
    assert "Magento_Sales" in cursors.read("shop")["problem"]
    room.shop.fault = None
    jobs.poll()
    assert cursors.read("shop") == {}


def test_an_order_of_another_accounts_store_view_goes_to_that_account(room, account, settings):
    settings("website:europe", general__api_key="key-euro-0002")
    main, euro = sorted(load_book().accounts(), key=lambda one: one.owner)
    assert main.owner == "default"
    owe(main, EntityRef("order", "6"))
    jobs.session(main.id)
    assert room.records("order") == {}
    jobs.session(euro.id)
    assert set(room.records("order", "fedcba9876543210")) == {"200000006"}


def test_rows_of_an_account_that_is_no_more_go_to_the_one_in_force(room, account, settings):
    owe(account, ORDER)
    settings(general__api_key="key-euro-0002")
    (other,) = load_book().accounts()
    jobs.session(account.id)
    assert woken(room) == [other.id]
    jobs.session(other.id)
    assert set(room.records("order", "fedcba9876543210")) == {"100000004"}
    assert waiting() == {}


def test_the_poll_exports_an_order_whose_event_was_never_captured(room, account):
    room.shop.clock = lambda: samples.at(1, 2)
    jobs.poll()
    assert ("order", "4") in waiting()
    assert woken(room) == [account.id]
    jobs.session(account.id)
    assert "100000004" in room.records("order")


def test_what_the_poll_saw_is_not_added_again(room):
    room.shop.clock = lambda: samples.at(1, 2)
    jobs.poll()
    before = {key: row.generation for key, row in waiting().items()}
    jobs.poll()
    assert {key: row.generation for key, row in waiting().items()} == before


def test_rows_of_one_second_that_appear_late_are_found(room):
    room.shop.clock = lambda: samples.at(1, 2)
    jobs.poll()
    room.shop.put(samples.order("77", samples.line("1", "1", "BAG", "34"), updated_at=samples.at(1)))
    room.shop.clock = lambda: samples.at(1, 4)
    jobs.poll()
    assert ("order", "77") in waiting()


def test_history_owes_everything_once_and_can_be_taken_up_again(room, account):
    small = room.shop
    small._page = 2
    assert history.begin("product", "default")
    assert not history.begin("product", "default"), "it runs already"
    jobs.history("product", "default")
    assert {entity for kind, entity in waiting() if kind == "product"} == {"1", "9", "13", "17"}
    assert all(row.lane == "history" for row in waiting().values())
    assert cursors.read("history:product:default")["state"] == "done"
    assert cursors.read("history:product:default")["total"] == 4


def test_history_of_a_scope_takes_only_what_belongs_to_it(room, account):
    history.begin("order", "store:fr")
    jobs.history("order", "store:fr")
    assert set(waiting()) == {("order", "6")}


def test_a_paused_walk_stops_and_goes_on_when_resumed(room):
    history.begin("product", "default")
    history.set_state("product", "default", "paused")
    jobs.history("product", "default")
    assert waiting() == {}
    history.set_state("product", "default", "running")
    jobs.history("product", "default")
    assert len(waiting()) == 4


def test_a_walk_that_lost_its_worker_is_woken(room):
    history.begin("product", "default")
    assert history.lost(time.time() + 200) == [("product", "default")]
    assert history.lost() == []


def test_a_history_order_does_not_send_known_products_again(room, account):
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    owe(account, EntityRef("order", "5"), lane="history")
    jobs.session(account.id)
    assert len([row for row in room.pushes() if row["status"] == 200]) == 3, "product, contact, order"


def test_the_preview_shows_each_accounts_record_and_sends_nothing(room, settings):
    settings(global__api_key="key-glob-0003", global__use_namespaces=False, orders__namespace="uk-")
    rows = preview("order", "100000004")
    assert sorted(row["record"]["id"] for row in rows) == ["100000004", "uk-100000004"]
    assert room.pushes() == []
    assert waiting() == {}
    assert preview("product", "BAG")[0]["record"]["sku"] == "BAG"
    assert preview("contact", "jane@example.com")[0]["record"]["id"] == "2"


def test_products_that_were_read_are_in_the_catalogue(room, account):
    owe(account, EntityRef("product", "13"), EntityRef("product", "17"))
    jobs.session(account.id)
    item = db.session.get(CatalogItem, "HOOD-S")
    assert (item.product, item.parent, item.parent_sku) == ("13", "17", "HOOD")


def test_bodies_are_logged_only_on_wish_and_without_personal_data(room, account, settings):
    owe(account, EntityRef("contact", "customer:2"))
    jobs.session(account.id)
    assert db.session.scalars(select(RequestLog)).one().body is None
    settings(logging__requests=True)
    owe(account, EntityRef("contact", "customer:2"), force=True)
    jobs.session(account.id)
    row = db.session.scalars(select(RequestLog).order_by(RequestLog.id.desc())).first()
    text = msgspec.json.encode(row.body).decode()
    assert "jane" not in text.lower().replace("j•••@example.com", "")
    assert "Doe" not in text
    assert row.body[0]["id"] == "2"


@pytest.mark.parametrize("kind", ["product", "contact", "order"])
def test_every_record_that_is_sent_passes_ometrias_own_checks(room, account, kind):
    refs = [ref for ref in room.shop._entities if ref.kind == kind]
    owe(account, *refs)
    jobs.session(account.id)
    jobs.upkeep()
    assert list(room.received.errors) == []
    assert len(room.records(kind)) == len(refs)
