from __future__ import annotations

import pytest

from bridge.tracking.places import settings_at, store_code
from tests.tracking.conftest import make_book
from tests.tracking.wires import Request


def test_settings_are_those_of_the_named_view_else_of_the_place():
    book = make_book()
    book.values["store:de"] = {"consent.mode": "cookie"}
    assert settings_at(book, "eu.store.test", "de")["consent.mode"] == "cookie"
    assert settings_at(book, "eu.store.test", "gone")["consent.mode"] == "none"
    book = make_book()
    book.values["store:fr"] = {"consent.mode": "event"}
    assert settings_at(book, b"EU.store.test:8080")["consent.mode"] == "event"
    assert settings_at(make_book(()), "x")["consent.mode"] == "none"


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
