"""The tree of store views and accounts: what feeds what, and what is wrong."""

from __future__ import annotations

import itertools

import pytest

from bridge.dashboard.accounts import picture
from bridge.dashboard.home import account_labels
from bridge.dashboard.scopes import scope_labels
from bridge.db import db
from bridge.export import cursors
from bridge.models import Scope
from bridge.settings import load_book, set_value
from tests.dashboard.desk import API_KEY, BASE
from tests.dashboard.test_settings_form import text_of

OUTLET_KEY = "om_outlet_55554444"
SITE = "0123456789abcdef"


@pytest.fixture
def drawn(board):
    def draw(*steps):
        with board.app_context():
            for scope, key, value in steps:
                set_value(scope, key, value, "test")
            db.session.commit()
            book = load_book()
            return picture(book, scope_labels(), account_labels(book))

    return draw


def feeds(found):
    names = {account.id: account.label for account in found.accounts}
    return {view.code: [(names[id_], name) for id_, name in view.feeds] for site in found.sites for view in site.views}


def problems(found):
    return {view.code: view.problems for site in found.sites for view in site.views if view.problems}


WELL = (
    ("default", "general.account_id", SITE),
    ("website:base", "general.api_key", API_KEY),
    ("website:outlet", "general.api_key", OUTLET_KEY),
    ("default", "global.api_key", "om_global_99990000"),
)


def test_each_store_view_feeds_the_account_of_the_nearest_key_and_the_global_one(drawn):
    found = drawn(*WELL)
    assert feeds(found) == {
        "default": [("Main Website", "default"), ("Default Config (global)", "default")],
        "de": [("Main Website", "de"), ("Default Config (global)", "de")],
        "out": [("Outlet", "out"), ("Default Config (global)", "out")],
    }
    assert found.problems == 0
    assert len(found.links) == 6
    assert sum(is_global for _, _, is_global in found.links) == 3


def test_nothing_overlaps_in_the_drawing(drawn):
    found = drawn(*WELL, ("store:de", "general.api_key", "om_german_11112222"))
    rows = sorted([site.y for site in found.sites] + [view.y for site in found.sites for view in site.views])
    accounts = sorted(account.y for account in found.accounts)
    assert min(b - a for a, b in itertools.pairwise(rows)) >= 40
    assert min(b - a for a, b in itertools.pairwise(accounts)) >= 48
    assert max(rows + accounts) < found.height
    assert min(rows + accounts) > 0


def test_a_view_without_an_account_is_marked(drawn):
    found = drawn(("default", "general.account_id", SITE), ("website:base", "general.api_key", API_KEY))
    assert list(problems(found)) == ["out"]
    assert "no account of its own" in problems(found)["out"][0]
    found = drawn(("default", "global.api_key", "om_global_99990000"))
    assert list(problems(found)) == ["out"], "a global account is a copy, not its own"


def test_a_view_that_is_switched_off_or_carries_no_tag_is_marked(drawn):
    found = drawn(*WELL, ("store:de", "general.enabled", "no"), ("website:outlet", "general.account_id", ""))
    assert problems(found) == {
        "de": ["It is switched off (Deutsch): it feeds no account and its pages carry no tag."],
        "out": ["It has no site identifier: its pages carry no tag."],
    }


def test_two_views_with_one_store_identifier_are_marked(board, drawn):
    with board.app_context():
        db.session.get(Scope, "store:de").magento_id = 1
        db.session.commit()
    found = drawn(*WELL, ("website:base", "general.store_id_kind", "id"))
    assert problems(found) == {
        "default": ["Another store view has the store identifier 1, too."],
        "de": ["Another store view has the store identifier 1, too."],
    }


def test_a_value_that_the_account_cannot_follow_is_marked(drawn):
    found = drawn(*WELL, ("store:de", "customers.namespace", "de"))
    assert problems(found) == {
        "de": [
            (
                "Customer namespace (customers.namespace) differs here and is not followed: the account takes that of "
                "Main Website, where its key is."
            )
        ]
    }


def test_an_account_whose_key_is_refused_or_with_two_tags_is_marked(board, drawn):
    found = drawn(*WELL, ("store:de", "general.account_id", "fedcba9876543210"))
    main = next(account for account in found.accounts if account.label == "Main Website")
    assert main.problems == [f"Its store views carry tags of 2 site identifiers: {SITE}, fedcba9876543210."]
    with board.app_context():
        cursors.save(f"account:{main.id}", {"paused": "403"})
    assert "Ometria refused its key" in drawn().accounts[0].problems[0]


def test_the_page_tells_in_words_what_it_draws_and_shows_no_key(drawn, signed_in):
    drawn(*WELL, ("store:de", "general.enabled", "no"))
    page = signed_in("viewer").get(f"{BASE}/accounts").get_data(as_text=True)
    assert "<svg " in page
    assert "Outlet out feeds Outlet as out feeds Default Config (global) as out" in text_of(page)
    assert "1 thing needs a look." in text_of(page)
    assert "It is switched off (Deutsch)" in text_of(page)
    for key in (API_KEY, OUTLET_KEY):
        assert key not in page
        assert f"••••{key[-4:]}" in page


def test_stored_script_text_stays_text(board, drawn, signed_in):
    with board.app_context():
        db.session.get(Scope, "store:de").name = "<script>alert(1)</script>"
        db.session.commit()
    drawn(*WELL)
    page = signed_in("viewer").get(f"{BASE}/accounts").get_data(as_text=True)
    assert "<script>alert" not in page


def test_without_a_tree_or_an_account_the_page_says_so(board, drawn, signed_in):
    client = signed_in("viewer")
    assert "No account is set." in client.get(f"{BASE}/accounts").get_data(as_text=True)
    with board.app_context():
        for level in ("store", "website"):
            db.session.execute(db.delete(Scope).where(Scope.level == level))
        db.session.commit()
    assert "The store tree has not been read yet" in client.get(f"{BASE}/accounts").get_data(as_text=True)
