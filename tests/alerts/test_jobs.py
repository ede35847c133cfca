"""The whole job: from facts to a mail and a post, with real servers; woken by the clock and by each worker itself."""

from __future__ import annotations

import email
import email.policy
import logging
import time

import pytest

from bridge.alerts import jobs
from bridge.alerts.jobs import Reminder
from bridge.alerts.standing import KEPT_SECONDS, QUIET_SECONDS
from bridge.clock import BEAT, CHORES, LATE_SECONDS
from bridge.config import Config
from bridge.db import db
from bridge.models import EventLog
from bridge.models_coupons import CouponPool
from bridge.ops import set_up_logging
from bridge.queues import JOBS, connect
from tests.alerts.conftest import NOON, TOKEN
from tests.lines import through_logging


@pytest.fixture
def told(desk, hook, sink):
    """A desk whose channels are a mail server and a web server of this machine."""
    desk.config = Config(smtp_upstream=sink.url(), alert_hosts=(hook.url.split("/")[2],))
    desk.set("alerts.email", "ann@shop.test")
    desk.set("alerts.webhook", hook.url)
    return desk


def stop_pool(problem="The rule is switched off."):
    db.session.merge(CouponPool(id=1, name="Welcome", rule_id=2, problem=problem))
    db.session.commit()


def subjects(sink):
    return [email.message_from_bytes(one.message, policy=email.policy.default)["Subject"] for one in sink.taken]


def test_the_job_is_known_and_the_clock_wakes_it():
    assert JOBS["alerts"] == ("upkeep", "bridge.alerts.jobs.alerts")
    assert "alerts" in CHORES


def test_nothing_wrong_is_nothing_told(told, hook, sink):
    assert told.look() == 0
    assert (told.alerts(), hook.posts, sink.taken) == ([], [], [])


def test_an_alert_reaches_people_once_by_each_way_and_so_does_its_end(told, hook, sink):
    stop_pool()
    assert [told.look(), told.look(60), told.look(60)] == [2, 0, 0]
    stop_pool("")
    assert [told.look(60), told.look(QUIET_SECONDS), told.look(60)] == [0, 2, 0]
    assert [(one["kind"], one["subject"], one["state"]) for one in hook.posts] == [
        ("coupons_stopped", "Welcome", "began"),
        ("coupons_stopped", "Welcome", "over"),
    ]
    assert hook.posts[0]["since"] == hook.posts[1]["since"] == "2026-11-25T12:00:00Z"
    assert subjects(sink) == ["bridge, alert: Coupons stopped: Welcome", "bridge, over: Coupons stopped: Welcome"]
    stop_pool()
    told.look(60)
    assert len(hook.posts) == len(sink.taken) == 3, "what begins anew is told anew"


def test_a_webhook_that_fails_is_tried_again_and_the_mail_is_not_sent_twice(told, hook, sink):
    hook.status = [500, 503]
    stop_pool()
    assert told.look() == 1
    (waiting,) = told.notices(channel="webhook")
    assert (waiting.state, waiting.reason) == ("waiting", "The webhook answered with status 500.")
    assert [told.look(60), told.look(60), told.look(60)] == [0, 0, 1]
    assert (len(hook.posts), len(sink.taken)) == (3, 1)
    assert len(set(hook.marks)) == 1, "the receiver can tell that it is the same"
    assert [one.state for one in told.notices(channel="webhook")] == ["told"]


def test_no_mail_server_is_a_reason_on_the_notice_and_setting_one_ends_it(told, hook, sink):
    config, told.config = told.config, Config(alert_hosts=told.config.alert_hosts)
    stop_pool()
    assert told.look() == 1
    assert told.notices(channel="email")[0].reason.startswith("BRIDGE_SMTP_UPSTREAM names no mail server")
    told.config = config
    assert told.look(60) == 1
    assert len(sink.taken) == 1


