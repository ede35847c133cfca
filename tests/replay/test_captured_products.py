"""Every product that a stock Magento was recorded with, in every store view, to the records that Ometria receives."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.events import EntityRef
from bridge.export import sent
from bridge.export.gather import Dropped, Gatherer, Later, Ready
from bridge.export.ledger import Claimed
from bridge.settings import Book, load_book, parse
from bridge.store import keep_tree
from bridge.store.magento import Magento
from tests.export.serving import serve
from tests.replay.captured_catalog import TOKEN, CapturedCatalog, body, custom, products_of
from tests.replay.captured_shop import GOLDEN, recorded
from tests.replay.library import CAPTURES, NEEDS_CAPTURES
from tests.schema import create_tables

pytestmark = [*NEEDS_CAPTURES, pytest.mark.slow]

SECRET = "a-secret-key-for-tests-0123456789"
NOON = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
ONE = {"default": {"general.api_key": "key-main-0001"}}
OWN = {
    "store:default": {
        "general.api_key": "key-uk-0001",
        "products.namespace": "uk",
        "products.namespace_separator": ":",
        "products.id_attribute": "sku",
        "products.image": "thumbnail",
        "products.mapping": "color, size=clothing_size:both",
    },
    "store:fr": {
        "general.api_key": "key-fr-0002",
        "products.namespace": "fr_",
        "products.merge": "no",
        "products.image_number": "4",
        "products.url_format": "https://boutique.example.com/p/{product_id}/{url_path}",
        "products.mapping": "color=couleur:label, size=taille:id, short_description=resume:property",
    },
    "store:de": {
        "general.api_key": "key-de-0003",
        "general.store_id_kind": "id",
        "products.namespace": "de",
        "products.namespace_separator": "-",
        "products.parent_id": "no",
    },
}
LAYOUTS = {"one account": ONE, "own accounts": OWN}
STATES = {
    "simple",
    "configurable",
    "variant",
    "bundle",
    "grouped",
    "virtual",
    "special price",
    "sold out",
    "accents and quotes",
}


@dataclass(frozen=True)
class Number:
    """A number of JSON with its digits: money leaves with those that the shop gave."""

    digits: str


def exact(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Number, parse_int=Number)


GOLDENS = {
    file["product"]: file
    for file in (exact(path.read_text(encoding="utf-8")) for path in sorted((GOLDEN / "products").glob("*.json")))
}


@dataclass
class Room:
    """The real client in front of the recorded catalogue, and the real way of a row to its record."""

    shop: CapturedCatalog
    store: Magento
    tree: Book

    def book(self, values: dict[str, dict[str, str]]) -> Book:
        """Return settings, each read as the command line reads it."""
        read = {scope: {key: parse(key, text) for key, text in own.items()} for scope, own in values.items()}
        return Book(self.tree.parents, self.tree.stores, read)

    def outcomes(self, ids: list[str], values: dict[str, dict[str, str]], now: dt.datetime = NOON) -> dict[str, dict]:
        """Return account owner -> product id -> what becomes of its row: the record as it travels, or the outcome."""
        book, found = self.book(values), {}
        for account in book.accounts():
            rows = [
                Claimed(number, account.id, EntityRef("product", id_), account.owner, "live", 0, 0, False, "")
                for number, id_ in enumerate(ids)
            ]
            config = Config(secret_keys=(SECRET,))
            gatherer = Gatherer(self.store, config, account, book, dry=True, clock=lambda: now)
            found[account.owner] = {
                one.row.ref.id: exact(one.record.body) if isinstance(one, Ready) else one
                for one in gatherer.gather(rows)
            }
        return found

    def record(self, id_: str, **settings: str) -> Any:
        """Return the record of one product for the one account."""
        own = {name.replace("__", "."): value for name, value in settings.items()}
        return self.outcomes([id_], {"default": ONE["default"] | own})["default"][id_]

    def remember(self, id_: str) -> None:
        """Note that the one account was sent the product."""
        (account,) = self.book(ONE).accounts()
        (row,) = [Claimed(0, account.id, EntityRef("product", id_), "default", "live", 0, 0, False, "")]
        (ready,) = Gatherer(self.store, Config(secret_keys=(SECRET,)), account, self.book(ONE), dry=True).gather([row])
        sent.keep(account.id, [(ready.ref, ready.record, "")])


@pytest.fixture
def room(tmp_path: Path):
    app = Flask("bridge-captured")
    url = f"sqlite:///{tmp_path / 'captured.db'}"
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use([SECRET])
    db.init_app(app)
    shop = CapturedCatalog()
    with app.app_context(), serve(shop) as address:
        create_tables()
        store = Magento(Config(store_url=address, public_url="http://store.test", store_token=TOKEN))
        keep_tree(store.tree(), secure=False)
        db.session.commit()
        yield Room(shop, store, load_book())
        db.session.remove()
        db.engine.dispose()
    assert shop.unknown == [], "bridge asked for what was not recorded"


def expected(id_: str, layout: str) -> dict[str, Any]:
    """Return the golden records by the scope that owns the account."""
    file = GOLDENS[id_]
    if layout == "one account":
        return {"default": file[layout]}
    return {f"store:{view}": record for view, record in file[layout].items()}


def captured_ids() -> set[str]:
    """Return the ids of all products in the recorded answers about products, whatever serves them here."""
    found: set[str] = {"12"}

    def look(data: Any) -> None:
        if isinstance(data, list):
            for one in data:
                look(one)
        elif isinstance(data, dict):
            if "sku" in data and "type_id" in data:
                found.add(str(data["id"]))
            for one in data.values():
                look(one)

    for name, call in recorded().items():
        if re.match(r"products?_|configurable_children", name) and call.status == 200:
            look(json.loads(call.text))
    return found


def test_every_captured_product_has_golden_records():
    assert captured_ids() == GOLDENS.keys() == {str(id_) for id_ in products_of("default")}
    skus = {file["one account"]["sku"] for file in GOLDENS.values()}
    named = {row["sku"] for name in ("category_products", "grouped_links") for row in body(name)}
    named |= {link["sku"] for option in body("bundle_options") for link in option["product_links"]}
    named |= {
        row["sku"]
        for name in ("inventory_source_items", "inventory_export_stock_salable_qty")
        for row in body(name)["items"]
    }
    assert named <= skus


def test_every_type_and_state_has_golden_records_for_each_account():
    assert {file["state"] for file in GOLDENS.values()} == STATES
    for file in GOLDENS.values():
        assert file.keys() == {"product", "state", "one account", "own accounts"}
        assert file["own accounts"].keys() == {"default", "fr", "de"}


PAGES = {
    "product_simple": ("1", "default"),
    "product_simple_eu_fr": ("1", "fr"),
    "product_simple_special_price": ("2", "default"),
    "product_simple_unicode": ("9", "default"),
    "product_out_of_stock": ("12", "default"),
    "product_virtual": ("18", "default"),
    "product_grouped": ("19", "default"),
    "product_bundle": ("20", "default"),
}
"""Recorded page -> product and store view. The configurable one was recorded before its price was changed."""


@pytest.mark.parametrize("name", PAGES)
def test_a_golden_listing_says_what_the_recorded_page_shows(name):
    page = " ".join((CAPTURES / "pages" / f"{name}.html").read_text(encoding="utf-8").split())

    def told(mark: str) -> str:
        return html.unescape(re.search(rf'<meta (?:name|property)="{mark}" content="([^"]*)"', page)[1])

    id_, view = PAGES[name]
    (listing,) = (one for one in GOLDENS[id_]["one account"]["listings"] if one["store"] == view)
    price = listing.get("special_price", listing["price"]).digits
    shown = (told("title"), told("og:url"), told("product:price:currency"), Decimal(told("product:price:amount")))
    assert shown == (listing["title"], listing["url"], listing["currency"], Decimal(price))
    base, _, file = told("og:image").partition("catalog/product/cache/")
    assert listing["image_url"] == f"{base}catalog/product/{file.partition('/')[2]}"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("id_", sorted(GOLDENS, key=int))
def test_a_captured_product_becomes_its_golden_record(room, id_, layout):
    found = room.outcomes([id_], LAYOUTS[layout])
    assert {owner: records[id_] for owner, records in found.items()} == expected(id_, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_captured_products_become_their_golden_records_in_one_session(room, layout):
    found = room.outcomes(list(GOLDENS), LAYOUTS[layout])
    for id_ in GOLDENS:
        assert {owner: records[id_] for owner, records in found.items()} == expected(id_, layout)


def test_a_session_asks_for_each_list_once_a_store_view(room):
    room.outcomes(list(GOLDENS), ONE)
    for view in ("default", "fr", "de"):
        for route in ("products", "products-render-info", "categories/list"):
            assert room.shop.asked.count(f"/rest/{view}/V1/{route}") == 1
    assert not [path for path in room.shop.asked if "attributes" in path], "nothing is mapped"


def test_labels_are_asked_for_once_and_only_of_what_is_mapped(room):
    for _ in range(2):
        room.outcomes(list(GOLDENS), OWN)
    asked = [path for path in room.shop.asked if "attributes" in path]
    assert sorted(asked) == [
        "/rest/default/V1/products/attributes/color",
        "/rest/default/V1/products/attributes/size",
        "/rest/fr/V1/products/attributes/color",
        "/rest/fr/V1/products/attributes/short_description",
        "/rest/fr/V1/products/attributes/size",
    ]


def test_without_merge_and_special_price_no_period_is_told(room):
    assert "special_price_dt_to" not in room.record("1", products__merge="no")


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (dt.datetime(2026, 11, 24, 23, 59, 59, tzinfo=dt.UTC), False),
        (dt.datetime(2026, 11, 25, tzinfo=dt.UTC), True),
        (dt.datetime(2026, 12, 24, 23, 59, 59, tzinfo=dt.UTC), True),
        (dt.datetime(2026, 12, 25, tzinfo=dt.UTC), False),
    ],
)
def test_a_special_price_counts_on_its_days_when_the_shop_front_is_silent(room, moment, counts):
    def ends(raw: dict) -> None:
        raw["custom_attributes"].append({"attribute_code": "special_to_date", "value": "2026-12-24 00:00:00"})

    room.shop.changes[2] = ends
    room.shop.sold_out.add("24-MB04")
    record = room.outcomes(["2"], ONE, moment)["default"]["2"]
    assert record.get("special_price") == (Number("29.000000") if counts else None)
    assert record["special_price_dt_to"] == ("2026-12-24T23:59:59Z" if counts else "2000-01-01T00:00:00Z")
    assert all(("special_price" in one) is counts for one in record["listings"])


def disabled(raw: dict) -> None:
    raw["status"] = 2


def test_a_disabled_product_is_inactive_everywhere(room):
    room.shop.changes[1] = disabled
    record = room.record("1")
    assert record["is_active"] is False
    assert [one["is_active"] for one in record["listings"]] == [False, False, False]
    assert record["url"] == "http://store.test/joust-duffle-bag.html", "the shop front tells no address any more"


def test_a_product_disabled_in_one_view_is_inactive_there_only_and_described_by_another(room):
    def off(raw: dict) -> None:
        # The default view is asked for under its own code, the others under theirs.
        raw["status"] = 2 if room.shop.asked[-1].startswith("/rest/default/") else 1

    room.shop.changes[1] = off
    record = room.record("1")
    assert record["is_active"] is True
    assert [one["is_active"] for one in record["listings"]] == [False, True, True]
    assert (record["url"], record["currency"]) == ("http://eu.store.test/joust-duffle-bag.html", "EUR")


def test_a_disabled_variant_is_inactive(room):
    room.shop.changes[13] = disabled
    record = room.record("13")
    assert (record["is_variant"], record["is_active"]) == (True, False)


def unassigned(raw: dict) -> None:
    raw["extension_attributes"]["website_ids"] = [1]


def test_a_product_taken_out_of_a_website_loses_its_listings_there(room):
    room.shop.changes[1] = unassigned
    assert [one["store"] for one in room.record("1")["listings"]] == ["default"]
    outcomes = room.outcomes(["1"], OWN)
    assert isinstance(outcomes["store:fr"]["1"], Dropped), "the account never had it"


def test_a_product_that_left_an_accounts_last_website_is_withdrawn(room):
    room.remember("1")
    room.shop.changes[1] = lambda raw: raw["extension_attributes"].update(website_ids=[])
    assert room.record("1") == {
        "@type": "product",
        "id": "1",
        "@merge": True,
        "title": "Joust Duffle Bag",
        "sku": "24-MB01",
        "is_active": False,
    }


def test_a_deleted_product_is_withdrawn_by_the_id_it_was_sent_with(room):
    room.remember("1")
    room.shop.gone.add(1)
    gone = {"@type": "product", "id": "1", "@merge": True, "is_active": False}
    assert room.record("1") == gone
    assert room.record("1", products__id_attribute="sku", products__namespace="new") == gone


def test_a_deleted_product_that_was_never_sent_is_no_news(room):
    room.shop.gone.add(1)
    assert isinstance(room.record("1"), Dropped)


@pytest.mark.parametrize("times", [1, 2])
def test_a_product_that_a_list_forgot_is_not_withdrawn(room, monkeypatch, times):
    """Forgotten once it is found by the second question; forgotten twice in each view it is looked at again later."""
    room.remember("1")
    room.shop.gone.add(1)
    once, asked = CapturedCatalog._products, []

    def forgets(shop: CapturedCatalog, view: str) -> list:
        found = once(shop, view)
        asked.append(view)
        if asked.count("de") == times:
            shop.gone.discard(1)
        return found

    monkeypatch.setattr(CapturedCatalog, "_products", forgets)
    found = room.record("1")
    assert found["id"] == "1" if times == 1 else isinstance(found, Later)


@pytest.mark.parametrize(("id_", "sku"), [("1", "24-MB01"), ("13", "MH01-S-Red"), ("17", "MH01"), ("20", "24-BUN")])
def test_what_is_sold_out_is_out_of_stock_and_active(room, id_, sku):
    room.shop.sold_out.add(sku)
    record = room.record(id_)
    assert (record["is_in_stock"], record["is_active"]) == (False, True)
    assert record["url"] == expected(id_, "one account")["default"]["url"]


def test_what_comes_back_into_stock_is_told(room):
    room.shop.sold_out.clear()
    golden = expected("12", "one account")["default"]
    assert room.record("12") == golden | {"is_in_stock": True}


@pytest.mark.parametrize(
    ("parent", "sku", "page"), [("20", "24-BUN", "sprite-yoga-kit"), ("19", "24-GRP", "set-of-watches")]
)
def test_a_part_without_a_page_is_a_variant_of_the_bundle_or_the_set(room, parent, sku, page):
    # The watch is in both; the set is asked about with the bundle taken away.
    room.shop.changes[4] = lambda raw: raw.update(visibility=1)
    if parent == "19":
        room.shop.gone.add(20)
    record = room.record("4")
    assert (record["is_variant"], record["parent_id"]) == (True, parent)
    assert record["url"] == f"http://store.test/{page}.html"
    assert "listings" not in record
    named = room.record("4", products__id_attribute="sku")
    assert (named["id"], named["parent_id"]) == ("24-MG01", sku)


def test_a_part_with_a_page_of_its_own_is_a_product(room):
    records = room.outcomes(["20", "19", "4"], ONE)["default"]
    assert records["4"]["is_variant"] is False
    assert "parent_id" not in records["4"]


def test_an_option_that_the_shop_forgot_is_left_out(room):
    def forgotten(raw: dict) -> None:
        for row in raw["custom_attributes"]:
            if row["attribute_code"] == "color":
                row["value"] = "99"

    room.shop.changes[13] = forgotten
    record = room.record("13", products__mapping="color, size")
    assert [one["type"] for one in record["attributes"]] == ["category", "size"]


def test_a_label_is_that_of_the_accounts_own_store_view(room):
    record = room.outcomes(["13"], OWN)["store:fr"]["13"]
    assert {"type": "couleur", "label": "Red"} in record["attributes"]
    assert custom(products_of("fr")[13])["color"] == "4"
