"""Mail that a shop should not send: refused with the right code, or on the wire to the next server byte for byte.

Every case goes the whole way: bare bytes into the relay, through the spool, out by the upstream hop, into a server that
keeps what it received as it came. That server is a careless one, which ends a message at any kind of line break: a
message smuggled past us would show there as a second one.
"""

from __future__ import annotations

import contextlib
import random

import pytest

from bridge.mail.smtp_dialogue import FAULTS_MOST, RECIPIENTS_MOST
from bridge.mail.upstream import Upstream, received_line
from tests.mail.raw_client import wait_for
from tests.mail.raw_sink import LOOSE

HEAD = b"Date: Tue, 14 Jul 2026 08:00:00 +0000\r\nSubject: Hello\r\nTo: ada@example.test\r\nFrom: shop@shop.test\r\n"
EVIL = b"MAIL FROM:<evil@shop.test>\r\nRCPT TO:<victim@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n"


@pytest.fixture
def careless(start_sink):
    return start_sink(end=LOOSE)


@pytest.fixture
def pass_on(relay, careless):
    """Send on all that the relay kept; return the messages as the next server received them, without our trace."""

    def send():
        with Upstream(careless.url()) as upstream:
            for name in relay.spool.waiting():
                envelope, raw = relay.spool.read(name)
                trace = received_line(envelope, "relay.test", name)
                outcomes = upstream.send(envelope.sender, envelope.recipients, raw, received=trace)
                assert {outcome.state for outcome in outcomes.values()} == {"accepted"}
                relay.spool.drop(name)
        for taken in careless.taken:
            trace, _, rest = taken.message.partition(b"\r\n id ")
            assert trace.startswith(b"Received: from [127.0.0.1] by relay.test")
            taken.original = rest.partition(b"\r\n")[2]
        return careless.taken

    return send


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\n.\n\r\n", b"\r\r\n.\r\r\n"],
)
def test_smuggling_by_bare_line_breaks_is_refused_and_nothing_of_it_is_taken_as_commands(relay, pass_on, end):
    with relay.client() as client:
        client.greet().begin()
        client.send(HEAD + b"\r\nharmless" + end + EVIL)
        assert client.reply()[0] == 554
        assert client.say(b"NOOP") == 250
        assert client.mail(HEAD + b"\r\nthe next one\r\n.\r\n") == 250
    assert [taken.original for taken in pass_on()] == [HEAD + b"\r\nthe next one\r\n"]


@pytest.mark.parametrize(
    "body",
    [
        b"..\r\n",
        b"...\r\n",
        b".MAIL FROM:<evil@shop.test>\r\n",
        b".. \r\n.. .\r\n",
        b". \r\n",
        b"a\r\n..\r\n..\r\n" + EVIL.replace(b"\r\n.\r\n", b"\r\n..\r\n"),
    ],
)
def test_dot_tricks_leave_as_the_bytes_that_were_meant(relay, pass_on, body):
    meant = (b"\r\n" + body).replace(b"\r\n.", b"\r\n")[2:]
    with relay.client() as client:
        client.greet()
        assert client.mail(HEAD + b"\r\n" + body + b".\r\n") == 250
    (taken,) = pass_on()
    assert taken.original == HEAD + b"\r\n" + meant


def test_a_message_cut_into_single_bytes_is_the_same_message(relay, pass_on):
    data = HEAD + b"\r\n..\r\nx\r\n.\r\n"
    with relay.client() as client:
        client.greet().begin()
        for byte in data:
            client.send(bytes([byte]))
        assert client.reply()[0] == 250
    (taken,) = pass_on()
    assert taken.original == HEAD + b"\r\n.\r\nx\r\n"


