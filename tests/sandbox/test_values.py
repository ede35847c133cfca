"""Values as Magento writes them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.values import dumps, four_places, from_uenc, inline_json, masked_id, number, shown, uenc


@pytest.mark.parametrize(
    ("amount", "written"), [("34", 34), ("34.00", 34), ("105.3", 105.3), ("0", 0), ("-5.20", -5.2)]
)
def test_money_is_a_whole_number_where_it_can_be(amount, written):
    assert number(Decimal(amount)) == written
    assert isinstance(number(Decimal(amount)), int) is (Decimal(amount) % 1 == 0)


def test_money_for_people_and_for_the_database():
    assert shown(Decimal("1234.5")) == "£1,234.50"
    assert four_places(Decimal(34)) == "34.0000"


@given(st.text())
def test_json_means_the_same_whatever_its_escapes(text):
    assert json.loads(dumps({"key": text})) == {"key": text}
    assert json.loads(inline_json({"key": text})) == {"key": text}


@given(st.text(alphabet="</scriptSCRIPT!-> "))
def test_no_text_ends_an_inline_script(text):
    assert "<" not in inline_json([text])
    assert dumps([text]).isascii()


@given(st.text())
def test_an_encoded_address_reads_back_and_fits_a_path_segment(text):
    assert from_uenc(uenc(text)) == text
    assert not set(uenc(text)) & set("/+=")


@pytest.mark.parametrize("text", ["a", "%%%", "é", "AAA"])
def test_what_is_no_encoded_address_reads_as_nothing(text):
    assert from_uenc(text) == ""


def test_masked_ids_are_32_letters_and_differ():
    ids = {masked_id(number) for number in range(500, 600)}
    assert len(ids) == 100
    assert all(len(masked) == 32 and masked.isalnum() for masked in ids)
