from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from bridge.db import db
from bridge.events import Identified
from bridge.models import IdentityClaim, Visitor
from bridge.tracking.identity import Identities, is_visitor_id, new_visitor_id

ADA = "ada@example.com"
SESSION = b"session-one"


@pytest.fixture
def identities(room) -> Identities:
    return Identities(room.app, "a-secret-key-for-tests")


def login(email=ADA, at=None):
    return Identified(email=email, source="login", at=time.time() if at is None else at)


def test_an_identity_is_known_under_the_visitors_cookie(identities):
    visitor = new_visitor_id()
    identities.identify(visitor, SESSION, login())
    known = identities.known(visitor, None)
    assert known.email == ADA
    assert known.version
    assert identities.known(new_visitor_id(), None).email is None


def test_a_claim_goes_to_the_one_visitor_who_presents_the_session(identities):
    identities.identify(None, SESSION, login())
    first, second = new_visitor_id(), new_visitor_id()
    assert identities.known(second, b"another session").email is None
    assert identities.known(first, SESSION).email == ADA
    assert identities.known(second, SESSION).email is None
    assert identities.known(first, None).email == ADA


def test_a_claim_lapses_after_ten_minutes(identities, room):
    identities.identify(None, SESSION, login())
    with room.app.app_context():
        db.session.query(IdentityClaim).update({"at": time.time() - 601})
        db.session.commit()
    assert identities.known(new_visitor_id(), SESSION).email is None


def test_without_cookie_and_session_nothing_is_kept(identities, room):
    identities.identify(None, None, login())
    with room.app.app_context():
        assert db.session.query(Visitor).count() == 0
        assert db.session.query(IdentityClaim).count() == 0


def test_older_news_never_replaces_newer(identities):
    visitor = new_visitor_id()
    identities.identify(visitor, None, login("new@example.com", at=200))
    identities.identify(visitor, None, login("old@example.com", at=100))
    assert identities.known(visitor, None).email == "new@example.com"
    identities.forget(visitor, [], at=150)
    assert identities.known(visitor, None).email == "new@example.com"
    identities.forget(visitor, [], at=250)
    assert identities.known(visitor, None).email is None


def test_a_log_out_drops_what_waits_for_its_session(identities):
    identities.identify(None, SESSION, login())
    identities.forget(None, [SESSION], time.time())
    assert identities.known(new_visitor_id(), SESSION).email is None


def test_the_same_e_mail_has_the_same_version_for_every_visitor(identities, room):
    assert identities.version("Ada@Example.com ") == identities.version(ADA)
    assert identities.version(ADA) != identities.version("bob@example.com")
    assert identities.version(ADA) != Identities(room.app, "another-secret-key").version(ADA)
    assert identities.version(None) == ""


def test_a_basket_keeps_its_id_until_it_ends(identities, room):
    visitor = new_visitor_id()
    first = identities.basket(visitor)
    assert identities.basket(visitor) == identities.known(visitor, None).basket == first
    with room.app.app_context():
        assert db.session.get(Visitor, visitor) is None, "reading writes nothing"
    identities.end_basket(visitor)
    second = identities.basket(visitor)
    assert second != first
    assert identities.basket(visitor) == second
    identities.end_basket(None)


def test_neither_e_mail_nor_session_lies_open_in_the_database(identities, room):
    identities.identify(None, SESSION, login())
    identities.identify(new_visitor_id(), None, login())
    with room.app.app_context():
        rows = [
            *db.session.execute(text("select * from visitor")),
            *db.session.execute(text("select * from identity_claim")),
        ]
    assert len(rows) == 2
    assert ADA not in repr(rows)
    assert SESSION.decode() not in repr(rows)


def test_a_visit_is_written_down_once_a_day(identities, room):
    visitor = new_visitor_id()
    identities.end_basket(visitor)
    with room.app.app_context():
        db.session.get(Visitor, visitor).seen_at = 1000.0
        db.session.commit()
    identities.known(visitor, None)
    with room.app.app_context():
        seen_at = db.session.get(Visitor, visitor).seen_at
    assert seen_at > 1000.0
    identities.known(visitor, None)
    with room.app.app_context():
        assert db.session.get(Visitor, visitor).seen_at == seen_at


def test_only_our_own_form_of_id_is_taken():
    assert is_visitor_id(new_visitor_id())
    assert not is_visitor_id("x" * 32)
    assert not is_visitor_id("")
    assert new_visitor_id() != new_visitor_id()
