"""The job beside its deliveries: what it forgets, and when a mail is looked at again."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DataError, OperationalError

from bridge.db import db
from bridge.mail import deliveries, jobs
from bridge.mail.pauses import age_of, pause_after
from bridge.mail.upstream import Upstream
from bridge.models_mail import MailExpectation, MailLetter
from bridge.queues import JOBS
from bridge.settings import set_value
from tests.faults.mail_kills import other, raw, welcome
from tests.mail.mail_room import mail_room, switch_on

DAY = 86_400


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on()
        yield made


def test_old_mails_are_deleted_and_newer_ones_and_those_on_their_way_stay(room, start_sink):
    set_value("default", "privacy.log_days", 10, "test")
    db.session.commit()
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    room.work()
    room.clock.advance(9 * DAY)
    second, message = other(room, 2)
    room.put(raw(message), second)
    room.work()
    db.session.add(MailExpectation(id="x", recipient_key="k", native="order_new", at=1.0))
    db.session.commit()
    room.clock.advance(2 * DAY)
    room.work()
    assert [row.recipient for row in room.rows()] == [second]
    assert db.session.query(MailLetter).count() == 1
    assert db.session.query(MailExpectation).count() == 0


def test_the_job_is_woken_by_its_name_and_says_that_it_has_begun(room):
    queue, path = JOBS["mail"]
    assert (queue, path) == ("mail", f"{jobs.mail.__module__}.{jobs.mail.__name__}")
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    assert room.mailer.wakes.wake("mail")
    assert not room.mailer.wakes.wake("mail")
    jobs.mail()
    assert room.row().state == "sent"


def test_a_mail_whose_file_is_lost_ends_in_words(room):
    email, message = other(room, 1)
    name = room.put(raw(message), email)
    from bridge.mail.taking import take

    take(room.mailer.spool, room.mailer.keys)
    room.mailer.spool.drop(name)
    room.work()
    assert (room.row().state, room.row().reason) == ("refused", "the spooled file is gone")


def test_a_file_that_cannot_be_read_now_holds_up_no_other_and_is_taken_later(room, monkeypatch):
    email, message = other(room, 1)
    bad = room.put(raw(message), email)
    second, message = other(room, 2)
    room.put(raw(message), second)
    real = room.mailer.spool.read

    def read(name):
        if name == bad:
            raise OSError(5, "Input/output error")
        return real(name)

    with monkeypatch.context() as broken:
        broken.setattr(room.mailer.spool, "read", read)
        room.work()
        assert room.relayed_to() == [second]
        assert room.spooled() == [bad]
    room.work()
    assert sorted(room.relayed_to()) == [email, second]
    assert room.spooled() == []


def test_every_file_that_was_handed_over_goes_at_once_but_one_that_cannot(room, monkeypatch):
    monkeypatch.setattr(deliveries, "AT_ONCE", 2)
    names = []
    for number in range(5):
        email, message = other(room, number)
        names.append(room.put(raw(message), email))
    real = room.mailer.spool.drop

    def drop(name):
        if name in names[:2]:
            raise OSError(30, "Read-only file system")
        real(name)

    with monkeypatch.context() as broken:
        broken.setattr(room.mailer.spool, "drop", drop)
        jobs.work(room.mailer)
        assert len(room.relayed_to()) == 5
        assert room.spooled() == names[:2]
    jobs.work(room.mailer)
    assert room.spooled() == []
    assert len(room.relayed_to()) == 5


@pytest.mark.parametrize(("age", "pause"), [(0, 1), (2.9, 1), (3, 3), (12, 10), (50, 30), (5000, 30)])
def test_what_is_not_there_is_asked_for_seldomer_and_seldomer(age, pause):
    assert pause_after(age) == pause


@pytest.mark.parametrize(
    ("date", "age"), [(None, 10.0), (95.0, 15.0), (500.0, 10.0), (100.0, 10.0)], ids=["none", "before", "wrong", "same"]
)
def test_the_age_of_a_mail_is_by_its_date_unless_that_is_wrong(date, age):
    assert age_of(100.0, date, 110.0) == age


def broken(fault):
    def fail(*_, **__):
        raise fault

    return fail


@pytest.mark.parametrize(
    "fault", [KeyError("x"), DataError("UPDATE", {}, ValueError("x"))], ids=lambda fault: type(fault).__name__
)
@pytest.mark.parametrize("step", ["bridge.mail.seen.note", "bridge.mail.deciding.decide"])
def test_a_mail_at_which_the_work_fails_goes_out_as_it_came_and_holds_up_none(room, monkeypatch, step, fault):
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    with monkeypatch.context() as patch:
        patch.setattr(step, broken(fault))
        room.work()
    assert room.row().why.startswith(f"not worked at ({type(fault).__name__})")
    second, message = other(room, 2)
    room.put(raw(message), second)
    room.work()
    assert room.relayed_to() == [second]
    room.clock.advance(jobs.ODD_SECONDS + 1)
    room.work()
    assert room.relayed_to() == [second, email]
    assert room.sent() == []
    assert [row.state for row in room.rows()] == ["sent", "sent"]
    assert room.spooled() == []


def test_a_database_that_is_away_is_no_fault_of_the_mail(room, monkeypatch):
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    with monkeypatch.context() as patch:
        patch.setattr("bridge.mail.deciding.decide", broken(OperationalError("UPDATE", {}, ValueError("x"))))
        with pytest.raises(OperationalError):
            room.work()
    db.session.rollback()
    room.clock.advance(deliveries.LEASE_SECONDS + 1)
    room.work()
    assert (room.row().state, room.row().route) == ("sent", "ometria")


def test_a_fault_while_a_mail_is_being_sent_leaves_it_uncertain(room, monkeypatch):
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    with monkeypatch.context() as patch:
        patch.setattr("bridge.mail.sending.compare", broken(KeyError("x")))
        patch.setattr("bridge.mail.sending.ended", broken(KeyError("x")))
        room.work()
    assert len(room.sent()) == 1
    assert room.row().state == "sending"
    room.clock.advance(deliveries.LEASE_SECONDS + 1)
    room.work()
    assert (room.row().state, room.row().rule, room.relayed_to()) == ("uncertain", "hold", [])


def test_a_mail_that_cannot_even_be_read_is_relayed_and_those_behind_it_too(room, monkeypatch):
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    second, message = other(room, 2)
    room.put(raw(message), second)
    monkeypatch.setattr("bridge.mail.letter._Bodies", broken(KeyError("x")))
    for _ in range(2):
        room.work()
        room.clock.advance(jobs.ODD_SECONDS + 1)
    room.work()
    assert sorted(room.relayed_to()) == sorted([email, second])


def test_a_mail_server_that_swallows_connections_holds_up_no_mail_of_ometria(room, monkeypatch):
    tried = []

    def hangs(_self):
        tried.append(1)
        raise TimeoutError

    monkeypatch.setattr(Upstream, "_connect", hangs)
    for number in range(10):
        email, message = other(room, number)
        room.put(raw(message), email)
    email, message = welcome(room, 99)
    room.put(raw(message), email)
    jobs.work(room.mailer)
    assert len(tried) == 1
    assert [one["to"]["email"] for one in room.sent()] == [email]
    assert len(room.rows(state="waiting")) == 10
