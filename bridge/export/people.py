"""Newsletter subscribers that passing traffic showed: Magento's REST lists none.

Magento has one subscriber for an address in a website, through whichever of its store views the address came.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from bridge.db import db
from bridge.export.map_contacts import SUBSCRIBED, Subscription
from bridge.models import ID_LIMIT, Scope, Subscriber

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber as kept; ``store`` is a store view code."""

    id: str
    email: str
    store: str
    subscription: Subscription


def email_key(email: str, secret: str) -> str:
    """Return under what an address is found, without telling it."""
    return hmac.new(secret.encode(), email.strip().lower().encode(), hashlib.sha256).hexdigest()


def note(email: str, store: str, status: int | None, at: float, secrets: Sequence[str]) -> str:
    """Keep what was seen of an address in a store view and return the row's id. No commit.

    An older observation never replaces a newer one; ``status`` None says nothing of a subscription. Who subscribes
    again in another store view of the website belongs to that from then on.
    """
    rows = _rows(email, store, secrets)
    row = rows[0] if rows else None
    if row is None:
        row = Subscriber(
            email=email.strip(),
            email_key=email_key(email, secrets[0]),
            store=store,
            status=status or 0,
            changed_at=at,
        )
        db.session.add(row)
    elif status is not None and (at >= row.changed_at or row.status == 0):
        if row.status != status:
            row.changed_at = at
        row.status = status
        if status == SUBSCRIBED and store not in {one.store for one in rows}:
            row.store = store
    db.session.flush()
    return str(row.id)


def find(id_: str) -> Person | None:
    """Return the person with this row id."""
    number = int(id_) if id_.isdecimal() and len(id_) <= len(str(ID_LIMIT)) else ID_LIMIT
    row = db.session.get(Subscriber, number, populate_existing=True) if number < ID_LIMIT else None
    return None if row is None else _person(row)


def subscription(email: str, store: str, secrets: Sequence[str]) -> Subscription | None:
    """Return what is known of an address in the website of a store view."""
    rows = _rows(email, store, secrets)
    return _person(rows[0]).subscription if rows else None


def noted(emails: Iterable[str], secrets: Sequence[str]) -> set[str]:
    """Return those of the addresses of which anything is kept: one question for many, where most have nothing."""
    # Addresses that differ in their letters' case alone have one key.
    keys: dict[str, set[str]] = {}
    for email in emails:
        for secret in secrets:
            keys.setdefault(email_key(email, secret), set()).add(email)
    found: set[str] = set()
    names = list(keys)
    for start in range(0, len(names), KEYS_AT_ONCE):
        query = select(Subscriber.email_key).where(Subscriber.email_key.in_(names[start : start + KEYS_AT_ONCE]))
        found.update(*(keys[key] for key in db.session.scalars(query)))
    return found


def by_email(email: str, secrets: Sequence[str]) -> list[Person]:
    """Return what is kept of an address, of every website, the newest first."""
    keys = [email_key(email, secret) for secret in secrets]
    query = select(Subscriber).where(Subscriber.email_key.in_(keys)).order_by(Subscriber.changed_at.desc())
    return [_person(row) for row in db.session.scalars(query)]


def _rows(email: str, store: str, secrets: Sequence[str]) -> Sequence[Subscriber]:
    """Return the address's rows in the website of a store view, the newest first."""
    website = select(Scope.parent).where(Scope.ref == f"store:{store}").scalar_subquery()
    views = select(Scope.code).where(Scope.level == "store", Scope.parent == website)
    return db.session.scalars(
        select(Subscriber)
        .where(
            Subscriber.email_key.in_([email_key(email, secret) for secret in secrets]),
            or_(Subscriber.store == store, Subscriber.store.in_(views)),
        )
        .order_by(Subscriber.changed_at.desc(), Subscriber.id)
    ).all()


def _person(row: Subscriber) -> Person:
    moment = dt.datetime.fromtimestamp(row.changed_at, tz=dt.UTC)
    return Person(str(row.id), row.email, row.store, Subscription(row.status, moment))
