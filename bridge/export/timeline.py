"""The timeline of one record: seen, queued, merged, sent with its request, answered, later error, next try.

It is put together from the steps that were written down, the ledger, the last sending and the request log. Steps are
kept for ``privacy.log_days``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from bridge.db import db
from bridge.errors import BridgeError
from bridge.events import EntityRef
from bridge.export.jobs import exporter
from bridge.export.preview import find
from bridge.export.sent import CONFIRM_SECONDS
from bridge.models import Pending, RecordStep, RequestLog, SentRecord
from bridge.settings import load_book

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.events import Kind

STEPS_MOST = 500
WORDS = {"retry": "given back"}
ORDER = ("seen", "queued", "merged", "warned", "sent", "answered")
"""The order of steps of one moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: when (Unix seconds; of a next try in the future), which account, what, and more about it."""

    at: float
    account: str
    step: str
    detail: str = ""


def timeline(kind: Kind, identifier: str) -> list[Moment]:
    """Return what is known of an entity, the oldest first; ``identifier`` is the shop's, as of the preview.

    What the shop has no more, or cannot be asked about now, is looked for by the id that was given.
    """
    return of_refs(refs_of(kind, identifier))


def refs_of(kind: Kind, identifier: str) -> list[EntityRef]:
    """Return the names by which the ledger may know an entity: traffic shows some orders by their number only."""
    book = load_book()
    own = identifier
    if kind == "contact" and identifier.isdecimal():
        own = f"customer:{identifier}"
    try:
        found = find(kind, identifier, exporter(), book)
    except BridgeError:
        found = EntityRef(kind, own)
    refs = [found]
    if kind == "order":
        refs.append(EntityRef(kind, f"number:{identifier}"))
    return refs


def of_refs(refs: Sequence[EntityRef]) -> list[Moment]:
    """Return the lines of entities, the oldest first; lines of one moment in the order of the work."""
    kind, ids = refs[0].kind, [ref.id for ref in refs]
    steps = _steps(kind, ids)
    sendings = _sendings(kind, ids)
    known = {(one.account, one.detail) for one in steps if one.step == "sent"}
    steps += [one for one in sendings if one.step != "sent" or (one.account, one.detail) not in known]
    requests = {one.detail for one in steps if one.step == "sent" and one.detail}
    lines = [*steps, *_answers(requests), *_waiting(kind, ids)]
    return sorted(lines, key=lambda one: (one.at, ORDER.index(one.step) if one.step in ORDER else len(ORDER)))


def _steps(kind: Kind, ids: Iterable[str]) -> list[Moment]:
    query = (
        select(RecordStep)
        .where(RecordStep.kind == kind, RecordStep.entity.in_(ids))
        .order_by(RecordStep.id.desc())
        .limit(STEPS_MOST)
    )
    return [Moment(row.at, row.account, WORDS.get(row.step, row.step), row.detail) for row in db.session.scalars(query)]


def _sendings(kind: Kind, ids: Iterable[str]) -> list[Moment]:
    """Return the last sending to each account, and what became of it: it may have been history's, without a step."""
    query = select(SentRecord).where(SentRecord.kind == kind, SentRecord.entity.in_(ids))
    found = []
    for row in db.session.scalars(query.execution_options(populate_existing=True)):
        found.append(Moment(row.sent_at, row.account, "sent", row.request_id))
        if row.state == "confirmed":
            said = "No error was seen within 15 minutes of the last sending."
            found.append(Moment(row.sent_at + CONFIRM_SECONDS, row.account, "confirmed", said))
    return found


def _answers(requests: Iterable[str]) -> list[Moment]:
    query = select(RequestLog).where(RequestLog.request_id.in_(sorted(requests)))
    return [
        Moment(
            row.at,
            row.account,
            "answered",
            f"{row.status} {row.outcome}, request {row.request_id}, {row.records} records in {row.milliseconds} ms",
        )
        for row in db.session.scalars(query)
    ]


def _waiting(kind: Kind, ids: Iterable[str]) -> list[Moment]:
    query = select(Pending).where(Pending.kind == kind, Pending.entity.in_(ids))
    found = []
    for row in db.session.scalars(query.execution_options(populate_existing=True)):
        if row.state == "refused":
            found.append(Moment(row.due_at, row.account, "set aside", row.reason))
            continue
        if row.lane == "history":
            found.append(Moment(row.added_at, row.account, "queued", "by a historical export"))
        if row.lease_until > time.time():
            found.append(Moment(row.lease_until, row.account, "being sent", "a worker holds it until then at most"))
            continue
        merged = f", {row.generation - 1} changes merged into it" if row.generation > 1 else ""
        tries = f" after {row.attempts} tries" if row.attempts else ""
        found.append(Moment(row.due_at, row.account, "next try", f"lane {row.lane}{tries}{merged}"))
    return found
