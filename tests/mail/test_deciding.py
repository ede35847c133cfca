"""What a mail waits for before its way is decided: never for an answer that would change nothing."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.errors import Retry
from bridge.mail.decide import is_awaited
from bridge.settings import MAIL_KINDS, set_value
from tests.mail.letters import CHANGED, FORGOT, ORDER, mail
from tests.mail.mail_room import mail_room, states, switch_on

JANE = "jane@shop.test"


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        yield made


def put(room, body):
    room.put(mail(body).replace(b"\n", b"\r\n"), JANE)
    room.work()
    return [state for _, _, state in states(room)]


def test_a_mail_that_may_be_explained_waits_and_then_goes_on_as_it_came(room):
    switch_on()
    assert put(room, FORGOT) == ["new"]
    room.clock.advance(20)
    room.work()
    assert states(room) == [("", "relay", "sent")]


@pytest.mark.parametrize("body", [FORGOT, CHANGED, ORDER])
def test_nothing_is_waited_for_while_the_mode_is_off(room, body):
    switch_on("off")
    assert put(room, body) == ["sent"]


def test_nothing_is_waited_for_of_a_kind_that_is_not_switched_on(room):
    switch_on()
    set_value("default", "mail.forgot_password.enabled", "0", "test")
    db.session.commit()
    assert put(room, FORGOT) == ["sent"]


def test_an_answer_is_waited_for_only_where_the_kind_is_switched_on():
    def view(mode="live", **on):
        values = {"mail.mode": mode}
        for kind in MAIL_KINDS:
            values |= {f"mail.{kind}.enabled": kind in on, f"mail.{kind}.template_id": on.get(kind, "")}
        return values

    assert is_awaited("order_new", [view(order_confirmation="7")])
    assert is_awaited("order_new", [view(), view(mode="sandbox", order_confirmation="7")])
    assert not is_awaited("order_new", [view(order_confirmation="")])
    assert not is_awaited("order_new", [view(stock_alert="7")])
    assert is_awaited("", [view(stock_alert="7")])
    assert not is_awaited("", [view(mode="off", stock_alert="7")])
    assert not is_awaited("order_new", [])


def test_a_shop_that_does_not_answer_holds_up_no_mail_while_the_mode_is_off(room, monkeypatch):
    def silent(*_args, **_more):
        raise Retry("the shop does not answer")

    monkeypatch.setattr(room.mailer.shop, "order_details", silent)
    switch_on("off")
    assert put(room, ORDER) == ["sent"]
    switch_on()
    assert put(room, ORDER.replace("100000012", "100000013"))[-1] == "new"
