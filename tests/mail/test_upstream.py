"""The hop to the shop's own mail server: each recipient's outcome, told apart by where a failure happened."""

from __future__ import annotations

import smtplib

import pytest

from bridge.errors import Misconfigured
from bridge.mail import upstream
from bridge.mail.envelope import Envelope
from bridge.mail.upstream import Hop, Upstream, pause_before, read_hop, received_line
from tests.mail.certificates import make_certificate

MESSAGE = b"Subject: x\r\n\r\n.dot\r\nbody \xe9\r\n"
TRACE = b"Received: from [10.0.0.7] by relay.test with ESMTP\r\n id x; now\r\n"
TWO = ("ada@example.test", "bob@example.test")


def send(sink, recipients=TWO, raw=MESSAGE, url=None):
    with Upstream(url or sink.url(), "relay.test") as upstream:
        return upstream.send("shop@shop.test", recipients, raw, received=TRACE)


def states(outcomes):
    return {recipient: (outcome.state, outcome.code) for recipient, outcome in outcomes.items()}


def test_a_message_leaves_byte_for_byte_behind_one_trace_line(sink):
    assert states(send(sink)) == dict.fromkeys(TWO, ("accepted", 250))
    (taken,) = sink.taken
    assert taken.data == TRACE + MESSAGE.replace(b"\r\n.dot", b"\r\n..dot")
    assert taken.mail == b"MAIL FROM:<shop@shop.test> BODY=8BITMIME"
    assert taken.rcpt == [b"RCPT TO:<ada@example.test>", b"RCPT TO:<bob@example.test>"]


def test_only_what_the_server_offers_is_used(start_sink):
    bare = start_sink(offers=())
    send(bare)
    assert bare.taken[0].mail == b"MAIL FROM:<shop@shop.test>"
    rich = start_sink(offers=(b"8BITMIME", b"SIZE 1000000", b"SMTPUTF8"))
    send(rich, recipients=("zoë@münchen.test",))
    size = len(TRACE + MESSAGE)
    assert rich.taken[0].mail == b"MAIL FROM:<shop@shop.test> SIZE=%d BODY=8BITMIME SMTPUTF8" % size
    assert rich.taken[0].rcpt == ["RCPT TO:<zoë@xn--mnchen-3ya.test>".encode()]
    send(rich, recipients=("ada@münchen.test",))
    assert b"SMTPUTF8" not in rich.taken[1].mail


def test_a_mailbox_name_that_the_server_cannot_be_told_is_refused_and_the_other_gets_its_mail(sink):
    assert states(send(sink, recipients=("zoë@example.test", *TWO))) == {
        "zoë@example.test": ("refused", 553),
        **dict.fromkeys(TWO, ("accepted", 250)),
    }


@pytest.mark.parametrize(
    "address", ["a@x.test\r\nDATA", "a@x.test\nRSET", "a@\x00x.test", "a@x.test>\r\nRCPT TO:<b@x.test"]
)
def test_an_address_with_line_breaks_never_reaches_the_wire(sink, address):
    outcomes = send(sink, recipients=(address, "ada@example.test"))
    assert outcomes[address].state == "refused"
    assert outcomes["ada@example.test"].state == "accepted"
    assert sink.taken[0].rcpt == [b"RCPT TO:<ada@example.test>"]


@pytest.mark.parametrize("raw", [b"a\nb\r\n", b"a\n.\nMAIL FROM:<x@x.test>\r\n", b"a\rb\r\n"])
def test_bare_line_breaks_are_refused_before_anything_is_said(sink, raw):
    assert states(send(sink, raw=raw)) == dict.fromkeys(TWO, ("refused", 554))
    assert sink.connections == 0


