"""How a transaction that will write begins."""

from __future__ import annotations

from bridge.db import db, immediate


def begin_write() -> None:
    """End what was read so far and take SQLite's write lock before the first read of the new transaction.

    A transaction that first reads and then writes fails at once when somebody else wrote in between. What the session
    holds unwritten is committed.
    """
    db.session.commit()
    immediate()
