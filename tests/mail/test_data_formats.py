"""Money, numbers and moments in the ways of each store view."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from bridge.mail.data_formats import Formats, utc

MOMENT = dt.datetime(2026, 11, 25, 13, 47, 51, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "shown"),
    [
        ("en_GB", "1234.5", "GBP", "£1,234.50"),
        ("en_US", "1234.5", "USD", "$1,234.50"),
        ("fr_FR", "1234.5", "EUR", "1\u202f234,50\u00a0€"),
        ("de_DE", "1234.5", "EUR", "1.234,50\u00a0€"),
        ("ja_JP", "1234", "JPY", "￥1,234"),
        ("zz_ZZ", "1234.5", "GBP", "£1,234.50"),
        ("", "0", "GBP", "£0.00"),
        ("en_GB", "-5", "GBP", "-£5.00"),
    ],
)
def test_money_is_written_as_the_view_does(locale, amount, currency, shown):
    assert Formats(locale, "UTC").money(Decimal(amount), currency) == shown


def test_an_unknown_amount_or_currency_is_no_error():
    assert Formats("en_GB", "UTC").money(None, "GBP") == ""
    assert Formats("en_GB", "UTC").money(Decimal(5), "") == "5"


@pytest.mark.parametrize(("amount", "shown"), [("2.0000", "2"), ("0.5", "0.5"), ("100", "100"), ("1250", "1,250")])
def test_quantities_have_no_needless_digits(amount, shown):
    assert Formats("en_GB", "UTC").number(Decimal(amount)) == shown


def test_moments_are_in_the_views_time_zone():
    assert "14:47:51" in Formats("fr_FR", "Europe/Paris").moment(MOMENT)
    assert "13:47:51" in Formats("fr_FR", "Nowhere/Land").moment(MOMENT)
    assert utc(MOMENT) == "2026-11-25T13:47:51Z"
    assert (Formats("en", "UTC").moment(None), utc(None)) == ("", "")


def test_countries_are_named():
    assert Formats("fr_FR", "UTC").country("GB") == "Royaume-Uni"
    assert Formats("en_GB", "UTC").country(None) == ""