@pytest.mark.parametrize(
    ("reply", "state", "code"),
    [
        (b"550 5.1.1 no such user", "refused", 550),
        (b"450 4.2.1 greylisted", "later", 450),
        (b"251 will forward", "accepted", 250),
    ],
)
def test_one_recipient_that_is_not_taken_does_not_cost_the_other(start_sink, reply, state, code):
    sink = start_sink(replies={"RCPT": lambda line: reply if b"ada" in line else b"250 fine"})
    assert states(send(sink)) == {TWO[0]: (state, code), TWO[1]: ("accepted", 250)}
    assert len(sink.taken) == 1


@pytest.mark.parametrize(
    ("where", "reply", "state"),
    [
        ("MAIL", b"550 not you", "refused"),
        ("MAIL", b"451 busy", "later"),
        ("RCPT", b"550 nobody", "refused"),
        ("DATA", b"554 no", "refused"),
        ("DATA", b"451 busy", "later"),
        ("END", b"552 too large", "refused"),
        ("END", b"451 try again", "later"),
        ("END", b"421 closing", "later"),
        ("greeting", b"554 not you", "later"),
        ("greeting", b"421 busy", "later"),
        ("greeting", None, "later"),
        ("EHLO", None, "later"),
        ("MAIL", None, "later"),
        ("RCPT", None, "later"),
        ("DATA", None, "later"),
        ("MAIL", b"421 closing", "later"),
        ("RCPT", b"nonsense", "later"),
        ("END", None, "uncertain"),
        ("END", b"nonsense", "uncertain"),
    ],
)
def test_each_place_of_failure_has_its_outcome(start_sink, where, reply, state):
    sink = start_sink(replies={where: reply})
    outcomes = send(sink)
    assert {outcome.state for outcome in outcomes.values()} == {state}
    assert set(outcomes) == set(TWO)


def test_a_server_that_is_not_there_means_later(sink):
    url = sink.url()
    sink.stop()
    outcomes = send(sink, url=url)
    assert states(outcomes) == dict.fromkeys(TWO, ("later", 0))
    assert "does not answer" in outcomes[TWO[0]].text


def test_a_server_that_could_not_be_reached_is_not_asked_for_each_mail(start_sink, monkeypatch):
    sink = start_sink(replies={"greeting": b"421 4.3.2 Too busy"})
    moments = [100.0]
    monkeypatch.setattr(upstream.time, "monotonic", lambda: moments[0])
    with Upstream(sink.url()) as hop:
        first = [hop.send("a@x.test", TWO, b"Subject: x\r\n\r\nx\r\n") for _ in range(5)]
        assert sink.connections == 1
        assert {outcome.state for told in first for outcome in told.values()} == {"later"}
        assert {outcome.text for told in first for outcome in told.values()} == {"4.3.2 Too busy"}
        sink.replies.clear()
        moments[0] += upstream.GONE_SECONDS
        assert states(hop.send("a@x.test", TWO, b"Subject: x\r\n\r\nx\r\n")) == dict.fromkeys(TWO, ("accepted", 250))


@pytest.mark.parametrize(
    "secret",
    [
        "shop.test/customer/account/createPassword/?id=7",
        "/x?token=abc123",
        "token=abc123",
        "account/createPassword/id/7/token/abc123/",
        "0123456789abcdefghijABCDEFGHIJ01",
    ],
)
def test_what_a_filter_names_of_a_mail_is_not_kept(start_sink, secret):
    sink = start_sink(replies={"END": f"554 5.7.1 Blocked: {secret} is listed, id 4XyZabc12".encode()})
    told = {outcome.text for outcome in send(sink).values()}
    assert told == {"5.7.1 Blocked: … is listed, id 4XyZabc12"}


def test_a_silent_server_means_later_within_its_time(start_sink, monkeypatch):
    monkeypatch.setattr("bridge.mail.upstream.ANSWER_SECONDS", 0.3)
    sink = start_sink(replies={"MAIL": lambda _: b"250-never ends"})
    assert states(send(sink)) == dict.fromkeys(TWO, ("later", 0))


