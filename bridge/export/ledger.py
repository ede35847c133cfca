"""The ledger: which entity is owed to which account. Live before history, ten edits one push.

A row is claimed for a time (the lease) under a token. A change meanwhile raises the row's generation, so that what the
claimant hands in for the older one leaves the row to be sent again. An expired lease is as good as none. Only
:func:`add` leaves the commit to the caller, so that rows come with what they follow from in one transaction.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import steps
from bridge.export.writing import begin_write
from bridge.models import Pending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Lane = Literal["live", "history"]
LANES: tuple[Lane, ...] = ("live", "history")

LEASE_SECONDS = 60.0
"""Longer than one call with all its time-outs; a session extends its lease before each call."""
CHUNK = 200


@dataclass(frozen=True, slots=True, order=True)
class Owed:
    """An entity owed to an account because of a scope (``store:CODE``, or where it is not known ``default``)."""

    account: str
    ref: EntityRef
    scope: str = "default"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed row as it was at that moment."""

    id: int
    account: str
    ref: EntityRef
    scope: str
    lane: Lane
    generation: int
    attempts: int
    force: bool
    token: str


def add(rows: Iterable[Owed], lane: Lane, *, force: bool = False, now: float | None = None) -> set[str]:
    """Owe these entities; return the accounts concerned. The caller commits.

    A live row upgrades a waiting history row, is due at once, and gives a refused one a new chance. A history row
    leaves a waiting row as it is. ``force`` sends even what is unchanged.
    """
    wanted = sorted({(row.account, row.ref): row for row in rows}.values())
    moment = time.time() if now is None else now
    for start in range(0, len(wanted), CHUNK):
        values = [_values(row, lane, moment, force=force) for row in wanted[start : start + CHUNK]]
        _put(values, lane, moment)
    return {row.account for row in wanted}


def _put(values: list[dict[str, Any]], lane: Lane, now: float) -> None:
    """Add or change rows; a live one is written down as queued, or as merged into the row that waits already."""
    if lane == "history":
        db.session.execute(_upsert(values, lane))
        return
    names = (Pending.account, Pending.kind, Pending.entity, Pending.generation)
    kept = db.session.execute(_upsert(values, lane).returning(*names)).all()
    for step, wanted in (("queued", True), ("merged", False)):
        lines = [(row.account, EntityRef(row.kind, row.entity), "") for row in kept if (row.generation == 1) is wanted]
        steps.write(step, lines, now)  # type: ignore[arg-type] # the two words above


def _values(row: Owed, lane: Lane, now: float, *, force: bool) -> dict[str, Any]:
    return {
        "account": row.account,
        "kind": row.ref.kind,
        "entity": row.ref.id,
        "scope": row.scope,
        "lane": lane,
        "state": "waiting",
        "reason": "",
        "generation": 1,
        "attempts": 0,
        "due_at": now,
        "added_at": now,
        "lease_until": 0.0,
        "force": force,
    }


def _upsert(values: list[dict[str, Any]], lane: Lane) -> Any:
    dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Pending).values(values)
    new = statement.excluded
    changes: dict[str, Any] = {"force": Pending.force | new.force}
    if lane == "live":
        changes |= {
            "lane": "live",
            "scope": new.scope,
            "state": "waiting",
            "reason": "",
            "attempts": 0,
            "generation": Pending.generation + 1,
            "due_at": new.due_at,
        }
    else:
        refused = Pending.state == "refused"
        again = refused | new.force
        changes |= {
            "state": "waiting",
            "reason": "",
            "attempts": case((again, 0), else_=Pending.attempts),
            "generation": Pending.generation + case((again, 1), else_=0),
            "due_at": case((again, new.due_at), else_=Pending.due_at),
        }
    return statement.on_conflict_do_update(index_elements=["account", "kind", "entity"], set_=changes)


