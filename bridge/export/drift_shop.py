"""The second half of a comparison: a page of what the shop lists, beside what was sent and what Ometria holds.

What can only be told by the record itself (an entity that was never sent, one that changed after it was sent) is read
and mapped as a session does, and sent nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import bodies, history, sent
from bridge.export.drift_held import collection_of, key_of, of_records
from bridge.export.drift_report import Line, day_of
from bridge.export.gather import Aside, Gatherer, Ready, asked
from bridge.export.missing import SURE
from bridge.export.routes import owed
from bridge.models import Pending, SentRecord
from bridge.models_drift import DriftSeen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.config import Config
    from bridge.events import Kind
    from bridge.settings import Account, Book
    from bridge.store import Listed, Store

CHUNK = 300
LATER = 1.0
"""Seconds by which a change must be later than the sending: the shop's moments are whole seconds."""
NEVER = "was never sent"
LOST = "was sent, and Ometria does not have it"
OTHER = "Ometria has other values of: "
CHANGED = "changed in the shop, and the change was not sent"
ASIDE = "set aside: "
ELSEWHERE = "Ometria has it from somewhere else; it was never sent from here"
GONE = "the shop has it no more"
UNSOLD = "no store view of the account sells it any more"
STRANGE = "Ometria has it, and it was never sent from here"


@dataclass(frozen=True, slots=True)
class Run:
    """What a comparison goes by.

    What was sent after ``fresh`` (Unix seconds) may still be on its way, and is no difference. ``skew`` is by how many
    seconds the shop's clock is ahead. ``read`` are the accounts whose lists were read, ``firsts`` when each was sent
    something first; ``walked`` are the histories that ended (see :func:`walked`).
    """

    kind: Kind
    run: int
    fresh: float
    skew: float
    read: frozenset[str]
    firsts: dict[str, float]
    walked: tuple[tuple[str, str, str], ...]
    bounded: bool
    store: Store
    config: Config
    book: Book


@dataclass(slots=True)
class _Sight:
    """What is known of a page's entities for one account."""

    account: Account
    sent: dict[str, SentRecord] = field(default_factory=dict)
    waits: dict[str, tuple[str, str]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)


def compare(run: Run, span: tuple[int, int | None], page: Sequence[Listed], broken: set[str]) -> list[Line]:
    """Compare what the shop lists of the ids in ``span`` (from above the first, to the last). Writes nothing."""
    rows = {sent.number_of(row.ref): row for row in page}
    found: list[Line] = []
    targets = [(row.ref.id, one.id, place) for row in rows.values() for one, place in owed(row, run.book)]
    for account in run.book.accounts():
        places = {id_: place for id_, one, place in targets if one == account.id}
        sight = _sight(run, account, span, [row.ref.id for row in rows.values()])
        lines, ask = [], []
        for row in rows.values():
            line = _line(run, row, places.get(row.ref.id), sight)
            if line is not None:
                lines.append(line)
            if line is not None and line.detail in {NEVER, CHANGED}:
                ask.append(line)
        _ask(run, account, ask)
        listed = {row.ref.id for row in rows.values()}
        gone = [] if run.bounded else [row for id_, row in sight.sent.items() if id_ not in listed | broken]
        lines += [line for row in gone if (line := _gone(run, row, GONE, sight)) is not None]
        found += lines
    return found


def _sight(run: Run, account: Account, span: tuple[int, int | None], ids: Sequence[str]) -> _Sight:
    above, upto = span
    where = [SentRecord.account == account.id, SentRecord.kind == run.kind, SentRecord.number > above]
    if run.bounded:
        # Between two rows that were made on these days may lie everything that was ever sent.
        where.append(SentRecord.entity.in_(ids))
    elif upto is not None:
        where.append(SentRecord.number <= upto)
    rows = db.session.scalars(select(SentRecord).where(*where).execution_options(populate_existing=True))
    sight = _Sight(account, {row.entity: row for row in rows})
    return _more(run, sight, [*ids, *sight.sent])


