"""The walk over everything the shop has: writes ledger rows of the lane ``history``, a page at a time.

The position is written in the transaction that gives the ledger the page, so a walk that was killed goes on where it
was, without a gap or a repeat. A walk obeys ``state`` in its note: ``running``, ``paused``, ``cancelled``, ``done``.
An entity at which the shop fails is set aside with its reason, and the walk goes on behind it.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.db import db
from bridge.export import cursors, ease, ledger
from bridge.export.ledger import Owed
from bridge.export.routes import owed, within
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Page, Store

PREFIX = "history:"
STALE_SECONDS = 90.0
"""A running walk whose note is older has lost its worker."""
BROKEN = "The shop fails at this one entity when it lists it; its own log has the reason."
UNDER_WAY = ("running", "paused")


@dataclass(frozen=True, slots=True)
class Progress:
    """A walk as people see it; ``total`` and ``ends`` (Unix seconds) are None while nobody can know them."""

    kind: str
    scope: str
    state: str
    seen: int
    total: int | None
    broken: int
    began: float
    ended: float | None
    rate: float
    ends: float | None
    since: str | None
    until: str | None


def name_of(kind: Kind, scope: str) -> str:
    """Return the name of a walk's note."""
    return f"{PREFIX}{kind}:{scope}"


def begin(
    kind: Kind,
    scope: str,
    *,
    force: bool = False,
    again: bool = False,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> bool:
    """Note a new walk; return False when one runs already, unless it shall start ``again``. Commits.

    ``force`` sends what is unchanged too. ``since`` and ``until`` are days (UTC), both included, in which the entities
    were made.
    """
    begin_write()
    note = cursors.read(name_of(kind, scope))
    running = note.get("state") in UNDER_WAY and not again
    if not running:
        fresh = {
            "state": "running",
            "after": None,
            "seen": 0,
            "total": None,
            "force": force,
            "began": time.time(),
            "since": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
        }
        cursors.write(name_of(kind, scope), fresh)
    db.session.commit()
    return not running


def set_state(kind: Kind, scope: str, state: str, book: Book | None = None) -> bool:
    """Pause, resume (``running``) or cancel a walk that is under way; return whether there was one. Commits.

    A cancelled walk takes back what it owed, with the ``book`` given, and nobody has sent yet; what a live change
    asked for, too, stays.
    """
    begin_write()
    note = cursors.read(name_of(kind, scope))
    there = note.get("state") in UNDER_WAY
    if there:
        cursors.write(name_of(kind, scope), {**_rested(note, time.time(), paused=state == "paused"), "state": state})
        if state == "cancelled" and book is not None:
            ledger.forget_history(kind, [store.ref for store in book.stores if within(scope, store, book)])
    db.session.commit()
    return there


def _rested(note: dict[str, Any], now: float, *, paused: bool) -> dict[str, Any]:
    """Keep how long the walk was paused: that time says nothing of its rate."""
    since = note.get("paused_at")
    idle = float(note.get("idle") or 0) + (now - since if since else 0)
    return {**note, "idle": idle, "paused_at": now if paused else None}


def walk(
    kind: Kind,
    scope: str,
    store: Store,
    book: Book,
    seconds: float,
    *,
    hold: Callable[[], object] = lambda: None,
    wait: Callable[[], bool] = lambda: False,
) -> tuple[bool, set[str]]:
    """Walk for at most ``seconds``; return whether there is more to do, and the accounts concerned.

    ``hold`` is called before each page, and ``wait`` after each: where it says yes the walk gives way and is taken up
    later. Raises ``Retry`` and ``Misconfigured``; the walk then stays running and is taken up again.
    """
    name = name_of(kind, scope)
    end = time.monotonic() + seconds
    touched: set[str] = set()
    while (note := cursors.read(name)).get("state") == "running":
        db.session.commit()
        if time.monotonic() > end:
            return True, touched
        hold()
        began = time.monotonic()
        page = store.ids(kind, note.get("after"), **bounds(note))
        spent = time.monotonic() - began
        if not cursors.still(name, note):
            break
        touched |= _owe(page, scope, book, force=bool(note.get("force")))
        cursors.write(name, _moved(note, page, spent))
        db.session.commit()
        ease.took(f"list:{kind}", spent)
        if page.cursor is not None and wait():
            break
    return False, touched


def _owe(page: Page, scope: str, book: Book, *, force: bool) -> set[str]:
    found = [Owed(account.id, row.ref, place) for row in page.rows for account, place in owed(row, book, scope)]
    for ref in page.broken:
        for account in book.accounts():
            if any(within(scope, store, book) for store in account.stores):
                ledger.refuse_late(Owed(account.id, ref, account.owner), BROKEN)
    return ledger.add(found, "history", force=force)


def bounds(note: dict[str, Any]) -> dict[str, dt.datetime]:
    """Return the moments of the days ``since`` and ``until`` of a walk; nothing for a walk over everything."""
    ends = {"since": dt.time(), "until": dt.time(23, 59, 59)}
    return {
        name: dt.datetime.combine(dt.date.fromisoformat(note[name]), clock, dt.UTC)
        for name, clock in ends.items()
        if note.get(name)
    }


def _moved(note: dict[str, Any], page: Page, spent: float) -> dict[str, Any]:
    total = note.get("total")
    moved = {
        **note,
        "after": page.cursor,
        "seen": int(note.get("seen") or 0) + len(page.rows) + len(page.broken),
        "broken": int(note.get("broken") or 0) + len(page.broken),
        "spent": float(note.get("spent") or 0) + spent,
        "total": page.left if total is None and page.left else total,
    }
    if page.cursor is not None:
        return moved
    return {**moved, "state": "done", "ended": time.time(), "total": max(moved["total"] or 0, moved["seen"])}


def lost(now: float | None = None) -> list[tuple[str, str]]:
    """Return (kind, scope) of the walks that should run and have not moved for a while."""
    moment = time.time() if now is None else now
    found = []
    for name, (note, changed_at) in cursors.named(PREFIX).items():
        if note.get("state") == "running" and changed_at < moment - STALE_SECONDS:
            kind, _, scope = name.removeprefix(PREFIX).partition(":")
            found.append((kind, scope))
    return found


def running() -> list[tuple[str, str]]:
    """Return (kind, scope) of the walks that should run."""
    return [(row.kind, row.scope) for row in progress() if row.state == "running"]


def whole(kind: Kind, scopes: set[str]) -> bool:
    """Return whether a walk over everything of a kind has ended in one of the scopes."""
    notes = (cursors.read(name_of(kind, scope)) for scope in scopes)
    return any(note.get("state") == "done" and not note.get("since") and not note.get("until") for note in notes)


def progress(now: float | None = None) -> list[Progress]:
    """Return every walk that was ever begun."""
    moment = time.time() if now is None else now
    return [_progress(name, note, moment) for name, (note, _) in sorted(cursors.named(PREFIX).items())]


def _progress(name: str, note: dict[str, Any], now: float) -> Progress:
    kind, _, scope = name.removeprefix(PREFIX).partition(":")
    began, seen, total = float(note.get("began") or now), int(note.get("seen") or 0), note.get("total")
    ended = note.get("ended")
    passed = max((ended or note.get("paused_at") or now) - began - float(note.get("idle") or 0), 0.001)
    rate = seen / passed
    running_on = note.get("state") == "running" and total is not None and rate > 0
    return Progress(
        kind=kind,
        scope=scope,
        state=str(note.get("state")),
        seen=seen,
        total=total,
        broken=int(note.get("broken") or 0),
        began=began,
        ended=ended,
        rate=rate,
        ends=now + max(int(total or 0) - seen, 0) / rate if running_on else None,
        since=note.get("since"),
        until=note.get("until"),
    )
