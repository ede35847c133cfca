"""Newsletter subscribers from the shop's own table, where the merchant gives a read-only way to it.

One table is read, ``newsletter_subscriber``, and of it the columns that say who, where, which account, which status and
since when; nothing is ever written. It is walked once by id, after that only what is new (by id) and what changed (by
``change_status_at``) is read. A row that is deleted in the shop says nothing: it is no opt-out.

A row without a time is from before Magento kept one: it has the time of the row before it, by id, since ids are given
in the order of subscribing; the first ones have :data:`EARLIEST`. Ometria would take one without a time as of now.
"""

from __future__ import annotations

import datetime as dt
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from bridge.errors import Misconfigured, Retry
from bridge.export import cursors
from bridge.export.subscribers import ADDRESS_MOST, STATUSES, Line, Taken, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bridge.config import Config
    from bridge.settings import Book

NOTE = "table:subscribers"
NAME = "newsletter_subscriber"
PAGE = 500
ROUND_SECONDS = 60.0
SHARE_SECONDS = 15.0
OVERLAP = dt.timedelta(minutes=10)
"""How far a round looks back: a row may appear later than its time says."""
CONNECT_SECONDS = 5
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
VARIABLE = "BRIDGE_SHOP_DATABASE_URL"


def due(config: Config, now: float | None = None) -> bool:
    """Return whether there is such a table and its next round has come."""
    if config.shop_database_url is None:
        return False
    moment = time.time() if now is None else now
    return moment >= float(cursors.read(NOTE).get("at") or 0) + ROUND_SECONDS


def take(config: Config, book: Book, *, hold: Callable[[], object] = lambda: None) -> tuple[bool, set[str]]:
    """Read what is new; return whether there is more to do at once, and the accounts concerned.

    ``hold`` is called before each page. Raises ``Retry`` and ``Misconfigured``; it is then taken up where it was.
    """
    taken = Taken()
    if not due(config) or not book.accounts():
        return False, set()
    end = time.monotonic() + SHARE_SECONDS
    with _connected(config) as connection:
        while True:
            hold()
            note = cursors.read(NOTE)
            rows = _new(connection, config, note)
            _keep(rows, note, config, book, taken, lane="live" if note.get("whole") else "history")
            last = max((row.subscriber_id for row in rows), default=note.get("after") or 0)
            whole = len(rows) < PAGE
            cursors.save(NOTE, {**_marked(note, rows), "after": last, "whole": whole or bool(note.get("whole"))})
            if whole:
                break
            if time.monotonic() > end:
                return True, taken.accounts
        _changes(connection, config, book, taken, hold)
    cursors.save(NOTE, {**cursors.read(NOTE), "at": time.time()})
    return False, taken.accounts


def _changes(connection: sa.Connection, config: Config, book: Book, taken: Taken, hold: Callable[[], object]) -> None:
    """Read every row that changed since shortly before the newest one seen."""
    note = cursors.read(NOTE)
    mark = _moment(note.get("mark"))
    if mark is None:
        return
    place = (mark - OVERLAP, 0)
    while True:
        hold()
        rows = _changed(connection, config, place)
        _keep(rows, note, config, book, taken, lane="live")
        note = _marked(note, rows)
        cursors.save(NOTE, note)
        if len(rows) < PAGE:
            return
        place = (_utc(rows[-1].change_status_at) or place[0], rows[-1].subscriber_id)


def _table(config: Config) -> sa.TableClause:
    columns = ("subscriber_id", "store_id", "change_status_at", "customer_id", "subscriber_email", "subscriber_status")
    typed = [sa.column(name, sa.DateTime() if name == "change_status_at" else None) for name in columns]
    return sa.table(config.shop_database_prefix + NAME, *typed)


def _new(connection: sa.Connection, config: Config, note: dict[str, Any]) -> Sequence[Any]:
    table = _table(config)
    query = (
        sa.select(table)
        .where(table.c.subscriber_id > int(note.get("after") or 0))
        .order_by(table.c.subscriber_id)
        .limit(PAGE)
    )
    return _read(connection, config, query)


