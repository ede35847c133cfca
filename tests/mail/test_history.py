"""The mail log, sending again by hand, test sends, and the commands for them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bridge import cli_mail
from bridge.db import db
from bridge.errors import Misconfigured
from bridge.mail import deliveries, history
from bridge.models_mail import MailDelivery, MailLetter, MailSeen
from bridge.sandbox import mails
from bridge.settings import MAIL_KINDS, set_value
from tests.export.postgres_server import start_postgres, why_not
from tests.faults.mail_kills import forgotten, other, raw, welcome
from tests.mail.mail_room import TEMPLATES, database, mail_room, switch_on


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on()
        yield made


def handled(room, make, number=1):
    email, message = make(room, number)
    room.put(raw(message), email)
    room.work()
    return email


def command(room, *args):
    group = {one.name: one for one in cli_mail.COMMANDS}
    return CliRunner().invoke(group[args[0]], list(args[1:]), obj=lambda _: room.app)


def test_the_log_says_what_came_which_way_it_went_and_why(room):
    handled(room, welcome, 1)
    handled(room, other, 2)
    second, first = history.entries()
    assert (first.kind, first.store, first.route, first.state) == ("account_creation", "default", "ometria", "sent")
    assert (first.why, first.reason, first.recipient) == (
        "recognised by marker",
        "Ometria took it",
        "n•••@example.com",
    )
    assert (second.kind, second.route, second.state) == ("", "relay", "sent")
    assert second.why
    assert [entry.id for entry in history.entries(only={"kind": "account_creation"})] == [first.id]
    assert [entry.id for entry in history.entries(limit=1, before=second.id)] == [first.id]


def test_mails_that_nobody_can_name_are_listed_with_their_shape_and_no_words_of_theirs(room):
    handled(room, other, 2)
    handled(room, welcome, 1)
    (found,) = history.unclassified()
    assert found.subject == "Your ticket 2"
    assert "looking into it" not in found.shape
    assert found.shape


@pytest.mark.postgres
@pytest.mark.skipif(why_not() is not None, reason=why_not() or "PostgreSQL is here")
def test_counts_filters_and_what_waits_elsewhere_are_the_same_on_postgresql(tmp_path):
    with start_postgres() as url, database(tmp_path, url):
        db.session.add(MailLetter(spool="1", place="relay-0123456789ab"))
        db.session.flush()
        rows = [
            ("stock_alert", {"route": "relay", "state": "sent"}),
            ("stock_alert", {"twin": True, "state": "sent"}),
            ("", {"letter": db.session.scalar(select(MailLetter.id))}),
        ]
        row = {"recipient": "a@x.test", "products": []}
        for number, (kind, more) in enumerate(rows):
            db.session.add(MailDelivery(**row, key=str(number), at=86_400.0 * 9 + 86_399.9, kind=kind, **more))
        for at in (86_400.0 * 3 - 0.1, 86_400.0 * 3, 86_400.0 * 11):  # before the seven days, their first moment, after
            db.session.add(MailDelivery(**row, key=str(at), at=at, kind="order_shipping", state="refused"))
        db.session.commit()
        day = 86_400 * 9
        assert history.counts(day + 86_399.9, 7) == [
            history.Count(day, "", 0, 0, 0, 1, 0, 0),
            history.Count(day, "stock_alert", 0, 1, 1, 0, 0, 0),
            history.Count(86_400 * 3, "order_shipping", 0, 0, 0, 0, 1, 0),
        ]
        assert len(history.entries(day=day)) == 3
        assert history.entries(day=day + 86_400) == []
        assert history.waiting_elsewhere(["other"]) == {"relay-0123456789ab": 1}
        now = deliveries.now()
        assert deliveries.next_due(now, ["other"]) is None
        assert deliveries.claim(*deliveries.next_due(now, ["relay-0123456789ab"]), now, ["other"]) == []
        assert len(deliveries.claim(1, 0, now, ["relay-0123456789ab"])) == 1


def test_what_was_seen_of_a_kind_is_counted_with_its_sender_and_marker(room):
    handled(room, welcome, 1)
    handled(room, welcome, 2)
    handled(room, other, 3)
    seen = {(row.kind, row.store): row for row in db.session.query(MailSeen)}
    row = seen["account_creation", "default"]
    assert (row.count, row.sender, row.sender_name) == (2, "hello@example.com", "Harbour & Pine Outfitters")
    assert row.marked_at > 0
    assert seen["", ""].count == 1


def test_a_mail_through_ometria_can_be_sent_again_from_the_shops_data(room):
    email = handled(room, welcome)
    assert room.spooled() == []
    history.resend(room.row().id)
    room.work()
    assert [mail["to"]["email"] for mail in room.sent()] == [email, email]
    assert room.row().why == "sent again by hand"


def test_an_order_mail_is_made_again_whole(room):
    order = next(one for one in room.state.orders.values() if one.view.code == "default")
    room.state.options.mail(mails.order_placed(room.state, order))
    room.work()
    history.resend(room.row().id)
    room.work()
    first, again = room.sent()
    assert {**first, "subject": ""} == {**again, "subject": ""}


@pytest.mark.parametrize("make", [forgotten, other])
def test_what_was_handed_over_and_cannot_be_made_again_is_refused_in_words(room, make):
    handled(room, make)
    with pytest.raises(Misconfigured, match="gone"):
        history.resend(room.row().id)
    assert room.row().state == "sent"


def test_a_mail_that_is_held_can_be_sent_by_the_other_way(room):
    room.received.plan_faults({"mail": {"status": "cut"}})
    email = handled(room, welcome)
    assert room.row().state == "uncertain"
    history.resend(room.row().id, "relay")
    room.work()
    assert room.relayed_to() == [email]
    assert (room.row().state, room.spooled()) == ("sent", [])


def test_the_commands_print_send_again_and_refuse_in_words(room):
    email = handled(room, welcome)
    handled(room, other, 2)
    shown = command(room, "log", "--kind", "account_creation")
    assert "recognised by marker; Ometria took it" in shown.output
    assert email not in shown.output
    (found,) = json.loads(command(room, "log", "--json", "--recipient", email.upper()).output)
    assert found["kind"] == "account_creation"
    assert command(room, "log", "--state", "uncertain").output == "No mails.\n"
    assert command(room, "resend", str(found["id"])).output == f"Mail {found['id']} is sent again by ometria.\n"
    assert isinstance(command(room, "resend", "999").exception, Misconfigured)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_a_test_of_each_kind_passes_ometrias_checks(room, kind):
    answer = command(room, "test", kind, "me@brand.test", "--scope", "store:fr")
    assert "Ometria took it" in answer.output, answer.exception
    (mail,) = room.sent()
    assert (mail["to"]["email"], str(mail["template_id"])) == ("me@brand.test", TEMPLATES[kind])
    assert mail["data"]["contact"]["accountURL"].startswith("http://eu.shop.test/")
    if kind.startswith("order"):
        assert mail["data"]["totals"]["grandTotal"] == "50,00\u00a0€"


def test_a_test_of_a_real_order_tells_its_own_data(room):
    order = next(one for one in room.state.orders.values() if one.view.code == "default")
    args = ("test", "order_confirmation", order.email, "--order", order.increment_id, "--sandbox")
    assert command(room, *args).exit_code == 0
    (mail,) = room.sent()
    assert mail["data"]["details"]["orderID"] == order.increment_id
    assert mail["sandbox"] is True


def test_a_test_says_what_is_missing(room):
    set_value("default", "mail.stock_alert.template_id", "", "test")
    db.session.commit()
    assert "has no template id" in str(command(room, "test", "stock_alert", "me@brand.test").exception)
    assert "not an e-mail" in str(command(room, "test", "stock_alert", "me").exception)


def test_the_commands_know_the_kinds_of_the_settings():
    assert tuple(MAIL_KINDS) == cli_mail.KINDS
