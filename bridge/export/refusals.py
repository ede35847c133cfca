"""What was set aside: looked at, and tried again by choice (dead letters and their replay)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import ledger
from bridge.models import Pending

if TYPE_CHECKING:
    from bridge.events import Kind


@dataclass(frozen=True, slots=True)
class Which:
    """A choice; what is None chooses nothing out. ``entity`` is the shop's id, ``reason`` a part of the reason."""

    account: str | None = None
    kind: Kind | None = None
    entity: str | None = None
    reason: str | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """Return the conditions."""
        found: list[ColumnElement[bool]] = []
        found += [Pending.account == self.account] if self.account is not None else []
        found += [Pending.kind == self.kind] if self.kind is not None else []
        found += [Pending.entity.in_((self.entity, f"customer:{self.entity}"))] if self.entity is not None else []
        found += [Pending.reason.contains(self.reason, autoescape=True)] if self.reason is not None else []
        return found


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


def replay(which: Which) -> tuple[int, set[str]]:
    """Give them another chance; return how many, and the accounts concerned. Commits."""
    accounts = {row.account for row in found(which)}
    return ledger.retry_refused(only=which.where()), accounts
