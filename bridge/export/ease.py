"""How gently history and sweeps go: after live work, and slower while the shop's own answers are slow.

What a page of each sort usually takes is kept as a moving average. An answer that takes several times as long lets
all that is not urgent rest for a while, longer after a longer answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.export import cursors, ledger

if TYPE_CHECKING:
    from bridge.settings import Book, Settings

PACE = "pace"
SLOW_TIMES = 3.0
SLOW_SECONDS = 2.0
"""An answer below this is quick whatever is usual."""
REST_TIMES = 5.0
REST_MOST = 120.0
SHARE = 0.1
"""The newest answer's share of the average."""


def live_waits(book: Book) -> bool:
    """Return whether an account that can be sent to now has live rows that nobody works on."""
    due = ledger.due_live()
    return any(account.id in due and _open(account.id) for account in book.accounts() if _takes_live(account.settings))


def _takes_live(settings: Settings) -> bool:
    return bool(settings["export.live"]) and not settings["export.dry_run"]


def _open(account: str) -> bool:
    note = cursors.read(f"account:{account}")
    return not note.get("paused") or time.time() >= note.get("until", 0)


def rests() -> bool:
    """Return whether the shop was slow a moment ago."""
    return time.time() < float(cursors.read(PACE).get("rest_until") or 0)


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
