from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.coupons.arguments import ApiError, Arguments, filters, page_of, read_moment
from bridge.coupons.parameters import UnreadableError, form_pairs, parsed

NOW = dt.datetime(2026, 1, 31, 12, 30, tzinfo=dt.UTC)


def asked(query: str) -> Arguments:
    return Arguments(parsed(form_pairs(query.encode())), NOW)


def fault(read) -> str:
    with pytest.raises(ApiError) as caught:
        read()
    assert caught.value.status == 400
    return caught.value.said


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-12-31", dt.datetime(2030, 12, 31, tzinfo=dt.UTC)),
        ("2030-12-31 23:59:59", dt.datetime(2030, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        ("2030-12-31T23:59:59Z", dt.datetime(2030, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        ("2030-12-31T23:59:59+02:00", dt.datetime(2030, 12, 31, 21, 59, 59, tzinfo=dt.UTC)),
        ("Tue, 31 Dec 2030 23:59:59 +0000", dt.datetime(2030, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        ("@1700000000", dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)),
        ("now", NOW),
        ("+30 days", NOW + dt.timedelta(days=30)),
        ("-2 weeks", NOW - dt.timedelta(weeks=2)),
        ("90 minutes", NOW + dt.timedelta(minutes=90)),
        ("+1 month", dt.datetime(2026, 3, 3, 12, 30, tzinfo=dt.UTC)),  # as PHP: February has no 31st
        ("+1 YEAR", dt.datetime(2027, 1, 31, 12, 30, tzinfo=dt.UTC)),
    ],
)
def test_times_as_programs_write_them(text, moment):
    assert read_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "31/12/2030", "2030-02-30", "+99999 years", "@", "0", "1e9", "-30 days ago", "٣ days"]
)
def test_other_times_are_none_rather_than_1970(text):
    assert read_moment(text, NOW) is None


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_reading_of_times(text):
    found = read_moment(text, NOW)
    assert found is None or found.tzinfo is not None


def test_lists_and_single_values_are_not_taken_for_one_another():
    assert fault(lambda: asked("codes=A").texts("codes")) == "codes takes a list: codes[]=A&codes[]=B."
    assert fault(lambda: asked("rule_id[]=1").whole("rule_id")) == "rule_id takes one value, not a list."
    assert "plain values" in fault(lambda: asked("codes[][x]=A").texts("codes"))
    assert "1 to 1000" in fault(lambda: asked("").texts("codes"))
    assert asked("codes[]=A&codes[x]=B").texts("codes") == ["A", "B"]


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "1e3", "x", "9" * 40, "2147483648", "٣", ""])
def test_what_is_no_id_is_refused(text):
    assert fault(lambda: asked(f"rule_id={text}").whole("rule_id", low=1)) == (
        "rule_id takes a whole number from 1 to 2147483647."
    )


def test_filters_may_be_one_value_several_with_commas_or_a_list():
    for query in ("ids=1,2", "ids[]=1&ids[]=2", "ids=1, 2,"):
        assert asked(query).numbers("ids") == [1, 2]
    assert asked("").numbers("ids") is None
    assert fault(lambda: asked("ids=1;2").numbers("ids")) == "ids takes whole numbers."
    assert "1 to 1000" in fault(lambda: asked(f"ids={','.join(['1'] * 1001)}").any_of("ids"))


@pytest.mark.parametrize(("text", "on"), [("1", True), ("true", True), ("0", False), ("false", False), ("", False)])
def test_switches(text, on):
    assert asked(f"count={text}").flag("count") is on


def test_pages_are_bounded():
    assert asked("").page() == (1, 100)
    assert page_of([1, 2, 3], asked("page_size=2&current_page=2")) == [3]
    assert page_of([1, 2, 3], asked("page_size=2&current_page=2147483647")) == []
    for query in ("page_size=0", "page_size=1001", "current_page=0"):
        fault(asked(query).page)


def test_filters_of_the_pull_endpoints_are_plain_values():
    found = filters(asked("stores=1,2&updated_since=2026-01-01&product_type=variant&listing=true&current_page=3"))
    assert found | {"created_since": None} == {
        "ids": None, "website_ids": None, "store_ids": [1, 2], "created_since": None, "created_before": None,
        "updated_since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "updated_before": None, "product_type": "variant",
        "listing": True, "final_price": False, "number": 3, "size": 100, "count": False,
    }  # fmt: skip
    assert fault(lambda: filters(asked("product_type=any"))) == "product_type takes parent or variant."


@given(st.binary(max_size=120))
def test_whatever_is_asked_is_read_or_refused(query):
    try:
        arguments = Arguments(parsed(form_pairs(b"ids=" + query)), NOW)
    except UnreadableError:
        return
    for read in (
        arguments.any_of,
        arguments.numbers,
        arguments.texts,
        arguments.text,
        arguments.whole,
        arguments.moment,
    ):
        with contextlib.suppress(ApiError):
            read("ids")
