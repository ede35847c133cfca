"""What `bridge check` says of mail: relay, certificate as a shop judges it, spool, mail server, and when a shop sends."""

from __future__ import annotations

import datetime as dt
import shutil
import ssl
import time
from types import SimpleNamespace

import pytest

from bridge.checks import mail
from bridge.checks.mail import look_at_certificate, look_at_mail, look_at_server, look_at_spool, look_at_timing
from bridge.config import Config
from bridge.db import db
from bridge.models_mail import MailDelivery, MailLetter
from bridge.store.entities import Order
from tests.mail.certificates import make_certificate


@pytest.fixture
def trusted(monkeypatch):
    """Make a certificate's authority the one that this machine trusts."""
    real = ssl.create_default_context

    def trust(certificate):
        monkeypatch.setattr(mail.ssl, "create_default_context", lambda: real(cafile=certificate.ca))

    return trust


def with_tls(start_relay, certificate, name="localhost"):
    relay = start_relay(
        smtp_tls_listen="127.0.0.1:0", smtp_tls_cert=certificate.chain, smtp_tls_key=certificate.key, smtp_name=name
    )
    listens = {"smtp_listen": "{}:{}".format(*relay.plain), "smtp_tls_listen": "{}:{}".format(*relay.tls)}
    return Config(smtp_tls_cert=certificate.chain, smtp_tls_key=certificate.key, smtp_name=name, **listens)


def levels(found):
    return [finding.level for finding in found]


def test_a_server_that_lets_bridge_in_is_good(sink):
    finding = look_at_server(sink.url(), "relay.test")
    assert (finding.level, finding.sentence) == ("ok", "localhost takes mail from bridge.")


def test_a_server_that_is_gone_or_refuses_the_password_is_named_without_it(start_sink):
    gone = start_sink()
    gone.stop()
    assert "does not answer" in look_at_server(gone.url(), "relay.test").sentence
    strict = start_sink(offers=(b"AUTH PLAIN",), replies={"AUTH": b"535 5.7.8 no"})
    finding = look_at_server(strict.url("?tls=none", "user:secret@"), "relay.test")
    assert finding.level == "fail"
    assert "(535)" in finding.sentence
    assert "secret" not in finding.sentence
    assert look_at_server("smtp://mail.test?x=y", "relay.test").level == "fail"


def test_a_password_in_the_clear_to_another_machine_is_worth_a_look(start_sink, monkeypatch):
    sink = start_sink(offers=(b"AUTH PLAIN",))
    monkeypatch.setattr(mail, "LOOPBACK", frozenset())
    assert look_at_server(sink.url("?tls=none", "user:secret@"), "relay.test").level == "warn"


def test_a_certificate_that_a_shop_trusts_is_good_on_both_ports(start_relay, tmp_path, trusted):
    made = make_certificate(tmp_path)
    config = with_tls(start_relay, made)
    trusted(made)
    found = list(look_at_certificate(config))
    assert levels(found) == ["ok", "ok"]
    assert "(STARTTLS): trusted as localhost" in found[0].sentence
    assert "(SSL): trusted as localhost" in found[1].sentence


def test_what_a_shop_would_object_to_is_said(start_relay, tmp_path, trusted):
    made = make_certificate(tmp_path, names=("mail.other.test",))
    config = with_tls(start_relay, made)
    unknown = list(look_at_certificate(config))
    assert levels(unknown) == ["fail", "fail"]
    assert "unable to get local issuer certificate" in unknown[0].sentence
    trusted(made)
    named = list(look_at_certificate(config))
    assert levels(named) == ["fail", "fail"]
    assert "Hostname mismatch" in named[0].sentence


@pytest.mark.parametrize(("days", "level"), [(-1, "fail"), (5, "warn"), (60, "ok")])
def test_a_certificate_that_ends_soon_is_worth_a_look_and_one_that_ended_fails(
    start_relay, tmp_path, trusted, days, level
):
    made = make_certificate(tmp_path, days=days)
    config = with_tls(start_relay, made)
    trusted(made)
    assert levels(look_at_certificate(config)) == [level, level]


def test_a_name_that_nobody_knows_is_worth_a_look(start_relay, tmp_path, trusted):
    made = make_certificate(tmp_path, names=("relay.invalid",))
    config = with_tls(start_relay, made, name="relay.invalid")
    trusted(made)
    assert levels(look_at_certificate(config)) == ["ok", "ok", "warn"]


def test_without_a_certificate_only_other_machines_matter():
    assert levels(look_at_certificate(Config(smtp_listen="127.0.0.1:2525"))) == ["ok"]
    assert levels(look_at_certificate(Config(smtp_listen="10.0.0.5:2525"))) == ["warn"]


def test_one_disk_for_all_waiting_mails_is_worth_a_look_and_a_full_one_fails(tmp_path, monkeypatch):
    places = (tmp_path / "a" / "mail", tmp_path / "b")
    assert look_at_spool(places).level == "warn"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    finding = look_at_spool(places)
    assert finding.level == "fail"
    assert "hardly any room" in finding.sentence


@pytest.mark.parametrize(
    ("delays", "level", "part"),
    [
        ([], "ok", "Too few"),
        ([0.5, 0.4], "ok", "Too few"),
        ([0.5, 0.9, 1.5], "warn", "Asynchronous sending"),
        ([12.0, 44.0, 3.0, 58.0], "ok", "by cron"),
        ([900.0, 0.7, 0.4, 0.9], "warn", "Asynchronous sending"),
    ],
)
def test_a_shop_that_sends_within_the_order_is_told(delays, level, part):
    finding = look_at_timing(delays)
    assert finding.level == level
    assert part in finding.sentence


def deliver(number, at):
    return MailDelivery(key=number, recipient="a@x.test", kind="order_confirmation", order=number, at=at, letter=1)


@pytest.mark.usefixtures("bare_app")
def test_the_times_of_the_last_order_mails_are_compared_with_their_orders(start_relay, start_sink):
    relay, sink = start_relay(), start_sink()
    config = Config(smtp_listen="{}:{}".format(*relay.plain), smtp_upstream=sink.url())
    now = time.time()
    orders = {}
    db.session.add(MailLetter(id=1, spool="x"))
    db.session.flush()
    for number in range(4):
        placed = dt.datetime.fromtimestamp(now - 1000 * number, dt.UTC)
        orders[f"00{number}"] = Order(id=str(number), number=f"00{number}", created_at=placed)
        db.session.add(deliver(f"00{number}", now - 1000 * number + 0.8))
    db.session.commit()

    shop = SimpleNamespace(order_by_number=orders.get)
    found = {finding.name: finding for finding in look_at_mail(config, shop, wanted=True)}
    assert found["order mails"].level == "warn"
    assert found["mail relay"].level == found["mail server"].level == found["mail certificate"].level == "ok"


def test_a_relay_that_does_not_run_is_named(start_sink):
    sink = start_sink()
    config = Config(smtp_listen="127.0.0.1:9", smtp_upstream=sink.url())
    *_, last = look_at_mail(config, None, wanted=True)
    assert last.level == "fail"
    assert "start `bridge smtp`" in last.sentence


def test_no_upstream_is_fine_until_a_mail_mode_is_set():
    assert levels(look_at_mail(Config(), None, wanted=False)) == ["ok"]
    assert levels(look_at_mail(Config(), None, wanted=True)) == ["fail"]
