"""Polling: what changed in the shop without the proxy having seen it. The safety net of live updates.

The shop writes ``updated_at`` in whole seconds and before its transaction ends, so each poll looks five minutes back,
and knows by (id, ``updated_at``) what it has seen. The watermark follows the shop's own clock.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from bridge.db import db
from bridge.export import cursors, ledger
from bridge.export.ledger import Owed
from bridge.export.routes import owed
from bridge.export.writing import begin_write

if TYPE_CHECKING:
    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Listed, Store

KINDS: tuple[Kind, ...] = ("order", "contact", "product")
OVERLAP = dt.timedelta(minutes=5)
SETTLE = dt.timedelta(seconds=10)
"""The watermark stays this far behind the shop's clock."""
PAGE = 500


def poll(store: Store, book: Book) -> set[str]:
    """Look for changes of every kind; return the accounts concerned. Raises ``Retry`` and ``Misconfigured``.

    While no account is set the watermark stays where the first poll put it, so that what is bought until then goes out
    once there is one.
    """
    now = store.now()
    touched: set[str] = set()
    for kind in KINDS:
        touched |= _poll_kind(kind, store, book, now)
    return touched


def _poll_kind(kind: Kind, store: Store, book: Book, now: dt.datetime) -> set[str]:
    name = f"poll:{kind}"
    note = cursors.read(name)
    mark = _moment(note.get("mark")) or now
    if not note or not book.accounts():
        if not note:
            _keep(name, now, {})
        if not book.accounts():
            return set()
    seen: dict[str, str] = dict(note.get("seen") or {})
    newest, touched = mark, set[str]()
    rows: list[Listed] = []
    for row in store.changed_since(kind, mark - OVERLAP, now):
        newest = max(newest, row.updated_at or newest)
        if seen.get(row.ref.id) != _stamp(row):
            rows.append(row)
        if len(rows) >= PAGE:
            touched |= _owe(rows, book)
            seen.update({one.ref.id: _stamp(one) for one in rows})
            rows = []
    touched |= _owe(rows, book)
    seen.update({one.ref.id: _stamp(one) for one in rows})
    mark = max(mark, min(newest, now - SETTLE))
    recent = (mark - OVERLAP).isoformat()
    _keep(name, mark, {id_: stamp for id_, stamp in seen.items() if stamp >= recent})
    return touched


def _owe(rows: list[Listed], book: Book) -> set[str]:
    begin_write()
    found = [Owed(account.id, row.ref, scope) for row in rows for account, scope in owed(row, book)]
    touched = ledger.add(found, "live")
    db.session.commit()
    return touched


def _keep(name: str, mark: dt.datetime, seen: dict[str, Any]) -> None:
    cursors.save(name, {"mark": mark.isoformat(), "seen": seen})


def _stamp(row: Listed) -> str:
    return row.updated_at.isoformat() if row.updated_at else ""


def _moment(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
