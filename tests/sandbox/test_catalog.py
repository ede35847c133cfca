"""What the shop sells is what the tests of others rely on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.sandbox.catalog import ATTRIBUTES, CATEGORIES, PRODUCTS, Catalog
from bridge.sandbox.views import FRENCH, GERMAN


def test_ids_skus_and_url_keys_are_unique():
    for values in ([p.id for p in PRODUCTS], [p.sku for p in PRODUCTS], [p.url_key for p in PRODUCTS]):
        assert len(values) == len(set(values))


def test_no_product_id_is_an_option_or_attribute_id():
    options = {option.id for attribute in ATTRIBUTES for option in attribute.options}
    variants = {product.id for product in PRODUCTS if product.visibility == 1}
    assert not variants & options
    assert not {product.id for product in PRODUCTS} & {attribute.id for attribute in ATTRIBUTES}


def test_the_assortment_has_every_kind():
    kinds = [product.type_id for product in PRODUCTS if product.visibility == 4]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "simple": 26,
        "virtual": 2,
        "configurable": 3,
        "bundle": 2,
        "grouped": 1,
    }
    assert any(product.special_price for product in PRODUCTS)
    assert any(
        product.quantity == 0 and product.type_id == "simple" and product.visibility == 4 for product in PRODUCTS
    )
    assert any({"&", '"', "É"} <= set(product.name) for product in PRODUCTS)
    assert any("/" in product.sku and " " in product.sku for product in PRODUCTS)
    assert {product.websites for product in PRODUCTS} == {(1, 2), (1,), (2,)}
    assert len(CATEGORIES) == 4


def test_a_store_view_has_prices_of_its_website_and_words_of_its_own():
    french, german = Catalog(view=FRENCH), Catalog(view=GERMAN)
    assert (french.by_id[1].name, str(french.by_id[1].price)) == ("Sac de quai", "74.90")
    assert (german.by_id[4].name, str(german.by_id[4].price)) == ("Storm Lantern", "78.00")
    assert "hatchet" in german.by_url_key or "handbeil" in german.by_url_key
    assert not {"hatchet", "thermos-for-proper-tea", "retired-rucksack"} & set(french.by_url_key)
    assert "boule-set" not in Catalog().by_url_key


@pytest.mark.parametrize(("today", "price"), [("2024-06-15", 45), ("2024-07-01", 55), ("2026-01-01", 55)])
def test_a_special_price_holds_between_its_dates(today, price):
    assert Catalog(today=today).by_id[203].final_price == price


def test_prices_of_bundles_and_groups_come_from_their_parts():
    catalog = Catalog()
    kit, gift, table = (catalog.by_id[id_] for id_ in (221, 222, 223))
    assert catalog.bundle_prices(kit) == (Decimal("51.50"), Decimal(143))
    assert catalog.bundle_prices(gift) == (Decimal("74.50"), Decimal(85))
    assert catalog.lowest_price(table) == Decimal("12.50")
    assert catalog.selections(kit, {51: [61]}) is None
    assert catalog.selections(kit, {51: [61], 52: [99]}) is None


def test_each_configurable_has_four_variants_with_both_options():
    catalog = Catalog()
    for parent in (catalog.by_id[17], catalog.by_id[23]):
        children = catalog.children(parent)
        assert len(children) == 4
        assert len({(child.options["color"], child.options["size"]) for child in children}) == 4
        assert {catalog.parent_of[child.id] for child in children} == {parent.id}


def test_a_variant_is_found_only_by_a_complete_choice():
    catalog = Catalog()
    assert catalog.variant(catalog.by_id[17], {93: "5", 137: "8"}).id == 16
    assert catalog.variant(catalog.by_id[17], {93: "5"}) is None
    assert catalog.variant(catalog.by_id[17], {93: "6", 137: "8"}) is None


def test_a_configurable_shows_its_cheapest_variant():
    catalog = Catalog()
    assert catalog.lowest_price(catalog.by_id[17]) == 145
    assert catalog.lowest_price(catalog.by_id[2]) == 39
