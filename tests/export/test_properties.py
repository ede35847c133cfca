"""The merchant's attribute mapping: values of the shop in, fields and properties out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.export.properties import mapped_values, under
from bridge.store import AttributeInfo

BRANDS = AttributeInfo(id="9", code="brands", input="multiselect", options={"5": "Acme", "7": "Best", "9": "Öko"})
TIER = AttributeInfo(id="8", code="tier", input="select", options={"1": "Gold", "2": "Silver"})
VIP = AttributeInfo(id="7", code="vip", input="boolean", options={"1": "Yes", "0": "No"})
NOTE = AttributeInfo(id="6", code="note", input="text")
KNOWN = {one.code: one for one in (BRANDS, TIER, VIP, NOTE)}


def properties(row: str, value: object) -> dict:
    own, found = mapped_values({row.partition(":")[0]: value}, [row], (), KNOWN)
    assert own == {}
    return found


@pytest.mark.parametrize(
    ("row", "value", "expected"),
    [
        ("tier", "2", "Silver"),
        ("tier:label", "2", "Silver"),
        ("tier:id", "2", "2"),
        ("tier", 2, "Silver"),
        ("tier", "3", None),
        ("tier:id", "3", None),
        ("brands", "5,7,9", ["Acme", "Best", "Öko"]),
        ("brands", ("5", "9"), ["Acme", "Öko"]),
        ("brands:id", "5, 999", ["5"]),
        ("brands", "5", ["Acme"]),
        ("brands", "999", None),
        ("vip", "1", "Yes"),
        ("vip", True, "Yes"),
        ("vip:id", False, "0"),
        ("note", "5,7", "5,7"),
        ("unheard", ("a", "b"), ["a", "b"]),
        ("unheard", Decimal("1E+2"), Decimal(100)),
        ("unheard", Decimal("0.00"), Decimal("0.00")),
        ("unheard", 0, 0),
        ("unheard", False, False),
    ],
)
def test_an_option_is_its_label_or_its_id_and_all_else_as_the_shop_gave_it(row, value, expected):
    found = properties(row, value)
    assert found == ({} if expected is None else {row.partition(":")[0]: expected})
    assert all(str(one) != "1E+2" for one in found.values())


def test_rows_keep_their_order_and_name_the_properties_or_the_records_own_fields():
    values = {"b": "1", "a": "2", "c": "3"}
    own, found = mapped_values(values, ["c=third", "a", "b=web_id", "none"], {"web_id"})
    assert own == {"web_id": "1"}
    assert list(found.items()) == [("third", "3"), ("a", "2")]


def test_what_does_not_fit_is_left_out_and_smaller_ones_behind_it_are_not():
    assert under({"a": "1", "b": "x" * 20, "c": "2"}, 20) == {"a": "1", "c": "2"}
    assert under({}, 20) == {}
    assert under({"a": Decimal("1.50")}, 11) == {"a": Decimal("1.50")}, "a number has the length that travels"
    assert under({"a": Decimal("1.50")}, 10) == {}