def test_a_whole_dialogue_sent_at_once_is_answered_in_order(relay, pass_on):
    with relay.client() as client:
        assert client.reply()[0] == 220
        message = b"MAIL FROM:<a@shop.test>\r\nRCPT TO:<%d@x.test>\r\nDATA\r\n" + HEAD + b"\r\nnumber %d\r\n.\r\n"
        client.send(b"EHLO localhost\r\n" + b"".join(message % (at, at) for at in range(5)) + b"QUIT\r\n")
        assert [client.reply()[0] for _ in range(22)] == [250] + [250, 250, 354, 250] * 5 + [221]
        assert client.closed()
    assert [taken.original[-10:] for taken in pass_on()] == [b"number %d\r\n" % at for at in range(5)]


def test_pipelined_garbage_is_refused_line_by_line_and_then_ends(relay):
    with relay.client() as client:
        client.greet()
        client.send(b"".join(b"\xff\x00 garbage %d\r\n" % at for at in range(100)) + EVIL)
        assert [client.reply()[0] for _ in range(FAULTS_MOST + 1)] == [500] * FAULTS_MOST + [421]
        assert client.reply()[0] == 0
    assert relay.kept() == []


def test_a_page_that_posts_to_the_mail_port_is_shut_out(relay):
    with relay.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: relay.test\r\nContent-Length: 99\r\n\r\nEHLO x\r\n" + EVIL)
        assert client.reply()[0] == 220
        assert client.reply()[0] == 421
        assert client.reply()[0] == 0
    assert relay.kept() == []


def test_a_line_that_never_ends_is_cut_off(relay):
    with relay.client() as client:
        client.greet()
        client.send(b"NOOP " + b"x" * 200_000)
        assert client.reply()[0] == 500
        assert client.reply()[0] == 0


@pytest.mark.parametrize("seed", range(6))
def test_random_bytes_never_end_the_relay_nor_make_a_message(relay, seed):
    chance = random.Random(seed)
    for _ in range(10):
        with relay.client() as client:
            words = [
                b"EHLO x",
                b"MAIL FROM:<",
                b"RCPT TO:<a@b>",
                b"\r\n",
                b"\n",
                b"\x00",
                b"AUTH LOGIN",
                b"=",
                b">",
                b" ",
            ]
            try:
                client.send(b"".join(chance.choice([*words, chance.randbytes(9)]) for _ in range(60)))
                client.send(b"\r\nQUIT\r\nQUIT\r\n")
                while client.reply()[0] not in {0, 221, 421}:
                    pass
            except (ConnectionError, ValueError):
                pass
    with relay.client() as client:
        client.greet()
        assert client.mail(HEAD + b"\r\nstill here\r\n.\r\n") == 250


@pytest.mark.parametrize(
    "line",
    [
        b"RCPT TO:<a@x.test>\r",
        b"RCPT TO:<a@x.test\n>",
        b"RCPT TO:<a@x.test>\nDATA",
        b"MAIL FROM:<a@x.test>\rRCPT TO:<b@x.test>",
        b"MAIL FROM:<a@x.test\x00>",
    ],
)
def test_commands_hidden_in_a_command_are_not_carried_out(relay, line):
    with relay.client() as client:
        client.greet()
        client.send(line + b"\r\n")
        assert client.reply()[0] in {500, 501, 503}
        client.send(b"NOOP\r\n")
        codes = []
        while not codes or codes[-1] != 250:
            codes.append(client.reply()[0])
        assert set(codes[:-1]) <= {500, 501, 503}
    assert relay.kept() == []