def test_a_stopped_clock_is_told_though_the_clock_woke_nothing(told, hook):
    told.redis.values[BEAT] = str(NOON - 400)
    jobs.look(told.room)
    assert [(one["kind"], one["state"]) for one in hook.posts] == [("clock_stopped", "began")]
    told.look(60)
    told.look(QUIET_SECONDS)
    assert hook.posts[-1]["state"] == "over"


def test_an_hour_without_visitors_is_told_at_noon_and_over_with_the_first_event(told, hook):
    told.set("alerts.shop_hours", "8-22")
    db.session.add(EventLog(id="1" * 32, at=NOON - 3700, type="order_placed"))
    db.session.commit()
    told.look()
    assert [one["kind"] for one in hook.posts] == ["no_events"]
    told.look(11 * 3600)
    assert len(hook.posts) == 1, "the night changes nothing"
    db.session.add(EventLog(id="2" * 32, at=told.now, type="identified"))
    db.session.commit()
    told.look(60)
    assert [one["state"] for one in hook.posts] == ["began", "over"]


def test_long_ended_alerts_are_forgotten(told):
    stop_pool()
    told.look()
    stop_pool("")
    told.look(QUIET_SECONDS)
    assert len(told.alerts()) == 1
    told.look(KEPT_SECONDS + 1)
    assert (told.alerts(), told.notices()) == ([], [])


def test_no_token_and_no_address_is_in_the_log_or_the_database(told, hook, sink, tmp_path):
    before = logging.getLogger().handlers[:]
    try:
        set_up_logging("worker", tmp_path / "log")
        logging.getLogger().setLevel(logging.DEBUG)
        hook.status = [500]
        sink.replies["RCPT"] = b"550 5.1.1 <ann@shop.test> nobody here"
        stop_pool()
        assert told.look() == 0
        told.set("alerts.webhook", f"https://localhost:8443/{TOKEN}")
        told.look(600)
        told.set("alerts.webhook", f"https://no-such-name.invalid/{TOKEN}")
        told.look(600)
        written = (tmp_path / "log" / "worker.log").read_text()
    finally:
        for handler in logging.getLogger().handlers:
            handler.close()
        logging.getLogger().handlers[:] = before
        logging.getLogger().setLevel(logging.WARNING)
        through_logging()
    assert written.count("alert not told") >= 4
    kept = " ".join(one.reason for one in told.notices())
    for secret in (TOKEN, "ann@shop.test"):
        assert secret not in written
        assert secret not in kept


@pytest.mark.redis
def test_while_no_clock_ticks_each_worker_wakes_the_job_itself_and_no_two_wait(redis_server, redis_client):
    redis_client.set(BEAT, str(time.time() - LATE_SECONDS - 1))
    reminders = [Reminder(connect(redis_server.url), every=0.02) for _ in range(2)]
    for one in reminders:
        one.start()
    try:
        end = time.monotonic() + 20
        while not redis_client.llen("rq:queue:upkeep") and time.monotonic() < end:
            time.sleep(0.01)
        for _ in range(10):
            assert redis_client.llen("rq:queue:upkeep") == 1
            time.sleep(0.02)
    finally:
        for one in reminders:
            one.stop()


@pytest.mark.redis
def test_while_a_clock_ticks_it_alone_wakes_the_job(redis_server, redis_client):
    looked = []

    class Watched:
        def __init__(self, connection):
            self._connection = connection

        def get(self, name):
            looked.append(name)
            return self._connection.get(name)

    redis_client.set(BEAT, str(time.time()))
    reminder = Reminder(Watched(connect(redis_server.url)), every=0.01)
    reminder.start()
    end = time.monotonic() + 20
    while len(looked) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    reminder.stop()
    assert looked[:5] == [BEAT] * 5
    assert redis_client.llen("rq:queue:upkeep") == 0


def test_a_reminder_outlives_a_redis_that_is_gone():
    asked = []

    class Broken:
        def get(self, name):
            asked.append(name)
            raise OSError

    reminder = Reminder(Broken(), every=0.01)
    reminder.start()
    end = time.monotonic() + 20
    while len(asked) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    reminder.stop()
    assert asked[:3] == [BEAT] * 3
