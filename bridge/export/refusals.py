"""What was set aside: looked at, and tried again by choice (dead letters and their replay)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import ledger
from bridge.models import ID_LIMIT, Pending

if TYPE_CHECKING:
    from bridge.events import Kind

LOOKED = 5_000
"""Rows whose reasons are put together: a page must not read a million."""


@dataclass(frozen=True, slots=True)
class Which:
    """A choice; what is None chooses nothing out.

    ``entity`` is the shop's id, ``reason`` a part of the reason, ``whole`` the reason to the letter.
    """

    account: str | None = None
    kind: Kind | None = None
    entity: str | None = None
    reason: str | None = None
    whole: str | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions."""
        found: list[ColumnElement[bool]] = []
        found += [Pending.account == self.account] if self.account is not None else []
        found += [Pending.kind == self.kind] if self.kind is not None else []
        found += [Pending.entity.in_((self.entity, f"customer:{self.entity}"))] if self.entity is not None else []
        found += [Pending.reason.contains(self.reason, autoescape=True)] if self.reason is not None else []
        found += [Pending.reason == self.whole] if self.whole is not None else []
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one account and kind that were set aside for the same reason; ``row`` and ``at`` are the newest one's."""

    row: int
    account: str
    kind: str
    reason: str
    count: int
    at: float

    @property
    def which(self) -> Which:
        """The choice of all rows of the group."""
        return Which(account=self.account, kind=self.kind, whole=self.reason)  # type: ignore[arg-type] # one of the three


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was set aside, and why."""

    account: str
    ref: EntityRef
    reason: str


def found(which: Which) -> list[Refusal]:
    """Return the rows that were set aside, the oldest first."""
    columns = (Pending.account, Pending.kind, Pending.entity, Pending.reason)
    query = select(*columns).where(Pending.state == "refused", *which.where()).order_by(Pending.added_at, Pending.id)
    rows = db.session.execute(query)
    return [Refusal(account, EntityRef(kind, entity), reason) for account, kind, entity, reason in rows]  # type: ignore[arg-type] # only the three kinds are ever added


def groups() -> tuple[list[Group], bool]:
    """Return what the newest :data:`LOOKED` rows were set aside for, the most frequent first; whether there is more."""
    columns = (Pending.id, Pending.account, Pending.kind, Pending.reason, Pending.added_at)
    some = select(*columns).where(Pending.state == "refused").order_by(Pending.id.desc()).limit(LOOKED).subquery()
    same = (some.c.account, some.c.kind, some.c.reason)
    figures = (func.max(some.c.id), *same, func.count(), func.max(some.c.added_at))
    rows = [Group(*row) for row in db.session.execute(select(*figures).group_by(*same))]
    rows.sort(key=lambda row: (-row.count, -row.row))
    return rows, sum(row.count for row in rows) >= LOOKED


def like(row: int) -> Which | None:
    """Return the choice of all that was set aside as this row was; None where it no longer is."""
    one = db.session.get(Pending, row, populate_existing=True) if 0 < row < ID_LIMIT else None
    if one is None or one.state != "refused":
        return None
    return Which(account=one.account, kind=one.kind, whole=one.reason)  # type: ignore[arg-type] # only the three kinds


def replay(which: Which) -> tuple[int, set[str]]:
    """Give them another chance; return how many, and the accounts concerned. Commits."""
    own = select(Pending.account).where(Pending.state == "refused", *which.where()).distinct()
    accounts = set(db.session.scalars(own))
    return ledger.retry_refused(only=which.where()), accounts