NESTED = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at) for at in range(300))
ODD_MESSAGES = {
    "8-bit header lines": "Subject: Café für Zoë\r\nFrom: Müller <m@shop.test>\r\n\r\nBüro\r\n".encode(),
    "header lines in latin-1": "Subject: Café\r\n\r\nÄ\r\n".encode("latin-1"),
    "no Date, no Message-ID": b"Subject: bare\r\nFrom: shop@shop.test\r\n\r\nx\r\n",
    "no header at all": b"\r\nonly a body\r\n",
    "no body": b"Subject: x\r\n",
    "empty": b"",
    "NUL bytes": b"Subject: a\x00b\r\n\r\n\x00\x00body\x00\r\n",
    "every byte but CR and LF": HEAD + b"\r\n" + bytes(set(range(256)) - {10, 13, 46}) + b"\r\n",
    "nested multipart": HEAD + NESTED + b"end\r\n",
    "a header line injected by a name": HEAD[:-2]
    + b"\r\nReply-To: =?utf-8?Q?x=0D=0ABcc:_evil@x.test?= <a@x.test>\r\n\r\nx\r\n",
    "a header line of 60 kB": b"X-Long: " + b"y" * 60_000 + b"\r\n\r\nx\r\n",
    "a thousand header lines": b"".join(b"X-%d: y\r\n" % at for at in range(1000)) + b"\r\nx\r\n",
    "folds and blanks at line ends": b"Subject: a \r\n\tb \r\n \r\nTo: x@x.test\r\n\r\nbody  \r\n\t\r\n\r\n\r\n",
    "a boundary that never comes": HEAD + b"Content-Type: multipart/alternative; boundary=\r\n\r\n--\r\n",
    "a charset that nobody knows": HEAD + b"Content-Type: text/html; charset=klingon\r\n\r\n\xff\xfe\r\n",
}


@pytest.mark.parametrize("case", ODD_MESSAGES)
def test_odd_but_harmless_messages_pass_byte_for_byte(relay, pass_on, case):
    message = ODD_MESSAGES[case]
    sent = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    with relay.client() as client:
        client.greet()
        assert client.mail(sent + b".\r\n") == 250
    (taken,) = pass_on()
    assert taken.original == message


def test_fifty_megabytes_pass_and_more_is_refused(relay, pass_on):
    line = b"0123456789abcdef" * 4 + b"\r\n"
    most = relay._relay._config.smtp_max_bytes
    assert most >= 50_000_000
    message = HEAD + b"\r\n" + line * ((most - 200) // len(line))
    with relay.client() as client:
        client.greet()
        assert client.say(b"MAIL FROM:<a@shop.test> SIZE=%d" % (most + 1)) == 552
        assert client.say(b"MAIL FROM:<a@shop.test> SIZE=%d" % most) == 250
        assert client.say(b"RCPT TO:<b@x.test>") == 250
        assert client.say(b"DATA") == 354
        client.send(message + b".\r\n")
        assert client.reply()[0] == 250
        assert client.mail(message + line * 10 + b".\r\n") == 552
        assert client.say(b"NOOP") == 250
    ((_, raw),) = relay.kept()
    assert raw == message
    (taken,) = pass_on()
    assert taken.original == message
    wait_for(lambda: relay._relay._desk.held == 0)


def test_a_message_without_end_is_cut_off_at_four_times_the_bound(start_relay):
    relay = start_relay(smtp_max_bytes=100_000)
    with relay.client() as client:
        client.greet().begin()
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 20_000_000:
                client.send(b"x" * 998 + b"\r\n")
                sent += 1000
        assert sent < 20_000_000
    assert relay.kept() == []


def test_thousands_of_recipients_are_taken_and_leave_in_portions(relay, pass_on):
    count = 2500
    with relay.client() as client:
        client.greet()
        assert client.say(b"MAIL FROM:<a@shop.test>") == 250
        client.send(b"".join(b"RCPT TO:<p%d@x.test>\r\n" % at for at in range(count)))
        assert {client.reply()[0] for _ in range(count)} == {250}
        assert client.say(b"DATA") == 354
        client.send(HEAD + b"\r\nx\r\n.\r\n")
        assert client.reply()[0] == 250
    taken = pass_on()
    assert len(taken) == count / 100
    assert [line for one in taken for line in one.rcpt] == [b"RCPT TO:<p%d@x.test>" % at for at in range(count)]
    assert {one.original for one in taken} == {HEAD + b"\r\nx\r\n"}


def test_recipients_beyond_the_bound_are_put_off_and_the_others_keep_the_mail(relay, monkeypatch):
    assert RECIPIENTS_MOST == 10_000
    monkeypatch.setattr("bridge.mail.smtp_dialogue.RECIPIENTS_MOST", 3)
    with relay.client() as client:
        client.greet()
        assert client.say(b"MAIL FROM:<a@shop.test>") == 250
        assert [client.say(b"RCPT TO:<p%d@x.test>" % at) for at in range(5)] == [250] * 3 + [452] * 2
        assert client.say(b"DATA") == 354
        client.send(HEAD + b"\r\nx\r\n.\r\n")
        assert client.reply()[0] == 250
    assert relay.kept()[0][0].recipients == ("p0@x.test", "p1@x.test", "p2@x.test")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b'"ada b"@example.test', b'"ada b"@example.test'),
        (rb'"a\"b<c>d"@example.test', rb'"a\"b<c>d"@example.test'),
        (b'""@example.test', b'""@example.test'),
        ("ada@münchen.test".encode(), b"ada@xn--mnchen-3ya.test"),
        (b"ada@xn--mnchen-3ya.test", b"ada@xn--mnchen-3ya.test"),
        ("ada@例え.テスト".encode(), b"ada@xn--r8jz45g.xn--zckzah"),
        (b"ada+tag=x%y!z@example.test", b"ada+tag=x%y!z@example.test"),
        (b"ada@[192.0.2.1]", b"ada@[192.0.2.1]"),
    ],
)
def test_addresses_with_quotes_and_host_names_of_other_scripts_reach_the_next_server(relay, pass_on, sent, told):
    with relay.client() as client:
        client.greet().begin(b"shop@shop.test", sent)
        client.send(HEAD + b"\r\nx\r\n.\r\n")
        assert client.reply()[0] == 250
    (taken,) = pass_on()
    assert taken.rcpt == [b"RCPT TO:<" + told + b">"]


