"""What accounts were sent, compared with a page of what the shop lists: gone, unassigned, back again.

A product, order or customer that two sweeps in a row did not find is owed once: the session then asks the shop for it
alone before anything is said. One short page therefore withdraws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from bridge.db import db
from bridge.events import EntityRef
from bridge.export.ledger import Owed
from bridge.export.routes import owed
from bridge.models import SentRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.events import Kind
    from bridge.settings import Account, Book
    from bridge.store import Listed

SURE = 2
"""Sweeps in a row that must have missed an entity."""
CHUNK = 500


@dataclass(slots=True)
class Compared:
    """``live`` is owed because it is gone, unassigned or back; ``known`` was sent and is still listed."""

    live: list[Owed] = field(default_factory=list)
    known: list[Owed] = field(default_factory=list)


def span_of(after: str | None, cursor: str | None) -> tuple[int, int | None]:
    """Return the ids of a page: from above the first, to the last (None: without end), by the cursors around it."""
    upto = int(cursor.partition("/")[0]) if cursor is not None else None
    return (int(after.partition("/")[0]) if after is not None else 0), upto


def compare(
    kind: Kind, account: Account, book: Book, span: tuple[int, int | None], rows: dict[int, Listed]
) -> Compared:
    """Compare what an account was sent of the ids in ``span`` (from above the first, to the last) with ``rows``.

    Counts what is missing. No commit.
    """
    found = Compared()
    changes: dict[int, list[str]] = {}
    for number, entity, missing in _sent(account.id, kind, span):
        ref = EntityRef(kind, entity)
        row = rows.get(number)
        scope = next((place for one, place in owed(row, book) if one.id == account.id), "") if row else ""
        if scope:
            found.known.append(Owed(account.id, ref, scope))
            if missing:
                changes.setdefault(0, []).append(entity)
            if missing >= SURE:
                found.live.append(Owed(account.id, ref, scope))
        elif missing < SURE:
            # What the shop lists without the account's websites needs no second look: it said so itself.
            count = missing + 1 if row is None else SURE
            changes.setdefault(count, []).append(entity)
            if count >= SURE and (row is None or kind == "product"):
                found.live.append(Owed(account.id, ref, account.owner))
    for count, entities in changes.items():
        _mark(account.id, kind, entities, count)
    return found


def _sent(account: str, kind: Kind, span: tuple[int, int | None]) -> list[tuple[int, str, int]]:
    above, upto = span
    query = select(SentRecord.number, SentRecord.entity, SentRecord.missing).where(
        SentRecord.account == account, SentRecord.kind == kind, SentRecord.number > above
    )
    if upto is not None:
        query = query.where(SentRecord.number <= upto)
    return [(number, entity, missing) for number, entity, missing in db.session.execute(query)]


def _mark(account: str, kind: Kind, entities: Sequence[str], count: int) -> None:
    for start in range(0, len(entities), CHUNK):
        part = entities[start : start + CHUNK]
        statement: Any = (
            update(SentRecord)
            .where(SentRecord.account == account, SentRecord.kind == kind, SentRecord.entity.in_(part))
            .values(missing=count)
            .execution_options(synchronize_session=False)
        )
        db.session.execute(statement)


def unassigned(rows: Iterable[Listed], book: Book) -> list[Owed]:
    """Return the products among ``rows`` that accounts were sent whose store views do not sell them any more."""
    products = {row.ref.id: {account.id for account, _ in owed(row, book)} for row in rows if row.ref.kind == "product"}
    if not products:
        return []
    accounts = {account.id: account for account in book.accounts()}
    found = []
    ids = list(products)
    for start in range(0, len(ids), CHUNK):
        query = select(SentRecord.account, SentRecord.entity).where(
            SentRecord.account.in_(accounts),
            SentRecord.kind == "product",
            SentRecord.entity.in_(ids[start : start + CHUNK]),
        )
        for account, entity in db.session.execute(query):
            if account not in products[entity]:
                found.append(Owed(account, EntityRef("product", entity), accounts[account].owner))
    return found
