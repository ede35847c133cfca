"""Settings for the tests of the mapping: two websites with three store views, and one account unless told otherwise."""

from __future__ import annotations

import json
from decimal import Decimal

from bridge.export.mapping import mapped
from bridge.settings import Book, Store


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
    """Return the settings with these values by scope."""
    merged = {"default": {"general.api_key": "key-main-0001"}}
    for scope, own in (values or {}).items():
        merged.setdefault(scope, {}).update(own)
    return Book(PARENTS, stores, merged)


def make(**values):
    """Return the one account and its book; a value is of the setting whose dot is two underscores."""
    book = make_book({"default": {name.replace("__", "."): value for name, value in values.items()}})
    return book.accounts()[0], book


def sent(record) -> dict:
    """Return a record as it travels."""
    return json.loads(mapped(record).body, parse_float=Decimal)
