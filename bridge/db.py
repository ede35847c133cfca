"""The database: engine, session, SQLite's settings and the encrypted column.

SQLite runs in WAL mode with ``synchronous=FULL``, since work is acknowledged on commit. PostgreSQL needs no settings.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Text, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
    from sqlalchemy.pool import ConnectionPoolEntry


class Base(DeclarativeBase):
    """Base of all tables."""


db = SQLAlchemy(model_class=Base)


class Vault:
    """Encrypts and decrypts with the process's secret keys: the first encrypts, all decrypt."""

    def __init__(self) -> None:
        self._fernet: MultiFernet | None = None

    def use(self, keys: Sequence[str]) -> None:
        """Take the keys of the configuration; any text of 16 or more characters is a key."""
        digests = [hashlib.sha256(b"bridge secrets " + key.encode()).digest() for key in keys]
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])

    def encrypt(self, text: str) -> str:
        """Return the token to store."""
        return self._keys().encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Return the text; raises :class:`Misconfigured` when no key of this process fits."""
        return self.unseal(token.encode("ascii")).decode()

    def seal(self, data: bytes) -> bytes:
        """Return bytes to store, as :meth:`encrypt` does with text."""
        return self._keys().encrypt(data)

    def unseal(self, token: bytes) -> bytes:
        """Return what :meth:`seal` was given; raises :class:`Misconfigured` when no key of this process fits."""
        try:
            return self._keys().decrypt(token)
        except InvalidToken:
            raise Misconfigured(
                "A stored secret cannot be read with BRIDGE_SECRET_KEY: add the key it was stored under to the list."
            ) from None

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            raise Misconfigured("No secret key is loaded: start through create_app.")
        return self._fernet


vault = Vault()


class Secret(TypeDecorator[str]):
    """A text column that is encrypted at rest."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 the base class's signature
        """Encrypt on the way in."""
        return None if value is None else vault.encrypt(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ARG002 the base class's signature
        """Decrypt on the way out."""
        return None if value is None else vault.decrypt(value)


@event.listens_for(Engine, "connect")
def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    if type(connection).__module__.partition(".")[0] != "sqlite3":
        return
    # The driver must not open transactions by itself: BEGIN IMMEDIATE below takes the write lock at once, so two
    # claims never read the same rows and then fail to upgrade.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


def engine_options(url: str) -> dict[str, Any]:
    """Return what Flask-SQLAlchemy hands to ``create_engine`` for this database.

    The values of a statement stay out of the error's text: they may be a person's data.
    """
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 10, "check_same_thread": False}, "hide_parameters": True}
    return {"pool_pre_ping": True, "pool_size": 10, "hide_parameters": True}


def immediate() -> None:
    """Take SQLite's write lock now, before the first read of this transaction (no effect on PostgreSQL)."""
    if db.engine.dialect.name == "sqlite" and not db.session().in_transaction():
        db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
