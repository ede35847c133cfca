"""Gathers what the rules judge: from database, settings and Redis. Nothing is asked of the shop or of Ometria."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import redis
from sqlalchemy import func, select

from bridge.alerts.rules import HOUR, LOOKS, Account, Facts, Relayed, Stopped
from bridge.clock import last_tick
from bridge.coupons.alerts import stopped
from bridge.db import db
from bridge.export import cursors
from bridge.export.ease import PAUSE_SECONDS
from bridge.export.session import pause_name
from bridge.models import EventLog, Pending, RequestLog, Scope
from bridge.models_mail import MailDelivery
from bridge.settings import DEFAULT, MAIL_KINDS, load_book
from bridge.settings.alerts import hours_of
from bridge.writing import begin_write

if TYPE_CHECKING:
    from bridge.settings import Account as Sender
    from bridge.settings import Book

LOOKED = "alerts:looks"
LOOK_SECONDS = 300.0
"""Time between two looks at how much waits: shorter ones would take every import for a backlog that grows."""
SAMPLE = 1000
"""Rows that are due first, among which the one that has waited longest is looked for."""
BY_HAND = "sent again by hand"
"""The reason that the mail log gives where a person chose the way."""


def gather(connection: redis.Redis | None, now: float) -> Facts:
    """Return the facts. Commits, since what waits is written down at each look."""
    book = load_book()
    values = book.settings(DEFAULT)
    return Facts(
        now=dt.datetime.fromtimestamp(now, tz=_zone(book)),
        accounts=_accounts(book, now),
        backlog_minutes=values["alerts.backlog_minutes"],
        tracked=any(_tracked(book, store.ref) for store in book.stores if store.active),
        event=db.session.scalar(select(func.max(EventLog.at))),
        hours=hours_of(values["alerts.shop_hours"]),
        relayed=_relayed(book, now),
        beat=_beat(connection),
        pools=tuple(Stopped(pool.id, pool.name, pool.problem) for pool in stopped()),
    )


def _zone(book: Book) -> dt.tzinfo:
    try:
        return ZoneInfo(book.default_store.timezone if book.default_store else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _tracked(book: Book, ref: str) -> bool:
    values = book.settings(ref)
    return bool(values["general.enabled"] and values["tracking.enabled"])


def _beat(connection: redis.Redis | None) -> float | None:
    try:
        return last_tick(connection) if connection is not None else None
    except redis.RedisError:
        return None


def _accounts(book: Book, now: float) -> tuple[Account, ...]:
    found = book.accounts()
    names = {row.ref: row.name for row in db.session.execute(select(Scope.ref, Scope.name))}
    live = {one.id for one in found if one.settings["export.live"] and not one.settings["export.dry_run"]}
    looks = _looks({id_: _waiting(id_) for id_ in live}, now)
    return tuple(
        Account(
            id=one.id,
            name=(names.get(one.owner) or one.owner) + (" (global)" if one.is_global else ""),
            refused=_refused(one),
            oldest=_oldest(one.id, now) if one.id in live else 0.0,
            looks=looks.get(one.id, ()),
            most=one.settings["export.max_per_run"],
        )
        for one in found
    )


def _refused(account: Sender) -> str:
    """Return why an account is paused; until Ometria has taken something of it again.

    The pause itself ends after some minutes, to try again: that it is over says nothing of the key.
    """
    note = cursors.read(pause_name(account.id))
    if not note.get("paused"):
        return ""
    since = float(note.get("until") or 0) - PAUSE_SECONDS
    taken = select(RequestLog.id).where(
        RequestLog.account == account.id, RequestLog.at > since, RequestLog.status.between(200, 299)
    )
    return "" if db.session.scalar(taken.limit(1)) is not None else str(note["paused"])


def _waiting(account: str) -> int:
    """Return how many live rows wait."""
    waits = (Pending.account == account, Pending.state == "waiting", Pending.lane == "live")
    return db.session.scalar(select(func.count()).select_from(Pending).where(*waits)) or 0


def _oldest(account: str, now: float) -> float:
    """Return when the live row was added that has waited longest, 0 for none.

    A row that Ometria would not take now is put off again and again; what counts is since when it has waited.
    """
    waits = (Pending.account == account, Pending.state == "waiting", Pending.lane == "live", Pending.lease_until < now)
    first = select(Pending.added_at).where(*waits).order_by(Pending.due_at).limit(SAMPLE).subquery()
    return db.session.scalar(select(func.min(first.c.added_at))) or 0.0


def _looks(waiting: dict[str, int], now: float) -> dict[str, tuple[int, ...]]:
    """Return how many rows waited at the last looks, with this one; a look that is due is kept. Commits.

    Of two workers that look at once the second finds the first one's look and keeps none.
    """
    begin_write()
    note = cursors.read(LOOKED)
    kept: dict[str, list[int]] = note.get("counts") or {}
    due = not 0 <= now - float(note.get("at") or 0) < LOOK_SECONDS
    if due:
        kept = {id_: [*kept.get(id_, []), count][-LOOKS - 1 :] for id_, count in waiting.items()}
        cursors.write(LOOKED, {"at": now, "counts": kept})
    db.session.commit()
    if due:
        return {id_: tuple(counts) for id_, counts in kept.items()}
    return {id_: (*kept.get(id_, []), count)[-LOOKS - 1 :] for id_, count in waiting.items()}


def _relayed(book: Book, now: float) -> tuple[Relayed, ...]:
    """Return the mails of the last hour that went out as the shop's own though their kind is live and switched on."""
    query = (
        select(MailDelivery.kind, MailDelivery.store, MailDelivery.why, func.count())
        .where(MailDelivery.at > now - HOUR, MailDelivery.route == "relay", MailDelivery.twin.is_(False))
        .where(MailDelivery.kind.in_(MAIL_KINDS), MailDelivery.why != BY_HAND)
        .group_by(MailDelivery.kind, MailDelivery.store, MailDelivery.why)
    )
    found = []
    for kind, store, why, count in db.session.execute(query):
        values = book.settings(f"store:{store}" if store else DEFAULT)
        if values["mail.mode"] == "live" and values[f"mail.{kind}.enabled"]:
            found.append(Relayed(kind, MAIL_KINDS[kind], why, count))
    return tuple(found)
