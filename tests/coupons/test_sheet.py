"""The CSV file runs nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.coupons.sheet import HEAD, cell, lines
from bridge.models_coupons import CouponCode


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_becomes_text(text):
    assert cell(text) == f"'{text}"


@given(st.text())
def test_no_cell_begins_like_a_formula(text):
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_a_file_is_read_back_as_it_was_meant():
    rows = [
        CouponCode(code="OM-1", rule_id=2, state="given", times_used=1, at=0.0, expires_at=86_400.0, request="r1"),
        CouponCode(code="=1+1", rule_id=2, state="stock", times_used=0, at=5.0, expires_at=0.0, request=None),
        CouponCode(code='a"b,c', rule_id=2, state="stock", times_used=0, at=5.0, expires_at=0.0, request=None),
    ]
    head, *read = list(csv.reader(io.StringIO("".join(lines(rows)), newline="")))
    assert tuple(head) == HEAD
    assert read[0] == ["OM-1", "2", "given", "1", "", "1970-01-02 00:00:00", "r1"]
    assert read[1][0] == "'=1+1"
    assert read[2][0] == 'a"b,c'
