"""The alerts as they stand in the database: what began, what goes on, what is over.

A look may happen twice and on several workers at once: the unique key lets an alert begin once, and one conditional
UPDATE lets it end once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, cast, delete, func, select, update

from bridge.alerts.rules import KINDS
from bridge.db import db
from bridge.models_alerts import Alert, AlertNotice
from bridge.ops import scrub
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.alerts.rules import Alarm, Found

QUIET_SECONDS = 180.0
"""How long nothing may be wrong before an alert is over: what comes and goes within minutes is one alert."""
KEPT_SECONDS = 30 * 86_400.0
SUBJECT_MOST = 255
SENTENCE_MOST = 1000
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert with what each channel was told of it."""

    alert: Alert
    notices: tuple[AlertNotice, ...]


def note(found: Found, now: float) -> None:
    """Keep what the rules found: new alerts begin, and those that have not been found for a while are over. Commits."""
    begin_write()
    for alarms in found.values():
        for alarm in alarms or ():
            _see(alarm, now)
    asked = [kind for kind, alarms in found.items() if alarms is not None]
    db.session.execute(
        update(Alert)
        .where(Alert.ended_at == 0, Alert.kind.in_(asked), Alert.seen_at <= now - QUIET_SECONDS)
        .values(ended_at=now, key=Alert.key + "@" + cast(Alert.id, String))
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def _see(alarm: Alarm, now: float) -> None:
    """Let an alert begin or go on. Texts come from neighbours: no address and no secret in them is kept."""
    words = {
        "subject": str(scrub(alarm.subject))[:SUBJECT_MOST],
        "sentence": str(scrub(alarm.sentence))[:SENTENCE_MOST],
        "seen_at": now,
    }
    row = {"key": alarm.key, "kind": alarm.kind, "began_at": now, "ended_at": 0.0, **words}
    db.session.execute(insert(Alert).on_conflict_do_update(index_elements=["key"], set_=words), [row])


def current() -> Sequence[Alert]:
    """Return the alerts that go on, the newest first."""
    query = select(Alert).where(Alert.ended_at == 0).order_by(Alert.began_at.desc(), Alert.id.desc())
    return db.session.scalars(query.limit(SHOWN).execution_options(populate_existing=True)).all()


def shown(*, over: bool) -> list[Shown]:
    """Return the alerts that go on, or those that are over, the newest first, with what the channels were told."""
    which = Alert.ended_at > 0 if over else Alert.ended_at == 0
    order = Alert.ended_at.desc() if over else Alert.began_at.desc()
    alerts = db.session.scalars(select(Alert).where(which).order_by(order, Alert.id.desc()).limit(SHOWN)).all()
    told: dict[int, list[AlertNotice]] = {}
    notices = select(AlertNotice).where(AlertNotice.alert.in_([alert.id for alert in alerts]))
    for notice in db.session.scalars(notices.order_by(AlertNotice.channel, AlertNotice.id)):
        told.setdefault(notice.alert, []).append(notice)
    return [Shown(alert, tuple(told.get(alert.id, ()))) for alert in alerts]


def gauges() -> dict[str, float]:
    """Return how many alerts of each kind go on, as gauges of Prometheus: name with labels -> value."""
    counts: dict[str, int] = dict.fromkeys(KINDS, 0)
    query = select(Alert.kind, func.count()).where(Alert.ended_at == 0).group_by(Alert.kind)
    counts |= {str(kind): int(count) for kind, count in db.session.execute(query)}
    return {f'bridge_alert{{kind="{kind}"}}': float(count) for kind, count in counts.items()}


def clean(now: float) -> int:
    """Forget the alerts that ended long ago; return how many. Commits."""
    begin_write()
    old = select(Alert.id).where(Alert.ended_at > 0, Alert.ended_at < now - KEPT_SECONDS)
    db.session.execute(
        delete(AlertNotice).where(AlertNotice.alert.in_(old)).execution_options(synchronize_session=False)
    )
    gone: Any = db.session.execute(
        delete(Alert)
        .where(Alert.ended_at > 0, Alert.ended_at < now - KEPT_SECONDS)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return int(gone.rowcount)
