"""Each channel is told once that something began and once that it is over, however often and wherever the job runs."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from bridge.alerts import standing
from bridge.alerts.rules import Alarm
from bridge.alerts.standing import QUIET_SECONDS
from bridge.alerts.telling import GIVE_UP_SECONDS, LEASE_SECONDS, pause_after, tell
from bridge.db import db
from bridge.errors import Retry
from tests.alerts.conftest import NOON
from tests.alerts.test_standing import CLOCK, found


class Paper:
    """A channel that writes down; ``faults`` are raised first, one after the other."""

    def __init__(self, *faults, said=""):
        self.told = []
        self.faults = list(faults)
        self.said = said
        self.tries = 0

    def send(self, message):
        self.tries += 1
        if self.faults:
            raise self.faults.pop(0)
        self.told.append((message.kind, message.event))
        return self.said


@pytest.fixture
def begun(any_desk):
    standing.note(found(CLOCK), NOON)
    return any_desk


def tell_at(channels, at):
    return tell(channels, lambda: at)


def test_it_is_told_once_per_channel_and_its_end_once(begun):
    papers = {"email": Paper(), "webhook": Paper()}
    assert [tell_at(papers, NOON + step) for step in (0, 1, 60)] == [2, 0, 0]
    over = NOON + QUIET_SECONDS
    standing.note(found(), over)
    assert [tell_at(papers, over + step) for step in (0, 1, 60, 86_399)] == [2, 0, 0, 0]
    for paper in papers.values():
        assert paper.told == [("clock_stopped", "began"), ("clock_stopped", "over")]
    standing.note(found(CLOCK), over + 100)
    assert tell_at(papers, over + 100) == 2
    assert papers["email"].told[2:] == [("clock_stopped", "began")], "what begins anew is told anew"


def test_what_fails_is_tried_again_later_and_later_and_its_reason_is_kept(begun):
    paper = Paper(*[Retry(f"The mail server is away ({number}).") for number in range(5)])
    at, waits = NOON, []
    for number in range(6):
        with capture_logs() as logs:
            told = tell_at({"email": paper}, at)
        (notice,) = begun.notices()
        if told:
            break
        assert notice.reason == f"The mail server is away ({number})."
        assert [one["event"] for one in logs] == ["alert not told"]
        waits.append(notice.due_at - at)
        assert tell_at({"email": paper}, notice.due_at - 1) == 0, "not before its time"
        at = notice.due_at
    assert waits == [60, 120, 300, 900, 900]
    assert (notice.state, notice.tries, notice.told_at, notice.reason) == ("told", 6, at, "")
    assert paper.told == [("clock_stopped", "began")]


def test_one_channel_that_fails_holds_up_no_other(begun):
    papers = {"email": Paper(Retry("away")), "webhook": Paper()}
    assert tell_at(papers, NOON) == 1
    assert [(one.channel, one.state) for one in begun.notices()] == [("email", "waiting"), ("webhook", "told")]


def test_what_was_over_before_it_could_be_told_is_not_told_and_neither_is_its_end(begun):
    paper = Paper(Retry("away"))
    tell_at({"email": paper}, NOON)
    standing.note(found(), NOON + QUIET_SECONDS)
    assert tell_at({"email": paper}, NOON + 86_400) == 0
    assert [(one.event, one.state) for one in begun.notices()] == [("began", "dropped")]
    assert paper.told == []


def test_an_end_that_cannot_be_told_for_a_day_is_let_go(begun):
    paper = Paper()
    tell_at({"email": paper}, NOON)
    over = NOON + QUIET_SECONDS
    standing.note(found(), over)
    paper.faults = [Retry("away")] * 500
    tell_at({"email": paper}, over)
    assert tell_at({"email": paper}, over + GIVE_UP_SECONDS) == 0
    assert [(one.event, one.state) for one in begun.notices()] == [("began", "told"), ("over", "dropped")]


def test_a_channel_that_is_set_later_is_told_what_still_goes_on(begun):
    assert tell_at({}, NOON) == 0
    assert begun.notices() == []
    paper = Paper()
    assert tell_at({"webhook": paper}, NOON + 3600) == 1
    assert paper.told == [("clock_stopped", "began")]


def test_what_a_dead_worker_was_telling_is_told_by_another_after_its_lease(begun):
    class Dies(Paper):
        def send(self, message):
            raise SystemExit

    with pytest.raises(SystemExit):
        tell_at({"email": Dies()}, NOON)
    db.session.rollback()
    paper = Paper()
    assert tell_at({"email": paper}, NOON + LEASE_SECONDS - 1) == 0
    assert tell_at({"email": paper}, NOON + LEASE_SECONDS) == 1


def test_many_workers_at_once_tell_each_notice_once(any_desk):
    standing.note(found(CLOCK, *(Alarm("backlog", str(number), "Shop", "It waits.") for number in range(8))), NOON)
    db.session.remove()
    papers = {"email": Paper(), "webhook": Paper()}
    barrier, faults = threading.Barrier(4, timeout=30), []

    def work():
        try:
            with any_desk.app.app_context():
                barrier.wait()
                tell_at(papers, NOON)
                db.session.remove()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert [len(paper.told) for paper in papers.values()] == [9, 9]
    assert {one.state for one in any_desk.notices()} == {"told"}
    assert {one.tries for one in any_desk.notices()} == {1}


def test_pauses_grow_and_then_stay():
    assert [pause_after(tries) for tries in (0, 1, 2, 3, 4, 9)] == [60, 60, 120, 300, 900, 900]
