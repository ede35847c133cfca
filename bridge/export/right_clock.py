"""What a worker whose clock ran ahead left in the ledger: rows that are due in the future, leases without end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from bridge.db import db
from bridge.export.ledger import LEASE_SECONDS
from bridge.models import Pending
from bridge.writing import begin_write

SLACK_SECONDS = 60.0
"""How far the clocks of hosts may be apart."""


def put_right(now: float) -> int:
    """Make due what was added in the future, and let leases end that last too long; return how many rows. Commits."""
    late = {"due_at": now, "added_at": now}
    begin_write()
    changed = _set(Pending.added_at > now + SLACK_SECONDS, late)
    changed += _set(Pending.lease_until > now + LEASE_SECONDS + SLACK_SECONDS, {"lease_until": now + LEASE_SECONDS})
    db.session.commit()
    return changed


def _set(where: Any, values: dict[str, float]) -> int:
    result: Any = db.session.execute(
        update(Pending).where(where).values(values).execution_options(synchronize_session=False)
    )
    return int(result.rowcount)
