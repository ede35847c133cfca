"""Who is owed what, in a shop with four accounts."""

from __future__ import annotations

import pytest

from bridge.events import EntityRef
from bridge.export.routes import customer_store, event_store, owed
from bridge.settings import account_id
from bridge.store import Listed
from tests.export.books import make_book

X, Y, Z, G = "key-main-000X", "key-main-000Y", "key-main-000Z", "key-main-000G"
NAMES = {account_id(key): name for name, key in {"X": X, "Y": Y, "Z": Z, "G": G}.items()}
VALUES = {
    "default": {"general.api_key": X},
    "website:europe": {"general.api_key": Y, "global.api_key": G},
    "store:de": {"general.api_key": Z},
}


def targets(book, **row) -> list[tuple[str, str]]:
    found = owed(Listed(**row), book)
    return sorted((NAMES[account.id], scope) for account, scope in found)


@pytest.mark.parametrize(
    ("store_id", "expected"),
    [
        (2, [("G", "store:fr"), ("Y", "store:fr")]),
        (3, [("G", "store:de"), ("Z", "store:de")]),
        (1, [("X", "store:default")]),
        (77, []),
    ],
)
def test_an_order_is_owed_to_the_account_of_its_store_view_and_the_global_one(store_id, expected):
    assert targets(make_book(VALUES), ref=EntityRef("order", "1"), store_id=store_id) == expected


def test_a_product_is_owed_once_to_each_account_that_sells_it():
    book = make_book(VALUES)
    assert [name for name, _ in targets(book, ref=EntityRef("product", "1"), website_ids=(1, 2))] == [
        "G",
        "X",
        "Y",
        "Z",
    ]
    assert [name for name, _ in targets(book, ref=EntityRef("product", "1"), website_ids=(1,))] == ["X"]
    assert targets(book, ref=EntityRef("product", "1"), website_ids=()) == []


def test_without_the_store_views_own_key_the_websites_counts():
    values = {scope: own for scope, own in VALUES.items() if scope != "store:de"}
    assert targets(make_book(values), ref=EntityRef("order", "1"), store_id=3) == [("G", "store:de"), ("Y", "store:de")]


def test_the_same_key_as_own_and_global_account_is_one_account():
    book = make_book({"default": {"general.api_key": X, "global.api_key": X}})
    assert [name for name, _ in targets(book, ref=EntityRef("order", "1"), store_id=1)] == ["X"]


@pytest.mark.parametrize(
    ("store_id", "website_id", "code"),
    [(3, 2, "de"), (0, 2, "fr"), (77, 1, "default"), (0, 9, None), (None, None, None)],
)
def test_a_customer_belongs_to_a_store_view_or_to_its_websites_default_one(store_id, website_id, code):
    found = customer_store(store_id, website_id, make_book())
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("code", "host", "expected"),
    [
        ("de", "store.test", "de"),
        (None, "eu.store.test", "fr"),
        (None, "EU.store.test:8080", "fr"),
        ("gone", "store.test", "default"),
        (None, "elsewhere.test", "default"),
        (None, "", "default"),
    ],
)
def test_traffic_belongs_to_the_named_store_view_else_to_the_hosts(code, host, expected):
    assert event_store(code, host, make_book()).code == expected


def test_without_a_tree_traffic_belongs_nowhere():
    assert event_store("default", "store.test", make_book(stores=())) is None
