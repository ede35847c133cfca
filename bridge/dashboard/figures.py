"""What the home page shows, read from the tables: counts, refused records, last requests, last events, the last day."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import current_app
from sqlalchemy import func, select

from bridge.dashboard.language import mark
from bridge.db import db
from bridge.events import KINDS
from bridge.models import EventLog, Pending, RequestLog

if TYPE_CHECKING:
    from collections.abc import Sequence

NOUNS = {"contact": mark("Customers"), "product": mark("Products"), "order": mark("Orders")}
SHOWN = 20
COUNTED = 5_000
"""How far records that wait are counted: a page must not count a million."""
HOURS = 24
OPEN_HOURS = 2
OVER = "bridge.dashboard.sent"
"""Where an application keeps the hours that are over: hour -> kind -> records."""

_EMAIL = re.compile(r"([^\s@<>\"'(),:;*•…])[^\s@<>\"'(),:;*•…]*@([^\s@<>\"'(),:;]+)")


@dataclass(slots=True)
class Waiting:
    """How many records of one entity wait, by lane, and how many were refused; :data:`COUNTED` is "so many or more"."""

    kind: str
    live: int = 0
    history: int = 0
    refused: int = 0

    @property
    def noun(self) -> str:
        """What people call the entity."""
        return NOUNS[self.kind]

    def shown(self, column: str) -> str:
        """Return a figure for people: one that was not counted to the end has a plus sign."""
        return number(getattr(self, column))


@dataclass(frozen=True, slots=True)
class Sent:
    """Records that Ometria accepted in the last 24 hours: hour starts (Unix seconds), and by kind one count an hour."""

    hours: tuple[float, ...]
    counts: dict[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them together."""
        return sum(sum(counts) for counts in self.counts.values())


def number(count: int, most: int = COUNTED) -> str:
    """Return a count for people; one that has reached ``most`` was not counted further."""
    return f"{count:,}+" if count >= most else f"{count:,}"


def masked(text: str) -> str:
    """Return a text with the e-mail addresses in it cut down to their first letter and their host."""
    return _EMAIL.sub(r"\1•••@\2", text)


def waiting() -> list[Waiting]:
    """Return one row for each entity, whether anything waits or not; no figure is above :data:`COUNTED`."""
    places = [(state, lane, kind) for state in ("waiting", "refused") for lane in ("live", "history") for kind in KINDS]
    counts = db.session.execute(select(*(_bounded(*place) for place in places))).one()
    found: dict[str, Waiting] = {kind: Waiting(kind) for kind in KINDS}
    for (state, lane, kind), count in zip(places, counts, strict=True):
        column = "refused" if state == "refused" else lane
        setattr(found[kind], column, min(getattr(found[kind], column) + count, COUNTED))
    return list(found.values())


def _bounded(state: str, lane: str, kind: str) -> Any:
    """Return how many records there are, counted up to :data:`COUNTED`, as a column."""
    some = select(Pending.id).where(Pending.state == state, Pending.lane == lane, Pending.kind == kind).limit(COUNTED)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


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
    """Return the records sent per hour: this hour and the 23 before it.

    Hours that are over are counted once a process; of the last two each time, since a request is written down when it
    has ended.
    """
    latest = (now or time.time()) // 3600 * 3600
    hours = tuple(latest - step * 3600 for step in reversed(range(HOURS)))
    over: dict[float, dict[str, int]] = current_app.extensions.setdefault(OVER, {})
    for hour in set(over) - set(hours):
        over.pop(hour, None)
    known = {hour: over[hour] for hour in hours[:-OPEN_HOURS] if hour in over}
    counted = {hour: _sent_in(hour) for hour in hours if hour not in known}
    over.update({hour: counted[hour] for hour in hours[:-OPEN_HOURS] if hour in counted})
    known |= counted
    return Sent(hours, {kind: [known[hour].get(kind, 0) for hour in hours] for kind in KINDS})


def _sent_in(hour: float) -> dict[str, int]:
    rows = (
        select(RequestLog.kind, func.sum(RequestLog.records))
        .where(RequestLog.at >= hour, RequestLog.at < hour + 3600, RequestLog.status.between(200, 299))
        .group_by(RequestLog.kind)
    )
    return {kind: int(records) for kind, records in db.session.execute(rows)}
