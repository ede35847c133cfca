"""What the rules are given is what stands in the tables, in the settings and in Redis."""

from __future__ import annotations

import pytest
import redis

from bridge.alerts.facts import LOOK_SECONDS, gather
from bridge.alerts.rules import backlog, clock_stopped, key_refused, mail_relayed, no_events
from bridge.clock import BEAT
from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, ledger
from bridge.export.ease import PAUSE_SECONDS
from bridge.export.ledger import Owed
from bridge.export.session import pause_name
from bridge.models import EventLog, RequestLog
from bridge.models_coupons import CouponPool
from bridge.models_mail import MailDelivery
from bridge.settings import account_id
from tests.alerts.conftest import NOON

KEY = "om_live_1234567890abcd"
ACCOUNT = account_id(KEY)


@pytest.fixture
def shop(desk):
    """A shop with one account and tracking on."""
    desk.set("general.api_key", KEY)
    return desk


def owe(*numbers, now, lane="live"):
    ledger.add([Owed(ACCOUNT, EntityRef("order", str(number)), "default") for number in numbers], lane, now=now)
    db.session.commit()


def test_a_refused_key_is_one_until_ometria_took_something_again(shop):
    cursors.save(pause_name(ACCOUNT), {"paused": "the key is not valid (403).", "until": NOON + PAUSE_SECONDS})
    assert [one.what for one in key_refused(gather(shop.redis, NOON + 1))] == [ACCOUNT]
    late = NOON + 10 * PAUSE_SECONDS
    assert key_refused(gather(shop.redis, late)), "that the pause is over says nothing of the key"
    for at, status in ((NOON - 60, 202), (NOON + 400, 403), (NOON + 401, 0)):
        db.session.add(RequestLog(at=at, account=ACCOUNT, kind="order", status=status, outcome="any"))
    db.session.commit()
    assert key_refused(gather(shop.redis, late))
    db.session.add(RequestLog(at=NOON + 500, account=ACCOUNT, kind="order", status=202, outcome="accepted"))
    db.session.commit()
    assert key_refused(gather(shop.redis, late)) == []


def test_another_key_ends_it_and_no_key_is_named(shop):
    cursors.save(pause_name(ACCOUNT), {"paused": "the key is not valid (403).", "until": NOON + PAUSE_SECONDS})
    assert KEY not in repr(gather(shop.redis, NOON))
    shop.set("general.api_key", "om_live_another_key_0001")
    assert key_refused(gather(shop.redis, NOON)) == []


def test_a_live_row_waits_since_it_came_however_often_it_was_put_off(shop):
    owe(1, now=NOON - 31 * 60)
    held = ledger.claim(ACCOUNT, 10, now=NOON - 60)
    ledger.give_back(held, 300, count_attempt=False, now=NOON - 60)
    assert backlog(gather(shop.redis, NOON))[0].sentence.endswith("have waited 31 minutes for Ometria (1 wait).")
    ledger.done(ledger.claim(ACCOUNT, 10, now=NOON + 300))
    assert backlog(gather(shop.redis, NOON + 300)) == []


def test_what_is_worked_at_waits_no_more(shop):
    owe(1, now=NOON - 31 * 60)
    ledger.claim(ACCOUNT, 10, now=NOON)
    assert backlog(gather(shop.redis, NOON)) == []


@pytest.mark.parametrize("before", ["history", "refused"])
def test_a_row_waits_live_since_it_became_live(shop, before):
    owe(1, now=NOON - 86_400, lane="history" if before == "history" else "live")
    if before == "refused":
        ledger.refuse([(row, "no") for row in ledger.claim(ACCOUNT, 10, now=NOON - 80_000)])
    owe(1, now=NOON - 60)
    assert gather(shop.redis, NOON).accounts[0].oldest == NOON - 60


def test_history_and_accounts_that_send_nothing_live_are_no_backlog(shop):
    owe(1, now=NOON - 86_400, lane="history")
    assert backlog(gather(shop.redis, NOON)) == []
    owe(2, now=NOON - 86_400)
    assert backlog(gather(shop.redis, NOON))
    for key, value in (("export.live", "no"), ("export.dry_run", "yes")):
        shop.set(key, value)
        assert backlog(gather(shop.redis, NOON)) == [], key
        shop.set(key, "yes" if value == "no" else "no")


