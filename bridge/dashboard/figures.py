"""What the home page shows, read from the tables: counts, refused records, last requests, last events, the last day."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bridge.db import db
from bridge.events import KINDS
from bridge.models import EventLog, Pending, RequestLog

if TYPE_CHECKING:
    from collections.abc import Sequence

NOUNS = {"contact": "Customers", "product": "Products", "order": "Orders"}
SHOWN = 20
HOURS = 24

_EMAIL = re.compile(r"([^\s@<>\"'(),:;*•…])[^\s@<>\"'(),:;*•…]*@([^\s@<>\"'(),:;]+)")


@dataclass(slots=True)
class Waiting:
    """How many records of one entity wait, by lane, and how many were refused."""

    kind: str
    live: int = 0
    history: int = 0
    refused: int = 0

    @property
    def noun(self) -> str:
        """What people call the entity."""
        return NOUNS[self.kind]


@dataclass(frozen=True, slots=True)
class Sent:
    """Records that Ometria accepted in the last 24 hours: hour starts (Unix seconds), and by kind one count an hour."""

    hours: tuple[float, ...]
    counts: dict[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them together."""
        return sum(sum(counts) for counts in self.counts.values())


def masked(text: str) -> str:
    """Return a text with the e-mail addresses in it cut down to their first letter and their host."""
    return _EMAIL.sub(r"\1•••@\2", text)


def waiting() -> list[Waiting]:
    """Return one row for each entity, whether anything waits or not."""
    found: dict[str, Waiting] = {kind: Waiting(kind) for kind in KINDS}
    counts = (
        select(Pending.kind, Pending.lane, Pending.state, func.count())
        .group_by(Pending.state, Pending.kind, Pending.lane)
        .order_by(Pending.kind)
    )
    for kind, lane, state, count in db.session.execute(counts):
        if (row := found.get(kind)) is None:
            continue
        column = "refused" if state == "refused" else "history" if lane == "history" else "live"
        setattr(row, column, getattr(row, column) + count)
    return list(found.values())


def refused() -> Sequence[Pending]:
    """Return the records that Ometria would not take, newest first."""
    rows = select(Pending).where(Pending.state == "refused").order_by(Pending.id.desc()).limit(SHOWN)
    return db.session.scalars(rows).all()


def requests() -> Sequence[RequestLog]:
    """Return the last requests to Ometria, newest first."""
    return db.session.scalars(select(RequestLog).order_by(RequestLog.at.desc()).limit(SHOWN)).all()


def events() -> Sequence[EventLog]:
    """Return the last events that the proxy saw, newest first."""
    return db.session.scalars(select(EventLog).order_by(EventLog.at.desc()).limit(SHOWN)).all()


def sent(now: float | None = None) -> Sent:
    """Return the records sent per hour: this hour and the 23 before it."""
    latest = (now or time.time()) // 3600 * 3600
    first = latest - (HOURS - 1) * 3600
    hour = func.floor((RequestLog.at - first) / 3600)
    rows = (
        select(RequestLog.kind, hour, func.sum(RequestLog.records))
        .where(RequestLog.at >= first, RequestLog.at < latest + 3600, RequestLog.status.between(200, 299))
        .group_by(RequestLog.kind, hour)
    )
    counts: dict[str, list[int]] = {kind: [0] * HOURS for kind in KINDS}
    for kind, number, records in db.session.execute(rows):
        if kind in counts:
            counts[kind][int(number)] = int(records)
    return Sent(tuple(first + step * 3600 for step in range(HOURS)), counts)
