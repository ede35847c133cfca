"""A product's mapping: attributes with id and label, as each row wants them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from bridge.export.map_attributes import mapped_entries, unknown_options
from bridge.settings import parse
from bridge.store import AttributeInfo, ProductView

BRAND = AttributeInfo(id="83", code="brand", input="select", options={"213": "Acme", "214": "Zed, Ltd"})
SIZES = AttributeInfo(id="137", code="sizes", input="multiselect", options={"5": "S", "7": "M", "9": "L"})
NEW = AttributeInfo(id="140", code="new", input="boolean", options={"1": "Oui", "0": "Non"})
TEXT = AttributeInfo(id="150", code="fit", input="text")
EMPTY = AttributeInfo(id="151", code="grip", input="select")
KNOWN = {one.code: one for one in (BRAND, SIZES, NEW, TEXT, EMPTY)}


def entries(values, mapping, known=KNOWN):
    found, properties = mapped_entries(values, parse("products.mapping", mapping), known)
    return [msgspec.to_builtins(one) for one in found], properties


@pytest.mark.parametrize(
    ("row", "entry"),
    [
        ("brand", {"type": "brand", "id": "213", "label": "Acme"}),
        ("brand:both", {"type": "brand", "id": "213", "label": "Acme"}),
        ("brand=maker:id", {"type": "maker", "id": "213"}),
        ("brand=maker:label", {"type": "maker", "label": "Acme"}),
    ],
)
def test_an_option_is_sent_with_its_id_its_label_or_both(row, entry):
    assert entries({"brand": "213"}, row) == ([entry], {})


def test_one_attribute_may_be_sent_twice_under_two_names():
    found, properties = entries({"brand": "213"}, "brand=maker:label, brand=maker_id:id, brand=label:property")
    assert found == [{"type": "maker", "label": "Acme"}, {"type": "maker_id", "id": "213"}]
    assert properties == {"label": "Acme"}


@pytest.mark.parametrize("value", ["5,7,9", ("5", "7", "9"), " 5, 7,9,"])
def test_each_of_several_options_is_an_entry(value):
    found, _ = entries({"sizes": value}, "sizes")
    assert [(one["id"], one["label"]) for one in found] == [("5", "S"), ("7", "M"), ("9", "L")]


@pytest.mark.parametrize("value", ["1", 1, True])
def test_yes_and_no_are_named_in_the_views_language(value):
    assert entries({"new": value}, "new")[0] == [{"type": "new", "id": "1", "label": "Oui"}]


def test_an_option_that_is_gone_is_left_out_and_told():
    assert entries({"brand": "999"}, "brand, brand=b:property") == ([], {})
    assert [one["id"] for one in entries({"sizes": "5,999"}, "sizes")[0]] == ["5"]
    views = [ProductView(values={"brand": "999", "sizes": "5,998", "fit": "slim"}), ProductView(values={"grip": "1"})]
    asked = parse("products.mapping", "brand, sizes, fit, grip, other")
    assert unknown_options(views, asked, KNOWN) == {("brand", "999"), ("sizes", "998"), ("grip", "1")}


@pytest.mark.parametrize("value", ["slim, tapered", Decimal("1.5000"), 7])
def test_what_has_no_options_is_its_own_id_and_label(value):
    assert entries({"fit": value}, "fit")[0] == [{"type": "fit", "id": str(value), "label": str(value)}]
    assert entries({"fit": value}, "fit:label")[0] == [{"type": "fit", "label": str(value)}]


def test_an_attribute_that_the_shop_does_not_name_is_taken_as_text():
    assert entries({"type_id": "simple"}, "type_id", {})[0] == [{"type": "type_id", "id": "simple", "label": "simple"}]


def test_a_product_without_the_attribute_has_no_entry():
    assert entries({"fit": "slim"}, "brand, sizes=s:property") == ([], {})