def _more(run: Run, sight: _Sight, ids: Iterable[str]) -> _Sight:
    """Add what waits, and what Ometria holds."""
    account = sight.account
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), CHUNK):
        query = select(Pending.entity, Pending.state, Pending.reason).where(
            Pending.account == account.id, Pending.kind == run.kind, Pending.entity.in_(wanted[start : start + CHUNK])
        )
        sight.waits |= {entity: (state, reason) for entity, state, reason in db.session.execute(query)}
    if account.id in run.read:
        keys = [_key(account, EntityRef(run.kind, row.entity), row.record_id) for row in sight.sent.values()]
        sight.held = of_records(account.id, run.kind, keys)
    return sight


def _key(account: Account, ref: EntityRef, record_id: str) -> str:
    return key_of(collection_of(account, ref), record_id)


def _line(run: Run, row: Listed, place: str | None, sight: _Sight) -> Line | None:
    account = sight.account
    before = sight.sent.get(row.ref.id)
    if place is None:
        unsold = before is not None and run.kind == "product"
        return _gone(run, before, UNSOLD, sight) if unsold else None
    line = Line(account.id, row.ref, place, day_of(row.created_at), shop=True, scope=place)
    state, reason = sight.waits.get(row.ref.id, ("", ""))
    if before is None:
        if state == "refused":
            line.state, line.detail = "missing", ASIDE + reason
        elif state != "waiting" and _expected(run, account, row, place):
            line.state, line.detail, line.repair = "missing", NEVER, "send"
        return line
    changed = row.updated_at is not None and row.updated_at.timestamp() > before.sent_at + run.skew + LATER
    return _judged(run, line, before, (state, reason, changed), sight)


def _judged(run: Run, line: Line, before: SentRecord, how: tuple[str, str, bool], sight: _Sight) -> Line:
    """Fill in a line of what was sent; ``how``: state and reason of what waits, and whether the shop changed it."""
    state, reason, changed = how
    account = sight.account
    settled = account.id in run.read and before.sent_at < run.fresh
    line.sent, line.digest = True, before.digest
    line.record = _key(account, EntityRef(run.kind, before.entity), before.record_id)
    line.held = line.record in sight.held
    if state == "waiting":
        return line
    if state == "refused" or before.state == "refused":
        line.state = "missing" if before.state == "refused" else "stale"
        line.detail = ASIDE + (reason or "Ometria refused it later.")
    elif settled and not line.held:
        line.state, line.detail, line.repair = "missing", LOST, "force"
    elif settled and sight.held[line.record]:
        line.state, line.detail, line.repair = "stale", OTHER + sight.held[line.record], "force"
    elif changed:
        line.state, line.detail, line.repair = "stale", CHANGED, "send"
    return line


def _gone(run: Run, before: SentRecord | None, why: str, sight: _Sight) -> Line | None:
    """Return the line of what was sent and belongs to the account no more; None where that was told already."""
    if before is None:
        return None
    account, ref = sight.account, EntityRef(run.kind, before.entity)
    record = _key(account, ref, before.record_id)
    line = Line(account.id, ref, account.owner, record=record, sent=True, held=record in sight.held)
    waiting = sight.waits.get(before.entity, ("", ""))[0] == "waiting"
    if run.kind == "product":
        body = bodies.read(account.id, ref)
        withdrawn = before.missing >= SURE if body is None else body.get("is_active") is False
        if not withdrawn and not waiting:
            line.state, line.detail, line.repair, line.scope = "extra", why, "look", account.owner
    elif not waiting:
        line.state, line.detail = "extra", f"{why}; Ometria's push knows no deletion"
    return line


def _expected(run: Run, account: Account, row: Listed, place: str) -> bool:
    """Return whether an entity that was never sent should have been: by a history, or since live updates began."""
    lineage, day = set(run.book.lineage(place)), day_of(row.created_at)
    if any(scope in lineage and since <= day <= until for scope, since, until in run.walked):
        return True
    since = run.firsts.get(account.id)
    return since is not None and row.created_at is not None and row.created_at.timestamp() > since + run.skew


