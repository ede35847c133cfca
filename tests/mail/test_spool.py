"""The spool: on the disk before anybody is told, in the next place when one refuses, byte for byte."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from bridge.mail.envelope import Envelope
from bridge.mail.spool import MailSpool

ENVELOPE = Envelope(
    sender="sales@shop.test",
    recipients=("zoë@exämple.test", '"a b"@x.test'),
    user="fr",
    store_hint="french",
    peer="10.0.0.7",
    received_at=1_700_000_000.25,
)
EVERY_BYTE = bytes(range(256)) * 3 + b"\r\n.\r\nbridge-mail 1 5\n{}"


def test_a_message_is_read_back_byte_for_byte_with_its_envelope(tmp_path):
    spool = MailSpool((tmp_path / "mail",))
    name = spool.put(ENVELOPE, EVERY_BYTE)
    assert list(spool.waiting()) == [name]
    assert MailSpool((tmp_path / "mail",)).read(name) == (ENVELOPE, EVERY_BYTE)


def test_an_empty_message_and_no_recipients_are_kept_too(tmp_path):
    spool = MailSpool((tmp_path,))
    envelope = Envelope("", ())
    assert spool.read(spool.put(envelope, b"")) == (envelope, b"")


def test_messages_wait_in_the_order_of_their_arrival_over_all_places(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    names = [MailSpool((place,)).put(ENVELOPE, b"x") for place in (first, second, first, second)]
    assert list(MailSpool((first, second)).waiting()) == names


def test_what_was_dropped_is_gone_and_dropping_again_is_harmless(tmp_path):
    spool = MailSpool((tmp_path,))
    name = spool.put(ENVELOPE, b"x")
    spool.drop(name)
    spool.drop(name)
    assert list(spool.waiting()) == []
    with pytest.raises(FileNotFoundError):
        spool.read(name)
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_may_read_a_message(tmp_path):
    place = tmp_path / "mail"
    spool = MailSpool((place,))
    spool.put(ENVELOPE, b"token")
    assert place.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}


def test_the_next_place_takes_what_the_first_refuses(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    spool = MailSpool((blocked, tmp_path / "second"))
    name = spool.put(ENVELOPE, b"kept")
    assert spool.read(name) == (ENVELOPE, b"kept")
    assert (tmp_path / "second" / f"{name}.mail").exists()
    spool.drop(name)
    assert list(spool.waiting()) == []


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A place whose disk answers nothing any more."""
    place = tmp_path / "broken"
    place.mkdir(mode=0o700)
    for call in ("stat", "lstat", "open", "unlink", "iterdir"):
        monkeypatch.setattr(Path, call, _failing(getattr(Path, call), place))
    return place


def _failing(real, place):
    def call(self, *args, **kwargs):
        if str(self).startswith(str(place)):
            raise OSError(5, "Input/output error")
        return real(self, *args, **kwargs)

    return call


def test_a_place_that_broke_keeps_no_mail_of_the_next_place_from_its_way(tmp_path, broken):
    spool = MailSpool((broken, tmp_path / "second"))
    name = spool.put(ENVELOPE, b"kept")
    (place,) = spool.place_ids()
    assert list(spool.waiting()) == [name]
    assert spool.place_of(name) == place
    assert spool.read(name) == (ENVELOPE, b"kept")
    spool.drop(name)
    assert list(spool.waiting()) == []


def test_what_may_still_lie_in_a_place_that_broke_is_not_taken_for_removed(tmp_path, broken):
    with pytest.raises(OSError, match="Input/output"):
        MailSpool((broken, tmp_path / "second")).drop("00000000000000000001-0123456789ab")


def test_only_when_every_place_refuses_is_the_message_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text("")
    with pytest.raises(OSError):
        MailSpool((tmp_path / "one", tmp_path / "two")).put(ENVELOPE, b"x")


@pytest.mark.parametrize("call", ["writev", "fsync"])
def test_a_disk_that_fails_midway_leaves_nothing_half_and_the_next_place_takes_it(tmp_path, monkeypatch, call):
    real, failed = getattr(os, call), []

    def fails_once(*args):
        if not failed:
            failed.append(call)
            raise OSError(28, "No space left on device")
        return real(*args)

    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(mode=0o700)
    second.mkdir(mode=0o700)
    monkeypatch.setattr(os, call, fails_once)
    spool = MailSpool((first, second))
    name = spool.put(ENVELOPE, b"x")
    assert failed
    assert list(first.iterdir()) == []
    assert [path.name for path in second.iterdir()] == [f"{name}.mail"]


def test_a_folder_that_does_not_reach_the_disk_counts_as_refusing(tmp_path, monkeypatch):
    real, calls = os.fsync, []

    def fails_second(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        real(descriptor)

    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(mode=0o700)
    second.mkdir(mode=0o700)
    monkeypatch.setattr(os, "fsync", fails_second)
    spool = MailSpool((first, second))
    name = spool.put(ENVELOPE, b"x")
    assert list(spool.waiting()) == [name]
    assert list(first.iterdir()) == []


def test_short_writes_are_gone_on_with(tmp_path, monkeypatch):
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda descriptor, views: real(descriptor, [views[0][:7]]))
    spool = MailSpool((tmp_path,))
    assert spool.read(spool.put(ENVELOPE, EVERY_BYTE)) == (ENVELOPE, EVERY_BYTE)


def test_the_file_is_synced_before_it_gets_its_name_and_the_folder_after(tmp_path, monkeypatch):
    seen = []
    real = os.fsync

    def note(descriptor):
        seen.append(sorted(path.suffix for path in tmp_path.iterdir()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    MailSpool((tmp_path,)).put(ENVELOPE, b"x")
    assert seen == [[".part"], [".mail"]]


def test_a_folder_that_others_may_write_is_not_used(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    linked = tmp_path / "linked"
    linked.symlink_to(tmp_path)
    for place in (shared, linked):
        with pytest.raises(PermissionError):
            MailSpool((place,)).put(ENVELOPE, b"x")


def test_what_is_not_ours_is_no_message(tmp_path):
    spool = MailSpool((tmp_path,))
    (tmp_path / "note.mail").write_text("x")
    (tmp_path / "00000000000000000001-0123456789ab.part").write_text("x")
    assert list(spool.waiting()) == []
    torn = "00000000000000000001-0123456789ab"
    for raw in (b"", b"bridge-mail 1 99\n{}", b"bridge-mail 2 2\n{}", b"bridge-mail 1 2\n[]"):
        (tmp_path / f"{torn}.mail").write_bytes(raw)
        with pytest.raises(ValueError):
            spool.read(torn)


def test_left_over_temporary_files_go_only_when_they_are_old(tmp_path):
    old, new = tmp_path / "a.part", tmp_path / "b.part"
    for path in (old, new):
        path.write_text("x")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    assert MailSpool((tmp_path, tmp_path / "never made")).tidy() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b.part"]


def test_many_writers_at_once_lose_nothing(tmp_path):
    spool = MailSpool((tmp_path / "mail",))
    names = []

    def put(number):
        names.extend(spool.put(ENVELOPE, b"%d-%d" % (number, count)) for count in range(20))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(spool.waiting()) == sorted(names)
    assert len({spool.read(name)[1] for name in names}) == 160
