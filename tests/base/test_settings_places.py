from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.settings.places import base_path, store_at
from tests.tracking.conftest import DEFAULT_VIEW, STORES, make_book

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
        ("STORE.test:8080", "/fr/checkout/cart/add", "fr"),
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


def test_the_base_path_ends_with_a_slash():
    assert [base_path(view) for view in VIEWS] == ["/", "/fr/", "/fr/shop/", "/off/"]
