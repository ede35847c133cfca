"""What is written down of a single record's way: the lines that :mod:`bridge.export.timeline` shows.

History moves millions of records that nobody asks about one by one: of its lane only what went wrong is written.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert

from bridge.db import db
from bridge.models import RecordStep
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.events import EntityRef
    from bridge.export.ledger import Claimed

Step = Literal["seen", "queued", "merged", "sent", "unchanged", "skipped", "retry", "refused", "late error", "warned"]
DETAIL_MOST = 500

Line = tuple[str, "EntityRef", str]
"""Account id, entity, and what else there is to say: a reason, a request id."""


def write(step: Step, lines: Iterable[Line], at: float | None = None) -> None:
    """Add a step to records. No commit."""
    moment = time.time() if at is None else at
    values = [
        {
            "at": moment,
            "account": account,
            "kind": ref.kind,
            "entity": ref.id,
            "step": step,
            "detail": detail[:DETAIL_MOST],
        }
        for account, ref, detail in lines
    ]
    if values:
        db.session.execute(insert(RecordStep), values)


def save(step: Step, lines: Iterable[Line]) -> None:
    """Add a step to records in a transaction of its own."""
    held = list(lines)
    if held:
        begin_write()
        write(step, held)
        db.session.commit()


def live(rows: Iterable[tuple[Claimed, str]]) -> list[Line]:
    """Return the lines of the rows whose lane is ``live``."""
    return [(row.account, row.ref, detail) for row, detail in rows if row.lane == "live"]


def every(rows: Iterable[tuple[Claimed, str]]) -> list[Line]:
    """Return the lines of all rows."""
    return [(row.account, row.ref, detail) for row, detail in rows]
