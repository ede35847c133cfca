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

from sqlalchemy import ColumnElement, and_, case, delete, false, func, or_, select, update

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import steps
from bridge.models import Pending
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

Lane = Literal["live", "history"]
LANES: tuple[Lane, ...] = ("live", "history")

LEASE_SECONDS = 60.0
"""Longer than one call with all its time-outs; a session extends its lease before each call."""
CHUNK = 200
KEY = ("account", "kind", "entity")
NAMES = (Pending.id, Pending.account, Pending.kind, Pending.entity, Pending.scope, Pending.lane)
COLUMNS = (*NAMES, Pending.generation, Pending.attempts, Pending.force)


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
    statement = insert(Pending)
    upsert = statement.on_conflict_do_update(index_elements=KEY, set_=_changes(statement.excluded, lane))
    if lane == "history":
        db.session.execute(upsert, values)
        return
    names = (Pending.account, Pending.kind, Pending.entity, Pending.generation)
    kept = db.session.execute(upsert.values(values).returning(*names)).all()
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


def _changes(new: Any, lane: Lane) -> dict[str, Any]:
    """Return what becomes of a row that is there already; ``new`` is the row that came."""
    changes: dict[str, Any] = {"force": Pending.force | new.force}
    if lane == "live":
        waits = (Pending.lane == "live") & (Pending.state == "waiting")
        return changes | {
            "lane": "live",
            "scope": new.scope,
            "state": "waiting",
            "reason": "",
            "attempts": 0,
            "generation": Pending.generation + 1,
            "due_at": new.due_at,
            "added_at": case((waits, Pending.added_at), else_=new.added_at),
        }
    again = (Pending.state == "refused") | new.force
    return changes | {
        "state": "waiting",
        "reason": "",
        "attempts": case((again, 0), else_=Pending.attempts),
        "generation": Pending.generation + case((again, 1), else_=0),
        "due_at": case((again, new.due_at), else_=Pending.due_at),
    }


def claim(
    account: str,
    limit: int,
    *,
    lanes: Sequence[Lane] = LANES,
    only: Collection[EntityRef] | None = None,
    lease: float = LEASE_SECONDS,
    now: float | None = None,
) -> list[Claimed]:
    """Take up to ``limit`` due rows of an account, live ones first; nobody else gets them while the lease lasts.

    With ``only`` none but the rows of these entities.
    """
    moment = time.time() if now is None else now
    token = uuid.uuid4().hex
    rows: list[Claimed] = []
    begin_write()
    # Lane by lane: an index gives each in its order, however many rows wait in it.
    for lane in (one for one in LANES if one in lanes):
        where = [*_free(account, moment), Pending.lane == lane, *([_named(only)] if only is not None else [])]
        picked = select(*COLUMNS).where(*where).order_by(Pending.due_at, Pending.id).limit(limit - len(rows))
        rows += [_claimed(row, token) for row in db.session.execute(picked.with_for_update(skip_locked=True))]
        if len(rows) >= limit:
            break
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


def _named(refs: Collection[EntityRef]) -> ColumnElement[bool]:
    """Return the condition that a row is of one of these entities."""
    kinds = {ref.kind for ref in refs}
    each = [
        and_(Pending.kind == kind, Pending.entity.in_([ref.id for ref in refs if ref.kind == kind])) for kind in kinds
    ]
    return or_(false(), *each)


def _claimed(row: Any, token: str) -> Claimed:
    ref = EntityRef(row.kind, row.entity)
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
    parts: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        parts.setdefault((row.token, row.generation), []).append(row.id)
    begin_write()
    for (token, generation), ids in parts.items():
        for start in range(0, len(ids), CHUNK):
            ours = (Pending.id.in_(ids[start : start + CHUNK]), Pending.claim == token)
            gone = delete(Pending).where(*ours, Pending.generation == generation)
            removed += _count(db.session.execute(gone.execution_options(synchronize_session=False)))
            db.session.execute(_update(*ours).values(claim=None, lease_until=0.0))
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
        db.session.execute(insert(Pending), [values])
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


def history_waits(kind: str, most: int, accounts: Sequence[str] | None = None) -> bool:
    """Return whether ``most`` or more rows of a kind wait in the lane ``history``; with ``accounts`` due ones of these.

    Rows of the accounts that somebody must look after first are left out so that they hold up no other's.
    """
    here = [Pending.state == "waiting", Pending.kind == kind, Pending.lane == "history"]
    if accounts is not None:
        here += [Pending.account.in_(accounts), Pending.due_at <= time.time()]
    return db.session.scalar(select(Pending.id).where(*here).offset(most - 1).limit(1)) is not None


def scopes_of(account: str) -> list[str]:
    """Return the scopes by which an account's rows are owed."""
    return list(db.session.scalars(select(Pending.scope).where(Pending.account == account).distinct()))


def owing_accounts() -> set[str]:
    """Return the accounts that have waiting rows, from one to the next: a million rows are not looked through."""
    found: set[str] = set()
    last = ""
    while True:
        following = select(Pending.account).where(Pending.account > last, Pending.state == "waiting")
        account = db.session.scalar(following.order_by(Pending.account).limit(1))
        if account is None:
            return found
        found.add(account)
        last = account


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
        **dict.fromkeys(("due_at", "added_at"), time.time() if now is None else now),
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
