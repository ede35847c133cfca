"""Tells the channels: an outbox in the database, so that each is told once however many workers run.

A notice is claimed by one conditional UPDATE before the call. A worker that dies in the call leaves it to be told again
after its lease: an alert that comes twice does less harm than one that never comes.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import or_, select, update

from bridge.alerts.channels import Message
from bridge.db import db
from bridge.errors import BridgeError
from bridge.models_alerts import Alert, AlertNotice
from bridge.ops import scrub
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.alerts.channels import Channel

LEASE_SECONDS = 900.0
"""Longer than the longest job."""
PAUSES = (60.0, 120.0, 300.0, 900.0)
GIVE_UP_SECONDS = 86_400.0
"""How long after its end it is worth telling that an alert is over."""
AT_ONCE = 100

log = structlog.get_logger()


def tell(channels: Mapping[str, Channel], clock: Callable[[], float]) -> int:
    """Tell what is due; return how many notices were told. Commits."""
    _owe(channels, clock())
    told = 0
    for _ in range(AT_ONCE):
        claimed = _claim(channels, clock())
        if claimed is None:
            break
        told += _send(channels, *claimed, clock)
    return told


def pause_after(tries: int) -> float:
    """Return the seconds to wait after so many tries."""
    return PAUSES[min(max(tries, 1), len(PAUSES)) - 1]


def _owe(channels: Mapping[str, Channel], now: float) -> None:
    """Write down what each channel is to be told: what began, and the end of what it was told of. Commits."""
    begin_write()
    for channel in channels:
        for alert in db.session.scalars(select(Alert.id).where(Alert.ended_at == 0)).all():
            _add(alert, channel, "began", now)
        told = select(AlertNotice.alert).where(
            AlertNotice.channel == channel, AlertNotice.event == "began", AlertNotice.state == "told"
        )
        ended = select(Alert.id).where(Alert.ended_at > now - GIVE_UP_SECONDS, Alert.id.in_(told))
        for alert in db.session.scalars(ended).all():
            _add(alert, channel, "over", now)
    over = select(Alert.id).where(Alert.ended_at > 0)
    late = select(Alert.id).where(Alert.ended_at > 0, Alert.ended_at <= now - GIVE_UP_SECONDS)
    for event, which, why in (
        ("began", over, "it was over before it could be told"),
        ("over", late, "it could not be told for a day"),
    ):
        waits = (AlertNotice.state == "waiting", AlertNotice.event == event, AlertNotice.alert.in_(which))
        db.session.execute(_update(*waits).values(state="dropped", reason=why))
    db.session.commit()


def _add(alert: int, channel: str, event: str, now: float) -> None:
    row = {
        "alert": alert,
        "channel": channel,
        "event": event,
        "state": "waiting",
        "tries": 0,
        "due_at": now,
        "claim": "",
        "lease_until": 0.0,
        "told_at": 0.0,
        "reason": "",
    }
    statement = insert(AlertNotice).on_conflict_do_nothing(index_elements=["alert", "channel", "event"])
    db.session.execute(statement, [row])


def _claim(channels: Mapping[str, Channel], now: float) -> tuple[int, str] | None:
    """Take the notice that is due first for this worker; return its id and the claim. Commits."""
    due = (
        AlertNotice.channel.in_(list(channels)),
        or_(
            (AlertNotice.state == "waiting") & (AlertNotice.due_at <= now),
            (AlertNotice.state == "sending") & (AlertNotice.lease_until <= now),
        ),
    )
    first = select(AlertNotice.id).where(*due).order_by(AlertNotice.due_at).limit(1)
    begin_write()
    while (id_ := db.session.scalar(first)) is not None:
        token = uuid.uuid4().hex
        values = {
            "state": "sending",
            "claim": token,
            "lease_until": now + LEASE_SECONDS,
            "tries": AlertNotice.tries + 1,
        }
        taken: Any = db.session.execute(_update(AlertNotice.id == id_, *due).values(**values))
        db.session.commit()
        if taken.rowcount:
            return id_, token
        begin_write()
    db.session.commit()
    return None


def _send(channels: Mapping[str, Channel], id_: int, token: str, clock: Callable[[], float]) -> int:
    """Tell one notice; return 1 when it was told. Commits."""
    query = select(AlertNotice, Alert).join(Alert, Alert.id == AlertNotice.alert).where(AlertNotice.id == id_)
    notice, alert = db.session.execute(query.execution_options(populate_existing=True)).one()
    message = Message.of(alert, notice.event)
    channel, tries = notice.channel, notice.tries
    # The call may take long: nothing is held meanwhile.
    db.session.commit()
    try:
        said, told = channels[channel].send(message), True
    except BridgeError as error:
        said, told = str(scrub(str(error))), False
        log.warning("alert not told", channel=channel, kind=message.kind, reason=said, next="tried again")
    now = clock()
    values = {"state": "told", "told_at": now} if told else {"state": "waiting", "due_at": now + pause_after(tries)}
    begin_write()
    db.session.execute(
        _update(AlertNotice.id == id_, AlertNotice.claim == token).values(
            reason=said, claim="", lease_until=0.0, **values
        )
    )
    db.session.commit()
    return int(told)


def _update(*where: Any) -> Any:
    return update(AlertNotice).where(*where).execution_options(synchronize_session=False)