def test_a_server_that_is_silent_after_the_last_dot_leaves_it_uncertain(start_sink, monkeypatch):
    monkeypatch.setattr("bridge.mail.upstream.LAST_ANSWER_SECONDS", 0.3)
    sink = start_sink(replies={"END": lambda _: b"250-never ends"})
    assert {outcome.state for outcome in send(sink).values()} == {"uncertain"}
    assert len(sink.taken) == 1


def test_what_a_server_says_is_kept_without_addresses_and_links(start_sink):
    sink = start_sink(
        replies={"RCPT": b'550 5.1.1 <ada@example.test>: unknown, see https://mx.test/?token=abc "a b"@x.test'}
    )
    text = send(sink)[TWO[0]].text
    assert text.startswith("5.1.1 <•••@•••>: unknown")
    for secret in ("ada", "example", "token", "a b"):
        assert secret not in text


def test_more_than_a_hundred_recipients_leave_in_several_messages(sink):
    many = [f"p{number}@x.test" for number in range(250)]
    assert states(send(sink, recipients=many)) == dict.fromkeys(many, ("accepted", 250))
    assert [len(taken.rcpt) for taken in sink.taken] == [100, 100, 50]
    assert sink.connections == 1


def test_a_server_that_takes_fewer_at_once_gets_the_rest_in_another_message(start_sink):
    counted = []

    def at_most_three(line):
        counted.append(line)
        return b"250 fine" if len(counted) % 4 else b"452 4.5.3 too many"

    sink = start_sink(replies={"RCPT": at_most_three})
    many = [f"p{number}@x.test" for number in range(5)]
    outcomes = send(sink, recipients=many)
    assert states(outcomes) == dict.fromkeys(many, ("accepted", 250))
    assert sorted(line for taken in sink.taken for line in taken.rcpt) == sorted(
        b"RCPT TO:<%b>" % recipient.encode() for recipient in many
    )


def test_a_server_that_dies_between_two_portions_leaves_the_rest_for_later(start_sink):
    ends = []

    def second_dies(_line):
        ends.append(1)
        return b"250 taken" if len(ends) == 1 else None

    sink = start_sink(replies={"END": second_dies, "greeting": lambda _: b"220 hi" if not ends else None})
    many = [f"p{number}@x.test" for number in range(250)]
    outcomes = send(sink, recipients=many)
    found = [outcomes[recipient].state for recipient in many]
    assert found == ["accepted"] * 100 + ["uncertain"] * 100 + ["later"] * 50


def test_the_same_recipient_twice_is_sent_once(sink):
    send(sink, recipients=("ada@example.test", "ada@example.test"))
    assert sink.taken[0].rcpt == [b"RCPT TO:<ada@example.test>"]


def test_a_connection_is_used_again_and_made_anew_when_the_server_closed_it(start_sink):
    sink = start_sink()
    with Upstream(sink.url()) as upstream:
        for _ in range(3):
            assert upstream.send("a@x.test", ["b@x.test"], MESSAGE)["b@x.test"].state == "accepted"
        assert sink.connections == 1
        for client in list(sink._open):
            client.shutdown(2)
        assert upstream.send("a@x.test", ["b@x.test"], MESSAGE)["b@x.test"].state == "accepted"
    assert sink.connections == 2
    assert len(sink.taken) == 4


def test_a_refused_message_leaves_the_connection_fit_for_the_next(start_sink):
    sink = start_sink(replies={"MAIL": lambda line: b"550 no" if b"bad" in line else b"250 fine"})
    with Upstream(sink.url()) as upstream:
        assert upstream.send("bad@x.test", ["b@x.test"], MESSAGE)["b@x.test"].state == "refused"
        assert upstream.send("good@x.test", ["b@x.test"], MESSAGE)["b@x.test"].state == "accepted"
    assert sink.connections == 1


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_and_sign_in_come_before_the_mail(start_sink, tmp_path, implicit):
    made = make_certificate(tmp_path)
    asked = []
    sink = start_sink(
        offers=(b"STARTTLS", b"AUTH PLAIN"),
        context=made.serving(),
        implicit=implicit,
        replies={"AUTH": lambda line: asked.append(line) or b"235 welcome"},
    )
    url = sink.url(f"?ca={made.ca}", "user%40shop:p%3Ass@")
    assert {outcome.state for outcome in send(sink, url=url).values()} == {"accepted"}
    import base64

    assert asked == [b"AUTH PLAIN " + base64.b64encode(b"\0user@shop\0p:ss")]
    assert ("STARTTLS" in sink.verbs) is not implicit


