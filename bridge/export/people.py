"""Newsletter subscribers that passing traffic showed: Magento's REST lists none."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from bridge.db import db
from bridge.export.mapping import Subscription
from bridge.models import Subscriber

if TYPE_CHECKING:
    from collections.abc import Sequence


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

    An older observation never replaces a newer one; ``status`` None says nothing of a subscription.
    """
    row = _find(email, store, secrets)
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
    db.session.flush()
    return str(row.id)


def find(id_: str) -> Person | None:
    """Return the person with this row id."""
    row = db.session.get(Subscriber, int(id_), populate_existing=True) if id_.isdecimal() else None
    return None if row is None else _person(row)


def subscription(email: str, store: str, secrets: Sequence[str]) -> Subscription | None:
    """Return what is known of an address in a store view."""
    row = _find(email, store, secrets)
    return None if row is None else _person(row).subscription


def _find(email: str, store: str, secrets: Sequence[str]) -> Subscriber | None:
    keys = [email_key(email, secret) for secret in secrets]
    return db.session.scalar(
        select(Subscriber).where(Subscriber.email_key.in_(keys), Subscriber.store == store).limit(1)
    )


def _person(row: Subscriber) -> Person:
    moment = dt.datetime.fromtimestamp(row.changed_at, tz=dt.UTC)
    return Person(str(row.id), row.email, row.store, Subscription(row.status, moment))
