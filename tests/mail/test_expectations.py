from __future__ import annotations

import time

import pytest
from flask import Flask
from sqlalchemy import select

from bridge.db import db, engine_options, vault
from bridge.events import Identified, MailExpected, PasswordReset, Registered, link_proof
from bridge.mail import expectations
from bridge.mail.facts import Expected
from bridge.mail.fingerprint import Keys
from bridge.mail.recognise import EXPECTED_AFTER, EXPECTED_BEFORE
from bridge.models_mail import MailExpectation
from tests.schema import create_tables

KEYS = Keys(["a-secret-key-for-tests-0123456789"])
NOW = 1_800_000_000.0
JANE = "jane@shop.test"


@pytest.fixture
def database(tmp_path):
    app = Flask("bridge-test")
    url = f"sqlite:///{tmp_path / 'test.db'}"
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
    vault.use(["a-secret-key-for-tests-0123456789"])
    db.init_app(app)
    with app.app_context():
        create_tables()
        yield app
        db.session.remove()
        db.engine.dispose()


def forgot(email=JANE, at=NOW, **more):
    return MailExpected(mail="password_forgot", email=email, at=at, **more)


def keep(*events, now=NOW):
    expectations.keep(events, KEYS, now)
    db.session.commit()


@pytest.mark.usefixtures("database")
class TestExpectations:
    def test_what_traffic_asked_for_is_expected_for_its_recipient_and_nobody_else(self):
        keep(forgot(), Registered(email="new@shop.test", at=NOW + 1), PasswordReset(customer="7", at=NOW))
        assert expectations.expected("JANE@shop.test", NOW, KEYS) == (Expected("password_forgot", NOW),)
        assert expectations.expected("new@shop.test", NOW, KEYS) == (Expected("account_new", NOW + 1),)
        assert expectations.expected("other@shop.test", NOW, KEYS) == ()

    def test_the_address_is_nowhere_in_the_table(self):
        keep(forgot())
        [row] = db.session.scalars(select(MailExpectation))
        assert row.recipient_key == KEYS.recipient(JANE)
        assert "jane" not in str(vars(row)).lower()

    def test_an_event_that_comes_twice_is_one_expectation(self):
        event = forgot()
        keep(event, event)
        keep(event)
        assert len(expectations.expected(JANE, NOW, KEYS)) == 1

    def test_what_was_asked_for_long_ago_explains_nothing(self):
        keep(forgot())
        assert expectations.expected(JANE, NOW + EXPECTED_BEFORE, KEYS)
        assert not expectations.expected(JANE, NOW + EXPECTED_BEFORE + 1, KEYS)
        assert expectations.expected(JANE, NOW - EXPECTED_AFTER, KEYS)
        assert not expectations.expected(JANE, NOW - EXPECTED_AFTER - 1, KEYS)

    def test_one_request_explains_one_mail(self):
        keep(forgot(at=NOW), forgot(at=NOW + 1))
        assert expectations.spend(JANE, "password_forgot", NOW + 2, KEYS)
        assert expectations.expected(JANE, NOW + 2, KEYS) == (Expected("password_forgot", NOW + 1),)
        assert expectations.spend(JANE, "password_forgot", NOW + 2, KEYS)
        assert not expectations.spend(JANE, "password_forgot", NOW + 2, KEYS)
        assert not expectations.spend(JANE, "order_new", NOW + 2, KEYS)

    def test_events_that_waited_too_long_and_odd_ones_are_passed_over(self):
        late = forgot(at=NOW - expectations.KEPT_SECONDS - 1)
        keep(
            late,
            MailExpected(mail="nonsense", email=JANE, at=NOW),
            MailExpected(mail="password_changed", email="", at=NOW),
        )
        keep(Identified(email=JANE, source="login", at=NOW))
        assert db.session.scalars(select(MailExpectation)).all() == []

    def test_whose_a_reset_link_was_is_told_by_the_mail_and_not_by_the_visitor(self):
        event = PasswordReset(customer="7", proof=link_proof("TOKEN"), at=NOW)
        raised = KEYS.raised("password_updated", event.id)
        keep(event)
        assert expectations.owner_of_reset(raised) == ""
        expectations.keep_links(["TOKEN", ""], JANE, NOW - 60, KEYS)
        expectations.keep_links(["OTHER"], "bob@shop.test", NOW - 60, KEYS)
        assert expectations.owner_of_reset(raised) == KEYS.recipient(JANE)
        assert not expectations.expected(JANE, NOW, KEYS)
        assert "TOKEN" not in "".join(str(vars(row)) for row in db.session.scalars(select(MailExpectation)))

    def test_an_address_that_the_shop_itself_has_checked_needs_no_link(self):
        event = PasswordReset(email=JANE, at=NOW)
        keep(event)
        assert expectations.owner_of_reset(KEYS.raised("password_updated", event.id)) is None

    def test_links_are_remembered_for_as_long_as_any_works(self):
        event = PasswordReset(customer="7", proof=link_proof("TOKEN"), at=NOW)
        keep(event, now=NOW + 10 * expectations.KEPT_SECONDS)
        expectations.keep_links(["TOKEN"], JANE, NOW, KEYS)
        expectations.clean(NOW + expectations.LINK_SECONDS - 1)
        assert expectations.owner_of_reset(KEYS.raised("password_updated", event.id)) == KEYS.recipient(JANE)
        assert expectations.clean(NOW + expectations.LINK_SECONDS + 1) == 2

    def test_old_rows_go(self):
        keep(forgot(), forgot(at=NOW + 10))
        assert expectations.clean(NOW + expectations.KEPT_SECONDS + 5) == 1
        db.session.commit()
        assert [row.at for row in db.session.scalars(select(MailExpectation))] == [NOW + 10]

    def test_by_default_now_is_now(self):
        keep(forgot(at=time.time()), now=None)
        assert len(expectations.expected(JANE, time.time(), KEYS)) == 1
        assert expectations.clean() == 0
