"""What is kept of newsletter subscribers: one for an address in a website, as Magento has it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from bridge.db import db
from bridge.export import people
from bridge.models import Subscriber

SECRETS = ["first-secret-0123456789", "older-secret-0123456789"]


@pytest.fixture(autouse=True)
def tree(settings):
    settings()


def note(store: str, status: int | None, at: float, email: str = "anna@x.test", secrets: list[str] = SECRETS) -> str:
    return people.note(email, store, status, at, secrets)


def known(store: str, email: str = "anna@x.test") -> tuple[int, float] | None:
    found = people.subscription(email, store, SECRETS)
    return None if found is None else (found.status, found.changed_at.timestamp())


def test_the_store_views_of_a_website_share_a_subscriber_and_websites_do_not():
    first = note("fr", 1, 100)
    assert note("de", 3, 200) == first
    assert known("fr") == known("de") == (3, 200)
    assert known("default") is None
    assert note("default", 1, 300) != first
    assert known("fr") == (3, 200)


def test_who_subscribes_again_elsewhere_in_the_website_belongs_there_and_who_leaves_stays():
    id_ = note("fr", 1, 100)
    note("de", 3, 200)
    assert people.find(id_).store == "fr"
    note("de", 1, 300)
    assert people.find(id_).store == "de"


def test_the_time_is_that_of_the_change_and_an_older_word_never_counts():
    note("fr", 1, 100)
    note("fr", 1, 150)
    assert known("fr") == (1, 100), "seen again is no change"
    note("fr", 3, 50)
    assert known("fr") == (1, 100)
    note("fr", None, 400)
    assert known("fr") == (1, 100), "an account was made: nothing was said of the newsletter"


def test_of_two_rows_from_before_websites_shared_them_the_newer_counts():
    for store, status, at in (("fr", 1, 100.0), ("de", 3, 200.0)):
        row = Subscriber(
            email="anna@x.test", email_key=people.email_key("anna@x.test", SECRETS[0]), store=store, status=status
        )
        row.changed_at = at
        db.session.add(row)
    db.session.flush()
    assert known("fr") == known("de") == (3, 200)
    note("fr", 1, 300)
    assert known("de") == (1, 300)
    assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 2


def test_a_store_view_that_is_not_in_the_tree_stands_alone():
    id_ = note("gone", 1, 100)
    assert known("gone") == (1, 100)
    assert note("lost", 1, 100) != id_


def test_an_address_is_found_whatever_its_letters_and_under_an_older_secret():
    id_ = note("fr", 1, 100, email=" Anna@X.test ", secrets=SECRETS[1:])
    assert note("fr", 3, 200) == id_


def test_of_many_addresses_those_are_told_of_which_anything_is_kept_in_any_letters():
    note("fr", 1, 100)
    asked = ["Anna@X.test", "anna@x.test", "bert@x.test"]
    assert people.noted(asked, SECRETS) == {"Anna@X.test", "anna@x.test"}
    assert people.noted([], SECRETS) == set()
