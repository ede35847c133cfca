"""Labels for a mapping are asked for where there is one, and what is unknown is asked for once more."""

from __future__ import annotations

import msgspec
import pytest
from structlog.testing import capture_logs

from bridge.export.labels import labels_of
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.books import make
from tests.export.test_map_products import BAG, HOODIE, TEE, changed, shown

VARIANT = shown(samples.VARIANT, "default")


@pytest.fixture
def shop():
    memory = Memory(samples.TREE)
    memory.labels.update(samples.LABELS)
    return memory


def test_without_a_mapping_nothing_is_asked(shop):
    assert labels_of([VARIANT], *make(), shop) == {}
    assert shop.calls == []


def test_only_what_products_have_is_asked_for_in_the_view_that_describes_them(shop):
    account, book = make(products__mapping=["color", "material", "other"])
    french = changed(shown(samples.TEE, "fr"), values={"color": "5"})
    found = labels_of([VARIANT, BAG, HOODIE, french], account, book, shop)
    assert found == {
        "default": {"color": samples.COLOR, "material": samples.MATERIAL},
        "fr": {"color": samples.COLOR},
    }
    assert shop.calls == ["attributes", "attributes"]


def test_a_product_that_nobody_sells_needs_no_labels(shop):
    account, book = make(products__mapping=["color"])
    assert labels_of([msgspec.structs.replace(TEE, website_ids=())], account, book, shop) == {}


def test_an_unknown_option_is_asked_for_again_and_then_told_without_its_label(shop):
    account, book = make(products__mapping=["color"])
    odd = changed(VARIANT, values={"color": "99"})
    with capture_logs() as logs:
        found = labels_of([odd], account, book, shop)
    assert found == {"default": {"color": samples.COLOR}}
    assert shop.calls == ["attributes", "attributes"]
    assert [(line["attribute"], line["option"], line["store"]) for line in logs] == [("color", "99", "default")]


def test_an_option_that_was_added_meanwhile_is_found(shop):
    account, book = make(products__mapping=["color"])
    asked = []

    class Newer(Memory):
        def attributes(self, kind, names, view, *, fresh=False):
            asked.append(fresh)
            options = {**samples.COLOR.options, **({"99": "Teal"} if fresh else {})}
            return {"color": msgspec.structs.replace(samples.COLOR, options=options)}

    with capture_logs() as logs:
        found = labels_of([changed(VARIANT, values={"color": "99"})], account, book, Newer(samples.TREE))
    assert found["default"]["color"].options["99"] == "Teal"
    assert (asked, logs) == ([False, True], [])
