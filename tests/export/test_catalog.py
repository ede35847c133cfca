"""SKU, product and parent, from everything that is read."""

from __future__ import annotations

import msgspec
import pytest

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import catalog, cursors, find_variants, jobs, ledger
from bridge.models import CatalogItem, Pending, VariantParent
from tests.export import samples

pytestmark = pytest.mark.usefixtures("settings")


def item(sku: str) -> tuple[str, str | None, str | None]:
    row = db.session.get(CatalogItem, sku, populate_existing=True)
    return row.product, row.parent, row.parent_sku


def test_a_parent_that_was_read_names_its_variants(shop):
    catalog.keep_products([samples.VARIANT])
    assert item("HOOD-S") == ("13", None, None)
    assert catalog.keep_products([samples.HOODIE]) == {"13"}
    assert item("HOOD-S") == ("13", "17", "HOOD")
    assert catalog.keep_products([samples.HOODIE]) == set()


def test_a_parent_that_was_never_read_is_looked_for_once(shop):
    assert catalog.parents_of([samples.VARIANT], shop) == {"13": ("17", "HOOD")}
    assert shop.calls == ["families"]
    lonely = msgspec.structs.replace(samples.VARIANT, id="99", sku="LONE")
    assert catalog.parents_of([lonely, samples.VARIANT, samples.BAG], shop) == {"13": ("17", "HOOD")}
    assert shop.calls == ["families"]


def test_a_variant_that_left_its_parent_has_none():
    catalog.keep_products([samples.HOODIE])
    catalog.keep_products([msgspec.structs.replace(samples.HOODIE, children=("14",))])
    assert db.session.get(VariantParent, "13") is None
    assert db.session.get(VariantParent, "14").parent == "17"


def test_a_variant_of_two_parents_stays_with_the_first():
    catalog.keep_products([samples.HOODIE])
    other = msgspec.structs.replace(samples.HOODIE, id="18", sku="OTHER")
    assert catalog.keep_products([other]) == set()
    catalog.keep_products([samples.VARIANT])
    assert item("HOOD-S") == ("13", "17", "HOOD")


def test_an_order_tells_variant_and_parent():
    catalog.keep_orders([samples.GUEST_ORDER])
    assert item("HOOD-S")[:2] == ("13", "17")
    assert db.session.get(CatalogItem, "BAG") is None


def test_a_cart_finds_the_products_of_its_skus(shop):
    assert find_variants(["HOOD-S", "BAG", "nothing"], shop) == {"HOOD-S": ("13", "17"), "BAG": ("1", None)}


def test_skus_come_from_what_is_kept_else_from_the_shop(shop):
    assert catalog.skus_of(["17", "1", "999"], shop) == {"17": "HOOD", "1": "BAG"}
    shop.calls.clear()
    assert catalog.skus_of(["17", "1"], shop) == {"17": "HOOD", "1": "BAG"}
    assert shop.calls == []


def test_of_two_orders_that_name_a_product_by_two_skus_one_counts(shop):
    """A second SKU would stay when the product is read, and might be told as its id."""
    first, second = samples.GUEST_ORDER.lines[1], msgspec.structs.replace(samples.GUEST_ORDER.lines[1], sku="HOOD-NEW")
    lines = samples.GUEST_ORDER.lines
    assert (first.sku, first.parent) == ("HOOD-S", lines[0].id)
    newer = msgspec.structs.replace(samples.GUEST_ORDER, id="44", lines=(lines[0], second))
    catalog.keep_orders([samples.GUEST_ORDER, newer])
    assert db.session.get(CatalogItem, "HOOD-NEW") is None
    catalog.keep_products([msgspec.structs.replace(samples.VARIANT, sku="HOOD-LAST")])
    assert db.session.get(CatalogItem, "HOOD-S") is None
    assert catalog.skus_of(["13"], shop) == {"13": "HOOD-LAST"}


def test_a_changed_sku_replaces_the_old_one_for_product_and_variants(shop):
    catalog.keep_products([samples.HOODIE, samples.VARIANT])
    catalog.keep_products([msgspec.structs.replace(samples.HOODIE, sku="HOOD-2")])
    assert item("HOOD-S") == ("13", "17", "HOOD-2")
    catalog.keep_products([msgspec.structs.replace(samples.VARIANT, sku="HOOD-2-S")])
    assert db.session.get(CatalogItem, "HOOD-S") is None
    catalog.keep_orders([samples.GUEST_ORDER])
    assert db.session.get(CatalogItem, "HOOD-S") is None, "an old order does not bring the old SKU back"
    assert catalog.skus_of(["13", "17"], shop) == {"13": "HOOD-2-S", "17": "HOOD-2"}


