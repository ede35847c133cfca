"""The reminder: it wakes while a young mail waits, and outlives every fault."""

from __future__ import annotations

import time

from bridge.mail.envelope import Envelope
from bridge.mail.reminder import YOUNG_SECONDS, Reminder
from bridge.mail.spool import MailSpool
from tests.mail.raw_client import wait_for


def put(spool):
    return spool.put(Envelope("a@x.test", ("b@x.test",)), b"x")


def test_a_young_mail_is_due_an_old_one_and_none_are_not(tmp_path):
    spool = MailSpool([tmp_path / "mail"])
    reminder = Reminder(spool, lambda: None)
    assert not reminder.due(time.time())
    put(spool)
    assert reminder.due(time.time())
    assert not reminder.due(time.time() + YOUNG_SECONDS + 1)


def test_it_wakes_again_and_again_though_waking_fails(tmp_path):
    spool, woken = MailSpool([tmp_path / "mail"]), []

    def wake():
        woken.append(1)
        raise ConnectionError

    reminder = Reminder(spool, wake, every=0.01)
    reminder.start()
    put(spool)
    wait_for(lambda: len(woken) > 2)
    reminder.stop()
    assert not reminder._thread.is_alive()
