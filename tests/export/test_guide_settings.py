"""Every setting of Ometria's guide that bears on the export, each with its effect, set as people set it: as text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.clock import due_accounts
from bridge.db import db
from bridge.errors import Misconfigured, Skipped
from bridge.events import EntityRef
from bridge.export import history, jobs
from bridge.export.map_contacts import guest_record
from bridge.export.mapping import Subscription, contact_record, order_record, product_record
from bridge.models import Pending
from bridge.settings import Book, load_book, parse
from tests.export import books, samples
from tests.export.books import make_book, sent
from tests.export.test_jobs import owe

NEXT = dt.datetime(2026, 11, 26, 4, 0, tzinfo=ZoneInfo("UTC"))


def in_view(product, *views: str):
    plain = product.views[""]
    return msgspec.structs.replace(product, views=dict.fromkeys(views or ("default",), plain))


def book_of(**values: str) -> Book:
    """Return a book of values given as text, as the form and the command line take them."""
    typed = {name.replace("__", "."): value for name, value in values.items()}
    return make_book({"default": {key: parse(key, value) for key, value in typed.items()}})


def records(**values: str) -> dict[str, dict]:
    """Return a contact, a product and an order under these values."""
    book = book_of(**values)
    (account,) = book.accounts()
    customer = msgspec.structs.replace(samples.JANE, values={"loyalty": "gold"})
    bag = in_view(samples.BAG)
    view = msgspec.structs.replace(bag.views["default"], values={"color": "4"}, url="http://store.test/bag.html")
    bag = msgspec.structs.replace(bag, views={"default": view})
    order = msgspec.structs.replace(samples.JANES_ORDER, status="processing", values={"gift": "yes"})
    found = {
        "contact": contact_record(customer, account, book),
        "product": product_record(bag, account, book),
        "order": order_record(order, account, book, {"1": "BAG"}),
    }
    return {kind: sent(record) for kind, record in found.items()}


def at(record: dict, path: str):
    value = record
    for name in path.split("/"):
        value = value[int(name)] if isinstance(value, list) else value.get(name)
    return value


@pytest.mark.parametrize(
    ("key", "value", "effects"),
    [
        ("general.store_id_kind", "code", {"contact store_ids": ["default"], "order store": "default"}),
        (
            "general.store_id_kind",
            "id",
            {"contact store_ids": ["1"], "order store": "1", "product listings/0/store": "1"},
        ),
        (
            "customers.namespace",
            "uk-",
            {"contact id": "uk-2", "contact customer_id": "uk-2", "order customer/id": "uk-2"},
        ),
        ("products.namespace", "uk_", {"product id": "uk_1", "order lineitems/0/product_id": "uk_1"}),
        ("orders.namespace", "UK9", {"order id": "UK9100000005"}),
        ("customers.merge", "yes", {"contact @merge": True, "product @merge": True}),
        ("customers.merge", "no", {"contact @merge": None, "product @merge": True}),
        ("products.merge", "no", {"product @merge": None, "order @merge": True}),
        ("orders.merge", "no", {"order @merge": None, "contact @merge": True}),
        (
            "customers.newsletter_tracking",
            "yes",
            {"contact marketing_optin": "EXPLICITLY_OPTEDIN", "contact timestamp_subscribed": "2026-11-25T01:49:15Z"},
        ),
        (
            "customers.newsletter_tracking",
            "no",
            {
                "contact marketing_optin": None,
                "contact timestamp_subscribed": None,
                "contact email": "jane@example.com",
            },
        ),
        ("customers.mapping", "loyalty", {"contact properties": {"loyalty": "gold"}}),
        ("customers.mapping", "loyalty=vip_level", {"contact properties": {"vip_level": "gold"}}),
        ("customers.mapping", "", {"contact properties": None}),
        ("products.mapping", "color", {"product attributes/1": {"type": "color", "id": "4", "label": "4"}}),
        ("products.mapping", "color=shade:id", {"product attributes/1": {"type": "shade", "id": "4"}}),
        ("orders.mapping", "gift=is_gift", {"order properties": {"is_gift": "yes"}}),
        ("products.id_attribute", "id", {"product id": "1", "order lineitems/0/product_id": "1"}),
        ("products.id_attribute", "sku", {"product id": "BAG", "order lineitems/0/product_id": "BAG"}),
        (
            "products.url_format",
            "http://example.com/{product_id}/{url_path}",
            {"product url": "http://example.com/1/bag.html"},
        ),
        ("orders.valid_statuses", "complete, processing", {"order is_valid": True, "order status": "processing"}),
        ("orders.valid_statuses", "complete", {"order is_valid": False, "order status": "processing"}),
        ("orders.currency", "local", {"order lineitems/0/unit_price": Decimal(34), "order lineitems/0/totals": None}),
        ("orders.currency", "base", {"order lineitems/0/totals/base/currency": "GBP", "order currency": "GBP"}),
        ("orders.currency", "both", {"order lineitems/0/totals/base/currency": "GBP", "order currency": "GBP"}),
    ],
)
def test_a_setting_of_the_guide_has_its_effect(key, value, effects):
    found = records(**{key.replace(".", "__"): value})
    for what, expected in effects.items():
        kind, path = what.split(" ")
        assert at(found[kind], path) == expected, what


@pytest.mark.parametrize("separator", ["", ":", ".", "_", "/", "-"])
@pytest.mark.parametrize(
    ("entity", "kind", "id_"),
    [("customers", "contact", "2"), ("products", "product", "1"), ("orders", "order", "100000005")],
)
def test_a_separator_stands_between_the_namespace_and_the_id(entity, kind, id_, separator):
    values = {f"{entity}__namespace": "uk", f"{entity}__namespace_separator": separator}
    assert records(**values)[kind]["id"] == f"uk{separator}{id_}"


def test_a_separator_without_a_namespace_is_none():
    assert records(products__namespace_separator=":")["product"]["id"] == "1"


@pytest.mark.parametrize("entity", ["customers", "products", "orders"])
@pytest.mark.parametrize("namespace", ["uk:", "u k", "é", "uk/", "uk\n", "uk."])
def test_a_namespace_has_letters_digits_dash_and_underscore_only(entity, namespace):
    with pytest.raises(Misconfigured, match=f"{entity}.namespace"):
        parse(f"{entity}.namespace", namespace)


def test_without_newsletter_tracking_no_unregistered_subscriber_is_sent():
    seen = Subscription(1, samples.at(2))
    book = book_of(customers__newsletter_tracking="no")
    with pytest.raises(Skipped, match="tracking is off"):
        guest_record("1", "anna@x.test", books.DEFAULT, book.accounts()[0], seen)
    book = book_of(customers__newsletter_tracking="yes")
    found = sent(guest_record("1", "anna@x.test", books.DEFAULT, book.accounts()[0], seen))
    assert found["marketing_optin"] == "EXPLICITLY_OPTEDIN"


def test_in_sku_mode_a_variant_names_its_parent_by_sku():
    book = book_of(products__id_attribute="sku")
    variant = msgspec.structs.replace(samples.VARIANT, parent="17", parent_sku="HOOD", type="simple")
    variant = in_view(variant)
    view = msgspec.structs.replace(variant.views["default"], visibility=1)
    variant = msgspec.structs.replace(variant, views={"default": view})
    found = sent(product_record(variant, book.accounts()[0], book))
    assert (found["id"], found["parent_id"], found["is_variant"]) == ("HOOD-S", "HOOD", True)


def test_a_scope_that_is_switched_off_feeds_no_account():
    book = make_book({"website:europe": {"general.enabled": parse("general.enabled", "no")}})
    assert [store.code for store in book.accounts()[0].stores] == ["default"]


def test_the_schedule_of_each_accounts_own_scope_wakes_it():
    nightly = {"general.api_key": "key-euro-0002", "export.schedule": parse("export.schedule", "0 4 * * *")}
    book = make_book({"website:europe": nightly})
    minutes = {
        minute: {one.owner for one in due_accounts(book, NEXT + dt.timedelta(minutes=minute))} for minute in (0, 1)
    }
    assert minutes == {0: {"default", "website:europe"}, 1: {"default"}}


@pytest.mark.redis
class TestSessions:
    def test_live_updates_that_are_off_wait_while_history_goes(self, room, account, settings):
        settings(export__live="no")
        owe(account, EntityRef("product", "1"), lane="live")
        owe(account, EntityRef("product", "9"), lane="history")
        jobs.session(account.id)
        assert set(room.records("product")) == {"9"}
        settings(export__live="yes")
        jobs.session(account.id)
        assert set(room.records("product")) == {"1", "9"}

    def test_a_session_sends_no_more_than_its_most(self, room, account, settings):
        settings(export__max_per_run=2)
        owe(account, *(EntityRef("product", id_) for id_ in ("1", "9", "13")))
        jobs.session(account.id)
        assert len(room.records("product")) == 2
        assert db.session.query(Pending).filter_by(state="waiting").count() == 1

    def test_one_entity_is_exported_again_without_the_others(self, room, account):
        for kind in ("product", "contact", "order"):
            history.begin(kind, "default")
            jobs.history(kind, "default")
        jobs.session(account.id)
        before = len(room.pushes())
        history.begin("contact", "default", force=True)
        jobs.history("contact", "default")
        jobs.session(account.id)
        again = room.pushes()[before:]
        assert [row["type"] for row in again] == ["contact"]
        assert again[0]["records"] == len(room.records("contact"))

    def test_everything_is_mapped_and_nothing_sent_in_a_dry_run(self, room, account, settings):
        settings(export__dry_run="yes")
        owe(account, EntityRef("product", "1"))
        jobs.session(account.id)
        assert room.pushes() == []
        assert db.session.query(Pending).count() == 1


@pytest.mark.parametrize(("most", "told"), [("5000", False), ("5001", True)])
def test_more_than_5000_entries_a_session_are_taken_with_a_warning(tmp_path, monkeypatch, most, told):
    for name in ("BRIDGE_STORE_URL", "BRIDGE_REDIS_URL", "BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "var"))
    run = CliRunner().invoke
    assert run(main, ["db", "upgrade"]).exit_code == 0
    done = run(main, ["config", "set", "export.max_per_run", most])
    assert done.exit_code == 0
    assert ("wait noticeably longer" in done.output) is told
    assert run(main, ["config", "get", "export.max_per_run"]).output == f"{most}  (default)\n"


def test_the_owner_scope_decides_ids_and_each_views_own_what_its_orders_count_as(settings):
    settings(general__api_key="key-main-0001", products__namespace="x")
    settings("website:europe", products__namespace="y", orders__valid_statuses="complete")
    book = load_book()
    (account,) = book.accounts()
    tee = product_record(in_view(samples.TEE, "default", "fr", "de"), account, book)
    assert tee.id == "x9"
    order = order_record(samples.FRENCH_ORDER, account, book)
    assert order.is_valid is False
