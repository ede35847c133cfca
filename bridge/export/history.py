"""The walk over everything the shop has: writes ledger rows of the lane ``history``, a page at a time.

The position is written in the transaction that gives the ledger the page, so a walk that was killed goes on where it
was. A walk obeys ``state`` in its note: ``running``, ``paused``, ``cancelled``, ``done``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bridge.db import db
from bridge.export import cursors, ledger
from bridge.export.ledger import Owed
from bridge.export.routes import owed
from bridge.export.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Store

PREFIX = "history:"
STALE_SECONDS = 90.0
"""A running walk whose note is older has lost its worker."""


def name_of(kind: Kind, scope: str) -> str:
    """Return the name of a walk's note."""
    return f"{PREFIX}{kind}:{scope}"


def begin(kind: Kind, scope: str, *, force: bool = False) -> bool:
    """Note a new walk; return False when one runs already. ``force`` sends what is unchanged too. Commits."""
    begin_write()
    note = cursors.read(name_of(kind, scope))
    running = note.get("state") in {"running", "paused"}
    if not running:
        fresh = {"state": "running", "after": None, "seen": 0, "total": None, "force": force, "began": time.time()}
        cursors.write(name_of(kind, scope), fresh)
    db.session.commit()
    return not running


def set_state(kind: Kind, scope: str, state: str) -> bool:
    """Pause, resume (``running``) or cancel a walk that is under way; return whether there was one. Commits."""
    begin_write()
    note = cursors.read(name_of(kind, scope))
    there = note.get("state") in {"running", "paused"}
    if there:
        cursors.write(name_of(kind, scope), {**note, "state": state})
    db.session.commit()
    return there


def walk(
    kind: Kind, scope: str, store: Store, book: Book, seconds: float, *, hold: Callable[[], object] = lambda: None
) -> tuple[bool, set[str]]:
    """Walk for at most ``seconds``; return whether there is more to do, and the accounts concerned.

    ``hold`` is called before each page. Raises ``Retry`` and ``Misconfigured``; the walk then stays running and is
    taken up again.
    """
    name = name_of(kind, scope)
    end = time.monotonic() + seconds
    touched: set[str] = set()
    while (note := cursors.read(name)).get("state") == "running":
        db.session.commit()
        if time.monotonic() > end:
            return True, touched
        hold()
        page = store.ids(kind, note.get("after"))
        begin_write()
        if cursors.read(name) != note:
            # Paused, cancelled, or another worker has walked on.
            db.session.rollback()
            break
        found = [Owed(account.id, row.ref, place) for row in page.rows for account, place in owed(row, book, scope)]
        touched |= ledger.add(found, "history", force=bool(note.get("force")))
        cursors.write(name, _moved(note, page.cursor, len(page.rows), page.left))
        db.session.commit()
    return False, touched


def _moved(note: dict[str, Any], cursor: str | None, rows: int, left: int) -> dict[str, Any]:
    seen = int(note.get("seen") or 0) + rows
    total = note.get("total")
    moved = {**note, "after": cursor, "seen": seen, "total": left if total is None else total}
    return moved if cursor is not None else {**moved, "state": "done", "ended": time.time()}


def lost(now: float | None = None) -> list[tuple[str, str]]:
    """Return (kind, scope) of the walks that should run and have not moved for a while."""
    moment = time.time() if now is None else now
    found = []
    for name, (note, changed_at) in cursors.named(PREFIX).items():
        if note.get("state") == "running" and changed_at < moment - STALE_SECONDS:
            kind, _, scope = name.removeprefix(PREFIX).partition(":")
            found.append((kind, scope))
    return found
