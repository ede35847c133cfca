"""How gently history and sweeps go: after live work, and slower while the shop's own answers are slow.

What a page of each sort usually takes is kept as a moving average. An answer that takes several times as long lets
all that is not urgent rest for a while, longer after a longer answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bridge.export import cursors, ledger

if TYPE_CHECKING:
    from bridge.events import Kind
    from bridge.settings import Book, Settings

PACE = "pace"
PAUSE_SECONDS = 300.0
"""How long a refused key is left alone before it is tried again."""
SLOW_TIMES = 3.0
SLOW_SECONDS = 2.0
"""An answer below this is quick whatever is usual."""
REST_TIMES = 5.0
REST_MOST = 120.0
AHEAD = 5_000
"""Rows of a kind that a walk is ahead of what is sent: the ledger stays small, and the walk's end is the export's."""
SHARE = 0.1
"""The newest answer's share of the average."""


def live_waits(book: Book) -> bool:
    """Return whether an account that can be sent to now has live rows that nobody works on."""
    due = ledger.due_live()
    return any(account.id in due and _open(account.id) for account in book.accounts() if _takes_live(account.settings))


def enough_waits(kind: Kind, book: Book) -> bool:
    """Return whether so much history of a kind can be sent now that a walk need not find more of it yet."""
    able = [account.id for account in book.accounts() if not account.settings["export.dry_run"] and _open(account.id)]
    return ledger.history_waits(kind, AHEAD, able)


def _takes_live(settings: Settings) -> bool:
    return bool(settings["export.live"]) and not settings["export.dry_run"]


def _open(account: str) -> bool:
    note = cursors.read(f"account:{account}")
    return not (note.get("paused") and lasts(note.get("until"), PAUSE_SECONDS))


def lasts(until: float | None, most: float) -> bool:
    """Return whether a wait still lasts; one that is further away than it can be was noted by a wrong clock."""
    return 0 < float(until or 0) - time.time() <= most


def begins(note: dict[str, Any], now: float, period: float) -> bool:
    """Return whether a walk that comes again after a period is to begin: none is under way, the last one is long ago.

    One that began in the future was noted by a wrong clock.
    """
    if not note or float(note["began"]) > now:
        return True
    return bool(note.get("ended")) and now >= float(note["began"]) + period


def rests() -> bool:
    """Return whether the shop was slow a moment ago."""
    return lasts(cursors.read(PACE).get("rest_until"), REST_MOST)


def took(sort: str, seconds: float) -> None:
    """Take into account how long the shop needed for a page of a sort, such as ``list:product``. Commits."""
    note = cursors.read(PACE)
    usual = dict(note.get("usual") or {})
    before = float(usual.get(sort) or seconds)
    usual[sort] = before + SHARE * (seconds - before)
    rest = float(note.get("rest_until") or 0)
    if seconds > SLOW_SECONDS and seconds > SLOW_TIMES * before:
        rest = time.time() + min(REST_TIMES * seconds, REST_MOST)
    cursors.save(PACE, {"usual": usual, "rest_until": rest})
