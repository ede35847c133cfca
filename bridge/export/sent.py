"""What each account was sent last: nothing unchanged is sent twice, and late refusals find their record."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import bodies
from bridge.export.mapping import MAPPING_VERSION
from bridge.models import SentRecord
from bridge.writing import begin_write, put

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.export.mapping import Mapped
    from bridge.ometria import PushError

CONFIRM_SECONDS = 900.0
"""A record of which no error was seen for so long counts as confirmed."""


def digest(record: Mapped) -> str:
    """Return what tells an unchanged record: its bytes (the namespace is in them) and the mapping's version."""
    return hashlib.sha256(b"%d " % MAPPING_VERSION + record.body).hexdigest()


def digests(account: str, refs: Sequence[EntityRef]) -> dict[EntityRef, str]:
    """Return the digest of each entity's last record; an entity that was never sent is left out."""
    found: dict[EntityRef, str] = {}
    for kind in {ref.kind for ref in refs}:
        ids = [ref.id for ref in refs if ref.kind == kind]
        for start in range(0, len(ids), 500):
            query = select(SentRecord.entity, SentRecord.digest).where(
                SentRecord.account == account,
                SentRecord.kind == kind,
                SentRecord.entity.in_(ids[start : start + 500]),
            )
            found.update({EntityRef(kind, entity): kept for entity, kept in db.session.execute(query)})
    return found


def record_ids(account: str, refs: Sequence[EntityRef]) -> dict[EntityRef, str]:
    """Return the id that each entity's last record had; an entity that was never sent is left out."""
    found: dict[EntityRef, str] = {}
    for start in range(0, len(refs), 500):
        part = refs[start : start + 500]
        query = select(SentRecord.kind, SentRecord.entity, SentRecord.record_id).where(
            SentRecord.account == account,
            SentRecord.kind.in_({ref.kind for ref in part}),
            SentRecord.entity.in_([ref.id for ref in part]),
        )
        kept = {(kind, entity): id_ for kind, entity, id_ in db.session.execute(query)}
        found.update({ref: kept[ref.kind, ref.id] for ref in part if (ref.kind, ref.id) in kept})
    return found


def number_of(ref: EntityRef) -> int:
    """Return the shop's numeric id of an entity; 0 of a subscriber, whom the shop lists nowhere."""
    digits = ref.id.removeprefix("customer:")
    return int(digits) if digits.isdecimal() else 0


def keep(account: str, rows: Iterable[tuple[EntityRef, Mapped, str]], *, bodies_too: bool = True) -> None:
    """Remember what was accepted: (entity, record, request id); its body too unless told otherwise. Commits."""
    held = sorted(rows, key=lambda row: row[0])
    values = [
        {
            "account": account,
            "kind": ref.kind,
            "entity": ref.id,
            "record_id": record.id,
            "digest": digest(record),
            "request_id": request_id,
            "state": "sent",
            "sent_at": time.time(),
            "number": number_of(ref),
        }
        for ref, record, request_id in held
    ]
    begin_write()
    put(SentRecord, values, ("account", "kind", "entity"))
    if bodies_too:
        bodies.keep(account, [(ref, record.body) for ref, record, _ in held])
    else:
        bodies.forget(account, [ref for ref, _, _ in held])
    db.session.commit()


def refused_late(account: str, error: PushError) -> EntityRef | None:
    """Mark the record that a late error is about, clear its digest, and return its entity; else None. No commit.

    An error about an older sending, or one that was seen before, is about nothing any more.
    """
    query = select(SentRecord).where(
        SentRecord.account == account,
        SentRecord.kind == error.record_type,
        SentRecord.record_id == error.record_id,
        SentRecord.state != "refused",
    )
    if error.request_id:
        query = query.where(SentRecord.request_id == error.request_id)
    if error.record_type == "contact" and error.collection:
        prefix = "subscriber:%" if error.collection == "subscribers" else "customer:%"
        query = query.where(SentRecord.entity.like(prefix))
    row = db.session.scalar(query.limit(1))
    if row is None:
        return None
    row.state, row.digest = "refused", ""
    return EntityRef(row.kind, row.entity)  # type: ignore[arg-type] # only the three kinds are ever kept


def confirm(account: str, now: float | None = None) -> int:
    """Count as confirmed what was sent long enough ago without an error; return how many. No commit."""
    before = (time.time() if now is None else now) - CONFIRM_SECONDS
    result: Any = db.session.execute(
        update(SentRecord)
        .where(SentRecord.account == account, SentRecord.state == "sent", SentRecord.sent_at < before)
        .values(state="confirmed")
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)
