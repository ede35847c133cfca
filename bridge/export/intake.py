"""Events -> ledger rows. Each event once; the row is in the database before the stream forgets the event."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import structlog
from flask import current_app
from redis.exceptions import LockError
from sqlalchemy.exc import DataError, IntegrityError

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.events import EntityRef, OrderPlaced, Registered, Subscribed, SubscriptionTold, decode_event
from bridge.export import cursors, ledger, logs, people, steps
from bridge.export.ledger import Owed
from bridge.export.routes import event_store
from bridge.settings import load_book
from bridge.stream import Reader
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from bridge.events import AnyEvent
    from bridge.settings import Book

BATCH = 500
LOCK = "bridge:lock:events"
LOCK_SECONDS = 15
LOCK_WAIT_SECONDS = 20
SHARE_SECONDS = 10.0
"""How long one job drains a stream that never runs dry: the accounts that are owed something wait to be woken."""
DROPPED = "events:dropped"
SUBSCRIBED = 1
TOLD = {"subscribed": SUBSCRIBED, "unconfirmed": 2, "unsubscribed": 3}
"""How a subscription stands, as the shop's mail says it -> Magento's number."""
ODD = (DataError, IntegrityError, ArithmeticError, LookupError, TypeError, ValueError)
"""What an event that cannot be kept raises; a database that is gone raises others, and the events wait."""

log = structlog.get_logger()


def take_events(connection: redis.Redis, secrets: Sequence[str]) -> set[str]:
    """Drain the stream, for a limited time; return the accounts that are owed something new.

    Raises ``redis.RedisError``. One reader at a time: who does not get the lock leaves the work to its holder.
    """
    lock = connection.lock(LOCK, timeout=LOCK_SECONDS, blocking_timeout=LOCK_WAIT_SECONDS)
    if not lock.acquire():
        return set()
    touched: set[str] = set()
    reader, end = Reader(connection), time.monotonic() + SHARE_SECONDS
    try:
        while entries := reader.read(BATCH):
            touched |= keep_events([data for _, data in entries], secrets)
            reader.acknowledge([entry for entry, _ in entries])
            if time.monotonic() > end:
                break
            lock.reacquire()
    except LockError:
        # Too slow: another reader has begun. What was stored twice is known by its id.
        log.warning("event lock lost", next="the other reader goes on")
    finally:
        if lock.owned():
            lock.release()
    return touched


def keep_events(lines: Sequence[bytes], secrets: Sequence[str]) -> set[str]:
    """Store the events of one batch and what they entail in one transaction; return the accounts concerned.

    An event that cannot be kept is counted and dropped, and holds up none of the others.
    """
    try:
        return _keep(lines, secrets)
    except ODD as error:
        db.session.rollback()
        if len(lines) == 1:
            begin_write()
            _drop(error)
            db.session.commit()
            return set()
    return set().union(*(keep_events([line], secrets) for line in lines))


def _keep(lines: Sequence[bytes], secrets: Sequence[str]) -> set[str]:
    begin_write()
    book = load_book()
    live: dict[Owed, None] = {}
    fresh: list[AnyEvent] = []
    for line in lines:
        event = _decoded(line)
        if event is not None and logs.event(event, _type_of(event)):
            fresh.append(event)
            found = _owed(event, book, secrets)
            steps.write("seen", [(row.account, row.ref, _type_of(event)) for row in found], event.at)
            live.update(dict.fromkeys(found))
    touched = ledger.add(live, "live")
    # Other rooms take their part of the stream in the same transaction; the composition root names them.
    for take in current_app.extensions.get("bridge.takers", ()):
        take(fresh)
    db.session.commit()
    return touched


def _decoded(line: bytes) -> AnyEvent | None:
    try:
        return decode_event(line)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        _drop(error)
        return None


def _drop(error: Exception) -> None:
    """Count an event that is lost. No commit."""
    count = int(cursors.read(DROPPED).get("count", 0)) + 1
    cursors.write(DROPPED, {"count": count, "at": time.time()})
    log.warning("event dropped", error=type(error).__name__, next="it is counted")


def _type_of(event: AnyEvent) -> str:
    return str(event.__struct_config__.tag)


def _status(event: Registered | Subscribed | SubscriptionTold) -> int | None:
    """Return Magento's number of what an event says of a subscription; None when it says nothing of it."""
    if isinstance(event, SubscriptionTold):
        return TOLD[event.status]
    return SUBSCRIBED if isinstance(event, Subscribed) or event.subscribed else None


def _owed(event: AnyEvent, book: Book, secrets: Sequence[str]) -> list[Owed]:
    """Return what the event entails; nothing where no account is set for its store view."""
    ref: EntityRef
    store = event_store(event.store, event.host, book)
    if isinstance(event, OrderPlaced):
        if not event.order and not event.number:
            return []
        ref = EntityRef("order", event.order or f"number:{event.number}")
    elif isinstance(event, Registered | Subscribed | SubscriptionTold) and store is not None:
        if not secrets:
            raise Misconfigured("No secret key is loaded: start through create_app.")
        status = _status(event)
        ref = EntityRef("contact", f"subscriber:{people.note(event.email, store.code, status, event.at, secrets)}")
    else:
        return []
    if store is None:
        return []
    return [Owed(account.id, ref, store.ref) for account in book.accounts_of((store,))]
