"""The report of a comparison, as it is kept: counts by store view and day, and the single differences."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, text, update

from bridge.db import db
from bridge.models_drift import DIFFERS, DriftCount, DriftItem, DriftSeen
from bridge.writing import insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.events import EntityRef, Kind

FIGURES = ("shop", "sent", "held", "missing", "stale", "extra", "repaired")
STATES = ("missing", "stale", "extra")
CHUNK = 300


@dataclass(slots=True)
class Line:
    """One entity of one account as a comparison found it.

    ``state`` is empty where all agree. ``repair``: ``send`` owes it, ``force`` owes it though it did not change since
    it was sent, ``look`` asks the shop for it alone, empty does nothing. ``digest`` is of the record sent last.
    """

    account: str
    ref: EntityRef | None
    store: str = ""
    day: str = ""
    record: str = ""
    shop: bool = False
    sent: bool = False
    held: bool = False
    state: str = ""
    detail: str = ""
    repair: str = ""
    scope: str = ""
    digest: str = ""
    tried: str = ""
    repaired: bool = False

    def counted(self) -> Counter[str]:
        """Return what the line adds to the figures of its store view and day."""
        found = Counter({name: 1 for name in ("shop", "sent", "held", "repaired") if getattr(self, name)})
        if self.state:
            found[self.state] += 1
        return found


def count(kind: Kind, run: int, lines: Iterable[Line]) -> None:
    """Add lines to the figures. No commit."""
    sums: dict[tuple[str, str, str], Counter[str]] = {}
    for line in lines:
        sums.setdefault((line.account, line.store, line.day), Counter()).update(line.counted())
    for (account, store, day), counted in sorted(sums.items()):
        values = {name: counted[name] for name in FIGURES}
        statement = insert(DriftCount).values(kind=kind, run=run, account=account, store=store, day=day, **values)
        added = {name: getattr(DriftCount, name) + getattr(statement.excluded, name) for name in FIGURES}
        keys = ["kind", "run", "account", "store", "day"]
        db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added))


def note(kind: Kind, run: int, lines: Iterable[Line]) -> None:
    """Keep the single differences. No commit."""
    db.session.add_all(
        DriftItem(
            run=run,
            kind=kind,
            account=line.account,
            entity=line.ref.id if line.ref else "",
            record_id=line.record,
            store=line.store,
            day=line.day,
            state=line.state,
            detail=line.detail,
            repaired=line.repaired,
            tried=line.tried,
        )
        for line in lines
    )


def tried(kind: Kind, run: int, lines: Sequence[Line]) -> set[tuple[str, str, str]]:
    """Return (account, entity, digest) of the records that earlier comparisons sent again."""
    found: set[tuple[str, str, str]] = set()
    ids = sorted({line.ref.id for line in lines if line.ref})
    for start in range(0, len(ids), CHUNK):
        query = select(DriftItem.account, DriftItem.entity, DriftItem.tried).where(
            DriftItem.kind == kind,
            DriftItem.run < run,
            DriftItem.tried != "",
            DriftItem.entity.in_(ids[start : start + CHUNK]),
            DriftItem.account.in_({line.account for line in lines}),
        )
        found |= {(account, entity, digest) for account, entity, digest in db.session.execute(query)}
    return found


def forget(kind: Kind, *, keep: int) -> None:
    """Delete what earlier comparisons left, and what this one read of Ometria. No commit."""
    for table in (DriftCount, DriftItem):
        where = delete(table).where(table.kind == kind, table.run != keep)
        db.session.execute(where.execution_options(synchronize_session=False))
    forget_seen(kind)


def forget_seen(kind: Kind) -> None:
    """Delete what was read of Ometria. No commit."""
    where = delete(DriftSeen).where(DriftSeen.kind == kind)
    db.session.execute(where.execution_options(synchronize_session=False))


def drop_run(kind: Kind, run: int) -> None:
    """Delete what a comparison that did not end has left. No commit."""
    for table in (DriftCount, DriftItem):
        where = delete(table).where(table.kind == kind, table.run == run)
        db.session.execute(where.execution_options(synchronize_session=False))


def mark_known(account: str, kind: Kind, records: Sequence[str]) -> None:
    """Say of records that Ometria holds that the shop has them. No commit."""
    for start in range(0, len(records), CHUNK):
        part = records[start : start + CHUNK]
        where = update(DriftSeen).where(
            DriftSeen.account == account, DriftSeen.kind == kind, DriftSeen.record.in_(part)
        )
        db.session.execute(where.values(known=True).execution_options(synchronize_session=False))


def rows(kind: Kind, run: int, *, every: bool = False, most: int = 1000) -> list[dict[str, Any]]:
    """Return the figures by account, store view and day, the newest day first; without ``every`` only differences."""
    query = select(DriftCount).where(DriftCount.kind == kind, DriftCount.run == run)
    if not every:
        query = query.where(text(DIFFERS))
    query = query.order_by(DriftCount.day.desc(), DriftCount.account, DriftCount.store).limit(most)
    return [
        {"account": row.account, "store": row.store, "day": row.day} | {name: getattr(row, name) for name in FIGURES}
        for row in db.session.scalars(query.execution_options(populate_existing=True))
    ]


def totals(kind: Kind, run: int) -> list[dict[str, Any]]:
    """Return the figures by account and store view."""
    sums = [func.sum(getattr(DriftCount, name)).label(name) for name in FIGURES]
    query = (
        select(DriftCount.account, DriftCount.store, *sums)
        .where(DriftCount.kind == kind, DriftCount.run == run)
        .group_by(DriftCount.account, DriftCount.store)
        .order_by(DriftCount.account, DriftCount.store)
    )
    return [
        {"account": row.account, "store": row.store} | {name: int(getattr(row, name)) for name in FIGURES}
        for row in db.session.execute(query)
    ]


def items(kind: Kind, run: int, state: str = "", account: str = "", most: int = 200) -> list[dict[str, Any]]:
    """Return single differences, the newest day first."""
    where = [DriftItem.kind == kind, DriftItem.run == run]
    if state:
        where.append(DriftItem.state == state)
    if account:
        where.append(DriftItem.account == account)
    query = select(DriftItem).where(*where).order_by(DriftItem.day.desc(), DriftItem.id).limit(most)
    names = ("account", "entity", "record_id", "store", "day", "state", "detail", "repaired")
    return [{name: getattr(row, name) for name in names} for row in db.session.scalars(query)]


def day_of(moment: dt.datetime | None) -> str:
    """Return the day (UTC) by which an entity is counted."""
    return "" if moment is None else moment.astimezone(dt.UTC).date().isoformat()
