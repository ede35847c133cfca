"""Polling: what changed in the shop without the proxy having seen it. The safety net of live updates.

The shop writes ``updated_at`` in whole seconds and before its transaction ends, so each poll looks five minutes back,
and knows by (id, ``updated_at``) what it has seen. The watermark follows the shop's own clock. A poll that finds more
than it can list in its time stops after a whole second of the shop and is taken up there.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.db import db
from bridge.errors import Misconfigured, Retry, Stumbled
from bridge.events import EntityRef
from bridge.export import catalog, cursors, ledger, missing
from bridge.export.ledger import Owed
from bridge.export.routes import owed
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Listed, Store

KINDS: tuple[Kind, ...] = ("order", "contact", "product")
PAPERS = "poll:papers"
OVERLAP = dt.timedelta(minutes=5)
SETTLE = dt.timedelta(seconds=10)
"""The watermark stays this far behind the shop's clock."""
QUIET = dt.timedelta(minutes=15)
"""The watermark stays no further behind than this: else a quiet shop lists last night's import again each minute."""
PAGE = 500
SHARE_SECONDS = 20.0
"""How long one poll may list one kind: others wait for the worker."""


@dataclass(slots=True)
class _Progress:
    """``at`` is the second of the shop from which to go on; ``more`` when the time ended before the rows."""

    touched: set[str] = field(default_factory=set)
    at: dt.datetime | None = None
    more: bool = False
    fault: Retry | None = None


def poll(store: Store, book: Book, hold: Callable[[], object] = lambda: None) -> tuple[bool, set[str]]:
    """Look for changes of every kind; return whether there is more to list, and the accounts concerned.

    ``hold`` is called again and again. While no account is set the watermark stays where the first poll put it, so
    that what is bought until then goes out once there is one. Raises ``Retry`` and ``Misconfigured``.
    """
    now = store.now()
    touched: set[str] = set()
    more = False
    faults: list[Stumbled | Misconfigured] = []
    for kind in KINDS:
        try:
            left, found = _poll_kind(kind, store, book, (now, hold))
        except Stumbled as error:
            # What fails at one kind is no reason to leave the changes of the others unseen.
            faults.append(error)
            continue
        more, touched = more or left, touched | found
    try:
        touched |= _poll_papers(store, book, (now, hold))
    except (Stumbled, Misconfigured) as error:
        faults.append(error)
    if faults:
        raise faults[0]
    return more, touched


def _poll_papers(store: Store, book: Book, how: tuple[dt.datetime, Callable[[], object]]) -> set[str]:
    """Owe the orders that have new shipments, invoices or credit memos: not each of them touches its order's row."""
    now, hold = how
    note = cursors.read(PAPERS)
    mark = _mark(note, now)
    if not note or not book.accounts():
        if not note:
            _keep(PAPERS, now, {})
        return set()
    seen: dict[str, str] = dict(note.get("seen") or {})
    fresh = []
    for paper in store.papers(mark - OVERLAP, now):
        hold()
        if paper.id not in seen:
            fresh.append(paper)
    touched = _owe([paper.order for paper in fresh], book) if fresh else set()
    seen |= {paper.id: _stamp(paper.order) for paper in fresh}
    mark = max(mark, now - SETTLE)
    recent = (mark - OVERLAP).isoformat()
    _keep(PAPERS, mark, {id_: stamp for id_, stamp in seen.items() if stamp >= recent})
    return touched


def _poll_kind(
    kind: Kind, store: Store, book: Book, how: tuple[dt.datetime, Callable[[], object]]
) -> tuple[bool, set[str]]:
    name, (now, hold) = f"poll:{kind}", how
    note = cursors.read(name)
    mark = _mark(note, now)
    if not note:
        _keep(name, now, {})
    if not book.accounts():
        return False, set()
    seen: dict[str, str] = dict(note.get("seen") or {})
    place = _moment(note.get("at"))
    since = place if place and place <= now else mark - OVERLAP
    done = _take(store.changed_since(kind, since, now), seen, book, hold)
    if done.more or done.fault:
        _keep(name, mark, seen, done.at or _moment(note.get("at")))
        if done.fault:
            raise done.fault
        return True, done.touched
    mark = max(mark, min(done.at or mark, now - SETTLE), now - QUIET)
    recent = (mark - OVERLAP).isoformat()
    _keep(name, mark, {id_: stamp for id_, stamp in seen.items() if stamp >= recent})
    return False, done.touched


def _take(found: Iterable[Listed], seen: dict[str, str], book: Book, hold: Callable[[], object]) -> _Progress:
    """Owe the rows that were not seen, for as long as the share lasts; ``seen`` then knows them."""
    end = time.monotonic() + SHARE_SECONDS
    done = _Progress()
    rows: list[Listed] = []

    def owe() -> None:
        done.touched |= _owe(rows, book)
        seen.update({row.ref.id: _stamp(row) for row in rows})
        rows.clear()

    try:
        for row in found:
            hold()
            if done.at and row.updated_at and row.updated_at > done.at and time.monotonic() > end:
                done.more, done.at = True, done.at + dt.timedelta(seconds=1)
                break
            done.at = row.updated_at or done.at
            if seen.get(row.ref.id) != _stamp(row):
                rows.append(row)
            if len(rows) >= PAGE:
                owe()
    except Retry as error:
        done.fault = error
    owe()
    return done


def _owe(rows: list[Listed], book: Book) -> set[str]:
    begin_write()
    found = [Owed(account.id, row.ref, scope) for row in rows for account, scope in owed(row, book)]
    touched = ledger.add([*missing.unassigned(rows, book), *found, *_holding(found)], "live")
    db.session.commit()
    return touched


def _holding(found: list[Owed]) -> list[Owed]:
    """Return what holds the products owed: a price or stock made of parts is another then, and its row as it was."""
    parents = catalog.holders([one.ref.id for one in found if one.ref.kind == "product"])
    return [
        Owed(one.account, EntityRef("product", parents[one.ref.id]), one.scope)
        for one in found
        if one.ref.kind == "product" and one.ref.id in parents
    ]


def _keep(name: str, mark: dt.datetime, seen: dict[str, Any], at: dt.datetime | None = None) -> None:
    cursors.save(name, {"mark": mark.isoformat(), "seen": seen, "at": at.isoformat() if at else None})


def _mark(note: dict[str, Any], now: dt.datetime) -> dt.datetime:
    """Return the watermark; never after the shop's own now, else a shop whose clock was set back is not looked at."""
    return min(_moment(note.get("mark")) or now, now)


def _stamp(row: Listed) -> str:
    return row.updated_at.isoformat() if row.updated_at else ""


def _moment(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
