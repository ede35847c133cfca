"""Times for people: UTC from the server, which the script turns into the reader's own zone."""

from __future__ import annotations

import datetime as dt


def utc_iso(at: float) -> str:
    """Return a moment as the ``datetime`` attribute wants it."""
    return _moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_text(at: float, now: float | None = None) -> str:
    """Return a moment in words; given ``now``, only the clock time when it is of the same day."""
    moment = _moment(at)
    same_day = now is not None and moment.date() == _moment(now).date()
    return moment.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")


def _moment(at: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, tz=dt.UTC)