def test_looks_are_some_minutes_apart_and_four_of_them_are_kept(shop):
    seen = []
    for number in range(8):
        owe(number, now=NOON)
        gather(shop.redis, NOON + number * LOOK_SECONDS / 2)
        seen.append(gather(shop.redis, NOON + number * LOOK_SECONDS / 2 + 1).accounts[0].looks)
    assert [len(looks) for looks in seen] == [2, 2, 3, 3, 4, 4, 4, 4]
    assert seen[-1] == (3, 5, 7, 8)


def test_a_backlog_that_grows_by_more_than_a_session_sends_is_told(shop):
    shop.set("export.max_per_run", 3)
    found = []
    for number in range(5):
        owe(*range(number * 3, number * 3 + 3), now=NOON)
        found.append([alarm.sentence for alarm in backlog(gather(shop.redis, NOON + number * LOOK_SECONDS))])
    assert found[:3] == [[], [], []]
    assert found[4] == ["Live changes of default come faster than they are sent: 15 wait, and ever more."]


def test_events_count_where_a_store_view_is_tracked(shop):
    shop.set("alerts.shop_hours", "0-24")
    assert no_events(gather(shop.redis, NOON)) is None, "none was ever seen"
    db.session.add(EventLog(id="1" * 32, at=NOON - 3601, type="order_placed"))
    db.session.commit()
    assert len(no_events(gather(shop.redis, NOON))) == 1
    db.session.add(EventLog(id="2" * 32, at=NOON - 10, type="logged_out"))
    db.session.commit()
    assert no_events(gather(shop.redis, NOON)) == []
    shop.set("tracking.enabled", "no")
    assert no_events(gather(shop.redis, NOON + 86_400)) == []


def mail(number, **values):
    base = {"key": str(number), "recipient": "ann@example.com", "kind": "order_confirmation", "route": "relay"}
    db.session.add(MailDelivery(**(base | {"at": NOON - 60, "store": "default", "why": "no reason"} | values)))
    db.session.commit()


def test_only_live_kinds_that_are_switched_on_count_as_relayed(shop):
    mail(1)
    assert mail_relayed(gather(shop.redis, NOON)) == []
    shop.set("mail.mode", "live")
    assert mail_relayed(gather(shop.redis, NOON)) == []
    shop.set("mail.order_confirmation.enabled", "yes")
    assert "1 mail of" in mail_relayed(gather(shop.redis, NOON))[0].sentence
    shop.set("mail.mode", "sandbox")
    assert mail_relayed(gather(shop.redis, NOON)) == []


def test_mails_that_were_sent_copies_those_sent_by_hand_and_older_ones_do_not_count(shop):
    shop.set("mail.mode", "live")
    shop.set("mail.order_confirmation.enabled", "yes")
    mail(1, route="ometria")
    mail(2, twin=True)
    mail(3, why="sent again by hand")
    mail(4, at=NOON - 3601)
    mail(5, kind="")
    assert mail_relayed(gather(shop.redis, NOON)) == []
    mail(6, store="", why="no store view could be told")
    assert "because: no store view could be told" in mail_relayed(gather(shop.redis, NOON))[0].sentence


def test_the_clock_is_known_only_where_redis_answers(shop):
    class Away:
        def get(self, _):
            raise redis.ConnectionError

    assert clock_stopped(gather(Away(), NOON)) is None
    assert clock_stopped(gather(None, NOON)) is None
    assert len(clock_stopped(gather(shop.redis, NOON))) == 1
    for beat, well in ((str(NOON).encode(), True), (b"nonsense", False), (str(NOON - 200).encode(), False)):
        shop.redis.values[BEAT] = beat
        assert (clock_stopped(gather(shop.redis, NOON)) == []) is well


def test_a_stopped_pool_is_a_fact_with_its_reason(shop):
    db.session.add(CouponPool(id=1, name="Welcome", rule_id=2, problem="The rule is switched off."))
    db.session.add(CouponPool(id=2, name="Paused", rule_id=3, problem="The rule is over.", active=False))
    db.session.commit()
    assert [pool.name for pool in gather(shop.redis, NOON).pools] == ["Welcome"]
