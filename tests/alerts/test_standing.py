"""An alert begins once, goes on, is over after some quiet minutes, and may begin anew."""

from __future__ import annotations

import threading

from sqlalchemy import select

from bridge.alerts import standing
from bridge.alerts.rules import KINDS, Alarm
from bridge.alerts.standing import KEPT_SECONDS, QUIET_SECONDS, SENTENCE_MOST
from bridge.db import db
from bridge.models_alerts import Alert, AlertNotice
from tests.alerts.conftest import NOON

CLOCK = Alarm("clock_stopped", "clock", "The clock", "It stands still.")


def found(*alarms, **unknown):
    """What the rules say: these alarms, all else well, and None for the kinds that are named."""
    rows = {kind: [alarm for alarm in alarms if alarm.kind == kind] for kind in KINDS}
    return rows | dict.fromkeys(unknown)


def test_an_alert_begins_once_and_its_sentence_is_the_newest(desk):
    standing.note(found(CLOCK), NOON)
    standing.note(found(Alarm("clock_stopped", "clock", "The clock", "It still stands.")), NOON + 60)
    (alert,) = desk.alerts()
    assert (alert.key, alert.began_at, alert.seen_at, alert.ended_at) == ("clock_stopped:clock", NOON, NOON + 60, 0)
    assert alert.sentence == "It still stands."


def test_it_is_over_only_after_some_quiet_minutes_and_begins_anew_as_another(desk):
    standing.note(found(CLOCK), NOON)
    standing.note(found(), NOON + QUIET_SECONDS - 1)
    assert [one.ended_at for one in desk.alerts()] == [0]
    standing.note(found(CLOCK), NOON + QUIET_SECONDS)
    standing.note(found(), NOON + QUIET_SECONDS + 60)
    assert [one.ended_at for one in desk.alerts()] == [0], "what comes and goes within minutes is one alert"
    over = NOON + 2 * QUIET_SECONDS
    standing.note(found(), over)
    assert [(one.ended_at, one.key) for one in desk.alerts()] == [(over, "clock_stopped:clock@1")]
    standing.note(found(), over + 60)
    assert desk.alerts()[0].ended_at == over, "it ends once"
    standing.note(found(CLOCK), over + 120)
    assert [(one.key, one.began_at) for one in desk.alerts()[1:]] == [("clock_stopped:clock", over + 120)]


def test_a_rule_that_could_not_be_asked_changes_nothing(desk):
    standing.note(found(CLOCK), NOON)
    for minute in range(1, 60):
        standing.note(found(clock_stopped=None), NOON + minute * 60)
    (alert,) = desk.alerts()
    assert (alert.ended_at, alert.seen_at) == (0, NOON)
    standing.note(found(), NOON + 3600)
    assert desk.alerts()[0].ended_at == NOON + 3600


def test_texts_of_neighbours_are_kept_without_addresses_secrets_and_line_breaks(desk):
    evil = "ann@example.com said token: hunter2\nSubject: forged\x1b[2J " + "x" * 5000
    standing.note(found(Alarm("coupons_stopped", "1", f"Pool\r\nBcc: eve@example.com {'y' * 400}", evil)), NOON)
    (alert,) = desk.alerts()
    for text in (alert.subject, alert.sentence):
        assert text.isprintable()
        assert "@example.com" not in text
        assert "hunter2" not in text
    assert (len(alert.subject), len(alert.sentence)) == (255, SENTENCE_MOST)


def test_two_workers_that_look_at_once_begin_it_once_and_end_it_once(any_desk):
    barrier, faults = threading.Barrier(2, timeout=30), []

    def look(rows, at):
        try:
            with any_desk.app.app_context():
                barrier.wait()
                standing.note(rows, at)
                db.session.remove()
        except Exception as error:
            faults.append(error)

    for rows, at in ((found(CLOCK), NOON), (found(), NOON + QUIET_SECONDS)):
        pair = [threading.Thread(target=look, args=(rows, at)) for _ in range(2)]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join(30)
        assert faults == []
        assert len(any_desk.alerts()) == 1
        db.session.rollback()
    assert [one.key for one in any_desk.alerts()] == ["clock_stopped:clock@1"]


def test_gauges_count_what_goes_on_by_kind(desk):
    assert set(standing.gauges().values()) == {0.0}
    assert len(standing.gauges()) == len(KINDS)
    standing.note(found(CLOCK, *(Alarm("backlog", one, one, "It waits.") for one in "ab")), NOON)
    counts = standing.gauges()
    assert (counts['bridge_alert{kind="backlog"}'], counts['bridge_alert{kind="clock_stopped"}']) == (2, 1)
    standing.note(found(CLOCK), NOON + QUIET_SECONDS)
    assert standing.gauges()['bridge_alert{kind="backlog"}'] == 0


def test_what_was_over_thirty_days_ago_is_forgotten_with_its_notices(desk):
    for id_, ended in ((1, NOON - KEPT_SECONDS - 1), (2, NOON - KEPT_SECONDS + 1), (3, 0.0)):
        db.session.add(Alert(id=id_, key=str(id_), kind="backlog", began_at=1.0, ended_at=ended))
        db.session.flush()
        db.session.add(AlertNotice(alert=id_, channel="email", event="began", state="told"))
    db.session.commit()
    assert standing.clean(NOON) == 1
    assert [one.id for one in desk.alerts()] == [2, 3]
    assert list(db.session.scalars(select(AlertNotice.alert).order_by(AlertNotice.alert))) == [2, 3]


def test_lists_show_the_newest_first_with_what_was_told(desk):
    standing.note(found(CLOCK), NOON)
    standing.note(found(CLOCK, Alarm("backlog", "a", "Shop", "It waits.")), NOON + 60)
    db.session.add(AlertNotice(alert=1, channel="email", event="began", state="told", told_at=NOON))
    db.session.commit()
    assert [one.kind for one in standing.current()] == ["backlog", "clock_stopped"]
    assert [[one.channel for one in row.notices] for row in standing.shown(over=False)] == [[], ["email"]]
    assert standing.shown(over=True) == []