def claim(
    account: str,
    limit: int,
    *,
    lanes: Sequence[Lane] = LANES,
    kinds: Sequence[str] = (),
    lease: float = LEASE_SECONDS,
    now: float | None = None,
) -> list[Claimed]:
    """Take up to ``limit`` due rows of an account, live ones first; nobody else gets them while the lease lasts."""
    moment = time.time() if now is None else now
    token = uuid.uuid4().hex
    begin_write()
    wanted = [*_free(account, moment), Pending.lane.in_(lanes)]
    if kinds:
        wanted.append(Pending.kind.in_(kinds))
    picked = (
        select(Pending)
        .where(*wanted)
        .order_by(Pending.lane.desc(), Pending.due_at, Pending.added_at, Pending.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = [_claimed(row, token) for row in db.session.scalars(picked)]
    for start in range(0, len(rows), CHUNK):
        ids = [row.id for row in rows[start : start + CHUNK]]
        taken = {"claim": token, "lease_until": moment + lease}
        db.session.execute(_update(Pending.id.in_(ids)).values(taken))
    db.session.commit()
    return rows


def _free(account: str, now: float) -> list[ColumnElement[bool]]:
    return [
        Pending.account == account,
        Pending.state == "waiting",
        Pending.due_at <= now,
        Pending.lease_until <= now,
    ]


def _claimed(row: Pending, token: str) -> Claimed:
    ref = EntityRef(row.kind, row.entity)  # type: ignore[arg-type] # only the three kinds are ever added
    lane: Lane = "history" if row.lane == "history" else "live"
    return Claimed(row.id, row.account, ref, row.scope, lane, row.generation, row.attempts, row.force, token)


def _update(*where: ColumnElement[bool]) -> Any:
    return update(Pending).where(*where).execution_options(synchronize_session=False)


def extend(rows: Iterable[Claimed], lease: float = LEASE_SECONDS, now: float | None = None) -> list[Claimed]:
    """Hold the rows for longer; return those that are still ours, whatever became of the others."""
    moment = time.time() if now is None else now
    ours: list[Claimed] = []
    held = list(rows)
    begin_write()
    for start in range(0, len(held), CHUNK):
        part = held[start : start + CHUNK]
        by_key: dict[tuple[int, str | None], Claimed] = {(row.id, row.token): row for row in part}
        still = select(Pending.id, Pending.claim).where(Pending.id.in_([row.id for row in part])).with_for_update()
        kept = [by_key[id_, token] for id_, token in db.session.execute(still) if (id_, token) in by_key]
        ids = [row.id for row in kept]
        db.session.execute(_update(Pending.id.in_(ids)).values(lease_until=moment + lease))
        ours += kept
    db.session.commit()
    return ours


def done(rows: Iterable[Claimed]) -> int:
    """Remove what was handed in; what changed meanwhile becomes free at once. Return how many were removed."""
    removed = 0
    begin_write()
    for row in rows:
        ours = delete(Pending).where(*_ours(row), Pending.generation == row.generation)
        removed += _count(db.session.execute(ours.execution_options(synchronize_session=False)))
        db.session.execute(_update(*_ours(row)).values(claim=None, lease_until=0.0))
    db.session.commit()
    return removed


def give_back(
    rows: Iterable[Claimed], after: float, *, count_attempt: bool, reason: str = "", now: float | None = None
) -> None:
    """Free the rows, to be tried again in ``after`` seconds; what changed meanwhile is due as its change said."""
    moment = time.time() if now is None else now
    held = list(rows)
    begin_write()
    for row in held:
        same = Pending.generation == row.generation
        values = {
            "claim": None,
            "lease_until": 0.0,
            "due_at": case((same, moment + after), else_=Pending.due_at),
            "attempts": Pending.attempts + case((same, int(count_attempt)), else_=0),
        }
        db.session.execute(_update(*_ours(row)).values(values))
    noted = steps.every if count_attempt else steps.live
    steps.write("retry", noted((row, reason) for row in held), moment)
    db.session.commit()


def refuse(rows: Iterable[tuple[Claimed, str]]) -> None:
    """Set rows aside with the reason; what changed meanwhile is tried again instead."""
    held = list(rows)
    begin_write()
    for row, reason in held:
        same = Pending.generation == row.generation
        values = {
            "claim": None,
            "lease_until": 0.0,
            "state": case((same, "refused"), else_="waiting"),
            "reason": case((same, reason), else_=""),
        }
        db.session.execute(_update(*_ours(row)).values(values))
    steps.write("refused", steps.every(held))
    db.session.commit()


def refuse_late(row: Owed, reason: str, now: float | None = None) -> None:
    """Keep a record that was refused after it had been sent. A row that waits already will say anew. No commit."""
    moment = time.time() if now is None else now
    there = select(Pending.id).where(
        Pending.account == row.account, Pending.kind == row.ref.kind, Pending.entity == row.ref.id
    )
    if db.session.scalar(there) is None:
        values = {**_values(row, "live", moment, force=False), "state": "refused", "reason": reason}
        db.session.execute(insert(Pending).values(values))
    steps.write("late error", [(row.account, row.ref, reason)], moment)


def rehome(account: str, moves: dict[str, list[str]]) -> int:
    """Move the rows of an account that is no more to those now in force; ``moves`` is scope -> account ids.

    Rows of a scope without an account stay and wait for one. Return how many rows moved.
    """
    moved = 0
    begin_write()
    for scope, targets in moves.items():
        here = (Pending.account == account, Pending.scope == scope)
        found = db.session.scalars(select(Pending).where(*here).execution_options(populate_existing=True)).all()
        if not targets or not found:
            continue
        for lane in LANES:
            refs = [_claimed(row, "").ref for row in found if row.lane == lane]
            add([Owed(target, ref, scope) for ref in refs for target in targets], lane)
        moved += _count(db.session.execute(delete(Pending).where(*here)))
    db.session.commit()
    return moved


def due_now(account: str, now: float | None = None) -> None:
    """Make due what waits of an account without having failed. Commits."""
    begin_write()
    here = (Pending.account == account, Pending.state == "waiting", Pending.attempts == 0)
    db.session.execute(_update(*here).values(due_at=time.time() if now is None else now))
    db.session.commit()


def forget_history(kind: str, scopes: Sequence[str], now: float | None = None) -> int:
    """Take back what waits in the lane ``history`` by these scopes and nobody works on; return how many. No commit."""
    moment = time.time() if now is None else now
    where = (Pending.kind == kind, Pending.scope.in_(scopes), Pending.lane == "history", Pending.state == "waiting")
    statement = delete(Pending).where(*where, Pending.lease_until <= moment)
    return _count(db.session.execute(statement.execution_options(synchronize_session=False)))


def history_waits(kind: str, most: int) -> bool:
    """Return whether ``most`` or more rows of a kind wait in the lane ``history``."""
    here = (Pending.state == "waiting", Pending.kind == kind, Pending.lane == "history")
    return db.session.scalar(select(Pending.id).where(*here).offset(most - 1).limit(1)) is not None


def scopes_of(account: str) -> list[str]:
    """Return the scopes by which an account's rows are owed."""
    return list(db.session.scalars(select(Pending.scope).where(Pending.account == account).distinct()))


def owing_accounts() -> set[str]:
    """Return the accounts that have waiting rows."""
    return set(db.session.scalars(select(Pending.account).where(Pending.state == "waiting").distinct()))


def due_live(now: float | None = None) -> set[str]:
    """Return the accounts that have live rows nobody works on though they are due."""
    moment = time.time() if now is None else now
    free = (Pending.state == "waiting", Pending.due_at <= moment, Pending.lease_until <= moment)
    return set(db.session.scalars(select(Pending.account).where(*free, Pending.lane == "live").distinct()))


def retry_refused(
    account: str | None = None,
    kind: str | None = None,
    *,
    only: Sequence[ColumnElement[bool]] = (),
    now: float | None = None,
) -> int:
    """Give rows that were set aside another chance, of them those that ``only`` chooses; return how many. Commits."""
    where: list[ColumnElement[bool]] = [Pending.state == "refused", *only]
    if account is not None:
        where.append(Pending.account == account)
    if kind is not None:
        where.append(Pending.kind == kind)
    values = {
        "state": "waiting",
        "reason": "",
        "attempts": 0,
        "generation": Pending.generation + 1,
        "due_at": time.time() if now is None else now,
    }
    begin_write()
    count = _count(db.session.execute(_update(*where).values(values)))
    db.session.commit()
    return count


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of one sort there are; ``oldest`` is when the first of them was added (Unix seconds)."""

    account: str
    kind: str
    lane: str
    state: str
    count: int
    oldest: float


def counts() -> list[Count]:
    """Return the ledger by account, kind, lane and state, for people to look at."""
    sort = (Pending.account, Pending.kind, Pending.lane, Pending.state)
    query = select(*sort, func.count(), func.min(Pending.added_at)).group_by(*sort).order_by(*sort)
    return [Count(*row) for row in db.session.execute(query)]


def _ours(row: Claimed) -> tuple[ColumnElement[bool], ...]:
    return Pending.id == row.id, Pending.claim == row.token


def _count(result: Any) -> int:
    return int(result.rowcount)
