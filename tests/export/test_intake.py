"""Events of mail on their way through the one reader of the stream: the subscribers' table, and other rooms' part."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bridge.db import db
from bridge.events import MailExpected, PasswordReset, Subscribed, SubscriptionTold, encode_event
from bridge.export import intake, people
from bridge.models import EventLog, Pending, Subscriber
from tests.export.conftest import SECRET

AT = 1_800_000_000.0


@pytest.fixture
def keep(account, database):
    """Let the reader keep events of a shop with one account."""

    def run(*events):
        return intake.keep_events([encode_event(event) for event in events], [SECRET])

    return run


def told(status, at=AT, **more):
    return SubscriptionTold(email="anna@x.test", status=status, store="fr", at=at, **more)


@pytest.mark.parametrize(("status", "number"), [("subscribed", 1), ("unconfirmed", 2), ("unsubscribed", 3)])
def test_what_the_shops_mail_says_of_a_subscription_is_kept_and_owed(keep, account, status, number):
    assert keep(told(status)) == {account.id}
    assert people.subscription("anna@x.test", "fr", [SECRET]).status == number
    assert [row.kind for row in db.session.scalars(select(Pending))] == ["contact"]


def test_a_form_whose_address_must_be_confirmed_first_is_no_subscription(keep):
    keep(Subscribed(email="anna@x.test", store="fr", at=AT), told("unconfirmed", AT + 1))
    assert people.subscription("anna@x.test", "fr", [SECRET]).status == 2
    keep(told("subscribed", AT + 60))
    assert people.subscription("anna@x.test", "fr", [SECRET]).status == 1


def test_an_older_word_never_replaces_a_newer_one_and_a_repeated_one_is_one(keep):
    last = told("unsubscribed", AT + 100)
    keep(last)
    keep(told("subscribed", AT), last)
    assert people.subscription("anna@x.test", "fr", [SECRET]).status == 3
    assert len(db.session.scalars(select(Subscriber)).all()) == 1


def test_mails_to_expect_owe_nothing_and_are_logged_masked(keep):
    keep(MailExpected(mail="password_forgot", email="anna@x.test"), PasswordReset(customer="7"), told("subscribed"))
    lines = " | ".join(db.session.scalars(select(EventLog.summary).order_by(EventLog.type)))
    assert "password_forgot" in lines and "customer 7" in lines and "subscribed" in lines
    assert "anna@x.test" not in lines
    assert len(db.session.scalars(select(Pending)).all()) == 1


def test_other_rooms_are_given_each_new_event_once_in_the_same_transaction(keep, database):
    given = []
    database.extensions["bridge.takers"] = (lambda events: given.append([type(event).__name__ for event in events]),)
    event = MailExpected(mail="password_forgot", email="anna@x.test")
    keep(event, PasswordReset(customer="7"))
    keep(event)
    assert given == [["MailExpected", "PasswordReset"], []]


def test_an_event_that_another_room_cannot_keep_is_dropped_and_holds_up_none_of_the_others(keep, database):
    def take(events):
        if any(isinstance(event, PasswordReset) for event in events):
            raise ValueError

    database.extensions["bridge.takers"] = (take,)
    keep(PasswordReset(customer="7"), told("subscribed"))
    assert people.subscription("anna@x.test", "fr", [SECRET]).status == 1
    assert list(db.session.scalars(select(EventLog.type))) == ["subscription_told"]
