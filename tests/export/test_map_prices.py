"""Prices of a product in a store view: regular, special, and when the special one counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.export.map_prices import LONG_AGO, OPEN_END, Prices, midnight
from bridge.store import ProductView
from tests.export.books import DEFAULT

NOON = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
ABROAD = replace(DEFAULT, currency="EUR", base_currency="GBP")


def prices(kind: str = "simple", store=DEFAULT, now: dt.datetime = NOON, **view):
    given = {name: Decimal(value) if isinstance(value, str) else value for name, value in view.items()}
    return Prices(kind, ProductView(**given), store, now)


def pair(found: Prices) -> tuple[str | None, str | None, str]:
    return (*(None if one is None else str(one) for one in (found.regular, found.special)), found.currency)


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        ((2026, 6, 30, 22, 59, 59), False),
        ((2026, 6, 30, 23, 0, 0), True),
        ((2026, 7, 31, 22, 59, 59), True),
        ((2026, 7, 31, 23, 0, 0), False),
    ],
)
def test_a_special_price_counts_on_its_days_in_the_shops_time_zone(moment, counts):
    now = dt.datetime(*moment, tzinfo=dt.UTC)
    days = {"special_from": dt.date(2026, 7, 1), "special_to": dt.date(2026, 7, 31)}
    found = prices(price="34", special_price="29", now=now, **days)
    assert found.special == (Decimal(29) if counts else None)
    assert found.starts == (dt.datetime(2026, 6, 30, 23, tzinfo=dt.UTC) if counts else None)
    assert found.end(merged=True) == (dt.datetime(2026, 7, 31, 22, 59, 59, tzinfo=dt.UTC) if counts else LONG_AGO)


@pytest.mark.parametrize(
    ("zone", "hour"), [("America/New_York", 5), ("Europe/London", 0), ("Nowhere/Atlantis", 0), ("", 0)]
)
def test_a_day_begins_in_the_store_views_time_zone(zone, hour):
    assert midnight(dt.date(2026, 11, 25), replace(DEFAULT, timezone=zone)) == dt.datetime(
        2026, 11, 25, hour, tzinfo=dt.UTC
    )


@pytest.mark.parametrize(
    ("view", "end"),
    [
        ({}, LONG_AGO),
        ({"special_price": "29", "special_to": dt.date(2026, 7, 31)}, LONG_AGO),
        ({"special_price": "29", "special_from": dt.date(2027, 1, 1)}, LONG_AGO),
        ({"special_price": "34"}, LONG_AGO),
        ({"special_price": "29"}, OPEN_END),
        (
            {"special_price": "29", "special_to": dt.date(2026, 12, 31)},
            dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC),
        ),
    ],
)
def test_a_merged_record_always_says_when_the_special_price_ends(view, end):
    found = prices(price="34", **view)
    assert found.end(merged=True) == end
    assert found.end(merged=False) == (end if end not in {LONG_AGO, OPEN_END} else None)


def test_what_a_catalog_price_rule_takes_off_is_a_special_price_without_dates():
    found = prices(price="34", shown_price="34.00", final_price="30.60")
    assert pair(found) == ("34", "30.60", "GBP")
    assert (found.starts, found.end(merged=True)) == (None, OPEN_END)


def test_the_lower_of_special_price_and_rule_counts():
    own = {"price": "34", "special_price": "29.0000", "special_to": dt.date(2026, 12, 31), "shown_price": "34"}
    ends = dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    assert (prices(**own, final_price="29").special, prices(**own, final_price="29").end(merged=False)) == (29, ends)
    assert (prices(**own, final_price="25").special, prices(**own, final_price="25").end(merged=False)) == (25, None)


def test_prices_shown_with_tax_tell_of_no_rule():
    assert pair(prices(price="50", shown_price="60", final_price="48")) == ("50", None, "GBP")


def test_a_view_in_another_currency_has_the_prices_that_it_shows():
    shown = {"price": "100", "shown_price": "117.50", "final_price": "117.50"}
    assert pair(prices(store=ABROAD, **shown)) == ("117.50", None, "EUR")
    found = prices(store=ABROAD, **shown | {"final_price": "90"}, special_price="80", special_to=dt.date(2026, 12, 31))
    assert pair(found) == ("117.50", "90", "EUR")
    assert found.end(merged=False) == dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


def test_what_a_view_in_another_currency_does_not_show_has_its_base_price_and_says_so():
    assert pair(prices(store=ABROAD, price="100", special_price="80")) == ("100", "80", "GBP")


@pytest.mark.parametrize("kind", ["configurable", "bundle", "grouped"])
def test_what_holds_others_has_the_shown_prices(kind):
    # A bundle's own special price is a percentage.
    found = prices(kind, price="0", special_price="20", shown_price="81", final_price="64.80")
    assert pair(found) == ("81", "64.80", "GBP")
    assert found.starts is None
    assert pair(prices(kind, price="0")) == (None, None, "GBP")


def test_a_store_view_without_a_display_currency_has_the_base_currency():
    assert pair(prices(store=replace(DEFAULT, currency=""), price="1", shown_price="1"))[2] == "GBP"
    assert pair(prices(store=replace(DEFAULT, base_currency=""), price="1"))[2] == "GBP"
