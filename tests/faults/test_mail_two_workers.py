"""Two workers for mail at once, on SQLite and on PostgreSQL: each recipient gets each mail once."""

from __future__ import annotations

import os
import traceback

import pytest

from bridge.db import db
from bridge.events import PasswordReset
from bridge.mail import jobs
from bridge.sandbox import mails
from tests.export.postgres_server import start_postgres, why_not
from tests.faults.mail_kills import forgotten, got, other, raw, welcome
from tests.mail.conftest import sink, start_sink
from tests.mail.mail_room import mail_room, switch_on

__all__ = ["sink", "start_sink"]
POSTGRES = [pytest.mark.postgres, pytest.mark.skipif(why_not() is not None, reason=why_not() or "PostgreSQL is here")]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def room(request, tmp_path, redis_client, sink, monkeypatch):
    if request.param == "sqlite":
        with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
            switch_on(mail__requests_per_second=9)
            yield made
        return
    with start_postgres() as url, mail_room(tmp_path, redis_client, sink, monkeypatch, url=url) as made:
        switch_on(mail__requests_per_second=9)
        yield made


def work_aside(room, rounds=30):
    """Run the job in another process; return its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            db.session.remove()
            db.engine.dispose(close=False)
            for _ in range(rounds):
                jobs.work(room.mailer)
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(code)
    return child


def work_twice(room):
    """Let two workers work at once, then one more until nothing waits."""
    for worker in [work_aside(room) for _ in range(2)]:
        _, status = os.waitpid(worker, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    for _ in range(3):
        room.clock.advance(31)
        room.work()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_workers_at_once_send_each_mail_once_and_a_doubled_one_too(room):
    addresses = []
    for number in range(30):
        email, message = (welcome, other, forgotten)[number % 3](room, number)
        for _ in range(1 + number % 2):
            room.put(raw(message), email)
        addresses.append(email)
    work_twice(room)
    assert {email: sum(got(room, email)) for email in addresses} == dict.fromkeys(addresses, 1)
    assert {row.state for row in room.rows()} == {"sent"}
    assert sorted(row.copies for row in room.rows()) == [1] * 15 + [2] * 15
    assert room.spooled() == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_workers_tell_each_customer_of_a_new_password_once(room):
    """The shop's own word and the one that is raised from the reset call are worked at in the same moment."""
    addresses = []
    for number in range(20):
        email, _ = welcome(room, number)
        customer = next(one for one in room.state.customers.values() if one.email == email)
        room.put(raw(mails.account(room.state, customer, "password")), email)
        room.mailer.take_events([PasswordReset(customer=str(customer.id), email=email, store="default")])
        addresses.append(email)
    db.session.commit()
    work_twice(room)
    assert {email: sum(got(room, email)) for email in addresses} == dict.fromkeys(addresses, 1)
    assert sorted(row.state for row in room.rows()) == ["sent"] * 20 + ["void"] * 20
