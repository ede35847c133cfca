"""What an attribute mapping takes as text, and how its rows read."""

from __future__ import annotations

import pytest

from bridge.errors import Misconfigured
from bridge.settings import MappedAttribute, mapped_attributes, parse


@pytest.mark.parametrize(
    ("key", "value", "rows"),
    [
        ("customers.mapping", "", []),
        ("customers.mapping", "tier", ["tier"]),
        ("customers.mapping", "tier=level:id, tier=level_name:label\ntaxvat", None),
        ("customers.mapping", ["z", "a=b"], ["z", "a=b"]),
        ("orders.mapping", "billing_address.company=company,po_number", None),
    ],
)
def test_rows_keep_their_order_and_are_read_again_from_what_is_kept(key, value, rows):
    kept = parse(key, value)
    assert kept == (value.replace("\n", " ").replace(",", " ").split() if rows is None else rows)
    assert parse(key, ", ".join(kept)) == kept


def test_a_row_names_the_attribute_its_name_at_ometria_and_the_form():
    assert mapped_attributes(["tier", "tier=level:id", "billing_address.city=Town"]) == [
        MappedAttribute("tier", "tier"),
        MappedAttribute("tier", "level", "id"),
        MappedAttribute("billing_address.city", "Town"),
    ]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("customers.mapping", "tier=level, vip=level", "'level' is there twice"),
        ("customers.mapping", "tier, tier", "'tier' is there twice"),
        ("customers.mapping", "tier:colour", "'tier:colour' is none"),
        ("customers.mapping", "=level", "'=level' is none"),
        ("customers.mapping", "tier=a.b", "'tier=a.b' is none"),
        ("customers.mapping", "1tier", "with :id or :label behind it"),
        ("orders.mapping", "po_number:id", "CODE or CODE=OMETRIA_NAME; 'po_number:id' is none"),
        ("customers.collection", "optin:sms", "1 to 60 letters"),
        ("customers.collection", "", "1 to 60 letters"),
    ],
)
def test_what_is_no_row_is_refused_with_the_row(key, value, sentence):
    with pytest.raises(Misconfigured) as caught:
        parse(key, value)
    assert sentence in str(caught.value)
