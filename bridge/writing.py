"""How a transaction that will write begins, how many rows are written at once, and how a note is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

from bridge.db import db, immediate
from bridge.models import Cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def begin_write() -> None:
    """End what was read so far and take SQLite's write lock before the first read of the new transaction.

    A transaction that first reads and then writes fails at once when somebody else wrote in between. What the session
    holds unwritten is committed.
    """
    db.session.commit()
    immediate()


def put(model: Any, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Add rows of a table, or replace the given columns of those that are there by ``keys``. No commit.

    One statement is made for all of them: a list of values in the statement itself would cost more than the database.
    """
    if not rows:
        return
    statement = insert(model)
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    db.session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=others), list(rows))


def insert(model: Any) -> Any:
    """Return the database's own INSERT, which knows what to do with a row that is there."""
    dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    return dialect.insert(model.__table__)


def keep_note(name: str, data: dict[str, Any]) -> None:
    """Keep a note under its name, in the place of an older one. No commit.

    One statement, since two workers may be the first to keep it: neither finds it, and both write.
    """
    put(Cursor, [{"name": name, "data": data, "updated_at": time.time()}], ("name",))
