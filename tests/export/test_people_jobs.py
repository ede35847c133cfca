"""From an event to a contact or an order at Ometria, with everything real but the shop: names, options, websites."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from bridge.db import db
from bridge.events import EntityRef, Subscribed, encode_event
from bridge.export import jobs, ledger, people
from bridge.models import Pending
from bridge.settings import load_book
from bridge.store import AttributeInfo, Option
from bridge.stream import STREAM
from tests.export import samples
from tests.export.conftest import SECRET

TIER = AttributeInfo(id="", code="tier", input="select", options={"2": "Silver"})
COLOUR = AttributeInfo(id="93", code="color", input="select", options={"4": "Red"})


def owe(account, ref):
    ledger.add([ledger.Owed(account.id, ref, account.owner)], "live")
    db.session.commit()


def subscribe(room, email, store, at):
    event = Subscribed(email=email, store=store, at=at)
    room.exporter.redis.xadd(STREAM, {b"e": encode_event(event)})
    jobs.take_events()


def test_what_the_merchant_maps_of_a_customer_arrives_with_its_label(room, account, settings):
    settings(customers__mapping="tier=level, taxvat")
    room.shop.labels = {("contact", "default"): [TIER]}
    room.shop.put(msgspec.structs.replace(samples.JANE, values={"tier": "2", "taxvat": "GB 1"}))
    owe(account, EntityRef("contact", "customer:2"))
    jobs.session(account.id)
    assert room.records("contact")["2"]["properties"] == {"level": "Silver", "taxvat": "GB 1"}


def test_what_was_chosen_of_a_product_arrives_with_its_name(room, account):
    room.shop.labels = {("product", "default"): [COLOUR]}
    first, *others = samples.GUEST_ORDER.lines
    chosen = msgspec.structs.replace(first, options=(Option(attribute="93", option="4"),))
    room.shop.put(msgspec.structs.replace(samples.GUEST_ORDER, lines=(chosen, *others)))
    owe(account, EntityRef("order", "4"))
    jobs.session(account.id)
    line, plain = room.records("order")["100000004"]["lineitems"]
    assert line["variant_options"] == [{"type": "color", "id": "4", "label": "Red"}]
    assert "variant_options" not in plain


def test_a_subscriber_who_moved_to_another_accounts_store_view_is_owed_to_that_account(room, settings):
    settings("store:fr", general__api_key="key-main-0001")
    settings("store:de", general__api_key="key-euro-0002")
    french, german = sorted(load_book().accounts(), key=lambda one: one.owner == "store:de")
    subscribe(room, "anna@x.test", "fr", 1_000_000.0)
    jobs.session(french.id)
    (first,) = room.records("contact").values()
    assert first["store_ids"] == ["fr"]
    people.note("anna@x.test", "de", 1, 1_000_100.0, [SECRET])
    db.session.commit()
    owe(french, EntityRef("contact", f"subscriber:{first['id']}"))
    jobs.session(french.id)
    assert [row.account for row in db.session.scalars(select(Pending))] == [german.id]
    jobs.session(german.id)
    (second,) = room.records("contact", "fedcba9876543210").values()
    assert (second["id"], second["store_ids"]) == (first["id"], ["de"])
    assert db.session.scalar(select(Pending)) is None
