"""What the shop sells is what the tests of others rely on."""

from __future__ import annotations

from bridge.sandbox.catalog import ATTRIBUTES, CATEGORIES, PRODUCTS, Catalog


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
    assert (kinds.count("simple"), kinds.count("virtual"), kinds.count("configurable")) == (9, 1, 2)
    assert any(product.special_price for product in PRODUCTS)
    assert any(
        product.quantity == 0 and product.type_id == "simple" and product.visibility == 4 for product in PRODUCTS
    )
    assert any({"&", '"', "É"} <= set(product.name) for product in PRODUCTS)
    assert len(CATEGORIES) == 3


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
