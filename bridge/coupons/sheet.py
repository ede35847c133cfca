"""Codes as a CSV file that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.models_coupons import CouponCode

HEAD = ("code", "rule_id", "state", "times_used", "given_at", "expires_at", "request_id")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: object) -> str:
    """Return a cell's text; what a spreadsheet would take for a formula gets an apostrophe before it."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def lines(rows: Iterable[CouponCode]) -> Iterator[str]:
    """Yield the lines of the file (RFC 4180): a head, then one a code. Times are UTC."""
    yield _line(HEAD)
    for row in rows:
        given = row.at if row.request else 0.0
        moments = (_time(given), _time(row.expires_at))
        yield _line((row.code, row.rule_id, row.state, row.times_used, *moments, row.request or ""))


def _line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([cell(value) for value in values])
    return text.getvalue()


def _time(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
