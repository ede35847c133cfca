"""Workers on several hosts: each works at the mails whose files it sees, and leaves the others to those that do."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bridge import cli_mail
from bridge.db import db
from bridge.mail import history, jobs
from bridge.mail.deliveries import LEASE_SECONDS
from bridge.mail.mailer import EXTENSION
from bridge.mail.spool import ID_FILE, MailSpool
from bridge.mail.taking import take
from bridge.models_mail import MailLetter
from tests.faults.mail_kills import got, other, raw, welcome
from tests.mail.mail_room import mail_room, switch_on


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on()
        yield made


@pytest.fixture
def stranger(room, tmp_path):
    """A worker on another host, whose spool has the same names and is another folder."""
    return replace(room.mailer, spool=MailSpool([tmp_path / "elsewhere" / "mail"]))


def put(room, make, number):
    email, message = make(room, number)
    room.put(raw(message), email)
    return email


@pytest.mark.parametrize("make", [welcome, other])
def test_a_worker_that_does_not_see_the_file_leaves_the_mail_to_one_that_does(room, stranger, make):
    email = put(room, make, 1)
    take(room.mailer.spool, room.mailer.keys)
    for _ in range(3):
        assert not jobs.work(stranger)
    assert (room.row().state, room.row().claim, room.row().attempts) == ("new", "", 0)
    room.work()
    assert (room.row().state, sum(got(room, email))) == ("sent", 1)


def test_a_decided_mail_and_its_file_are_left_alone_too(room, stranger, start_sink):
    room.sink.stop()
    email = put(room, other, 1)
    room.work()
    assert room.row().state == "waiting"
    room.clock.advance(LEASE_SECONDS)
    jobs.work(stranger)
    assert (room.row().state, room.row().attempts, len(room.spooled())) == ("waiting", 1, 1)
    assert email not in room.relayed_to()


def test_a_file_of_another_place_is_forgotten_by_its_own_worker_alone(room, stranger):
    put(room, welcome, 1)
    names = room.spooled()
    take(room.mailer.spool, room.mailer.keys)
    for row in room.rows():
        row.state = "sent"
    db.session.commit()
    jobs.work(stranger)
    assert (db.session.query(MailLetter).one().spooled, room.spooled()) == (True, names)
    room.work()
    assert (db.session.query(MailLetter).one().spooled, room.spooled()) == (False, [])


def test_a_mount_that_goes_while_the_mail_is_claimed_costs_time_only(room, tmp_path, monkeypatch):
    email = put(room, other, 1)
    take(room.mailer.spool, room.mailer.keys)
    read = MailSpool.read

    def unmounted(spool, name):
        (tmp_path / "mail").rename(tmp_path / "away")
        return read(spool, name)

    with monkeypatch.context() as patched:
        patched.setattr(MailSpool, "read", unmounted)
        jobs.work(room.mailer)
    assert (room.row().state, room.row().claim) == ("new", "")
    (tmp_path / "away").rename(tmp_path / "mail")
    room.work()
    assert (room.row().state, got(room, email)) == ("sent", (0, 1))


def test_two_workers_that_share_the_folder_are_one_place(room, tmp_path):
    email = put(room, welcome, 1)
    take(room.mailer.spool, room.mailer.keys)
    (tmp_path / "mounted").symlink_to(tmp_path / "mail")
    neighbour = replace(room.mailer, spool=MailSpool([tmp_path / "mounted"]))
    jobs.work(neighbour)
    assert (room.row().state, got(room, email)) == ("sent", (1, 0))


def test_letters_from_before_places_had_ids_are_found_by_the_worker_that_sees_them(room, stranger):
    email = put(room, welcome, 1)
    take(room.mailer.spool, room.mailer.keys)
    db.session.query(MailLetter).update({"place": ""})
    db.session.commit()
    jobs.work(stranger)
    assert room.row().state == "new"
    assert history.waiting_elsewhere(stranger.spool.place_ids()) == {"": 1}
    room.work()
    assert (room.row().state, got(room, email)) == ("sent", (1, 0))


def test_a_mail_whose_file_is_gone_can_be_sent_again_on_any_host(room, stranger):
    email = put(room, welcome, 1)
    room.work()
    history.resend(room.row().id)
    jobs.work(stranger)
    assert (room.row().state, got(room, email)) == ("sent", (2, 0))


def test_the_command_says_what_waits_for_another_host(room, stranger):
    put(room, welcome, 1)
    put(room, other, 2)
    take(room.mailer.spool, room.mailer.keys)
    (place,) = room.mailer.spool.place_ids()
    here = CliRunner().invoke(cli_mail.mail_log, [], obj=lambda _: room.app).output
    assert "another host" not in here
    assert place not in here
    room.app.extensions[EXTENSION] = stranger
    there = CliRunner().invoke(cli_mail.mail_log, [], obj=lambda _: room.app).output
    assert there.count(f"waits for a worker that sees spool place {place}") == 2
    assert f"2 wait for a worker on another host, which sees spool place {place}." in there


def test_a_place_keeps_its_id_and_another_folder_has_another(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    ids = MailSpool((first, second, tmp_path / "not there")).place_ids()
    assert len(set(ids)) == 2
    assert MailSpool((first,)).place_ids() == ids[:1]
    assert (first / ID_FILE).stat().st_mode & 0o777 == 0o600
    shutil.rmtree(first)
    first.mkdir()
    assert MailSpool((first,)).place_ids() not in ((), ids[:1])


def test_an_id_file_that_is_being_written_is_waited_for_and_a_torn_one_made_anew(tmp_path, monkeypatch):
    (tmp_path / ID_FILE).write_text("")
    assert MailSpool((tmp_path,)).place_ids() == ()
    monkeypatch.setattr("bridge.mail.spool.TORN_SECONDS", -1)
    assert len(MailSpool((tmp_path,)).place_ids()) == 1


def test_a_folder_that_takes_no_id_file_lets_its_mails_wait(tmp_path, monkeypatch):
    spool = MailSpool((tmp_path,))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.mail.spool.os.fsync", full)
    assert spool.place_ids() == ()
    monkeypatch.undo()
    assert len(spool.place_ids()) == 1