def _changed(connection: sa.Connection, config: Config, place: tuple[dt.datetime, int]) -> Sequence[Any]:
    table = _table(config)
    at, last = table.c.change_status_at, place[0].replace(tzinfo=None)
    beyond = sa.or_(at > last, sa.and_(at == last, table.c.subscriber_id > place[1]))
    query = sa.select(table).where(beyond).order_by(at, table.c.subscriber_id).limit(PAGE)
    return _read(connection, config, query)


def _keep(rows: Sequence[Any], note: dict[str, Any], config: Config, book: Book, taken: Taken, *, lane: Any) -> None:
    before = _moment(note.get("before")) or EARLIEST
    lines = []
    for row in rows:
        before = _utc(row.change_status_at) or before
        line = _line(row, before, book)
        taken.lines += 1
        if line is not None:
            lines.append(line)
    now = time.time()
    keep(lines, (book, config.secret_keys, now, now), taken, lane)


def _line(row: Any, at: dt.datetime, book: Book) -> Line | None:
    """Return a row as a line; None for one of no known store view, status or address."""
    store = book.store(id=int(row.store_id or 0))
    status, email = int(row.subscriber_status or 0), str(row.subscriber_email or "").strip()
    if store is None or status not in STATUSES.values() or "@" not in email or len(email) > ADDRESS_MOST:
        return None
    customer = int(row.customer_id or 0)
    number = int(row.subscriber_id)
    return Line(number, email, status, customer == 0, store, at.timestamp(), customer)


def _marked(note: dict[str, Any], rows: Sequence[Any]) -> dict[str, Any]:
    """Return the note with the newest time seen, and that of the last row."""
    times = [moment for row in rows if (moment := _utc(row.change_status_at)) is not None]
    known = _moment(note.get("mark"))
    newest = max([*times, *([known] if known else [])], default=None)
    before = times[-1] if times else _moment(note.get("before"))
    return {
        **note,
        "mark": newest.isoformat() if newest else None,
        "before": before.isoformat() if before else None,
    }


def _moment(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None


def _utc(value: Any) -> dt.datetime | None:
    """Return a time of the shop's database, which keeps UTC; None for none, and for the zero that MySQL may hold."""
    if not isinstance(value, dt.datetime):
        return None
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


@contextmanager
def _connected(config: Config) -> Iterator[sa.Connection]:
    """Connect for reading only."""
    engine = _engine(config.shop_database_url or "")
    try:
        with _in_words(config):
            connection = engine.connect()
        with connection:
            yield connection
    finally:
        engine.dispose()


def _read(connection: sa.Connection, config: Config, query: sa.Select[Any]) -> Sequence[Any]:
    with _in_words(config):
        return connection.execute(query).all()


@contextmanager
def _in_words(config: Config) -> Iterator[None]:
    """Say what fails in words that hold neither address nor password."""
    try:
        yield
    except OperationalError as error:
        if _denied(error):
            raise _no_right(config) from None
        raise Retry("The shop's database does not answer.", ROUND_SECONDS) from None
    except DBAPIError:
        raise _no_right(config) from None


def _denied(error: OperationalError) -> bool:
    """Return whether the database answers, and has no such table or does not show it."""
    said = str(error.orig).casefold()
    return any(words in said for words in ("no such table", "denied", "no such column", "unknown column"))


def _no_right(config: Config) -> Misconfigured:
    name = config.shop_database_prefix + NAME
    return Misconfigured(f"{VARIABLE}: its user cannot read {name}: grant it SELECT on that table, or name its prefix.")


def _engine(url: str) -> sa.Engine:
    try:
        parts = sa.make_url(url)
        backend = parts.get_backend_name()
        more = {} if backend == "sqlite" else {"connect_timeout": CONNECT_SECONDS}
        engine = sa.create_engine(parts, poolclass=NullPool, hide_parameters=True, connect_args=more)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise Misconfigured(
            f"{VARIABLE} names a database whose driver is not installed: use mysql+pymysql://, whose driver comes with "
            "bridge."
        ) from None
    for statement in READ_ONLY.get(backend, ()):
        sa.event.listen(engine, "connect", _saying(statement))
    return engine


READ_ONLY: dict[str, tuple[str, ...]] = {
    "sqlite": ("PRAGMA query_only = ON",),
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TIME ZONE 'UTC'"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'"),
}
"""What makes a connection one for reading, and its times UTC."""


def _saying(statement: str) -> Callable[[Any, Any], None]:
    def say(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()

    return say
