"""The relay as a shop meets it: 250 for whoever may send, the right code for who may not, TLS that matches or ends."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import logging
import os
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import pytest

from bridge.config import SmtpUser
from bridge.errors import Misconfigured
from bridge.mail import smtp_desk
from bridge.mail.relay import Relay
from bridge.mail.spool import MailSpool
from tests.mail.certificates import make_certificate
from tests.mail.raw_client import RawClient, RunningRelay, wait_for

MESSAGE = (
    b"Date: Tue, 14 Jul 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\n"
    b"To: Ada <ada@example.test>\r\nFrom: Shop <shop@shop.test>\r\n\r\n<p>Hello</p>\r\n"
)
USERS = (SmtpUser("english", "s3cret:word", "default"), SmtpUser("french", "très-secret", "fr"))
NOBODY = ()


def plain(user, password):
    return base64.b64encode(b"\0" + user.encode() + b"\0" + password.encode())


def coded(text):
    return base64.b64encode(text.encode())


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


@pytest.fixture
def tls_relay(start_relay, certificate):
    return start_relay(
        smtp_tls_listen="127.0.0.1:0", smtp_tls_cert=certificate.chain, smtp_tls_key=certificate.key, smtp_users=USERS
    )


def test_what_a_shop_says_is_answered_and_kept_byte_for_byte(relay):
    with relay.client() as client:
        client.greet().begin(b"shop@shop.test", b"ada@example.test", b"copy@shop.test")
        before = time.time()
        client.send(MESSAGE + b"..a dot\r\n.\r\n")
        code, text = client.reply()
        assert code == 250
        assert client.say(b"QUIT") == 221
        assert client.closed()
    ((envelope, raw),) = relay.kept()
    assert raw == MESSAGE + b".a dot\r\n"
    assert envelope.sender == "shop@shop.test"
    assert envelope.recipients == ("ada@example.test", "copy@shop.test")
    assert (envelope.user, envelope.store_hint, envelope.peer) == ("", "", "127.0.0.1")
    assert before <= envelope.received_at <= time.time()
    assert next(iter(relay.spool.waiting())).encode() in text
    wait_for(lambda: relay.wakes)


def test_the_library_of_python_and_helo_are_served_too(relay):
    with smtplib.SMTP(*relay.plain, timeout=20) as client:
        assert client.ehlo()[0] == 250
        assert client.sendmail("a@shop.test", ["b@x.test"], MESSAGE) == {}
    with relay.client() as client:
        assert client.reply()[0] == 220
        assert client.say(b"HELO localhost") == 250
        assert client.mail(MESSAGE + b".\r\n") == 250
    assert [raw for _, raw in relay.kept()] == [MESSAGE, MESSAGE]


@pytest.mark.parametrize(
    "recipient",
    [
        b"nobody@nowhere.invalid",
        b'"ada b"@example.test',
        b'o"brien@example.test',
        b"not an address",
        b"sales@",
        "zoë@münchen.test".encode(),
        b"postmaster",
        b"a" * 300 + b"@example.test",
        b"%s@%s",
        b"ada@example.test'; DROP TABLE mail_letter; --",
    ],
)
def test_every_recipient_of_an_allowed_sender_gets_250(relay, recipient):
    with relay.client() as client:
        client.greet().begin(b"shop@shop.test", b"ada@example.test", recipient)
        client.send(MESSAGE + b".\r\n")
        assert client.reply()[0] == 250
    ((envelope, _),) = relay.kept()
    assert envelope.recipients == ("ada@example.test", recipient.decode())


def test_250_comes_only_once_the_spool_has_the_message(start_relay, tmp_path):
    may_write = threading.Event()

    class SlowSpool(MailSpool):
        def put(self, envelope, data):
            assert may_write.wait(20)
            return super().put(envelope, data)

    relay = start_relay(spool=SlowSpool((tmp_path / "slow",)))
    with relay.client() as client, relay.client() as other:
        client.greet().begin()
        client.send(MESSAGE + b".\r\n")
        client.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        assert relay.kept() == []
        other.greet()
        assert other.say(b"NOOP") == 250, "a slow disk holds up only those who wait for it"
        may_write.set()
        client.socket.settimeout(20)
        assert client.socket.recv(3) == b"250"
    assert len(relay.kept()) == 1


def test_a_whole_message_is_kept_though_its_client_is_gone_before_a_writer_was_free(start_relay, tmp_path, monkeypatch):
    may_write, writing = threading.Event(), threading.Event()

    class SlowSpool(MailSpool):
        def put(self, envelope, data):
            writing.set()
            assert may_write.wait(20)
            return super().put(envelope, data)

    monkeypatch.setattr(smtp_desk, "WRITERS", 1)
    relay = start_relay(spool=SlowSpool((tmp_path / "slow",)))
    with relay.client() as first:
        first.greet().begin()
        first.send(MESSAGE + b".\r\n")
        assert writing.wait(20)
        impatient = relay.client()
        impatient.greet().begin()
        impatient.send(MESSAGE + b".\r\n")
        wait_for(lambda: relay._relay._desk._writers._work_queue.qsize() == 1)
        impatient.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        impatient.close()
        wait_for(lambda: relay.connections() == 1)
        may_write.set()
        assert first.reply()[0] == 250
    wait_for(lambda: len(relay.kept()) == 2)
    assert [message for _, message in relay.kept()] == [MESSAGE, MESSAGE]


def test_a_wake_up_that_hangs_or_fails_delays_no_answer(start_relay):
    hangs = threading.Event()

    def wake():
        hangs.wait(20)
        raise ConnectionError

    relay = start_relay(wake=wake)
    try:
        with relay.client() as client:
            client.greet()
            began = time.monotonic()
            assert [client.mail(MESSAGE + b".\r\n") for _ in range(3)] == [250] * 3
            assert time.monotonic() - began < 15
    finally:
        hangs.set()
    assert len(relay.kept()) == 3


def test_the_second_spool_place_is_used_before_a_message_is_refused(start_relay, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    second = tmp_path / "second"
    relay = start_relay(spool=MailSpool((blocked, second)))
    with relay.client() as client:
        client.greet()
        assert client.mail(MESSAGE + b".\r\n") == 250
        assert len(list(second.iterdir())) == 1
        second.rename(tmp_path / "away")
        second.write_text("")
        assert client.mail(MESSAGE + b".\r\n") == 452
        second.unlink()
        assert client.mail(MESSAGE + b".\r\n") == 250


def test_sixty_connections_of_one_shop_stay_open_and_all_work(relay):
    clients = [relay.client().greet() for _ in range(60)]
    try:
        with relay.client() as one_more:
            one_more.greet()
            assert one_more.mail(MESSAGE + b".\r\n") == 250
        for client in clients:
            assert client.mail(MESSAGE + b".\r\n") == 250
    finally:
        for client in clients:
            client.close()
    assert len(relay.kept()) == 61


def test_connections_beyond_the_bound_are_told_to_come_later(start_relay, monkeypatch):
    monkeypatch.setattr("bridge.mail.relay.FROM_ONE_MOST", 3)
    relay = start_relay()
    clients = [relay.client().greet() for _ in range(3)]
    with relay.client() as refused:
        assert refused.reply()[0] == 421
        assert refused.closed()
    for client in clients:
        client.close()
    wait_for(lambda: not relay.connections())
    with relay.client() as client:
        client.greet()


def test_strangers_have_a_smaller_bound_that_no_shop_shares(start_relay, monkeypatch):
    monkeypatch.setattr("bridge.mail.relay.STRANGER_MOST", 2)
    relay = start_relay(smtp_allow=NOBODY, smtp_users=USERS)
    clients = [relay.client().greet() for _ in range(2)]
    with relay.client() as refused:
        assert refused.reply()[0] == 421
    for client in clients:
        client.close()


def test_what_is_offered_is_what_there_is(relay, start_relay, certificate):
    with relay.client() as client:
        assert client.reply()[0] == 220
        client.send(b"EHLO localhost\r\n")
        assert client.reply()[1].split(b"\r\n") == [
            b"250-localhost",
            b"250-PIPELINING",
            b"250-SIZE 52428800",
            b"250-8BITMIME",
            b"250-SMTPUTF8",
            b"250 ENHANCEDSTATUSCODES",
            b"",
        ]
    richer = start_relay(smtp_users=USERS, smtp_tls_cert=certificate.chain, smtp_tls_key=certificate.key)
    with richer.client() as client:
        assert client.reply()[0] == 220
        client.send(b"EHLO localhost\r\n")
        assert client.reply()[1].endswith(b"250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n")


def test_a_message_that_never_ends_is_cut_off_by_time(start_relay, monkeypatch):
    monkeypatch.setattr("bridge.mail.smtp_dialogue.DATA_SECONDS", 0.5)
    relay = start_relay()
    with relay.client() as client:
        client.greet().begin()
        client.send(b"Subject: x\r\n")
        assert client.reply()[0] == 421
        assert client.closed()
    assert relay.kept() == []


def test_who_is_not_in_the_allowed_networks_is_turned_away_at_the_door(start_relay):
    relay = start_relay(smtp_allow=(ipaddress.ip_network("10.0.0.0/8"),))
    with relay.client() as client:
        code, text = client.reply()
        assert code == 554
        assert b"BRIDGE_SMTP_ALLOW" in text
        assert client.closed()


def test_a_stranger_must_sign_in_and_only_inside_tls(start_relay, certificate):
    relay = start_relay(
        smtp_allow=NOBODY, smtp_users=USERS, smtp_tls_cert=certificate.chain, smtp_tls_key=certificate.key
    )
    with relay.client() as client:
        client.greet()
        assert client.say(b"MAIL FROM:<a@shop.test>") == 530
        assert client.say(b"AUTH PLAIN " + plain("english", "s3cret:word")) == 538
    with smtplib.SMTP(*relay.plain, timeout=20) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        client._host = "localhost"
        client.starttls(context=certificate.trusting())
        client.ehlo()
        assert client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN " + plain("french", "très-secret").decode())[0] == 235
        client.sendmail("a@shop.test", ["b@x.test"], MESSAGE)
    ((envelope, _),) = relay.kept()
    assert (envelope.user, envelope.store_hint) == ("french", "fr")


@pytest.mark.parametrize("mechanism", ["plain at once", "plain in two steps", "login", "login with name"])
def test_both_ways_to_sign_in_name_the_store_view(start_relay, mechanism):
    relay = start_relay(smtp_users=USERS)
    with relay.client() as client:
        client.greet()
        secret = plain("english", "s3cret:word")
        if mechanism == "plain at once":
            assert client.say(b"AUTH PLAIN " + secret) == 235
        elif mechanism == "plain in two steps":
            assert client.say(b"AUTH PLAIN") == 334
            assert client.say(secret) == 235
        else:
            name = coded("english")
            if mechanism == "login":
                assert client.say(b"AUTH LOGIN") == 334
                assert client.say(name) == 334
            else:
                assert client.say(b"auth login " + name) == 334
            assert client.say(coded("s3cret:word")) == 235
        assert client.say(b"AUTH PLAIN " + secret) == 503
        assert client.mail(MESSAGE + b".\r\n") == 250
    assert relay.kept()[0][0].store_hint == "default"


def test_a_wrong_password_is_refused_and_the_third_ends_the_connection(start_relay, monkeypatch, caplog):
    monkeypatch.setattr("bridge.mail.smtp_dialogue.WRONG_PASSWORD_SECONDS", 0.01)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="bridge")
    relay = start_relay(smtp_users=USERS)
    with relay.client() as client:
        client.greet()
        for user, password in (("english", "guess-0001"), ("nobody", "s3cret:word"), ("french", "")):
            assert client.say(b"AUTH PLAIN " + plain(user, password)) == 535
        assert client.closed()
    assert "guess-0001" not in caplog.text


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"AUTH CRAM-MD5", 504),
        (b"AUTH", 504),
        (b"AUTH PLAIN a b", 504),
        (b"AUTH PLAIN !!!!", 501),
        (b"AUTH PLAIN " + base64.b64encode(b"no zero"), 501),
    ],
)
def test_a_sign_in_that_is_none_is_refused_with_its_code(start_relay, said, code):
    relay = start_relay(smtp_users=USERS)
    with relay.client() as client:
        client.greet()
        assert client.say(said) == code
        assert client.say(b"AUTH LOGIN") == 334
        assert client.say(b"*") == 501
        assert client.say(b"NOOP") == 250


def test_credentials_where_none_are_set_up_do_not_cost_the_mail(relay):
    with relay.client() as client:
        client.greet()
        assert client.say(b"AUTH PLAIN " + plain("left over", "from before")) == 235
        assert client.mail(MESSAGE + b".\r\n") == 250
    assert relay.kept()[0][0].user == ""


def test_starttls_and_implicit_tls_carry_the_same_dialogue(tls_relay, certificate):
    context = certificate.trusting()
    with smtplib.SMTP(*tls_relay.plain, timeout=20) as client:
        client._host = "localhost"
        assert client.starttls(context=context)[0] == 220
        client.ehlo()
        assert not client.has_extn("starttls")
        client.login("english", "s3cret:word")
        client.sendmail("a@shop.test", ["b@x.test"], MESSAGE)
    with RawClient(tls_relay.tls, context=context) as client:
        client.greet()
        assert client.say(b"STARTTLS") == 503
        assert client.mail(MESSAGE + b".\r\n") == 250
        assert client.say(b"QUIT") == 221
    assert [envelope.user for envelope, _ in tls_relay.kept()] == ["english", ""]


def test_a_client_that_verifies_refuses_a_name_that_the_certificate_does_not_hold(tls_relay, certificate):
    with pytest.raises(ssl.SSLCertVerificationError):
        RawClient(tls_relay.tls, context=certificate.trusting(), name="mail.other.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        RawClient(tls_relay.tls, context=ssl.create_default_context())
    with RawClient(tls_relay.tls, context=certificate.trusting()) as client:
        client.greet()


@pytest.mark.parametrize("said", [b"", b"EHLO localhost\r\n", b"\x00", b"GET / HTTP/1.1\r\n\r\n"])
def test_who_begins_no_handshake_at_the_tls_port_is_dropped_within_two_seconds(tls_relay, said):
    began = time.monotonic()
    with socket.create_connection(tls_relay.tls, timeout=20) as client:
        if said:
            client.sendall(said)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100) == b""
    assert time.monotonic() - began < (2 if not said else 1.4)


def test_a_handshake_at_the_plain_port_is_dropped_at_once(tls_relay, certificate):
    began = time.monotonic()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RawClient(tls_relay.plain, context=certificate.trusting())
    with RawClient(tls_relay.plain) as client:
        assert client.reply()[0] == 220
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
        assert client.reply()[0] in {421, 0}
    assert time.monotonic() - began < 2


def test_what_follows_starttls_in_the_clear_is_not_taken_as_said_inside(tls_relay):
    with tls_relay.client() as client:
        client.greet()
        client.send(b"STARTTLS\r\nMAIL FROM:<evil@x.test>\r\n")
        assert client.reply()[0] == 503
        assert client.closed()


def test_what_was_said_before_tls_is_forgotten(tls_relay, certificate):
    with tls_relay.client() as client:
        client.greet()
        assert client.say(b"AUTH PLAIN " + plain("english", "s3cret:word")) == 235
        assert client.say(b"MAIL FROM:<a@shop.test>") == 250
        assert client.say(b"STARTTLS") == 220
        client.socket = certificate.trusting().wrap_socket(client.socket, server_hostname="localhost")
        client.file = client.socket.makefile("rb")
        assert client.say(b"RCPT TO:<b@x.test>") == 503
        assert client.say(b"MAIL FROM:<a@shop.test>") == 503
        assert client.say(b"EHLO localhost") == 250
        assert client.mail(MESSAGE + b".\r\n") == 250
        assert client.say(b"QUIT") == 221
    assert tls_relay.kept()[0][0].user == ""


def test_a_handshake_that_fails_ends_the_connection_and_nothing_else(tls_relay):
    with tls_relay.client() as client:
        client.greet()
        assert client.say(b"STARTTLS") == 220
        client.send(b"EHLO localhost\r\n")
        with contextlib.suppress(ConnectionResetError):
            while client.socket.recv(100):
                pass
    wait_for(lambda: not tls_relay.connections())
    with tls_relay.client() as client:
        client.greet()
        assert client.mail(MESSAGE + b".\r\n") == 250


def test_without_a_certificate_starttls_is_not_offered_and_refused(relay):
    with relay.client() as client:
        client.greet()
        assert client.say(b"STARTTLS") == 454
        assert client.mail(MESSAGE + b".\r\n") == 250


def test_a_renewed_certificate_is_used_without_a_restart(tls_relay, certificate, tmp_path):
    old = ssl.get_server_certificate(tls_relay.tls)
    renewed = make_certificate(tmp_path / "renewed")
    certificate.key.write_bytes(renewed.key.read_bytes())
    certificate.chain.write_bytes(renewed.chain.read_bytes())
    new = ssl.get_server_certificate(tls_relay.tls)
    assert new != old
    assert new.strip() == renewed.chain.read_text().strip()
    certificate.chain.write_text("half a file")
    assert ssl.get_server_certificate(tls_relay.tls) == new


@pytest.mark.parametrize("wrong", ["missing", "text", "other key"])
def test_files_that_are_no_certificate_stop_the_start_with_a_sentence(tmp_path, certificate, wrong):
    chain, key = certificate.chain, certificate.key
    if wrong == "missing":
        chain = tmp_path / "none.pem"
    elif wrong == "text":
        chain.write_text("hello")
    else:
        key = make_certificate(tmp_path / "other").key
    with pytest.raises(Misconfigured, match="BRIDGE_SMTP_TLS_CERT"):
        RunningRelay(tmp_path, smtp_tls_cert=chain, smtp_tls_key=key)


def test_an_address_in_use_is_named_with_its_variable(tmp_path, relay):
    host, port = relay.plain
    with pytest.raises(Misconfigured, match="BRIDGE_SMTP_LISTEN"):
        RunningRelay(tmp_path, smtp_listen=f"{host}:{port}")


def test_idle_connections_are_told_and_closed(start_relay, monkeypatch):
    monkeypatch.setattr("bridge.mail.smtp_dialogue.IDLE_SECONDS", 0.3)
    relay = start_relay()
    with relay.client() as client:
        client.greet()
        assert client.reply()[0] == 421
        assert client.closed()
    with relay.client() as client:
        client.greet().begin()
        assert client.reply()[0] == 421
    assert relay.kept() == []


def test_stopping_says_goodbye_and_lets_a_message_on_its_way_finish(tmp_path):
    relay = RunningRelay(tmp_path)
    idle, busy = relay.client().greet(), relay.client().greet()
    busy.begin()
    busy.send(MESSAGE)
    wait_for(lambda: relay._relay._desk.held)
    stopping = threading.Thread(target=relay.stop)
    stopping.start()
    assert idle.reply()[0] == 421
    busy.send(b".\r\n")
    assert busy.reply()[0] == 250
    stopping.join(timeout=20)
    for client in (idle, busy):
        client.close()
    assert [raw for _, raw in relay.kept()] == [MESSAGE]
    with pytest.raises(OSError):
        socket.create_connection(relay.plain, timeout=5)


def test_no_address_subject_or_password_is_in_the_log(start_relay, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="bridge")
    relay = start_relay(smtp_users=USERS)
    with relay.client() as client:
        client.greet()
        assert client.say(b"AUTH PLAIN " + plain("english", "s3cret:word")) == 235
        assert client.say(b"MAIL FROM:<secret.sender@shop.test>") == 250
        assert client.say(b"RCPT TO:<secret.person@example.test>") == 250
        assert client.say(b"BOGUS secret.person@example.test") == 500
        assert client.say(b"DATA") == 354
        client.send(MESSAGE + b"token=abc123\r\n.\r\n")
        assert client.reply()[0] == 250
    wait_for(lambda: "mail taken" in caplog.text)  # the line is written once the answer is out
    told = caplog.text + "".join(capfd.readouterr())
    for secret in ("secret.", "s3cret", "abc123", "Caf"):
        assert secret not in told


def test_one_lost_message_of_many_connections_frees_its_memory(start_relay, monkeypatch):
    monkeypatch.setattr(smtp_desk, "HELD_MOST", 300_000)
    relay = start_relay()
    desk = relay._relay
    line = b"x" * 998 + b"\r\n"
    hoarders = [relay.client().greet() for _ in range(2)]
    for client in hoarders:
        client.begin()
    hoarders[0].send(line * 250)
    wait_for(lambda: desk._desk.held >= 250_000)
    hoarders[1].send(line * 250)
    wait_for(lambda: 250_000 <= desk._desk.held < 300_000)
    hoarders[1].send(b".\r\n")
    assert hoarders[1].reply()[0] == 452
    hoarders[0].close()
    wait_for(lambda: desk._desk.held == 0)
    assert hoarders[1].mail(line * 250 + b".\r\n") == 250
    hoarders[1].close()


def test_the_command_takes_mail_and_ends_when_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = probe.getsockname()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environ |= {
        "BRIDGE_DATA_DIR": str(tmp_path / "var"),
        "BRIDGE_SMTP_LISTEN": f"127.0.0.1:{address[1]}",
        "BRIDGE_SMTP_UPSTREAM": "smtp://127.0.0.1:9",
        "BRIDGE_SMTP_SPOOL": str(tmp_path / "spool"),
    }
    process = subprocess.Popen([sys.executable, "-m", "bridge", "smtp"], env=environ, stderr=subprocess.PIPE)
    try:

        def connected():
            assert process.poll() is None, process.stderr.read()
            try:
                return RawClient(address)
            except OSError:
                return None

        with wait_for(connected, 60) as client:
            client.greet()
            assert client.mail(MESSAGE + b".\r\n") == 250
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    (name,) = MailSpool((tmp_path / "spool",)).waiting()
    assert MailSpool((tmp_path / "spool",)).read(name)[1] == MESSAGE


def test_the_bound_addresses_are_known_before_it_serves(tmp_path):
    from bridge.config import Config

    relay = Relay(Config(smtp_listen="[::1]:0", data_dir=tmp_path), MailSpool((tmp_path,)), lambda: None)
    assert relay.addresses["plain"][0] == "::1"
    for bound in relay._sockets.values():
        bound.close()


def test_one_address_for_both_protocols_knows_its_clients_by_their_own_address(start_relay):
    relay = start_relay(smtp_listen="[::]:0")
    with RawClient(("127.0.0.1", relay.plain[1])) as client:
        client.greet()
        assert client.mail(MESSAGE + b".\r\n") == 250
    assert relay.kept()[0][0].peer == "127.0.0.1"
