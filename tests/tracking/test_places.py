from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.tracking.places import base_path, settings_at, store_at, store_code
from tests.tracking.conftest import DEFAULT_VIEW, FRENCH_VIEW, STORES, make_book
from tests.tracking.wires import Request

SHARED = "http://store.test/"
VIEWS = (
    DEFAULT_VIEW,
    replace(DEFAULT_VIEW, ref="store:fr", code="fr", is_default=False, link_url=f"{SHARED}fr/"),
    replace(DEFAULT_VIEW, ref="store:shop", code="shop", is_default=False, link_url=f"{SHARED}fr/shop"),
    replace(DEFAULT_VIEW, ref="store:off", code="off", is_default=False, active=False, link_url=f"{SHARED}off/"),
)


@pytest.mark.parametrize(
    ("host", "path", "code"),
    [
        ("store.test", "/", "default"),
        (b"STORE.test:8080", "/fr/checkout/cart/add", "fr"),
        ("store.test", "/fr/shop/checkout", "shop"),
        ("store.test", "/fringe", "default"),
        ("store.test", "/off/x", "default"),
        ("nowhere.test", "/fr/", "default"),
        ("", "", "default"),
    ],
)
def test_the_longest_address_that_fits_decides(host, path, code):
    assert store_at(host, make_book(VIEWS), path).code == code


def test_of_views_that_share_an_address_the_default_one_stands_for_all():
    assert store_at("eu.store.test", make_book(tuple(reversed(STORES)))).code == "fr"
    assert store_at("eu.store.test", make_book(()), "/") is None


def test_settings_are_those_of_the_named_view_else_of_the_place():
    book = make_book()
    book.values["store:de"] = {"consent.mode": "cookie"}
    assert settings_at(book, "eu.store.test", "de")["consent.mode"] == "cookie"
    assert settings_at(book, "eu.store.test", "gone")["consent.mode"] == "none"
    assert settings_at(make_book(()), "x")["consent.mode"] == "none"
    assert base_path(FRENCH_VIEW) == "/"


@pytest.mark.parametrize(
    ("target", "header", "code"),
    [
        ("/rest/fr/V1/customers", "de", "fr"),
        ("/graphql", "de", "de"),
        ("/GraphQL/", "de", "de"),
        ("/graphql", "", None),
        ("/graphql", "a" * 65, None),
        ("/graphql", "fr de", None),
        ("/graphql", "fr\xff", None),
        ("/checkout/cart/add", "de", None),
    ],
)
def test_a_request_names_its_view_in_the_path_or_beside_graphql(target, header, code):
    assert store_code(Request("POST", target, [("Store", header)] if header else [])) == code
