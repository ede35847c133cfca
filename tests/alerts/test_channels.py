"""What a mail and a webhook say, over a real mail server and a real web server of this machine."""

from __future__ import annotations

import email
import email.policy

import pytest

from bridge.alerts.channels import NO_UPSTREAM, Email, Message, Webhook, configured, dashboard_url, own_address
from bridge.config import Config
from bridge.errors import Misconfigured, Retry
from bridge.settings import load_book
from tests.alerts.conftest import NOON, TOKEN

BEGAN = Message(
    "clock_stopped", "The clock", "began", NOON, "The clock last ticked 9 minutes ago.", "bridge-alert-1-began"
)
OVER = Message(
    "clock_stopped", "The clock", "over", NOON, "The clock last ticked 9 minutes ago.", "bridge-alert-1-over"
)


def mailer(sink, **values):
    config = Config(smtp_upstream=sink.url(), smtp_name="bridge.test", **values)
    return Email(config, ("ann@shop.test", "bob@shop.test"), "bridge@shop.test")


def read(taken):
    return email.message_from_bytes(taken.message, policy=email.policy.default)


def test_a_mail_says_what_is_wrong_since_when_what_to_do_and_where_to_look(sink):
    channel = mailer(sink, public_url="https://shop.test", dashboard_on_shop=True)
    assert channel.send(BEGAN) == ""
    (taken,) = sink.taken
    assert taken.mail.startswith(b"MAIL FROM:<bridge@shop.test>")
    assert [line.strip() for line in taken.rcpt] == [b"RCPT TO:<ann@shop.test>", b"RCPT TO:<bob@shop.test>"]
    letter = read(taken)
    assert letter["Subject"] == "bridge, alert: Clock stopped: The clock"
    assert (letter["From"], letter["To"]) == ("bridge@shop.test", "ann@shop.test, bob@shop.test")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@shop.test>")
    assert letter["Date"]
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().replace("\r\n", "\n").split("\n\n") == [
        "The clock last ticked 9 minutes ago.",
        "Since 2026-11-25 12:00 UTC.",
        "Start `bridge clock`, or look at its log.",
        "https://shop.test/_bridge/dashboard/alerts\n",
    ]


def test_a_mail_says_that_it_is_over(sink):
    mailer(sink).send(OVER)
    letter = read(sink.taken[0])
    assert letter["Subject"] == "bridge, over: Clock stopped: The clock"
    assert letter.get_content().startswith("This is over. It was:")
    assert "http" not in letter.get_content(), "the dashboard's address is not known"


def test_words_that_are_not_ascii_arrive(sink):
    mailer(sink).send(Message("coupons_stopped", "Grüße 😀", "began", NOON, "Die Regel „Grüße“ ist aus.", "m"))
    letter = read(sink.taken[0])
    assert letter["Subject"].endswith("Grüße 😀")
    assert "Die Regel „Grüße“ ist aus." in letter.get_content()


def test_without_a_mail_server_the_sentence_says_what_to_set():
    with pytest.raises(Misconfigured) as caught:
        Email(Config(), ("ann@shop.test",), "bridge@shop.test").send(BEGAN)
    assert str(caught.value) == NO_UPSTREAM


def test_a_server_that_refuses_is_a_reason_without_addresses(sink):
    sink.replies["RCPT"] = b"550 5.1.1 <ann@shop.test> nobody here"
    with pytest.raises(Retry) as caught:
        mailer(sink).send(BEGAN)
    assert "550" in str(caught.value) or "nobody here" in str(caught.value)
    assert "@shop.test" not in str(caught.value)


def test_one_address_that_is_taken_is_enough_and_the_other_is_told(sink):
    sink.replies["RCPT"] = lambda line: b"550 5.1.1 nobody here" if b"bob" in line else b"250 fine"
    assert mailer(sink).send(BEGAN).startswith("1 of 2 addresses were not taken")


def test_a_server_that_is_gone_is_tried_again(sink):
    channel = mailer(sink)
    sink.stop()
    with pytest.raises(Retry, match="does not answer"):
        channel.send(BEGAN)


def test_a_webhook_gets_the_five_fields_and_a_mark_that_repeats(hook):
    channel = Webhook(hook.url, (hook.url.split("/")[2],))
    for message in (BEGAN, OVER):
        assert channel.send(message) == ""
    assert hook.posts[0] == {
        "kind": "clock_stopped",
        "subject": "The clock",
        "state": "began",
        "since": "2026-11-25T12:00:00Z",
        "sentence": "The clock last ticked 9 minutes ago.",
    }
    assert hook.posts[1]["state"] == "over"
    assert hook.marks == ["bridge-alert-1-began", "bridge-alert-1-over"]


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (302, Misconfigured, "redirect (302), which is not followed"),
        (307, Misconfigured, "redirect (307), which is not followed"),
        (404, Retry, "status 404"),
        (500, Retry, "status 500"),
    ],
)
def test_a_webhook_that_does_not_take_it_is_a_reason_without_its_address(hook, status, error, said):
    hook.status = [status]
    with pytest.raises(error) as caught:
        Webhook(hook.url, (hook.url.split("/")[2],)).send(BEGAN)
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len(hook.posts) == 1, "no redirect is followed"


def test_this_machine_is_reached_only_where_the_configuration_names_it(hook):
    for named in ((), ("localhost",), ("127.0.0.1:1",)):
        with pytest.raises(Misconfigured):
            Webhook(hook.url, named).send(BEGAN)
    with pytest.raises(Misconfigured, match="private network"):
        Webhook("https://127.0.0.1:8443/x").send(BEGAN)
    assert hook.posts == []


def test_channels_are_those_that_are_set_and_show_no_token(desk, hook):
    assert configured(load_book(), Config()) == {}
    desk.set("alerts.email", "ann@shop.test, bob@shop.test")
    desk.set("alerts.webhook", hook.url)
    found = configured(load_book(), Config(public_url="https://www.shop.test:8443/base"))
    assert list(found) == ["email", "webhook"]
    assert (found["email"].to, found["email"].sender) == (("ann@shop.test", "bob@shop.test"), "bridge@www.shop.test")
    assert TOKEN not in repr(found)
    desk.set("alerts.sender", "ops@shop.test")
    assert configured(load_book(), Config())["email"].sender == "ops@shop.test"


def test_the_sender_and_the_link_are_made_of_what_is_known():
    assert own_address(Config(smtp_name="host.shop.test")) == "bridge@host.shop.test"
    assert own_address(Config(smtp_name="box")) == "bridge@localhost"
    assert dashboard_url(Config(public_url="https://shop.test")) == ""
    assert dashboard_url(Config(dashboard_on_shop=True)) == ""
