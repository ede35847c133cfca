"""What a signed call asks for, read from its parameters: each value checked, each fault a sentence."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.coupons.parameters import Array

PAGE_SIZE: Final = 100
PAGE_MOST: Final = 1000
NUMBER_MOST: Final = 2**31 - 1
LIST_MOST: Final = 1000
"""Entries of one list; PHP reads no more parameters than that from one request either, unless told to."""
FALSE: Final = {"", "0", "false", "no", "off"}

_RELATIVE: Final = re.compile(r"([+-]?)\s*([0-9]{1,5})\s*(minute|hour|day|week|month|year)s?", re.IGNORECASE)
_UNIX: Final = re.compile(r"@([0-9]{1,11})(?:\.[0-9]+)?")
_FIXED: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_HOURS: Final = {"minute": 1 / 60, "hour": 1, "day": 24, "week": 168}


class ApiError(Exception):
    """A call that cannot be answered: an HTTP status, and a sentence that repeats nothing of the call."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


class Arguments:
    """The parameters of a call by what is expected of them. Every method raises :class:`ApiError` with 400."""

    def __init__(self, array: Array, now: dt.datetime) -> None:
        self._array = array
        self.now = now

    def given(self, name: str) -> bool:
        """Return whether there is a value that is not empty."""
        return self._array.get(name, "") not in ("", {})

    def text(self, name: str) -> str:
        """Return a text, an empty one where nothing is given."""
        value = self._array.get(name, "")
        if not isinstance(value, str):
            raise ApiError(400, f"{name} takes one value, not a list.")
        return value

    def flag(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self.text(name).strip().lower() not in FALSE

    def whole(self, name: str, default: int | None = None, *, low: int = 0, high: int = NUMBER_MOST) -> int:
        """Return a whole number; without ``default`` it must be there."""
        found = self.text(name).strip()
        if not found and default is not None:
            return default
        number = int(found) if found.isascii() and found.isdecimal() and len(found) <= len(str(high)) else -1
        if not low <= number <= high:
            raise ApiError(400, f"{name} takes a whole number from {low} to {high}.")
        return number

    def texts(self, name: str) -> list[str]:
        """Return the values of a list that must be one: ``codes[]=A&codes[]=B``."""
        value = self._array.get(name, {})
        if not isinstance(value, dict):
            raise ApiError(400, f"{name} takes a list: {name}[]=A&{name}[]=B.")
        if not all(isinstance(item, str) for item in value.values()):
            raise ApiError(400, f"{name} takes a list of plain values.")
        if not 0 < len(value) <= LIST_MOST:
            raise ApiError(400, f"{name} takes 1 to {LIST_MOST} values.")
        return [str(item) for item in value.values()]

    def any_of(self, name: str) -> list[str] | None:
        """Return the values of a filter, given as list, as one value or as several with commas; None without it."""
        if not self.given(name):
            return None
        value = self._array[name]
        found = value.split(",") if isinstance(value, str) else self.texts(name)
        if len(found) > LIST_MOST:
            raise ApiError(400, f"{name} takes 1 to {LIST_MOST} values.")
        return [item.strip() for item in found if item.strip()]

    def numbers(self, name: str) -> list[int] | None:
        """As :meth:`any_of`, of whole numbers."""
        found = self.any_of(name)
        if found is None:
            return None
        if not all(item.isascii() and item.isdecimal() and len(item) <= len(str(NUMBER_MOST)) for item in found):
            raise ApiError(400, f"{name} takes whole numbers.")
        return [int(item) for item in found]

    def moment(self, name: str) -> dt.datetime | None:
        """Return a moment in UTC, None where nothing is given."""
        found = self.text(name).strip()
        if not found:
            return None
        moment = read_moment(found, self.now)
        if moment is None:
            raise ApiError(400, f"{name} takes a time such as 2030-12-31 23:59:59 (UTC) or +30 days.")
        return moment

    def moment_said(self, name: str) -> str:
        """Return a text for what a moment is told as: of ``+30 days`` the same whenever it is asked for."""
        found = read_moment(self.text(name).strip(), _FIXED)
        return "" if found is None else found.isoformat()

    def page(self) -> tuple[int, int]:
        """Return the number of the page, from 1, and how many rows it has at most."""
        size = self.whole("page_size", PAGE_SIZE, low=1, high=PAGE_MOST)
        return self.whole("current_page", 1, low=1), size


def filters(asked: Arguments) -> dict[str, Any]:
    """Return the filters of the pull endpoints as plain values; what is not given is None."""
    number, size = asked.page()
    kind = asked.text("product_type")
    if kind not in {"", "parent", "variant"}:
        raise ApiError(400, "product_type takes parent or variant.")
    return {
        "ids": asked.any_of("ids"),
        "website_ids": asked.numbers("website_ids"),
        "store_ids": asked.numbers("stores"),
        "created_since": asked.moment("created_since"),
        "created_before": asked.moment("created_before"),
        "updated_since": asked.moment("updated_since"),
        "updated_before": asked.moment("updated_before"),
        "product_type": kind,
        "listing": asked.flag("listing"),
        "final_price": asked.flag("final_price"),
        "number": number,
        "size": size,
        "count": asked.flag("count"),
    }


def page_of(rows: Sequence[Any], asked: Arguments) -> list[Any]:
    """Return the page of a list that was asked for; past the end it is empty."""
    number, size = asked.page()
    return list(rows[(number - 1) * size : number * size])


def read_moment(text: str, now: dt.datetime) -> dt.datetime | None:
    """Return the moment that a text names as PHP's ``strtotime`` would read it, in UTC where it names no zone.

    It knows the forms that programs write: ISO 8601, RFC 2822, ``@`` and Unix seconds, ``now``, and an offset from now
    such as ``+30 days``. None for all else.
    """
    if text.lower() == "now":
        return now
    unix, relative = _UNIX.fullmatch(text), _RELATIVE.fullmatch(text)
    try:
        if unix:
            return dt.datetime.fromtimestamp(int(unix[1]), dt.UTC)
        if relative:
            return _moved(now, int(relative[1] + relative[2]), relative[3].lower())
        return _in_utc(dt.datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _moved(now: dt.datetime, count: int, unit: str) -> dt.datetime:
    if unit in _HOURS:
        return now + dt.timedelta(hours=count * _HOURS[unit])
    months = now.year * 12 + now.month - 1 + count * (12 if unit == "year" else 1)
    first = now.replace(year=months // 12, month=months % 12 + 1, day=1)
    # As PHP: a day that the month does not have runs over into the next.
    return first + dt.timedelta(days=now.day - 1)
