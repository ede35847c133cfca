"""The first half of a comparison: what Ometria's lists hold, page by page, beside what was sent last.

Only ids and the names of fields that differ are kept, for as long as the comparison runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import bodies
from bridge.export.drift_match import differing, place_of
from bridge.models import SentRecord
from bridge.models_drift import DriftSeen
from bridge.writing import insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.events import Kind
    from bridge.settings import Account

CHUNK = 100
DOUBT_FROM = 20
"""Records sent from which on a list that holds fewer than half of them is not believed."""


def collections(account: Account, kind: Kind) -> tuple[str, ...]:
    """Return the lists to read one after the other: the collections of contacts, one list of the other kinds."""
    if kind != "contact":
        return ("",)
    return (account.settings["customers.collection"], account.settings["customers.subscriber_collection"])


def key_of(collection: str, id_: str) -> str:
    """Return under what a record is looked for; of contacts, two collections may have the same id."""
    return f"{collection}/{id_}" if collection else id_


def collection_of(account: Account, ref: EntityRef) -> str:
    """Return the collection that an entity's record belongs to, empty where its kind has none."""
    if ref.kind != "contact":
        return ""
    name = "subscriber_collection" if ref.id.startswith("subscriber:") else "collection"
    return str(account.settings[f"customers.{name}"])


def looked_at(account: Account, kind: Kind, collection: str, page: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows to keep of a page. Reads only."""
    held = {str(row["id"]): row for row in page if isinstance(row.get("id"), str | int)}
    sent = _sent(account, kind, collection, list(held))
    found = []
    for id_, row in held.items():
        ref = sent.get(id_)
        before = bodies.read(account.id, ref) if ref else None
        store, day = place_of(row)
        names = differing(before, row) if before is not None else []
        found.append(
            {
                "account": account.id,
                "kind": kind,
                "record": key_of(collection, id_)[:190],
                "fields": ", ".join(names),
                "store": store,
                "day": day,
                "known": ref is not None,
            }
        )
    return found


def _sent(account: Account, kind: Kind, collection: str, ids: Sequence[str]) -> dict[str, EntityRef]:
    """Return the entity that each record id was sent for."""
    found: dict[str, EntityRef] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(SentRecord.record_id, SentRecord.entity).where(
            SentRecord.account == account.id,
            SentRecord.kind == kind,
            SentRecord.record_id.in_(ids[start : start + CHUNK]),
        )
        for id_, entity in db.session.execute(query):
            ref = EntityRef(kind, entity)
            if collection_of(account, ref) == collection:
                found[id_] = ref
    return found


def keep(rows: Sequence[dict[str, Any]]) -> int:
    """Keep rows; return how many of them are new: none where the list begins again. No commit."""
    new = 0
    for start in range(0, len(rows), CHUNK):
        statement = insert(DriftSeen).values(list(rows[start : start + CHUNK]))
        kept = statement.on_conflict_do_nothing().returning(DriftSeen.record)
        new += len(db.session.execute(kept).all())
    return new


def doubtful(account: Account, kind: Kind) -> bool:
    """Return whether the lists hold so little of what was sent that they, not the sending, are in doubt."""
    own = (SentRecord.account == account.id, SentRecord.kind == kind, SentRecord.state == "confirmed")
    sent = db.session.scalar(select(func.count()).select_from(SentRecord).where(*own)) or 0
    there = (DriftSeen.account == account.id, DriftSeen.kind == kind, DriftSeen.known)
    held = db.session.scalar(select(func.count()).select_from(DriftSeen).where(*there)) or 0
    return sent >= DOUBT_FROM and held * 2 < sent


def of_records(account: str, kind: Kind, keys: Sequence[str]) -> dict[str, str]:
    """Return, of the records that Ometria holds, the names of the fields that differ (empty: none)."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), CHUNK):
        query = select(DriftSeen.record, DriftSeen.fields).where(
            DriftSeen.account == account, DriftSeen.kind == kind, DriftSeen.record.in_(keys[start : start + CHUNK])
        )
        found.update((record, fields) for record, fields in db.session.execute(query))
    return found
