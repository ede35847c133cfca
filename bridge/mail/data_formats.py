"""Money, numbers and moments as the store view's language writes them. Values in, values out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.numbers import format_currency, format_decimal

CENT = Decimal("0.01")
FALLBACK = "en_GB"


@dataclass(frozen=True, slots=True)
class Formats:
    """The ways of one store view: ``locale`` such as ``fr_FR``, ``zone`` an IANA name; unknown ones: English, UTC."""

    locale: str
    zone: str

    def money(self, amount: Decimal | None, currency: str) -> str:
        """Return an amount with its currency's sign; empty for None."""
        if amount is None:
            return ""
        if len(currency) != 3:
            return format_decimal(amount.quantize(CENT), locale=self._locale)
        return format_currency(amount, currency, locale=self._locale)

    def number(self, amount: Decimal | None) -> str:
        """Return a number without needless digits: ``2``, not ``2.0000``."""
        return "" if amount is None else format_decimal(amount.normalize(), locale=self._locale)

    def moment(self, value: dt.datetime | None) -> str:
        """Return day and time in the store view's time zone, in its medium form."""
        if value is None:
            return ""
        return format_datetime(value.astimezone(self._tz), "medium", locale=self._locale)

    def country(self, code: str | None) -> str:
        """Return a country's name; empty for an unknown code."""
        return str(self._locale.territories.get(code or "", ""))

    @property
    def _locale(self) -> Locale:
        try:
            return Locale.parse(self.locale or FALLBACK)
        except (UnknownLocaleError, ValueError, TypeError):
            return Locale.parse(FALLBACK)

    @property
    def _tz(self) -> dt.tzinfo:
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return dt.UTC


def utc(value: dt.datetime | None) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SSZ``; empty for None."""
    return "" if value is None else value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def both(one: str, other: str, value: Any) -> dict[str, Any]:
    """Return a value under both spellings that template authors meet."""
    return {one: value, other: value}
