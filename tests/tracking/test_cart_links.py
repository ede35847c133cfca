from __future__ import annotations

import dataclasses
import time

import msgspec
import pytest

from bridge.db import db
from bridge.models import CartLink
from bridge.tracking import cart_links
from bridge.tracking.cart_links import Line
from tests.tracking.conftest import make_book

ANN, BOB = "a" * 32, "b" * 32
LINES = [Line("17", 2, "S-Red", {"93": "4"}), Line("20", 1, "B", None)]


@pytest.fixture
def links(room):
    return room.tracking.observer._links


def keep(links, visitor=ANN, basket="one", lines=None, owner="", store="default"):
    return links.keep(visitor, basket, lines or LINES, owner, store)


def test_a_token_opens_the_basket_that_it_was_made_for_and_stays_for_its_life(links):
    token = keep(links)
    assert len(token) == 48
    assert links.find(token).lines == LINES
    assert keep(links, lines=LINES[:1]) == token
    assert links.find(token).lines == LINES[:1]
    assert keep(links, visitor=BOB) != token


def test_another_basket_has_another_token_and_the_old_one_opens_nothing(links):
    old = keep(links)
    new = keep(links, basket="two")
    assert links.find(old) is None
    assert links.find(new) is not None
    links.end(ANN)
    assert links.find(new) is None
    links.end(None)


@pytest.mark.parametrize("change", [str.upper, lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"), lambda t: t[:47],
                                    lambda t: "0" * 16 + t[16:], lambda t: t + "0", lambda t: "", lambda t: "é" * 48,
                                    lambda t: t[:16] + "0" * 32])  # fmt: skip
def test_what_is_not_the_token_opens_nothing(links, change):
    token = keep(links)
    if change(token) != token:
        assert links.find(change(token)) is None


def test_the_secret_half_is_compared_in_constant_time_and_kept_encrypted(room, links, monkeypatch):
    compared = []
    real = cart_links.secrets.compare_digest
    monkeypatch.setattr(cart_links.secrets, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    token = keep(links)
    links.find(token)
    links.find("0" * 48)
    assert [len(a) for a, _ in compared] == [32, 32]
    with room.app.app_context(), db.engine.connect() as connection:
        [kept] = connection.exec_driver_sql("SELECT secret FROM cart_link").fetchone()
    assert token[16:] not in kept


def test_a_link_expires_and_a_visit_of_its_basket_renews_it(make_room, monkeypatch):
    links = make_room(make_book(tracking__cart_link_days=2)).tracking.observer._links
    token = keep(links)
    now = time.time()
    monkeypatch.setattr(cart_links.time, "time", lambda: now + 1.9 * 86_400)
    assert links.find(token)
    assert keep(links) == token
    monkeypatch.setattr(cart_links.time, "time", lambda: now + 3.8 * 86_400)
    assert links.find(token)
    monkeypatch.setattr(cart_links.time, "time", lambda: now + 4 * 86_400)
    assert links.find(token) is None
    assert keep(links, visitor=BOB)
    with links._app.app_context():
        assert db.session.query(CartLink).count() == 1


def test_where_links_are_switched_off_none_is_made_and_old_ones_open_nothing(make_room):
    room = make_room()
    links = room.tracking.observer._links
    token = keep(links)
    room.books.current = make_book(tracking__cart_link_days=0)
    assert keep(links) is None
    assert links.find(token) is None


def test_made_up_visitors_make_a_bounded_number_of_rows(room, links, monkeypatch):
    monkeypatch.setattr(cart_links.time, "monotonic", lambda: 1000.0)
    made = [keep(links, visitor=f"{number:032x}") for number in range(cart_links.NEW_LINKS + 20)]
    assert sum(token is not None for token in made) == cart_links.NEW_LINKS
    assert keep(links, visitor=f"{0:032x}") == made[0]
    with room.app.app_context():
        assert db.session.query(CartLink).count() == cart_links.NEW_LINKS


@pytest.mark.parametrize(
    "line",
    [
        {"product": "1/2", "quantity": 1},
        {"product": "", "quantity": 1},
        {"product": "1", "quantity": 0},
        {"product": "1", "quantity": -1},
        {"product": "1", "quantity": 1e30},
        {"product": "1", "quantity": "1"},
        {"product": "1", "quantity": {"incl_tax": 1}},
        {"product": "1", "quantity": 1, "options": {"a": "1"}},
        {"product": "1", "quantity": 1, "options": {"1": "<script>"}},
        {"product": "1", "quantity": 1, "options": {str(n): "1" for n in range(30)}},
        {"product": "1", "quantity": 1, "sku": "x" * 65},
    ],
)
def test_a_line_that_no_shop_has_is_refused(line):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(line, Line)


def test_a_visitor_of_a_view_that_is_gone_finds_the_link_all_the_same(room, links):
    token = keep(links, store="gone")
    assert links.find(token).store == "gone"
    assert dataclasses.asdict(links.find(token))["owner"] == ""
