"""The mail that bridge raises itself after a password was set by a link: to the one who was sent the link, only."""

from __future__ import annotations

import re

import pytest

from bridge.db import db
from bridge.events import PasswordReset, link_proof
from bridge.mail import deliveries
from bridge.mail.raised import KIND, Raising
from bridge.models_mail import MailDelivery
from bridge.writing import begin_write
from tests.mail.mail_room import mail_room, states, switch_on

ANN, BOB = "ann@example.com", "bob@example.com"
TOKEN = re.compile(r"createPassword/\?id=(\d+)&amp;token=([0-9a-zA-Z]+)")


@pytest.fixture
def room(tmp_path, redis_client, relay, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch, relay=relay) as made:
        switch_on()
        for email in (ANN, BOB):
            made.visitor().register(email)
        made.work()
        yield made


def asked(room, email):
    """Let a customer ask for a reset link; return the id and the token in the shop's mail."""
    room.rest("customers/password", {"email": email, "template": "email_reset", "websiteId": 1}, "PUT")
    return TOKEN.search(room.mails[-1].get_content()).groups()


def reset(room, customer, token):
    room.mailer.take_events([PasswordReset(customer=customer, proof=link_proof(token), store="default")])
    db.session.commit()
    room.work()


def told(room):
    return [row[1:] for row in states(room) if row[0] == "password_updated"]


def test_who_was_sent_the_link_is_told(room):
    customer, token = asked(room, ANN)
    room.work()
    room.received.mails.clear()
    reset(room, customer, token)
    assert told(room) == [("ometria", "sent")]
    assert [mail["to"]["email"] for mail in room.sent()] == [ANN]


def test_the_shops_own_word_that_another_worker_decides_on_meanwhile_is_enough(room, monkeypatch):
    customer, token = asked(room, ANN)
    room.work()
    room.received.mails.clear()
    decided = Raising._decided

    def meanwhile(self, task):
        values = decided(self, task)
        row = {"letter": None, "key": "the other's", "recipient": ANN, "recipient_key": values["recipient_key"]}
        row |= {"kind": KIND, "state": "waiting", "route": "relay", "at": task.at, "due_at": task.at + 600}
        begin_write()
        deliveries.add(MailDelivery, row | {"since": task.at, "products": []})
        db.session.commit()
        return values

    monkeypatch.setattr(Raising, "_decided", meanwhile)
    reset(room, customer, token)
    assert sorted(told(room)) == [("", "void"), ("relay", "waiting")]
    assert room.sent() == []


def test_another_customers_id_in_the_address_tells_nobody(room):
    _, token = asked(room, ANN)
    other, _ = asked(room, BOB)
    room.work()
    room.received.mails.clear()
    reset(room, other, token)
    assert [state for _, state in told(room)] == ["refused"]
    assert room.sent() == []


def test_a_link_that_no_mail_had_is_waited_for_and_then_tells_nobody(room):
    customer, _ = asked(room, ANN)
    room.work()
    room.received.mails.clear()
    reset(room, customer, "never-sent")
    assert [state for _, state in told(room)] == ["new"]
    room.clock.advance(3600)
    room.work()
    assert [state for _, state in told(room)] == ["refused"]
    assert room.sent() == []


def test_a_reset_that_is_told_before_the_mail_with_its_link_was_looked_at_waits_for_it(room):
    customer, token = asked(room, ANN)
    room.mailer.take_events([PasswordReset(customer=customer, proof=link_proof(token), store="default")])
    db.session.commit()
    room.work()
    room.clock.advance(5)
    room.work()
    assert told(room) == [("ometria", "sent")]


def test_the_token_is_in_no_column_of_the_database(room):
    customer, token = asked(room, ANN)
    reset(room, customer, token)
    room.work()
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(table.select()):
            assert token not in repr(tuple(row))
