"""Sandbox mode: the original goes out, Ometria's sandbox gets a copy, and both are compared. Off: nothing but originals."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.errors import Retry
from bridge.events import PasswordReset
from bridge.models_mail import MailSeen
from bridge.sandbox import mails
from bridge.settings import set_value
from tests.mail.mail_room import mail_room, states, switch_on


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on("sandbox")
        yield made


def confirm(room):
    order = next(one for one in room.state.orders.values() if one.view.code == "default")
    room.state.options.mail(mails.order_placed(room.state, order))
    return order


def test_the_original_is_relayed_and_the_sandbox_gets_the_same_mail_to_compare(room):
    order = confirm(room)
    room.work()
    assert sorted(states(room)) == [
        ("order_confirmation", "ometria", "sent"),
        ("order_confirmation", "relay", "sent"),
    ]
    assert room.relayed_to() == [order.email]
    (mail,) = room.sent()
    assert mail["sandbox"] is True
    assert room.row(twin=True).comparison == {
        "recipient": "same",
        "subject": "same",
        "amounts": {"grandTotal": "same"} | room.row(twin=True).comparison["amounts"],
        "links": {},
        "alike": True,
    }
    assert room.spooled() == []


def test_a_difference_is_seen(room, monkeypatch):
    order = confirm(room)
    total = order.grand_total
    monkeypatch.setattr(type(order), "grand_total", property(lambda _: total + 1))
    room.work()
    found = room.row(twin=True).comparison
    assert (found["amounts"]["grandTotal"], found["alike"]) == ("other", False)


@pytest.mark.parametrize("fault", [{"status": 400}, {"status": "cut"}, {"status": 500, "times": None}], ids=str)
def test_what_becomes_of_the_copy_never_touches_the_original(room, fault):
    room.received.plan_faults({"mail": fault})
    order = confirm(room)
    room.work()
    for _ in range(6):
        room.clock.advance(61)
        room.work()
    assert room.relayed_to() == [order.email]
    assert (room.row(twin=False).state, room.row(twin=True).state) == (
        "sent",
        "uncertain" if fault["status"] == "cut" else "refused",
    )


def test_in_sandbox_mode_a_reset_tells_only_the_sandbox(room):
    customer = next(iter(room.state.customers.values()))
    room.mailer.take_events([PasswordReset(customer=str(customer.id), store="default")])
    db.session.commit()
    room.work()
    assert [mail["sandbox"] for mail in room.sent()] == [True]
    assert room.relayed() == []


def test_off_relays_everything_and_raises_nothing(room):
    set_value("default", "mail.mode", "off", "test")
    db.session.commit()
    customer = next(iter(room.state.customers.values()))
    room.mailer.take_events([PasswordReset(customer=str(customer.id), store="default")])
    db.session.commit()
    order = confirm(room)
    room.work()
    assert room.sent() == []
    assert room.relayed_to() == [order.email]
    assert sorted(states(room)) == [("order_confirmation", "relay", "sent"), ("password_updated", "", "void")]
    assert room.row(kind="order_confirmation").why == "the mode is off"


@pytest.mark.parametrize("setting", ["mail.mode", "mail.order_confirmation.enabled"])
def test_what_is_relayed_anyway_is_not_held_up_by_a_shop_that_is_away(room, setting):
    set_value("default", setting, "off", "test")
    db.session.commit()
    asked = []
    object.__setattr__(room.mailer, "shop", Away(asked))
    order = confirm(room)
    room.work()
    assert room.relayed_to() == [order.email]
    assert asked == []
    assert db.session.get(MailSeen, ("order_confirmation", "default")).count == 1


class Away:
    """A shop that must not be asked."""

    def __init__(self, asked):
        self._asked = asked

    def __getattr__(self, name):
        self._asked.append(name)
        raise Retry("away")


def test_the_mode_of_a_store_view_counts_for_its_mails_alone(room):
    set_value("store:fr", "mail.mode", "live", "test")
    db.session.commit()
    french = next(one for one in room.state.orders.values() if one.view.code == "fr")
    room.state.options.mail(mails.order_placed(room.state, french))
    order = confirm(room)
    room.work()
    assert [(mail["to"]["email"], mail["sandbox"]) for mail in room.sent()] == [
        (french.email, False),
        (order.email, True),
    ]
    assert room.relayed_to() == [order.email]
