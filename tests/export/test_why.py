"""Which setting of which scope a field follows, and how two records differ."""

from __future__ import annotations

import pytest

from bridge.export.why import ABSENT, differences, fields, reasons
from tests.export.books import make_book

BOOK = make_book(
    {
        "default": {"products.mapping": ["color", "size=fit:id"], "customers.mapping": ["loyalty=vip"]},
        "website:europe": {"products.url_format": "https://x.test/{product_id}", "orders.valid_statuses": ["complete"]},
        "store:de": {"products.image": "thumbnail"},
    }
)
ACCOUNT = BOOK.accounts()[0]
PRODUCT = {
    "id": "1",
    "attributes": [{"type": "category", "id": "5"}, {"type": "fit", "id": "9"}],
    "listings": [{"store": "default", "url": "a"}, {"store": "de", "url": "b", "image_url": "c"}],
}


@pytest.mark.parametrize(
    ("kind", "path", "record", "expected"),
    [
        ("product", "listings[0].url", PRODUCT, [("products.url_format", "", "built in"), ("products.url_suffix", ".html", "built in")]),
        ("product", "listings[1].url", PRODUCT, [("products.url_format", "https://x.test/{product_id}", "website:europe"), ("products.url_suffix", ".html", "built in")]),
        ("product", "listings[1].image_url", PRODUCT, [("products.image", "thumbnail", "store:de"), ("products.image_number", 1, "built in")]),
        ("product", "attributes[1].id", PRODUCT, [("products.mapping", "size=fit:id", "default")]),
        ("product", "attributes[0].id", PRODUCT, []),
        ("product", "title", PRODUCT, []),
        ("contact", "properties.vip", {"store_ids": ["fr"]}, [("customers.mapping", "loyalty=vip", "default")]),
        ("contact", "@collection", {"@collection": "subscribers"}, [("customers.subscriber_collection", "subscribers", "built in")]),
        ("order", "is_valid", {"store": "fr"}, [("orders.valid_statuses", ["complete"], "website:europe")]),
        ("order", "lineitems[3].totals.base.unit_price", {"store": "fr"}, [("orders.currency", "local", "built in")]),
        ("order", "status", {"store": "fr"}, []),
    ],
)  # fmt: skip
def test_a_field_follows_its_settings_at_their_scope(kind, path, record, expected):
    found = reasons(kind, path, record, ACCOUNT, BOOK)
    assert [(one["setting"], one["value"], one["scope"]) for one in found] == expected


def test_differences_name_each_value_and_what_is_absent():
    now = {"a": 1, "b": {"c": [1, 2]}, "new": False, "same": "x"}
    before = {"a": True, "b": {"c": [1, 3, 4]}, "old": None, "same": "x"}
    assert list(differences(now, before)) == [
        ("a", 1, True),
        ("b.c[1]", 2, 3),
        ("b.c[2]", ABSENT, 4),
        ("new", False, ABSENT),
        ("old", ABSENT, None),
    ]
    assert list(differences(now, now)) == []


def test_every_single_value_has_a_path():
    assert list(fields({"a": [{"b": 1}, 2], "c": {}, "d": None})) == ["a[0].b", "a[1]", "d"]