def test_sku_ids_of_order_lines_are_the_products_own(room, account, settings):
    settings(products__id_attribute="sku")
    made_up = samples.order("8", samples.line("20", "1", "BAG-engraved", "40"), updated_at=samples.at(2))
    ledger.add([ledger.Owed(account.id, room.shop.put(made_up), "store:default")], "live")
    db.session.commit()
    jobs.session(account.id)
    (line,) = room.records("order")["100000008"]["lineitems"]
    assert line["product_id"] == "BAG" in room.records("product")
    assert line["sku"] == "BAG-engraved"


def test_a_variant_sent_before_its_parent_was_known_is_sent_again(room, account):
    room.shop.put(msgspec.structs.replace(samples.HOODIE, children=()))
    ledger.add([ledger.Owed(account.id, EntityRef("product", "13"))], "live")
    db.session.commit()
    jobs.session(account.id)
    assert room.records("product")["13"]["is_variant"] is False
    assert cursors.read(catalog.WALK)
    room.shop.put(samples.HOODIE)
    ledger.add([ledger.Owed(account.id, EntityRef("product", "17"))], "live")
    db.session.commit()
    jobs.session(account.id)
    assert room.records("product")["13"]["parent_id"] == "17"
    assert db.session.query(Pending).count() == 0


def test_a_part_without_a_page_belongs_to_the_bundle_before_the_grouped_product(shop):
    for one in samples.SETS:
        shop.put(one)
    assert catalog.parents_of([samples.STRAP], shop) == {"21": ("20", "KIT")}
    assert shop.calls == ["families"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_stronger_kind_of_parent_wins_whichever_is_read_first(order):
    hood = msgspec.structs.replace(samples.HOODIE, children=("21",))
    catalog.keep_products([samples.STRAP])
    for place in order:
        catalog.keep_products([(samples.SET, samples.KIT, hood)[place]])
    link = db.session.get(VariantParent, "21", populate_existing=True)
    assert (link.parent, link.parent_sku, link.kind) == ("17", "HOOD", "configurable")
    catalog.keep_products([samples.STRAP])
    assert item("STRAP") == ("21", "17", "HOOD")


def test_a_variant_is_told_again_when_a_stronger_parent_is_read():
    catalog.keep_products([samples.STRAP])
    assert catalog.keep_products([samples.SET]) == {"21"}
    assert catalog.keep_products([samples.SET]) == set()
    assert catalog.keep_products([samples.KIT]) == {"21"}
    assert catalog.keep_products([samples.KIT, samples.SET]) == set()


def test_a_part_with_a_page_of_its_own_has_no_parent_in_a_cart(shop):
    for one in samples.SETS:
        shop.put(one)
    catalog.keep_products([samples.BAG, samples.STRAP, samples.KIT])
    assert item("BAG") == ("1", None, None)
    assert item("STRAP") == ("21", "20", "KIT")
    assert find_variants(["BAG", "STRAP"], shop) == {"BAG": ("1", None), "STRAP": ("21", "20")}


def test_parts_that_are_not_known_yet_do_not_undo_what_is(shop):
    for one in samples.SETS:
        shop.put(one)
    assert catalog.parents_of([samples.STRAP], shop) == {"21": ("20", "KIT")}
    catalog.keep_products([samples.KIT])
    assert catalog.parents_of([samples.STRAP], shop) == {"21": ("20", "KIT")}


def test_a_part_that_left_its_bundle_goes_to_the_next_one():
    catalog.keep_products([samples.BAG, samples.TEE, samples.STRAP, samples.KIT, samples.SET])
    catalog.keep_products([msgspec.structs.replace(samples.KIT, parts=("BAG",))])
    assert db.session.get(VariantParent, "21") is None
    assert catalog.keep_products([samples.SET]) == {"21"}
    assert db.session.get(VariantParent, "21").parent == "19"


def test_a_walk_lets_the_cart_know_the_parent_at_once(shop):
    for one in samples.SETS:
        shop.put(one)
    catalog.keep_products([samples.STRAP])
    assert item("STRAP") == ("21", None, None)
    catalog.parents_of([samples.STRAP], shop)
    assert item("STRAP") == ("21", "20", "KIT")
