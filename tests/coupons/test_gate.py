from __future__ import annotations

from types import SimpleNamespace

import pytest

from bridge.coupons.gate import Gate, place_of
from bridge.settings import Book, Store

SHOP, FRENCH = "store:default", "store:fr"
PARENTS = {"website:base": "default", SHOP: "website:base", FRENCH: "website:base"}
STORES = (
    Store(SHOP, "default", 1, "base", 1, is_default=True, link_url="https://shop.example/"),
    Store(FRENCH, "fr", 2, "base", 1, link_url="https://shop.example/fr/"),
)


def gate(**values) -> tuple[Gate, SimpleNamespace]:
    books = SimpleNamespace(current=Book(PARENTS, STORES, values))
    return Gate(books, ["version", "salesrules_items"], ["orders"]), books


def takes(it: Gate, path: str, host: str = "shop.example") -> bool:
    return it.takes(path.encode(), host.encode())


@pytest.mark.parametrize(
    ("path", "action", "rest"),
    [
        ("/ometria_api/v1/version", "version", ()),
        ("/ometria_api/v1/version/", "version", ("",)),
        ("/index.php/fr/ometria_api/v1/orders/ids/5", "orders", ("ids", "5")),
    ],
)
def test_a_path_names_its_action(path, action, rest):
    assert place_of(path) == (action, rest)


@pytest.mark.parametrize(
    "path",
    [
        "/ometria_api/v1/",
        "/ometria_api/v1",
        "/ometria_api/v2/products",
        "/a/b/c/ometria_api/v1/version",
        "/ometria_api/v1/a%2Fb",
    ],
)
def test_other_paths_name_none(path):
    assert place_of(path) is None


def test_nothing_is_taken_by_default():
    it, _ = gate()
    assert not takes(it, "/ometria_api/v1/version")
    assert not takes(it, "/ometria_api/v1/orders")


def test_each_switch_opens_its_own_actions():
    it, books = gate(default={"coupons.signed_api": True})
    assert takes(it, "/ometria_api/v1/version")
    assert takes(it, "/ometria_api/v1/SalesRules_Items")
    assert not takes(it, "/ometria_api/v1/orders")
    assert not takes(it, "/ometria_api/v1/get_settings")
    books.current = Book(PARENTS, STORES, {"default": {"coupons.pull_api": True}})
    assert takes(it, "/ometria_api/v1/orders")
    assert not takes(it, "/ometria_api/v1/version")
    books.current = Book(PARENTS, STORES, {})
    assert not takes(it, "/ometria_api/v1/orders")


def test_the_store_view_that_is_addressed_decides():
    it, _ = gate(**{FRENCH: {"coupons.signed_api": True}})
    assert takes(it, "/fr/ometria_api/v1/version")
    assert not takes(it, "/ometria_api/v1/version")
    assert not takes(it, "/ometria_api/v1/version", "unknown.example")
    assert takes(it, "/fr/ometria_api/v1/version", "SHOP.example:8443")


def test_bytes_that_are_no_text_are_the_shops():
    it, _ = gate(default={"coupons.signed_api": True})
    assert not it.takes(b"/ometria_api/v1/\xff\xfe", b"\xff")
    assert it.takes(b"/\xff/ometria_api/v1/version", b"\xff")
