"""What counts as the same at Ometria, whatever way it writes it, and what differs."""

from __future__ import annotations

import pytest

from bridge.export.drift_match import differing, place_of


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (34, 34.0),
        (34, "34.00"),
        ("34.10", 34.1),
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:00+00:00"),
        ("2026-11-25T10:00:00Z", "2026-11-25 10:00:00"),
        ("2026-11-25T10:00:00Z", "2026-11-25T12:00:00.123+02:00"),
        ("1990-01-02", "1990-01-02"),
        ("Bag", " Bag "),
        ([], None),
        ("", None),
        ({"a": 1, "b": [1, 2]}, {"b": [2, 1], "a": 1, "c": 5}),
        ([{"type": "a"}, {"type": "b"}], [{"type": "b", "more": 1}, {"type": "a"}]),
        (True, True),
    ],
)
def test_the_same_in_other_words_is_no_difference(sent, held):
    assert differing({"x": sent}, {"x": held}) == []


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (34, 35),
        (34, None),
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:01Z"),
        ("1990-01-02", "1990-01-03"),
        ("Bag", "bag"),
        ("007", "7"),
        ("1e3", 1000),
        (True, False),
        (True, 1),
        (False, None),
        ([1], [1, 1]),
        ([{"type": "a"}, {"type": "a"}], [{"type": "a"}, {"type": "b"}]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
        ([], [1]),
    ],
)
def test_another_value_is_a_difference(sent, held):
    assert differing({"x": sent}, {"x": held}) == ["x"]


def test_an_address_is_the_same_in_other_letters():
    assert differing({"email": "Ann@X.test"}, {"email": "ann@x.test"}) == []


def test_instructions_and_what_the_list_leaves_out_say_nothing():
    assert differing({"@merge": True, "id": "1", "title": "Bag"}, {"id": "1", "@merge": False}) == []


def test_long_lists_are_compared_in_order():
    many = [{"n": number} for number in range(300)]
    assert differing({"x": many}, {"x": list(many)}) == []
    assert differing({"x": many}, {"x": many[::-1]}) == ["x"]


@pytest.mark.parametrize(
    ("held", "place"),
    [
        ({"store": "fr", "timestamp": "2020-02-03T04:05:06Z"}, ("fr", "2020-02-03")),
        ({"store_ids": ["de"], "timestamp_acquired": "2020-02-03 04:05:06"}, ("de", "2020-02-03")),
        ({"listings": [{"store": "uk"}]}, ("uk", "")),
        ({"listings": ["odd"], "store_ids": "odd", "timestamp": 5}, ("", "")),
        ({"timestamp": "2020-99-99T00:00:00Z", "store": {"odd": 1}}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_store_and_day_are_read_where_a_record_names_them(held, place):
    assert place_of(held) == place