def test_the_null_sender_of_a_bounce_stays_null(relay, pass_on):
    with relay.client() as client:
        client.greet().begin(b"")
        client.send(HEAD + b"\r\nx\r\n.\r\n")
        assert client.reply()[0] == 250
    (taken,) = pass_on()
    assert taken.mail.startswith(b"MAIL FROM:<>")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@shop.test> SIZE=many", 501),
        (b"MAIL FROM:<a@shop.test> BODY=BINARYMIME", 501),
        (b"MAIL FROM:<a@shop.test> HOLDFOR=9", 555),
        (b"MAIL TO:<a@shop.test>", 501),
        (b"MAIL", 501),
        (b"RCPT TO:<a@shop.test>", 503),
        (b"DATA", 503),
        (b"DATA now", 501),
        (b"RSET now", 501),
        (b"QUIT now", 501),
        (b"EXPN all", 500),
        (b"TURN", 500),
        (b"EHLO", 501),
        (b"VRFY ada", 252),
    ],
)
def test_commands_out_of_order_or_shape_are_refused_with_their_code(relay, line, code):
    with relay.client() as client:
        client.greet()
        assert client.say(line) == code
        assert client.say(b"MAIL FROM:<a@shop.test> SIZE=10 BODY=8BITMIME SMTPUTF8") == 250
        assert client.say(b"MAIL FROM:<b@shop.test>") == 503
        assert client.say(b"RCPT TO:<b@x.test> NOTIFY=NEVER") == 555
        assert client.say(b"RSET") == 250
        assert client.say(b"RCPT TO:<b@x.test>") == 503


def test_mail_before_the_greeting_is_refused(relay):
    with relay.client() as client:
        assert client.reply()[0] == 220
        assert client.say(b"MAIL FROM:<a@shop.test>") == 503
        assert client.say(b"AUTH PLAIN") == 503


def test_a_message_that_goes_in_circles_is_stopped(relay):
    with relay.client() as client:
        client.greet()
        assert client.mail(b"Received: from a by b\r\n" * 51 + HEAD + b"\r\nx\r\n.\r\n") == 554