def walked(kind: Kind) -> tuple[tuple[str, str, str], ...]:
    """Return (scope, first day, last day) of the histories that went to their end; days as text, open ends far away."""
    done = [one for one in history.progress() if one.kind == kind and one.state == "done"]
    return tuple((one.scope, one.since or "", one.until or "9999") for one in done)


def first_sent(account: str, kind: Kind) -> float | None:
    """Return when the oldest of the last sendings of a kind was (Unix seconds)."""
    query = select(func.min(SentRecord.sent_at)).where(SentRecord.account == account, SentRecord.kind == kind)
    return db.session.scalar(query)


def _ask(run: Run, account: Account, lines: Sequence[Line]) -> None:
    """Read the entities of lines and say how they stand: what gives the record that was sent is no difference."""
    by_ref = {line.ref: line for line in lines if line.ref}
    gatherer = Gatherer(run.store, run.config, account, run.book, dry=True)
    refs = list(by_ref)
    for start in range(0, len(refs), CHUNK):
        part = refs[start : start + CHUNK]
        for one in gatherer.gather([asked(account.id, ref, by_ref[ref].scope) for ref in part]):
            line = by_ref[one.row.ref]
            if isinstance(one, Ready):
                _settle(run, account, line, one)
            elif isinstance(one, Aside):
                line.detail, line.repair = f"{line.detail}; it cannot be sent: {one.reason}", ""
            else:
                line.state = line.detail = line.repair = ""


def _settle(run: Run, account: Account, line: Line, ready: Ready) -> None:
    if line.sent:
        if sent.digest(ready.record) == line.digest:
            line.state = line.detail = line.repair = ""
        return
    line.record = _key(account, ready.ref, ready.record.id)
    if account.id in run.read and line.record in of_records(account.id, run.kind, [line.record]):
        line.held, line.state, line.detail = True, "stale", ELSEWHERE


def subscribers(run: Run, after: tuple[str, str]) -> tuple[list[Line], tuple[str, str] | None]:
    """Compare the next subscribers that were sent, by entity and account, and the place to go on from."""
    query = (
        select(SentRecord)
        .where(
            SentRecord.kind == "contact",
            SentRecord.entity.startswith("subscriber:"),
            SentRecord.account.in_([account.id for account in run.book.accounts()]),
            _beyond(SentRecord.entity, SentRecord.account, after),
        )
        .order_by(SentRecord.entity, SentRecord.account)
        .limit(CHUNK)
    )
    rows = db.session.scalars(query.execution_options(populate_existing=True)).all()
    found = []
    for account in run.book.accounts():
        own = {row.entity: row for row in rows if row.account == account.id}
        sight = _more(run, _Sight(account, own), own)
        for entity, row in own.items():
            line = Line(account.id, EntityRef("contact", entity), account.owner, shop=True, scope=account.owner)
            found.append(_judged(run, line, row, (*sight.waits.get(entity, ("", "")), False), sight))
    return found, ((rows[-1].entity, rows[-1].account) if len(rows) == CHUNK else None)


def _beyond(first: Any, second: Any, after: tuple[str, str]) -> ColumnElement[bool]:
    """Return the condition of a walk by two columns."""
    return or_(first > after[0], and_(first == after[0], second > after[1]))


def strangers(run: Run, after: tuple[str, str]) -> tuple[list[Line], tuple[str, str] | None]:
    """Return what Ometria holds and nobody here sent, the next by account and record, and the place to go on from."""
    query = (
        select(DriftSeen)
        .where(
            DriftSeen.kind == run.kind,
            DriftSeen.known.is_(False),
            DriftSeen.account.in_(run.read),
            _beyond(DriftSeen.account, DriftSeen.record, after),
        )
        .order_by(DriftSeen.account, DriftSeen.record)
        .limit(CHUNK)
    )
    rows = db.session.scalars(query).all()
    found = [
        Line(row.account, None, row.store, row.day, row.record, held=True, state="extra", detail=STRANGE)
        for row in rows
    ]
    return found, ((rows[-1].account, rows[-1].record) if len(rows) == CHUNK else None)


__all__ = ["Run", "compare", "first_sent", "strangers", "subscribers", "walked"]
