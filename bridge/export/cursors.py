"""Named positions and notes: how far a walk has come, why an account is paused, when the tree was read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from bridge.db import db
from bridge.models import Cursor
from bridge.writing import begin_write, keep_note


def read(name: str) -> dict[str, Any]:
    """Return the note, an empty one where there is none."""
    row = db.session.get(Cursor, name, populate_existing=True)
    return dict(row.data) if row is not None else {}


def write(name: str, data: dict[str, Any]) -> None:
    """Keep the note. No commit."""
    keep_note(name, data)


def save(name: str, data: dict[str, Any]) -> None:
    """Keep the note in a transaction of its own."""
    begin_write()
    write(name, data)
    db.session.commit()


def still(name: str, note: dict[str, Any]) -> bool:
    """Begin a transaction that will write; return whether the note is what it was when the work for it began.

    Else it was paused, cancelled or moved on by another worker meanwhile, and nothing is begun.
    """
    begin_write()
    # On PostgreSQL a worker that holds the row is waited for, and what it wrote is what is read.
    row = db.session.get(Cursor, name, populate_existing=True, with_for_update=True)
    if (dict(row.data) if row is not None else {}) == note:
        return True
    db.session.rollback()
    return False


def clear(name: str) -> None:
    """Forget the note, if there is one, in a transaction of its own."""
    if not read(name):
        return
    begin_write()
    row = db.session.get(Cursor, name, populate_existing=True)
    if row is not None:
        db.session.delete(row)
    db.session.commit()


def named(prefix: str) -> dict[str, tuple[dict[str, Any], float]]:
    """Return every note whose name begins so, with the time of its last change."""
    found = db.session.scalars(
        select(Cursor).where(Cursor.name.startswith(prefix, autoescape=True)).execution_options(populate_existing=True)
    )
    return {row.name: (dict(row.data), row.updated_at) for row in found}
