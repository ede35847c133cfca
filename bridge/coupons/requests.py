"""Requests for codes: the same id is the same request, worked at by one at a time, then answered from the ledger."""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from bridge.coupons import ledger
from bridge.coupons.room import now
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models_coupons import CouponRequest
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Callable

LEASE_SECONDS = 150.0
"""Longer than one call to the shop can take with waiting for its turn: who holds a claim after that has died."""
WAIT_SECONDS = 20.0
"""How long a caller waits for another who works at the same request."""
STEP_SECONDS = 0.05
CHANGED_SECONDS = 30.0
"""How long it is left alone where a person must change something."""
KEPT_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")


@dataclass(frozen=True, slots=True)
class Held:
    """A request that this caller works at."""

    id: str
    token: str
    refused: dict[str, str] = field(default_factory=dict)
    """Codes that were not taken, with their reasons; written down with the next change."""

    def extend(self) -> None:
        """Keep the claim for another lease; raises :class:`Retry` when another has it by now. Commits."""
        if not _change(self, lease_until=now() + LEASE_SECONDS):
            raise Retry("Another worker has taken over this request.", after=2)

    def end(self, state: str, reason: str = "", **more: Any) -> None:
        """Write down how it ended. Commits."""
        _change(self, state=state, reason=reason, done_at=now(), claim="", lease_until=0.0, **more)

    def refuse(self, code: str, reason: str) -> None:
        """Remember why a code was not taken, until the next change writes it down."""
        self.refused[code] = reason

    def release(self) -> None:
        """Leave the rest for the next who works at it. Commits."""
        _change(self, claim="", lease_until=now(), reason="")

    def give_back(self, error: Retry | Misconfigured) -> None:
        """Leave it for later, with the reason, at the earliest when the error says. Commits."""
        after = error.after if isinstance(error, Retry) else CHANGED_SECONDS
        _change(self, claim="", lease_until=now() + after, reason=str(error))


def mark_of(*asked: Any) -> str:
    """Return the digest of what was asked."""
    # Not every text that was asked for can be written as UTF-8.
    return hashlib.sha256(json.dumps(asked).encode("ascii")).hexdigest()


def check_id(request_id: str) -> str:
    """Return the id, or raise :class:`Refused`."""
    if not KEPT_ID.fullmatch(request_id):
        raise Refused("The request id must be 1 to 80 letters, digits and . _ : -")
    return request_id


def begin(request_id: str, kind: str, mark: str, **values: Any) -> CouponRequest:
    """Write the request down unless it is known. Raises :class:`Refused` where its id was used for another. Commits."""
    check_id(request_id)
    begin_write()
    ledger.insert_new(CouponRequest, [row_of(request_id, kind, mark, **values)])
    db.session.commit()
    found = load(request_id)
    if (found.kind, found.mark) != (kind, mark):
        raise Refused("This request id was used before for another request; take a new one.")
    return found


def row_of(request_id: str, kind: str, mark: str, **values: Any) -> dict[str, Any]:
    """Return a new request as a row, open unless ``values`` say otherwise."""
    defaults = {"layout": {}, "refused": {}, "state": "open", "reason": "", "claim": "", "lease_until": 0.0}
    return {"id": request_id, "kind": kind, "mark": mark, "at": now(), "done_at": 0.0, **defaults, **values}


def load(request_id: str) -> CouponRequest:
    """Return the row as it is now."""
    found = db.session.get(CouponRequest, request_id, populate_existing=True)
    if found is None:
        raise Refused("There is no request with this id.")
    return found


def claim(request_id: str) -> Held | None:
    """Take the request to work at, or return None where it is done or another works at it. Commits."""
    token, moment = uuid.uuid4().hex, now()
    begin_write()
    result: Any = db.session.execute(
        update(CouponRequest)
        .where(CouponRequest.id == request_id, CouponRequest.state != "done", CouponRequest.lease_until <= moment)
        .values(claim=token, lease_until=moment + LEASE_SECONDS, state="open")
        .execution_options(**ledger.OPTIONS)
    )
    db.session.commit()
    return Held(request_id, token) if result.rowcount else None


def done_or_claimed(request_id: str, work: Callable[[Held], None]) -> CouponRequest:
    """Work at the request, or wait for who does; return it when it is done, or when there is no time for more.

    Raises :class:`Retry` when another is still at it.
    """
    end = time.monotonic() + WAIT_SECONDS
    while True:
        row = load(request_id)
        if row.state == "done":
            return row
        held = claim(request_id)
        if held is not None:
            work(held)
            return load(request_id)
        if not row.claim and row.lease_until > now():
            raise Retry(row.reason or "The shop is asked again in a while.", after=row.lease_until - now())
        if time.monotonic() > end:
            raise Retry("This request is under way; ask again with the same id.", after=2)
        db.session.rollback()
        time.sleep(STEP_SECONDS)


def waiting(limit: int) -> list[CouponRequest]:
    """Return open requests that nobody works at, oldest first."""
    query = select(CouponRequest).where(CouponRequest.state == "open", CouponRequest.lease_until <= now())
    return list(db.session.scalars(query.order_by(CouponRequest.at).limit(limit)))


def _change(held: Held, **values: Any) -> bool:
    begin_write()
    if held.refused:
        values["refused"] = {**(load(held.id).refused or {}), **held.refused}
    result: Any = db.session.execute(
        update(CouponRequest)
        .where(CouponRequest.id == held.id, CouponRequest.claim == held.token)
        .values(**values)
        .execution_options(**ledger.OPTIONS)
    )
    db.session.commit()
    held.refused.clear()
    return bool(result.rowcount)