@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_that_is_not_trusted_means_later_and_no_password_is_told(start_sink, tmp_path, implicit):
    made = make_certificate(tmp_path)
    sink = start_sink(offers=(b"STARTTLS", b"AUTH PLAIN"), context=made.serving(), implicit=implicit)
    outcomes = send(sink, url=sink.url("", "user:secret@"))
    assert states(outcomes) == dict.fromkeys(TWO, ("later", 0))
    assert "certificate is not trusted" in outcomes[TWO[0]].text
    assert "AUTH" not in sink.verbs


def test_where_tls_is_wanted_and_not_offered_nothing_is_sent(start_sink):
    sink = start_sink(offers=(b"AUTH PLAIN",))
    outcomes = send(sink, url=sink.url("", "user:secret@"))
    assert states(outcomes) == dict.fromkeys(TWO, ("later", 0))
    assert "no STARTTLS" in outcomes[TWO[0]].text
    assert "AUTH" not in sink.verbs


def test_a_wrong_password_refuses_the_relay_and_not_the_mail(start_sink):
    sink = start_sink(offers=(b"AUTH PLAIN",), replies={"AUTH": b"535 5.7.8 wrong"})
    url = sink.url("?tls=none", "user:secret@")
    outcomes = send(sink, url=url)
    assert states(outcomes) == dict.fromkeys(TWO, ("later", 535))
    with Upstream(url) as upstream, pytest.raises(smtplib.SMTPException):
        upstream.greet()


@pytest.mark.parametrize(
    ("url", "hop"),
    [
        ("smtp://mail.test", Hop("mail.test", 25, "none")),
        ("smtp://u:p@mail.test", Hop("mail.test", 587, "starttls", "u", "p")),
        ("smtp://u:p@mail.test:25?tls=none", Hop("mail.test", 25, "none", "u", "p")),
        ("smtps://mail.test", Hop("mail.test", 465, "implicit")),
        ("smtp://mail.test:2525?tls=starttls&ca=/x.pem", Hop("mail.test", 2525, "starttls", ca="/x.pem")),
    ],
)
def test_the_url_names_server_and_protection(url, hop):
    assert read_hop(url) == hop


@pytest.mark.parametrize("url", ["smtp://mail.test?tls=maybe", "smtp://?tls=none", "smtp://mail.test?verify=0"])
def test_a_url_that_says_something_else_is_refused_without_its_password(url):
    with pytest.raises(Misconfigured, match="BRIDGE_SMTP_UPSTREAM"):
        read_hop(url)


def test_the_trace_line_is_ascii_and_names_no_recipient():
    line = received_line(Envelope("s@x.test", ("ada@x.test",), peer="10.0.0.7", received_at=0), "relay.test", "007")
    assert line == b"Received: from [10.0.0.7] by relay.test with ESMTP\r\n id 007; Thu, 01 Jan 1970 00:00:00 -0000\r\n"
    assert b"[IPv6:::1]" in received_line(Envelope("", (), peer="::1"), "relay.test", "1")


def test_pauses_grow_and_end_after_five_days():
    assert [pause_before(attempt, 0) for attempt in (2, 3, 4, 5, 6, 7, 8, 99)] == [
        30,
        60,
        300,
        900,
        1800,
        3600,
        3600,
        3600,
    ]
    assert pause_before(5, 5 * 86_400) is None
