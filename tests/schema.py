"""The tables of a new database, for tests: as `db.create_all` makes them, but worked out once in a process."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from bridge.db import db


@functools.cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        engine = create_engine(f"sqlite:///{path}")
        db.metadata.create_all(engine)
        engine.dispose()
        return path.read_bytes()


def create_tables() -> None:
    """Make the tables in the database of the application at hand; a file of SQLite that is not there yet is a copy."""
    path = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and path and path != ":memory:" and not Path(path).exists():
        Path(path).write_bytes(_empty_database())
    db.create_all()
