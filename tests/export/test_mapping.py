"""Entities -> records. The golden records are written by hand from Ometria's documentation."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from bridge.errors import Refused, Skipped
from bridge.export.mapping import (
    Subscription,
    contact_record,
    guest_record,
    mapped,
    order_record,
    product_record,
    with_parent,
)
from bridge.export.names import digits
from bridge.settings import Book, Store
from bridge.store import Address, Image, ProductView
from bridge.store import magento_read as read
from tests.export import samples

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento" / "rest"
SHARED = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not beside the checkout"),
]
NOON = samples.NOW
NO_ORDERS = {"order_statuses", "order_comments", "order_items_search"}
CAPTURED_ORDERS = sorted({path.name.partition(".")[0] for path in CAPTURES.glob("order_*.json")} - NO_ORDERS) or [
    "none"
]


def store(id_: int, code: str, website_id: int, website: str, currency: str, **more) -> Store:
    host = "store.test" if website_id == 1 else "eu.store.test"
    given = {"is_default": code in {"default", "fr"}, "timezone": "Europe/London", "base_currency": currency, **more}
    return Store(
        ref=f"store:{code}",
        code=code,
        id=id_,
        website=website,
        website_id=website_id,
        base_url=f"http://{host}/",
        link_url=f"http://{host}/",
        media_url=f"http://{host}/media/",
        currency=currency,
        **given,
    )


DEFAULT = store(1, "default", 1, "base", "GBP")
FR = store(2, "fr", 2, "europe", "EUR")
DE = store(3, "de", 2, "europe", "EUR")
PARENTS = {"website:base": "default", "website:europe": "default"} | {
    f"store:{code}": f"website:{site}" for code, site in (("default", "base"), ("fr", "europe"), ("de", "europe"))
}


def make_book(values: dict | None = None, stores: tuple[Store, ...] = (DEFAULT, FR, DE)) -> Book:
    merged = {"default": {"general.api_key": "key-main-0001"}}
    for scope, own in (values or {}).items():
        merged.setdefault(scope, {}).update(own)
    return Book(PARENTS, stores, merged)


def make(**values):
    book = make_book({"default": {name.replace("__", "."): value for name, value in values.items()}})
    return book.accounts()[0], book


def captured(name: str):
    return json.loads((CAPTURES / f"{name}.json").read_text(), parse_float=Decimal)


def sent(record) -> dict:
    return json.loads(mapped(record).body, parse_float=Decimal)


def shown(entity, *codes: str):
    """Give a sample product the views of these store views."""
    return msgspec.structs.replace(entity, views=dict.fromkeys(codes, entity.views[""]))


def changed(entity, **view):
    ((code, old),) = entity.views.items()
    return msgspec.structs.replace(entity, views={code: msgspec.structs.replace(old, **view)})


class TestGolden:
    pytestmark = SHARED

    def test_a_simple_product(self):
        account, _ = make()
        entity = read.product(captured("product_simple"), "default")
        assert sent(product_record(entity, account, now=NOON)) == {
            "@type": "product",
            "@merge": True,
            "id": "1",
            "title": "Joust Duffle Bag",
            "sku": "24-MB01",
            "price": 34,
            "special_price_dt_to": "2000-01-01T00:00:00Z",
            "currency": "GBP",
            "is_variant": False,
            "is_active": True,
            "is_in_stock": True,
            "url": "http://store.test/joust-duffle-bag.html",
            "image_url": "http://store.test/media/catalog/product/2/4/24-mb01.jpg",
            "listings": [
                {
                    "store": "default",
                    "title": "Joust Duffle Bag",
                    "url": "http://store.test/joust-duffle-bag.html",
                    "image_url": "http://store.test/media/catalog/product/2/4/24-mb01.jpg",
                    "price": 34,
                    "currency": "GBP",
                    "is_active": True,
                }
            ],
        }

    def test_a_variant(self):
        account, _ = make()
        entity = with_parent(read.product(captured("product_configurable_child"), "default"), ("17", "MH01"))
        assert sent(product_record(entity, account, now=NOON)) == {
            "@type": "product",
            "@merge": True,
            "id": "13",
            "title": "Chaz Kangeroo Hoodie-S-Red",
            "sku": "MH01-S-Red",
            "price": 52,
            "special_price_dt_to": "2000-01-01T00:00:00Z",
            "currency": "GBP",
            "is_variant": True,
            "parent_id": "17",
            "is_active": True,
            "is_in_stock": True,
            "image_url": "http://store.test/media/catalog/product/m/h/mh01-s-red.jpg",
        }

    def test_a_configurable_product_has_the_price_that_the_shop_shows(self):
        account, _ = make()
        entity = read.product(captured("product_configurable"), "default")
        assert entity.children == ("13", "14", "15", "16")
        record = sent(product_record(changed(entity, shown_price=Decimal(51), final_price=Decimal(51)), account))
        assert (record["price"], record["is_variant"]) == (51, False)
        assert "special_price" not in record
        assert "price" not in sent(product_record(entity, account)), "0 is no price"

    def test_a_guest_order_with_a_configurable_line(self):
        account, book = make()
        assert sent(order_record(read.order(captured("order_configurable")), account, book)) == {
            "@type": "order",
            "@merge": True,
            "id": "000000004",
            "timestamp": "2026-11-25T01:47:52Z",
            "grand_total": 57,
            "subtotal": 52,
            "discount": 0,
            "shipping": 5,
            "tax": 0,
            "currency": "GBP",
            "status": "pending",
            "is_valid": True,
            "customer": {"email": "carla@example.com", "firstname": "Carla", "lastname": "Shopper"},
            "channel": "online",
            "store": "default",
            "payment_method": "checkmo",
            "shipping_method": "flatrate_flatrate",
            "shipping_address": {"city": "London", "postcode": "N1 1AA", "country_code": "GB"},
            "billing_address": {"city": "London", "postcode": "N1 1AA", "country_code": "GB"},
            "lineitems": [
                {
                    "product_id": "17",
                    "variant_id": "13",
                    "sku": "MH01-S-Red",
                    "quantity": 1,
                    "unit_price": 52,
                    "subtotal": 52,
                    "discount": 0,
                    "tax": 0,
                    "total": 52,
                    "is_on_sale": False,
                }
            ],
        }

    def test_a_customer(self):
        account, book = make()
        assert sent(contact_record(read.customer(captured("customer_one")), account, book)) == {
            "@type": "contact",
            "@collection": "customers",
            "@merge": True,
            "id": "2",
            "email": "jane@example.com",
            "customer_id": "2",
            "marketing_optin": "EXPLICITLY_OPTEDIN",
            "firstname": "Jane",
            "lastname": "Doe",
            "country_id": "GB",
            "store_ids": ["default"],
            "timestamp_acquired": "2026-11-25T01:49:15Z",
        }

    @pytest.mark.parametrize("name", CAPTURED_ORDERS)
    def test_the_lines_of_every_captured_order_sum_up_to_its_subtotal(self, name):
        account, book = make()
        record = sent(order_record(read.order(captured(name)), account, book))
        assert sum(item["subtotal"] for item in record["lineitems"]) == record["subtotal"]

    def test_a_partly_refunded_order_says_so_on_its_line(self):
        account, book = make()
        record = sent(order_record(read.order(captured("order_partially_refunded_and_shipped")), account, book))
        first, second = record["lineitems"]
        assert (first["quantity_refunded"], first["refunded"]) == (1, Decimal("24.79"))
        assert "refunded" not in second

    def test_a_cancelled_order_does_not_count(self):
        account, book = make()
        assert sent(order_record(read.order(captured("order_canceled")), account, book))["is_valid"] is False


def test_money_keeps_the_digits_of_the_shop():
    account, _ = make()
    product = changed(shown(samples.BAG, "default"), price=Decimal("34.5000"))
    assert b'"price":34.5000,' in mapped(product_record(product, account)).body
    assert digits(Decimal("1E+2")) == Decimal(100)
    assert str(digits(Decimal("1E+2"))) == "100"


def test_a_special_price_counts_only_on_its_days_in_the_shops_time_zone():
    account, _ = make()
    product = changed(
        shown(samples.BAG, "default"),
        special_price=Decimal(29),
        special_from=dt.date(2026, 7, 1),
        special_to=dt.date(2026, 7, 31),
    )

    def at(*moment: int) -> dict:
        return sent(product_record(product, account, now=dt.datetime(*moment, tzinfo=dt.UTC)))

    assert "special_price" not in at(2026, 6, 30, 22, 59), "London is an hour ahead in summer"
    inside = at(2026, 6, 30, 23, 0)
    assert inside["special_price"] == inside["listings"][0]["special_price"] == 29
    assert inside["special_price_dt_from"] == "2026-06-30T23:00:00Z"
    assert inside["special_price_dt_to"] == "2026-07-31T22:59:59Z"
    assert "special_price" in at(2026, 7, 31, 22, 59)
    assert "special_price" not in at(2026, 7, 31, 23, 0)


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, "2000-01-01T00:00:00Z"),
        ({"special_price": Decimal(29), "special_to": dt.date(2026, 7, 31)}, "2000-01-01T00:00:00Z"),
        ({"special_price": Decimal(29), "special_from": dt.date(2027, 1, 1)}, "2000-01-01T00:00:00Z"),
        ({"special_price": Decimal(29)}, "2099-12-31T23:59:59Z"),
        ({"special_price": Decimal(29), "special_to": dt.date(2026, 12, 31)}, "2026-12-31T23:59:59Z"),
    ],
)
def test_a_merged_record_always_says_when_the_special_price_ends(fields, end):
    now = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    product = changed(shown(samples.BAG, "default"), **fields)
    account, _ = make()
    record = sent(product_record(product, account, now=now))
    assert record["special_price_dt_to"] == end
    assert ("special_price" in record) is (end > "2026")
    plain, _ = make(products__merge=False)
    given = sent(product_record(product, plain, now=now)).get("special_price_dt_to")
    assert given == (end if end.startswith("2026") else None)


def test_a_special_price_that_is_not_lower_is_none():
    account, _ = make()
    product = changed(shown(samples.BAG, "default"), special_price=Decimal(34))
    assert "special_price" not in sent(product_record(product, account))


def test_a_product_has_one_listing_for_each_store_view_of_the_account_that_sells_it():
    account, _ = make()
    product = shown(samples.TEE, "default", "fr", "de")
    listings = sent(product_record(product, account))["listings"]
    assert [(one["store"], one["currency"], one["url"]) for one in listings] == [
        ("default", "GBP", "http://store.test/tee.html"),
        ("fr", "EUR", "http://eu.store.test/tee.html"),
        ("de", "EUR", "http://eu.store.test/tee.html"),
    ]


def test_each_account_gets_the_listings_of_its_own_store_views():
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    product = shown(samples.TEE, "default", "fr", "de")
    found = {
        account.owner: [one["store"] for one in sent(product_record(product, account))["listings"]]
        for account in book.accounts()
    }
    assert found == {"default": ["default"], "website:europe": ["fr", "de"]}


def test_a_product_that_no_store_view_sells_is_left_out_or_withdrawn():
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    account = next(one for one in book.accounts() if one.owner == "website:europe")
    with pytest.raises(Skipped):
        product_record(shown(samples.BAG, "fr"), account)
    record = sent(product_record(shown(samples.BAG, "fr"), account, known=True))
    assert (record["id"], record["is_active"], record["@merge"]) == ("1", False, True)


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ({}, "/b/1.jpg"),
        ({"products__image_number": 2}, "/b/3%20a.jpg"),
        ({"products__image_number": 4}, "/b/3%20a.jpg"),
        ({"products__image": "thumbnail"}, "/b/3%20a.jpg"),
    ],
)
def test_the_image_follows_the_setting_and_is_encoded_once(settings, file):
    account, _ = make(**settings)
    images = (
        Image(file="/b/1.jpg", position=1, types=("image",)),
        Image(file="/b/2.jpg", position=2, disabled=True),
        Image(file="/b/3 a.jpg", position=3, types=("thumbnail",)),
    )
    product = changed(shown(samples.BAG, "default"), images=images)
    assert sent(product_record(product, account))["image_url"] == f"http://store.test/media/catalog/product{file}"


def test_without_an_image_the_field_is_left_out():
    account, _ = make()
    assert "image_url" not in sent(product_record(changed(shown(samples.BAG, "default"), images=()), account))
    raw = {"id": 1, "sku": "A", "media_gallery_entries": [{"file": "no_selection"}, {"file": None}]}
    assert read.product(raw, "").views[""].images == ()


def test_categories_are_attributes_with_id_and_label():
    account, _ = make()
    record = sent(product_record(shown(samples.BAG, "default"), account))
    assert record["attributes"] == [{"type": "category", "id": "5", "label": "Gear"}]


def test_a_hidden_product_without_a_parent_is_not_active():
    account, _ = make()
    record = sent(product_record(shown(samples.VARIANT, "default"), account))
    assert (record["is_variant"], record["is_active"]) == (False, False)


def test_ids_carry_the_namespace_everywhere():
    account, book = make(
        products__namespace="uk", products__namespace_separator=":", orders__namespace="o-", customers__namespace="c-"
    )
    variant = with_parent(shown(samples.VARIANT, "default"), ("17", "HOOD"))
    assert sent(product_record(variant, account))["parent_id"] == "uk:17"
    record = sent(order_record(samples.JANES_ORDER, account, book))
    assert (record["id"], record["customer"]["id"]) == ("o-100000005", "c-2")
    line = sent(order_record(samples.GUEST_ORDER, account, book))["lineitems"][0]
    assert (line["product_id"], line["variant_id"]) == ("uk:17", "uk:13")
    contact = sent(contact_record(samples.JANE, account, book))
    assert contact["id"] == contact["customer_id"] == "c-2"


def test_the_global_account_gets_plain_ids_where_namespaces_are_off():
    book = make_book(
        {"default": {"global.api_key": "key-glob-0003", "global.use_namespaces": False, "orders.namespace": "o-"}}
    )
    found = {one.is_global: order_record(samples.GUEST_ORDER, one, book).id for one in book.accounts()}
    assert found == {False: "o-100000004", True: "100000004"}


def test_sku_ids_name_the_parent_by_its_own_sku_although_the_row_carries_the_variants():
    account, book = make(products__id_attribute="sku")
    variant = with_parent(shown(samples.VARIANT, "default"), ("17", "HOOD"))
    record = sent(product_record(variant, account))
    assert (record["id"], record["parent_id"]) == ("HOOD-S", "HOOD")
    lines = sent(order_record(samples.GUEST_ORDER, account, book, {"17": "HOOD"}))["lineitems"]
    assert [(one["product_id"], one.get("variant_id")) for one in lines] == [("HOOD", "HOOD-S"), ("BAG", None)]


def test_the_store_is_named_by_code_or_by_number():
    account, book = make(general__store_id_kind="id")
    assert order_record(samples.GUEST_ORDER, account, book).store == "1"
    assert product_record(shown(samples.BAG, "default"), account).listings[0].store == "1"
    assert contact_record(samples.JANE, account, book).store_ids == ["1"]


def test_valid_statuses_follow_the_orders_own_store_view():
    book = make_book({"store:fr": {"orders.valid_statuses": ["complete"]}})
    (account,) = book.accounts()
    assert order_record(samples.GUEST_ORDER, account, book).is_valid
    assert not order_record(samples.FRENCH_ORDER, account, book).is_valid


@pytest.mark.parametrize(
    ("kind", "unit_price", "totals"),
    [
        ("local", 52, None),
        ("base", 40, {"base": "EUR"}),
        ("both", 52, {"base": "EUR", "local": "GBP"}),
    ],
)
def test_line_prices_are_in_the_currency_of_the_setting_and_totals_always_local(kind, unit_price, totals):
    account, book = make(orders__currency=kind)
    order = samples.GUEST_ORDER
    first = order.lines[0]
    base = msgspec.structs.replace(first.base, price=Decimal(40), row=Decimal(40))
    order = msgspec.structs.replace(
        order,
        lines=(msgspec.structs.replace(first, base=base), *order.lines[1:]),
        base=msgspec.structs.replace(order.base, currency="EUR", grand_total=Decimal(100)),
    )
    record = sent(order_record(order, account, book))
    assert (record["currency"], record["grand_total"]) == ("GBP", 125)
    line = record["lineitems"][0]
    assert line["unit_price"] == unit_price
    assert ({name: side["currency"] for name, side in line["totals"].items()} if "totals" in line else None) == totals


def test_what_the_shop_leaves_out_is_left_out_and_never_a_word_for_nothing():
    account, book = make()
    raw = {
        "entity_id": 9,
        "increment_id": "9",
        "store_id": 1,
        "grand_total": 10,
        "order_currency_code": "GBP",
        "created_at": "2026-11-25 01:00:00",
        "customer_id": None,
        "customer_email": None,
        "customer_lastname": None,
        "items": [
            {"item_id": 1, "product_id": 3, "qty_ordered": 1, "price": None, "product_type": "downloadable"},
            {"item_id": 2, "product_id": None, "qty_ordered": 1, "price": 5},
        ],
        "billing_address": None,
        "extension_attributes": [],
    }
    body = mapped(order_record(read.order(raw), account, book)).body.decode()
    record = json.loads(body)
    assert "None" not in body
    assert "null" not in body
    assert "customer" not in record
    assert "shipping_address" not in record
    assert record["lineitems"] == [{"product_id": "3", "quantity": 1}]


def test_a_guest_without_name_takes_the_billing_address():
    account, book = make()
    order = msgspec.structs.replace(
        samples.GUEST_ORDER, firstname=None, lastname=None, billing=Address(firstname="Gus", lastname="Guest")
    )
    customer = order_record(order, account, book).customer
    assert (customer.id, customer.firstname, customer.lastname) == (None, "Gus", "Guest")


@pytest.mark.parametrize("missing", [{"created_at": None, "updated_at": None}, {"number": ""}])
def test_an_order_without_what_ometria_requires_is_refused_with_the_reason(missing):
    account, book = make()
    with pytest.raises(Refused, match="no number, no time"):
        order_record(msgspec.structs.replace(samples.GUEST_ORDER, **missing), account, book)


def test_an_order_of_an_unknown_store_view_is_refused_and_of_another_account_skipped():
    account, book = make()
    with pytest.raises(Refused):
        order_record(msgspec.structs.replace(samples.GUEST_ORDER, store_id=77), account, book)
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    euro = next(one for one in book.accounts() if one.owner == "website:europe")
    with pytest.raises(Skipped):
        order_record(samples.GUEST_ORDER, euro, book)


@pytest.mark.parametrize(
    ("subscribed", "known", "optin"),
    [
        (True, None, "EXPLICITLY_OPTEDIN"),
        (False, None, "NOT_SPECIFIED"),
        (False, Subscription(1, NOON), "NOT_SPECIFIED"),
        (False, Subscription(3, NOON), "EXPLICITLY_OPTEDOUT"),
        (False, Subscription(2, NOON), "NOT_SPECIFIED"),
        (True, Subscription(3, NOON), "EXPLICITLY_OPTEDIN"),
        (None, None, None),
    ],
)
def test_only_a_known_unsubscription_is_an_opt_out(subscribed, known, optin):
    account, book = make()
    customer = msgspec.structs.replace(samples.JANE, subscribed=subscribed)
    assert contact_record(customer, account, book, known).marketing_optin == optin


def test_the_time_of_a_subscription_is_sent_only_when_it_was_seen():
    account, book = make()
    seen = Subscription(1, dt.datetime(2026, 11, 25, 3, 0, 0, 999_999, tzinfo=dt.UTC))
    assert sent(contact_record(samples.JANE, account, book, seen))["timestamp_subscribed"] == "2026-11-25T03:00:00Z"
    assert "timestamp_subscribed" not in sent(contact_record(samples.JANE, account, book))


def test_without_newsletter_tracking_no_status_and_no_subscriber_is_sent():
    account, book = make(customers__newsletter_tracking=False)
    assert contact_record(samples.JANE, account, book).marketing_optin is None
    with pytest.raises(Skipped):
        guest_record("7", "anna@x.test", DEFAULT, account, Subscription(1, NOON))


def test_subscriber_and_customer_of_one_number_are_two_contacts():
    account, book = make()
    guest = mapped(guest_record("2", "anna@x.test", DEFAULT, account, Subscription(1, NOON)))
    customer = mapped(contact_record(samples.JANE, account, book))
    assert guest.id == customer.id == "2"
    assert guest.key != customer.key


def test_a_customer_made_in_the_administration_belongs_to_its_websites_default_store_view():
    account, book = make()
    customer = msgspec.structs.replace(samples.JANE, store_id=0, website_id=2)
    assert contact_record(customer, account, book).store_ids == ["fr"]


@pytest.mark.parametrize(("number", "letter"), [(1, "m"), (2, "f"), (3, None), (None, None)])
def test_gender_is_a_letter_or_nothing(number, letter):
    account, book = make()
    assert contact_record(msgspec.structs.replace(samples.JANE, gender=number), account, book).gender == letter


def test_an_id_that_looks_like_an_address_is_refused():
    account, _ = make(products__id_attribute="sku")
    product = msgspec.structs.replace(shown(samples.BAG, "default"), sku="me@x.test")
    with pytest.raises(Refused, match="id"):
        mapped(product_record(product, account))


def test_the_size_of_a_record_is_measured_in_bytes():
    account, _ = make()
    with pytest.raises(Refused, match="60000"):
        mapped(product_record(changed(shown(samples.BAG, "default"), name="é" * 30_000), account))
    assert mapped(product_record(changed(shown(samples.BAG, "default"), name="é" * 10_000), account))


def test_a_row_total_after_the_discount_is_recognised():
    account, book = make()
    line = samples.line("1", "1", "BAG", "34", 2)
    amounts = msgspec.structs.replace(line.local, row=Decimal("61.20"), discount=Decimal("6.80"))
    order = samples.order("9", msgspec.structs.replace(line, local=amounts, base=amounts))
    (item,) = order_record(order, account, book).lineitems
    assert (item.subtotal, item.discount, item.total) == (Decimal("68.00"), Decimal("6.80"), Decimal("61.20"))


def test_views_show_what_their_store_says():
    account, _ = make()
    views = {"default": ProductView(name="Tee"), "fr": ProductView(name="Chemise", enabled=False)}
    record = product_record(msgspec.structs.replace(samples.TEE, views=views), account)
    assert [(one.title, one.is_active) for one in record.listings] == [("Tee", True), ("Chemise", False)]
    assert record.is_active
