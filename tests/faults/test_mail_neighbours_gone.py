"""Ometria, the mail server, the shop or the database away: every recipient gets one message, or the log says why not."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, closing, contextmanager

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from bridge.db import db
from bridge.mail import jobs
from bridge.mail.deliveries import HELD_SECONDS, LEASE_SECONDS, RESEND_PAUSE
from bridge.mail.envelope import Envelope
from bridge.mail.upstream import Upstream
from bridge.ometria import TransactionalMail
from bridge.store import make_store
from tests.export.postgres_server import start_postgres, why_not
from tests.faults.mail_kills import forgotten, got, other, raw, welcome
from tests.mail.conftest import sink, start_sink
from tests.mail.mail_room import mail_room, switch_on

__all__ = ["sink", "start_sink"]
POSTGRES = [pytest.mark.postgres, pytest.mark.skipif(why_not() is not None, reason=why_not() or "PostgreSQL is here")]
HOLD = "LOCK TABLE mail_letter, mail_delivery IN EXCLUSIVE MODE"
NOBODY = "http://127.0.0.1:9/v2"


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on()
        yield made


def swap(room, **services):
    """Give the room another neighbour."""
    for name, service in services.items():
        object.__setattr__(room.mailer, name, service)


def free_the_key(room):
    """Let pauses that Ometria asked for be over."""
    for name in room.mailer.redis.scan_iter("bridge:ometria:*"):
        room.mailer.redis.delete(name)


def put(room, make, number):
    email, message = make(room, number)
    room.put(raw(message), email)
    return email


def go_on(room, seconds):
    room.clock.advance(seconds)
    free_the_key(room)
    room.work()


# ---- Ometria -------------------------------------------------------------------------------------------------------


def test_ometria_is_down_for_an_hour_and_each_mail_goes_out_within_its_patience(room):
    there = room.mailer.ometria
    swap(room, ometria=TransactionalMail(NOBODY, room.mailer.redis, total=1.0))
    addresses = []
    for minute in range(60):
        if minute % 10 == 0:
            addresses.append(put(room, forgotten if minute % 20 else welcome, minute))
        go_on(room, 60)
        for email in addresses[: minute // 10]:
            assert got(room, email) == (0, 1), f"{email} in minute {minute}"
    swap(room, ometria=there)
    go_on(room, 121)
    assert [got(room, email) for email in addresses] == [(0, 1)] * 6
    late = put(room, welcome, 999)
    go_on(room, 1)
    assert got(room, late) == (1, 0)
    assert {row.state for row in room.rows()} == {"sent"}
    assert room.spooled() == []


@pytest.mark.parametrize(
    ("fault", "through", "relayed"),
    [
        ({"status": 500, "times": 2}, 1, 0),
        ({"status": 429, "retry_after": "1", "times": 2}, 1, 0),
        ({"status": 400}, 0, 1),
        ({"status": 403}, 0, 1),
        ({"status": 500, "times": None}, 0, 1),
    ],
    ids=lambda value: str(value).replace("'", ""),
)
def test_what_ometria_refuses_for_sure_is_tried_again_or_goes_out_as_it_is(room, fault, through, relayed):
    email = put(room, welcome, 1)
    room.received.plan_faults({"mail": fault})
    room.work()
    for _ in range(8):
        go_on(room, 31)
    row = room.row()
    assert (row.state, *got(room, email)) == ("sent", through, relayed)
    assert row.copies == 1


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize(
    ("make", "rule"), [(welcome, "hold"), (forgotten, "resend")], ids=["held by rule", "sent again by rule"]
)
def test_an_answer_that_was_lost_follows_the_rule_of_the_kind(room, make, rule, taken):
    email = put(room, make, 1)
    room.received.plan_faults({"mail": {"status": "cut", "when": "after" if taken else "before", "times": None}})
    room.work()
    assert (room.row().state, room.row().rule) == ("uncertain", rule)
    assert room.spooled() != []
    go_on(room, RESEND_PAUSE + 1)
    go_on(room, 3600)
    through = int(taken)
    if rule == "hold":
        assert (room.row().state, *got(room, email)) == ("uncertain", through, 0)
        go_on(room, HELD_SECONDS)
        assert (room.row().state, room.spooled()) == ("uncertain", [])
    else:
        assert (room.row().state, *got(room, email)) == ("sent", through, 1)
        assert "unknown" in room.row().why
        assert room.spooled() == []


def test_a_reset_link_that_outlived_itself_is_relayed_at_once_without_a_call(room):
    email = put(room, forgotten, 1)
    room.clock.advance(7201)
    room.work()
    assert got(room, email) == (0, 1)
    assert list(room.received.requests) == []
    assert room.row().why == "the reset link is too old"


# ---- the mail server -----------------------------------------------------------------------------------------------


def test_the_mail_server_is_down_and_the_originals_wait_for_it(room):
    there = room.mailer.upstream
    swap(room, upstream=lambda: Upstream("smtp://127.0.0.1:9", "bridge.test"))
    email = put(room, other, 1)
    room.work()
    for _ in range(12):
        go_on(room, 300)
    row = room.row()
    assert (row.state, row.route) == ("waiting", "relay")
    assert "waits for the mail server" in row.reason
    swap(room, upstream=there)
    go_on(room, 3601)
    assert (room.row().state, *got(room, email)) == ("sent", 0, 1)
    assert room.spooled() == []


def test_a_mail_that_the_server_refuses_is_reported_and_kept_for_a_while(room, start_sink):
    strict = start_sink(replies={"RCPT": b"550 5.1.1 <other1@example.com> unknown, see https://mx.test/x"})
    swap(room, upstream=lambda: Upstream(strict.url(), "bridge.test"))
    put(room, other, 1)
    room.work()
    row = room.row()
    assert row.state == "refused"
    assert "550" in row.reason
    assert "other1@" not in row.reason
    assert "https://" not in row.reason
    assert len(room.spooled()) == 1
    go_on(room, HELD_SECONDS + 1)
    assert room.spooled() == []


def test_a_server_that_says_nothing_after_the_message_leaves_it_uncertain_and_the_rule_sends_it_again(room, start_sink):
    silent = start_sink(replies={"END": None})
    there = room.mailer.upstream
    swap(room, upstream=lambda: Upstream(silent.url(), "bridge.test"))
    email = put(room, other, 1)
    room.work()
    assert (room.row().state, room.row().rule) == ("uncertain", "resend")
    swap(room, upstream=there)
    go_on(room, RESEND_PAUSE + 1)
    assert (room.row().state, room.row().resent, *got(room, email)) == ("sent", 1, 0, 1)


def test_a_second_unknown_outcome_is_held_and_never_a_third_message(room, start_sink):
    silent = start_sink(replies={"END": None})
    swap(room, upstream=lambda: Upstream(silent.url(), "bridge.test"))
    put(room, other, 1)
    room.work()
    for _ in range(5):
        go_on(room, 600)
    assert len(silent.taken) == 2
    assert (room.row().state, room.row().rule) == ("uncertain", "hold")


def test_only_the_customer_gets_ometrias_mail_and_every_copy_the_original(room):
    email, message = welcome(room, 1)
    room.put(raw(message), email, "archive@shop.test", "boss@shop.test")
    room.work()
    assert got(room, email) == (1, 0)
    assert sorted(room.relayed_to()) == ["archive@shop.test", "boss@shop.test"]
    assert len(room.sink.taken) == 1
    assert {row.state for row in room.rows()} == {"sent"}


# ---- the shop ------------------------------------------------------------------------------------------------------


def test_a_shop_that_does_not_answer_is_waited_for_and_then_the_original_goes_out(room):
    email = put(room, welcome, 1)
    there = room.mailer.shop
    config = room.mailer.config
    gone = make_store(type(config)(store_url="http://127.0.0.1:9", public_url="http://shop.test", store_token="x"))
    swap(room, shop=gone)
    room.work()
    assert room.row().state in {"new", "waiting"}
    go_on(room, 60)
    assert got(room, email) == (0, 0)
    go_on(room, 61)
    go_on(room, 1)
    assert (room.row().state, *got(room, email)) == ("sent", 0, 1)
    swap(room, shop=there)
    second = put(room, welcome, 2)
    go_on(room, 1)
    assert got(room, second) == (1, 0)


# ---- the database --------------------------------------------------------------------------------------------------


@contextmanager
def on_connect(statement):
    """Let each connection of the room begin with a statement."""

    def run(connection, _):
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement)
        connection.commit()

    event.listen(db.engine, "connect", run)
    db.session.remove()
    db.engine.dispose()
    yield
    event.remove(db.engine, "connect", run)
    db.session.remove()
    db.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def impatient(request, tmp_path, redis_client, sink, monkeypatch):
    """A room whose database gives up at once instead of waiting for a lock."""
    with ExitStack() as stack:
        url = stack.enter_context(start_postgres()) if request.param == "postgresql" else ""
        made = stack.enter_context(mail_room(tmp_path, redis_client, sink, monkeypatch, url=url))
        switch_on()
        wait = "SET lock_timeout = 50" if url else "PRAGMA busy_timeout=50"
        stack.enter_context(on_connect(wait))
        yield made


class Lock:
    """Another program that holds what the room writes to."""

    def __init__(self):
        self._engine = create_engine(db.engine.url, connect_args={"check_same_thread": False} if is_sqlite() else {})
        self._connection = self._engine.raw_connection()
        if is_sqlite():
            self._connection.driver_connection.isolation_level = None
        with closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE" if is_sqlite() else HOLD)

    def end(self):
        self._connection.rollback()
        self._connection.close()
        self._engine.dispose()


def is_sqlite():
    return db.engine.dialect.name == "sqlite"


def test_a_database_that_is_locked_costs_time_and_no_mail(impatient):
    room = impatient
    email = put(room, welcome, 1)
    held = Lock()
    with pytest.raises(OperationalError):
        jobs.work(room.mailer)
    db.session.rollback()
    held.end()
    assert len(room.spooled()) == 1
    room.work()
    assert got(room, email) == (1, 0)


def fill(left):
    """Let SQLite find no room for more than some pages, as on a full disk."""
    pages = db.session.scalar(text("PRAGMA page_count"))
    db.session.rollback()
    return on_connect(f"PRAGMA max_page_count={pages + left}")


@pytest.mark.parametrize("left", [0, 1, 4, 9], ids=lambda left: f"{left} pages left")
def test_a_database_on_a_full_disk_costs_time_and_no_mail(room, left):
    """The disk is full at the first write, or in the midst of the work."""
    everybody = []
    for number in range(6):
        _, message = other(room, number)
        addresses = [f"n{number}.{one}@example.com" for one in range(20)]
        room.put(raw(message), *addresses)
        everybody += addresses
    with fill(left):
        for _ in range(2):
            with pytest.raises(OperationalError, match="full"):
                jobs.work(room.mailer)
            db.session.rollback()
        relayed = room.relayed_to()
        open_ones = {row.recipient for row in room.rows() if row.state != "sent"}
        assert len(room.spooled()) >= (120 - len(relayed)) / 20, "the file of whoever got nothing yet is there"
    room.clock.advance(LEASE_SECONDS + 1)
    room.work()
    uncertain = {row.recipient for row in room.rows(state="uncertain")}
    assert uncertain <= open_ones
    went = room.relayed_to()
    assert len(went) == len(set(went)), "nobody gets it twice"
    assert set(went) | uncertain == set(everybody)
    assert len(room.rows()) == len(everybody)


def test_a_database_that_is_locked_right_after_the_call_leaves_it_uncertain(impatient, monkeypatch):
    room = impatient
    email = put(room, welcome, 1)
    held = []
    post = TransactionalMail._post

    def then_lock(*args):
        answer = post(*args)
        held.append(Lock())
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(TransactionalMail, "_post", then_lock)
        with pytest.raises(OperationalError):
            jobs.work(room.mailer)
    db.session.rollback()
    held[0].end()
    go_on(room, LEASE_SECONDS + 1)
    go_on(room, RESEND_PAUSE + 1)
    row = room.row()
    assert (row.state, row.rule, *got(room, email)) == ("uncertain", "hold", 1, 0)


def test_a_lock_that_is_over_soon_is_waited_for(impatient, monkeypatch):
    room = impatient
    email = put(room, welcome, 1)
    post = TransactionalMail._post

    def lock_for_a_moment(*args):
        answer = post(*args)
        held = Lock()
        threading.Timer(0.3, held.end).start()
        return answer

    monkeypatch.setattr(TransactionalMail, "_post", lock_for_a_moment)
    jobs.work(room.mailer)
    assert (room.row().state, *got(room, email)) == ("sent", 1, 0)


# ---- senders and workers that do it twice --------------------------------------------------------------------------


def test_the_same_mail_delivered_twice_by_the_sender_goes_out_once(room):
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    room.put(b"Received: from shop by mta; again\r\n" + raw(message), email)
    room.work()
    room.put(raw(message), email)
    room.work()
    assert got(room, email) == (1, 0)
    row = room.row()
    assert (row.state, row.copies) == ("sent", 3)
    assert room.spooled() == []


def test_a_mail_that_the_shop_makes_anew_goes_out_anew(room):
    email, message = welcome(room, 1)
    room.put(raw(message), email)
    room.clock.advance(5)
    message.replace_header("Date", room.state.options.clock())
    room.put(raw(message), email)
    room.work()
    assert got(room, email) == (2, 0)


# ---- secrets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [None, {"status": 400}, {"status": "cut", "when": "after"}, {"status": 500, "times": None}, {"status": "html"}],
    ids=str,
)
def test_a_reset_token_is_in_no_log_and_after_hand_over_nowhere(room, fault, capfd, caplog, tmp_path, monkeypatch):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="bridge")
    # An Ometria that echoes what it was sent in its refusal.
    read = "bridge.sandbox.ometria_payload.read_mail"
    if fault == {"status": 400}:
        from bridge.sandbox.ometria_payload import PayloadInvalid

        def refuse(body):
            raise PayloadInvalid(body.decode()[:3000])

        monkeypatch.setattr(read, refuse)
    elif fault:
        room.received.plan_faults({"mail": fault})
    email = put(room, forgotten, 77)
    token = f"{77:032x}"
    assert any(token.encode() in path.read_bytes() for path in (tmp_path / "mail").iterdir())
    room.work()
    during = room.everything_stored()
    for _ in range(8):
        go_on(room, 31)
    assert (room.row().state, sum(got(room, email)) >= 1) == ("sent", True)
    said = capfd.readouterr()
    written = said.out + said.err + caplog.text
    for told in (during, room.everything_stored(), written):
        assert token not in told
        assert "createPassword" not in told
    assert email not in written
    assert not [path for path in (tmp_path / "mail").iterdir() if token.encode() in path.read_bytes()]


def test_no_exception_of_the_room_tells_what_a_mail_says(room, monkeypatch, capfd, caplog):
    caplog.set_level(logging.DEBUG, logger="bridge")
    token = f"{5:032x}"
    put(room, forgotten, 5)

    def broken(*_, **__):
        raise ValueError(f"createPassword/?token={token}")

    monkeypatch.setattr("bridge.mail.sending.compose", broken)
    room.work()
    assert room.row().state == "sent"
    assert room.row().why.startswith("not composed (ValueError)")
    out = capfd.readouterr()
    assert token not in out.out + out.err + caplog.text + room.everything_stored()


def test_a_damaged_spool_file_is_left_for_people_and_holds_up_nobody(room, tmp_path):
    email = put(room, other, 1)
    name = room.mailer.spool.put(Envelope("a@x.test", ("b@x.test",)), b"x")
    (tmp_path / "mail" / f"{name}.mail").write_bytes(b"bridge-mail 1 5\n{oops")
    for _ in range(2):
        room.work()
    assert got(room, email) == (0, 1)
    assert room.spooled() == [name]
    assert len(room.rows()) == 1
