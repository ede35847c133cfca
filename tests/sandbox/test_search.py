"""searchCriteria and fields, with the quirks of the real shop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.search import BadDirectionError, MissingCriteriaError, UnknownFieldError, parse, project, search

ROWS = [
    {
        "entity_id": 1,
        "sku": "A-1",
        "price": "9.50",
        "updated_at": "2026-01-01 10:00:00",
        "note": None,
        "site": ["3", "4"],
    },
    {"entity_id": 2, "sku": "B-2", "price": "10", "updated_at": "2026-01-02 00:00:00", "note": "x,y", "site": ["4"]},
    {"entity_id": 10, "sku": "b_3", "price": "100", "updated_at": "2026-01-03 23:59:59", "note": "y", "site": []},
]


def column(row, name):
    if name not in row:
        raise UnknownFieldError(name)
    return row[name]


def criteria(*filters, **rest):
    """Each filter is (group, field, value, condition)."""
    arguments = [("searchCriteria", "")]
    for place, (group, field, value, condition) in enumerate(filters):
        start = f"searchCriteria[filterGroups][{group}][filters][{place}]"
        arguments += [(f"{start}[field]", field), (f"{start}[value]", value)]
        if condition:
            arguments.append((f"{start}[conditionType]", condition))
    arguments += [(f"searchCriteria{key}", value) for key, value in rest.items()]
    return parse(arguments)


def found(*filters, **rest):
    return [row["entity_id"] for row in search(ROWS, column, criteria(*filters, **rest))[0]]


@pytest.mark.parametrize(
    ("field", "condition", "value", "ids"),
    [
        ("entity_id", "eq", "2", [2]),
        ("entity_id", "", "2", [2]),
        ("entity_id", "neq", "2", [1, 10]),
        ("entity_id", "gt", "2", [10]),
        ("entity_id", "gteq", "2", [2, 10]),
        ("entity_id", "moreq", "2", [2, 10]),
        ("entity_id", "from", "2", [2, 10]),
        ("entity_id", "lt", "10", [1, 2]),
        ("entity_id", "lteq", "2", [1, 2]),
        ("entity_id", "to", "2", [1, 2]),
        ("entity_id", "in", "10,1", [1, 10]),
        ("entity_id", "nin", "10,1", [2]),
        ("price", "gt", "9.5", [2, 10]),
        ("sku", "eq", "a-1", [1]),
        ("sku", "in", "A-1,b_3", [1, 10]),
        ("sku", "like", "b%", [2, 10]),
        ("sku", "like", "_-_", [1, 2]),
        ("sku", "nlike", "b%", [1]),
        ("note", "null", "", [1]),
        ("note", "notnull", "", [2, 10]),
        ("note", "neq", "y", [2]),
        ("note", "finset", "y", [2, 10]),
        ("note", "nfinset", "x", [10]),
        ("site", "eq", "4", [1, 2]),
        ("site", "in", "3,9", [1]),
        ("sku", "no-such-word", "A-1", [1]),
        ("updated_at", "gteq", "2026-01-02 00:00:00", [2, 10]),
        ("updated_at", "gteq", "2026-01-02T00:00:00Z", [2, 10]),
        ("updated_at", "gteq", "2026-01-02", [2, 10]),
        ("updated_at", "gt", "2026-01-02T00:00:00+05:00", [10]),
    ],
)
def test_each_condition_finds_what_the_real_shop_finds(field, condition, value, ids):
    assert found((0, field, value, condition)) == ids


def test_filters_of_a_group_are_alternatives_and_groups_restrict_each_other():
    either = [(0, "entity_id", "1", "eq"), (0, "entity_id", "10", "eq")]
    assert found(*either) == [1, 10]
    assert found(*either, (1, "price", "50", "lt")) == [1]


def test_a_sort_without_direction_is_descending():
    assert found(**{"[sortOrders][0][field]": "entity_id"}) == [10, 2, 1]
    assert found(**{"[sortOrders][0][field]": "entity_id", "[sortOrders][0][direction]": "asc"}) == [1, 2, 10]


def test_numbers_sort_as_numbers_and_null_comes_first():
    assert found(**{"[sort_orders][0][field]": "price", "[sort_orders][0][direction]": "ASC"}) == [1, 2, 10]
    assert found(**{"[sort_orders][0][field]": "note", "[sort_orders][0][direction]": "ASC"})[0] == 1


def test_the_second_sort_order_breaks_ties_of_the_first():
    rows = [{"a": 1, "b": 2}, {"a": 1, "b": 1}, {"a": 0, "b": 3}]
    order = parse(
        [
            ("searchCriteria[sortOrders][0][field]", "a"), ("searchCriteria[sortOrders][0][direction]", "ASC"),
            ("searchCriteria[sortOrders][1][field]", "b"), ("searchCriteria[sortOrders][1][direction]", "ASC"),
        ]
    )  # fmt: skip
    assert [row["b"] for row in search(rows, column, order)[0]] == [3, 1, 2]


def test_a_direction_that_is_none_is_refused():
    with pytest.raises(BadDirectionError):
        criteria(**{"[sortOrders][0][field]": "a", "[sortOrders][0][direction]": "sideways"})


def test_no_criteria_at_all_is_refused_but_an_empty_one_is_not():
    with pytest.raises(MissingCriteriaError):
        parse([("fields", "items")])
    assert parse([("searchCriteria", "")]).document() == {"filter_groups": []}
    assert parse([("search_criteria[page_size]", "3")]).page_size == 3


@pytest.mark.parametrize("name", ["filter", "sort"])
def test_an_unknown_field_is_an_error(name):
    wanted = (
        criteria((0, "nosuch", "1", "eq")) if name == "filter" else criteria(**{"[sortOrders][0][field]": "nosuch"})
    )
    with pytest.raises(UnknownFieldError):
        search(ROWS, column, wanted)


def test_a_page_past_the_end_is_empty_with_the_true_total():
    page = criteria(**{"[pageSize]": "2", "[currentPage]": "9"})
    assert search(ROWS, column, page) == ([], 3)


@pytest.mark.parametrize("size", ["0", "-1"])
def test_a_page_size_that_is_not_positive_means_all(size):
    assert found(**{"[pageSize]": size}) == [1, 2, 10]


def test_page_zero_is_the_first_page():
    assert found(**{"[page_size]": "2", "[current_page]": "0"}) == [1, 2]


@given(size=st.integers(1, 5), count=st.integers(0, 12))
def test_pages_laid_side_by_side_are_the_whole_list(size, count):
    rows = [{"entity_id": number} for number in range(count)]
    seen = []
    for page in range(1, count + 2):
        wanted = criteria(**{"[pageSize]": str(size), "[currentPage]": str(page)})
        seen += search(rows, column, wanted)[0]
    assert seen == rows


def test_the_answer_repeats_the_criteria_in_snake_case():
    document = criteria((0, "sku", "A", ""), **{"[pageSize]": "2", "[sortOrders][0][field]": "sku"}).document()
    assert document == {
        "filter_groups": [{"filters": [{"field": "sku", "value": "A", "condition_type": "eq"}]}],
        "sort_orders": [{"field": "sku", "direction": "DESC"}],
        "page_size": 2,
    }


DOCUMENT = {"items": [{"id": 1, "sku": "A", "more": {"x": 1, "y": 2}}], "total_count": 1}


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ("items[id],total_count", {"items": [{"id": 1}], "total_count": 1}),
        ("items[id,more[y]]", {"items": [{"id": 1, "more": {"y": 2}}]}),
        ("total_count", {"total_count": 1}),
        ("items[nosuch]", {"items": [[]]}),
        ("nosuch", []),
        ("items[id", []),
        ("items]id[", []),
    ],
)
def test_fields_cut_the_answer_as_the_real_shop_does(fields, answer):
    assert project(DOCUMENT, fields) == answer


def test_fields_work_on_a_bare_list():
    assert project([{"id": 1, "code": "a"}], "code") == [{"code": "a"}]
