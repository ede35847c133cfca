"""The rows that the old importer reads: the shapes of the contract, in pages, of one account alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
import redis

from bridge.config import Config
from bridge.db import db
from bridge.errors import Retry
from bridge.export import people
from bridge.export.pull import Pull, Wanted
from bridge.settings import load_book
from bridge.store import Amounts
from tests.export import samples
from tests.export.conftest import SECRET

pytestmark = pytest.mark.redis

PUBLIC, EURO = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def asks(settings, shop, redis_client):
    """Ask as a call does whose host leads to a store view; the two websites have accounts of their own."""
    settings(general__account_id=PUBLIC)
    settings("website:europe", general__account_id=EURO)
    pull = Pull(shop, Config(secret_keys=(SECRET,)), redis_client)

    def ask(action: str, code: str = "default", **wanted):
        book = load_book()
        return pull.answer(action, book.store(code=code), book, Wanted(**wanted))

    ask.pull = pull
    return ask


def ids(rows) -> list[str]:
    return [row["id"] for row in rows]


def test_a_customer_has_the_fields_of_the_contract(asks):
    assert asks("customers") == [
        {
            "@type": "contact",
            "id": "2",
            "email": "jane@example.com",
            "prefix": None,
            "firstname": "Jane",
            "middlename": None,
            "lastname": "Doe",
            "gender": "Female",
            "date_of_birth": None,
            "marketing_optin": True,
            "country_id": "GB",
            "store_id": 1,
        }
    ]


def test_a_product_has_the_fields_of_the_contract(asks):
    bag = asks("products")[0]
    assert bag == {
        "@type": "product",
        "id": "1",
        "title": "Duffle Bag",
        "sku": "BAG",
        "url": "http://store.test/bag.html",
        "image_url": "https://store.test/media/catalog/product/bag.jpg",
        "is_active": True,
        "stores": [1],
        "parent_id": None,
        "is_variant": False,
        "is_in_stock": True,
        "qty": None,
        "price": 34,
        "special_price": None,
        "attributes": [
            {"type": "category", "id": "5", "label": "Gear"},
            {"type": "magento_product_type", "value": "simple", "label": "simple"},
        ],
    }


def test_a_variant_names_its_parent_and_listings_come_on_request(asks):
    rows = {row["id"]: row for row in asks("products", listing=True, final_price=True)}
    assert (rows["13"]["parent_id"], rows["13"]["is_variant"]) == ("17", True)
    assert rows["17"]["final_price"] == Decimal(52)
    assert rows["9"]["store_listings"] == [
        {
            "store_id": 1,
            "title": "Tee",
            "url": "http://store.test/tee.html",
            "store_currency": "GBP",
            "visibility": 4,
            "status": 1,
            "image_url": "https://store.test/media/catalog/product/tee.jpg",
            "price": Decimal("24.99"),
            "special_price": None,
            "final_price": None,
        }
    ]
    assert str(rows["9"]["price"]) == "24.99"
    assert ids(asks("products", product_type="variant")) == ["13"]
    assert ids(asks("products", product_type="parent")) == ["1", "9", "17"]
    assert asks("products", product_type="variant", count=True) == {"count": 1}


def test_an_order_has_the_fields_of_the_contract(asks, shop):
    shop.put(
        msgspec.structs.replace(
            samples.GUEST_ORDER,
            base=msgspec.structs.replace(samples.GUEST_ORDER.base, currency="USD", grand_total=Decimal("150.5")),
            payment_method="checkmo",
            coupon="OM-1",
        )
    )
    row = asks("orders")[0]
    assert row["lineitems"] == [
        {
            "product": {"id": "17", "sku": "HOOD-S", "title": None, "base_price": 52, "price": 52},
            "variant_id": "13",
            "variant_sku": "HOOD-S",
            "sku": "HOOD-S",
            "quantity": 1,
            **{f"{side}{name}": value for side in ("", "base_") for name, value in
               {"unit_price": 52, "subtotal": 52, "tax": 0, "discount": 0, "total": 52}.items()},
        },
        {
            "product": {"id": "1", "sku": "BAG", "title": None, "base_price": 34, "price": 34},
            "variant_id": None,
            "variant_sku": None,
            "sku": "BAG",
            "quantity": 2,
            **{f"{side}{name}": value for side in ("", "base_") for name, value in
               {"unit_price": 34, "subtotal": 68, "tax": 0, "discount": 0, "total": 68}.items()},
        },
    ]  # fmt: skip
    del row["lineitems"]
    assert row == {
        "@type": "order",
        "id": "100000004",
        "increment_id": "100000004",
        "status": "pending",
        "state": "new",
        "is_valid": True,
        "timestamp": "2026-11-25 01:00:00",
        "channel": "online",
        "store": 1,
        "base_currency": "USD",
        "base_subtotal": 120,
        "base_discount": 0,
        "base_shipping": 5,
        "base_tax": 0,
        "base_grand_total": Decimal("150.5"),
        "base_total_refunded": None,
        "currency": "GBP",
        "subtotal": 120,
        "discount": 0,
        "shipping": 5,
        "tax": 0,
        "grand_total": 125,
        "total_refunded": None,
        "coupon_code": "OM-1",
        "payment_method": "checkmo",
        "shipping_method": None,
        "ip_address": None,
        "x_forwarded_for": None,
        "customer": {"id": None, "firstname": "Greta", "lastname": "Shopper", "email": "guest@example.com"},
        "shipping_address": None,
        "billing_address": {
            "firstname": "Greta",
            "lastname": "Shopper",
            "city": "London",
            "postcode": "N1 1AA",
            "country_code": "GB",
        },
    }


def test_the_total_of_a_line_is_what_was_paid_for_it(asks, shop):
    money = Amounts(
        price=Decimal(10), row=Decimal(20), discount=Decimal(4), tax=Decimal(3), tax_compensation=Decimal("0.5")
    )
    line = msgspec.structs.replace(samples.JANES_ORDER.lines[0], local=money)
    shop.put(msgspec.structs.replace(samples.JANES_ORDER, lines=(line,)))
    (found,) = asks("orders", ids=["100000005"])[0]["lineitems"]
    assert (found["discount"], found["tax"], found["total"]) == (-4, 3, Decimal("19.5"))


def test_each_account_sees_its_own_store_views_alone(asks):
    assert ids(asks("orders")) == ["100000004", "100000005"]
    assert ids(asks("orders", "fr")) == ids(asks("orders", "de")) == ["200000006"]
    assert ids(asks("products", "fr")) == ["9"]
    assert asks("customers", "fr") == []
    assert asks("orders", "fr", ids=["100000004"]) == []
    assert asks("customers", "fr", ids=["2"]) == []


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_hold_every_row_once_in_any_size_and_end_empty(asks, shop, size):
    shop._page = 2  # the shop's own pages are cut elsewhere
    found, number = [], 1
    while page := asks("products", size=size, number=number):
        assert len(page) <= size
        found, number = found + ids(page), number + 1
    assert found == ["1", "9", "13", "17"]
    assert asks("products", size=size, number=number + 5) == []


def test_the_next_page_is_remembered_and_not_walked_to(asks, shop):
    shop._page = 1
    asks("products", size=2, number=1)
    shop.calls.clear()
    assert ids(asks("products", size=2, number=2)) == ["13", "17"]
    assert shop.calls.count("pages") <= 3
    shop.calls.clear()
    assert ids(asks("products", size=1, number=4)) == ["17"]  # another question: from the beginning
    assert shop.calls.count("pages") >= 4


def test_without_memory_pages_are_found_all_the_same(settings, shop):
    settings(general__account_id=PUBLIC)
    gone = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    pull, book = Pull(shop, Config(secret_keys=(SECRET,)), gone), load_book()
    rows = [pull.answer("products", book.default_store, book, Wanted(size=2, number=number)) for number in (1, 2, 3)]
    assert [ids(page) for page in rows] == [["1", "9"], ["13", "17"], []]
    gone.close()


def test_a_row_that_cannot_be_mapped_shortens_no_page(asks, shop):
    shop.put(msgspec.structs.replace(samples.GUEST_ORDER, local=Amounts()))  # no total, no currency
    assert ids(asks("orders", size=1)) == ["100000005"]
    assert asks("orders", size=1, number=2) == []


def test_counts_are_those_of_all_pages(asks):
    assert asks("products", count=True) == {"count": 4}
    assert asks("orders", count=True) == {"count": 2}
    assert asks("orders", "fr", count=True) == {"count": 1}
    assert asks("customers", count=True, size=1, number=9) == {"count": 1}
    assert asks("products", ids=["1", "404"], count=True) == {"count": 1}


def test_bounds_of_time_are_exclusive(asks, shop):
    minute, at = dt.timedelta(minutes=1), samples.at(1)
    assert ids(asks("orders", created_since=at - minute, created_before=at + minute)) == ["100000004", "100000005"]
    assert asks("orders", created_since=at) == asks("orders", created_before=at) == []
    shop.put(msgspec.structs.replace(samples.JANES_ORDER, updated_at=samples.at(3)))
    assert ids(asks("orders", updated_since=at)) == ["100000005"]
    assert ids(asks("orders", updated_before=samples.at(2))) == ["100000004"]
    assert [ids(asks("orders", updated_since=at - minute, size=1, number=number)) for number in (1, 2, 3)] == [
        ["100000004"],
        ["100000005"],
        [],
    ]


def test_websites_and_stores_narrow_the_list(asks, settings):
    settings("website:europe", general__account_id=PUBLIC)
    assert ids(asks("orders", store_ids=[2])) == ["200000006"]
    assert ids(asks("orders", website_ids=[1])) == ["100000004", "100000005"]
    assert asks("orders", website_ids=[9]) == []


@pytest.mark.parametrize("odd", ["x", "-1", "9" * 40, "", "1 OR 1=1", "٣"])
def test_odd_ids_are_no_rows(asks, odd):
    for action in ("products", "customers", "orders", "subscribers"):
        assert asks(action, ids=[odd]) == []


def test_ids_have_the_namespace_that_records_have(asks, settings):
    settings(orders__namespace="uk", orders__namespace_separator="-")
    row = asks("orders")[0]
    assert (row["id"], row["increment_id"]) == ("uk-100000004", "100000004")


def test_subscribers_are_those_that_bridge_knows(asks):
    for number, (store, status) in enumerate([("default", 1), ("default", 3), ("fr", 1), ("default", 4)]):
        people.note(f"reader{number}@example.com", store, status, 1000.0 + number, [SECRET])
    db.session.commit()
    rows = asks("subscribers")
    assert [(row["email"], row["marketing_optin"], row["store_id"]) for row in rows] == [
        ("reader0@example.com", True, 1),
        ("reader1@example.com", False, 1),
        ("reader3@example.com", None, 1),
    ]
    assert asks("subscribers", count=True) == {"count": 3}
    assert asks("subscribers", size=2, number=2) == rows[2:]
    assert asks("subscribers", ids=[rows[1]["id"]]) == [rows[1]]
    since = dt.datetime.fromtimestamp(1001, dt.UTC)
    assert asks("subscribers", updated_since=since) == [rows[2]]
    assert asks("subscribers", updated_before=since) == [rows[0]]
    assert [row["email"] for row in asks("subscribers", "fr")] == ["reader2@example.com"]


def test_a_shop_that_does_not_answer_is_no_empty_page(asks, shop):
    shop.fault = Retry("The shop does not answer.")
    for action in ("products", "customers", "orders"):
        with pytest.raises(Retry):
            asks(action)
        with pytest.raises(Retry):
            asks(action, count=True)


def test_reading_owes_nothing_and_changes_nothing_of_what_is_pushed(asks):
    from sqlalchemy import func, select

    from bridge.models import Pending, SentRecord

    for action in ("products", "customers", "orders", "subscribers"):
        asks(action)
    for table in (Pending, SentRecord):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
