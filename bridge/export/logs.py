"""The request log and the event log: what people look at, with personal data masked, for a limited time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy import delete, select

from bridge.db import db
from bridge.export.masking import mask_record, summary
from bridge.models import EventLog, IdentityClaim, RecordStep, RequestLog, Visitor
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.events import AnyEvent, EntityRef
    from bridge.ometria import Call, Parcel
    from bridge.settings import Account

DAY = 86_400.0
CLAIM_SECONDS = 600.0
DETAIL_MOST = 10
"""Records of a failed call that are written to the log file."""
DELETE_AT_ONCE = 1_000
NO_ERROR = ("accepted", "dry run")
"""What became of calls of which nobody need be told."""

log = structlog.get_logger()


def requests(account: Account, kind: str, calls: Sequence[Call], parcels: Sequence[Parcel]) -> None:
    """Write down calls to Ometria; bodies only where request logging is on. Commits."""
    with_body = bool(account.settings["logging.requests"])
    begin_write()
    for call in calls:
        sent = [parcels[place] for place in call.parcels]
        db.session.add(
            RequestLog(
                account=account.id,
                kind=kind,
                records=len(sent),
                status=call.status,
                outcome=call.outcome,
                request_id=call.request_id[:64],
                milliseconds=call.milliseconds,
                message=call.message,
                body=[mask_record(msgspec.json.decode(parcel.body)) for parcel in sent] if with_body else None,
            )
        )
    db.session.commit()
    _detail(account, kind, calls, parcels)


def _detail(account: Account, kind: str, calls: Sequence[Call], parcels: Sequence[Parcel]) -> None:
    """Write each failed call to the log file, with its records masked, where error logging is on."""
    if not account.settings["logging.errors"]:
        return
    for call in calls:
        if call.outcome not in NO_ERROR:
            log.warning(
                "request to Ometria failed",
                account=account.id,
                kind=kind,
                status=call.status,
                outcome=call.outcome,
                request_id=call.request_id[:64],
                milliseconds=call.milliseconds,
                reason=call.message,
                records=[mask_record(msgspec.json.decode(parcels[place].body)) for place in call.parcels[:DETAIL_MOST]],
                left_out=max(len(call.parcels) - DETAIL_MOST, 0),
            )


def aside(account: Account, rows: Iterable[tuple[EntityRef, str]]) -> None:
    """Write each record that was set aside, or refused late, to the log file where error logging is on."""
    if account.settings["logging.errors"]:
        for ref, reason in rows:
            log.warning("record set aside", account=account.id, kind=ref.kind, entity=ref.id, reason=reason)


def event(seen: AnyEvent, type_: str) -> bool:
    """Write an event down once; return False when it was there already. No commit."""
    row = {
        "id": seen.id[:32],
        "at": seen.at,
        "type": type_,
        "store": (seen.store or "")[:64],
        "summary": summary(seen),
    }
    result: Any = db.session.execute(insert(EventLog).values(row).on_conflict_do_nothing())
    return bool(result.rowcount)


def clean(log_days: float, identity_days: float, now: float | None = None) -> int:
    """Delete what is older than may be kept; return how many rows went. Commits, in small steps."""
    moment = time.time() if now is None else now
    old: list[tuple[Any, Any, float]] = [
        (RequestLog.id, RequestLog.at, moment - log_days * DAY),
        (EventLog.id, EventLog.at, moment - log_days * DAY),
        (RecordStep.id, RecordStep.at, moment - log_days * DAY),
        (IdentityClaim.key, IdentityClaim.at, moment - CLAIM_SECONDS),
        (Visitor.id, Visitor.seen_at, moment - identity_days * DAY),
    ]
    return sum(_delete_older(key, at, before) for key, at, before in old)


def _delete_older(key: Any, at: Any, before: float) -> int:
    count = 0
    while True:
        begin_write()
        ids = list(db.session.scalars(select(key).where(at < before).limit(DELETE_AT_ONCE)))
        if not ids:
            db.session.rollback()
            return count
        db.session.execute(delete(key.class_).where(key.in_(ids)).execution_options(synchronize_session=False))
        db.session.commit()
        count += len(ids)
