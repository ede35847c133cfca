"""How the neighbours are: database, Redis, clock, shop and accounts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import redis
from sqlalchemy import func, select

from bridge.clock import LATE_SECONDS, last_tick
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import ngettext
from bridge.db import db
from bridge.export import cursors
from bridge.export.session import SHOP
from bridge.models import Cursor, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

State = Literal["good", "warn", "bad"]
SILENT_SECONDS = 600.0
"""Polls come each minute, and one may take some."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One line: who, how it is, and in words what to do about it."""

    name: str
    state: State
    sentence: str


def neighbours(connection: redis.Redis | None, kill_file: Path, accounts: Mapping[str, str]) -> list[Neighbour]:
    """Return the lines of the home page; ``accounts`` are the ids of the accounts in use and what they are called."""
    return [
        *_redis_and_clock(connection, time.time()),
        _database(),
        _shop(time.time(), asked=bool(accounts)),
        *_accounts(accounts),
        *_kill_file(kill_file),
    ]


def _redis_and_clock(connection: redis.Redis | None, now: float) -> list[Neighbour]:
    try:
        if connection is None:
            raise redis.ConnectionError
        ticked = last_tick(connection)
    except redis.RedisError:
        waits = _("Redis does not answer: nothing is sent, and new events wait on disk. See BRIDGE_REDIS_URL.")
        return [Neighbour("Redis", "bad", waits), Neighbour(_("Clock"), "warn", _("Not known while Redis is away."))]
    return [Neighbour("Redis", "good", _("Answers.")), _clock(ticked, now)]


def _clock(ticked: float, now: float) -> Neighbour:
    age = now - ticked
    if not ticked:
        return Neighbour(_("Clock"), "bad", _("Has not ticked in the last ten minutes: start it with `bridge clock`."))
    if age > LATE_SECONDS:
        late = _("Last ticked %(minutes)s minutes ago: look at the log of `bridge clock`.", minutes=f"{age / 60:.0f}")
        return Neighbour(_("Clock"), "bad", late)
    return Neighbour(_("Clock"), "good", _("Ticks every minute."))


def _database() -> Neighbour:
    began = time.perf_counter()
    db.session.scalar(select(1))
    spent = f"{(time.perf_counter() - began) * 1000:.1f}"
    told = _("Answers in %(spent)s ms (%(database)s).", spent=spent, database=db.engine.dialect.name)
    return Neighbour(_("Database"), "good", told)


def _shop(now: float, *, asked: bool) -> Neighbour:
    """Tell by the notes of the polls, which ask the shop each minute once there is an account."""
    if problem := str(cursors.read(SHOP).get("problem") or ""):
        return Neighbour(_("Shop"), "bad", problem)
    rows = db.session.execute(select(Scope.level, func.count()).group_by(Scope.level)).all()
    counts = {str(level): int(count) for level, count in rows}
    stores, websites = counts.get("store", 0), counts.get("website", 0)
    if not stores:
        return Neighbour(_("Shop"), "warn", _("Its store views have not been read yet: run `bridge check` to see why."))
    answered = db.session.scalar(select(func.max(Cursor.updated_at)).where(Cursor.name.startswith("poll:")))
    if asked and answered and now - answered > SILENT_SECONDS:
        minutes = f"{(now - answered) / 60:.0f}"
        silent = _("Has not answered for %(minutes)s minutes: run `bridge check` to see why.", minutes=minutes)
        return Neighbour(_("Shop"), "bad", silent)
    sites = ngettext("%(num)s website", "%(num)s websites", websites)
    views = ngettext("%(num)s store view", "%(num)s store views", stores)
    return Neighbour(_("Shop"), "good", _("%(websites)s, %(views)s known.", websites=sites, views=views))


def _accounts(accounts: Mapping[str, str]) -> list[Neighbour]:
    if not accounts:
        return [Neighbour("Ometria", "warn", _("No account: set an API key in the general settings."))]
    names = {f"account:{account}": label for account, label in accounts.items()}
    rows = db.session.scalars(select(Cursor).where(Cursor.name.in_(names)))
    paused = {row.name: sentence for row in rows if (sentence := _paused(row.data))}
    if not paused:
        told = ngettext("%(num)s account, none paused.", "%(num)s accounts, none paused.", len(accounts))
        return [Neighbour("Ometria", "good", told)]
    return [
        Neighbour(f"Ometria, {names[name]}", "bad", _("Paused: %(reason)s", reason=why))
        for name, why in sorted(paused.items())
    ]


def _paused(note: Any) -> str:
    """Return why an account is paused; a pause whose time is over is one no longer."""
    if not isinstance(note, dict) or time.time() >= note.get("until", float("inf")):
        return ""
    return str(note.get("paused") or "")


def _kill_file(path: Path) -> list[Neighbour]:
    if not path.exists():
        return []
    return [
        Neighbour(
            _("Tag"),
            "warn",
            _("Switched off by the file %(name)s: pages pass unchanged until it is removed.", name=path.name),
        )
    ]
