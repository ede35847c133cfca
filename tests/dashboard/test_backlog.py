"""What each account owes, and how much of its request limit is in use."""

from __future__ import annotations

import html
import re

import pytest

from bridge.dashboard import backlog
from bridge.db import db
from bridge.models import Pending
from bridge.ometria import Pacer
from bridge.settings import load_book, set_value
from tests.dashboard.desk import API_KEY, BASE
from tests.dashboard.export_desk import furnish

OTHER = "another-key-of-europe"


@pytest.fixture
def accounts(board):
    """Two accounts; the first owes a record of each lane, the second's were refused."""
    furnish(board)
    with board.app_context():
        set_value("website:europe", "general.api_key", OTHER, "test")
        db.session.commit()
        first, second = load_book().accounts()
        for number, lane in enumerate(("live", "history", "history")):
            db.session.add(Pending(account=first.id, kind="order", entity=str(number), lane=lane))
        db.session.add(Pending(account=second.id, kind="contact", entity="customer:1", state="refused"))
        db.session.add(Pending(account="gone", kind="contact", entity="customer:1", state="refused"))
        db.session.commit()
        return first, second


def figures(row):
    return {kind: tuple(row.counts[kind].values()) for kind in row.counts}


def test_each_account_is_counted_by_itself(board, accounts):
    with board.app_context():
        first, second = backlog.backlogs(accounts, None)
    assert figures(first) == {"contact": (0, 0, 0), "product": (0, 0, 0), "order": (1, 2, 0)}
    assert figures(second) == {"contact": (0, 0, 1), "product": (0, 0, 0), "order": (0, 0, 0)}
    assert (first.standing, second.standing) == (None, None)


def test_no_more_than_so_many_rows_are_counted(board, accounts, monkeypatch):
    monkeypatch.setattr(backlog, "COUNTED", 2)
    with board.app_context():
        first, _ = backlog.backlogs(accounts, None)
    assert (first.shown("order", "live"), first.shown("order", "history")) == ("1", "2+")


def test_two_lanes_that_were_each_counted_to_the_end_have_no_plus_sign(board, accounts, monkeypatch):
    monkeypatch.setattr(backlog, "COUNTED", 2)
    with board.app_context():
        own = {"account": accounts[1].id, "kind": "contact", "entity": "customer:9", "state": "refused"}
        db.session.add(Pending(**own, lane="history"))
        db.session.commit()
        _, second = backlog.backlogs(accounts, None)
    assert second.shown("contact", "refused") == "2"


@pytest.mark.redis
class TestPace:
    @pytest.fixture
    def pacer(self, redis_client):
        return Pacer(redis_client)

    def test_the_budget_is_what_ended_within_the_last_second_and_looking_takes_none(self, pacer):
        for _ in range(3):
            with pacer.turn(API_KEY, 50):
                pass
        for _ in range(60):
            assert pacer.standing(API_KEY, 50).used <= 3
        assert pacer.standing("another key", 50).used == 0

    def test_a_pause_and_a_full_queue_are_told(self, pacer):
        assert pacer.standing(API_KEY, 5) == (standing := pacer.standing(API_KEY, 5))
        assert (standing.used, standing.paused, standing.history_waits) == (0, 0, False)
        pacer.pause(API_KEY, 40)
        pacer.slow_history(API_KEY, 60)
        standing = pacer.standing(API_KEY, 5)
        assert 40 <= standing.paused + 1 <= 51
        assert standing.history_waits


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(answer.get_data(as_text=True))))


def test_the_page_shows_it_by_account_with_a_page_for_many(accounts, signed_in, monkeypatch):
    client = signed_in("viewer")
    page = text(client.get(f"{BASE}/history"))
    assert "Default Config 0 / 0 / 0 0 / 0 / 0 1 / 2 / 0 Redis does not answer, so nothing is sent now" in page
    assert "0 / 0 / 1" in page
    monkeypatch.setattr("bridge.dashboard.history_page.ACCOUNTS_MOST", 1)
    assert "0 / 0 / 1" not in text(client.get(f"{BASE}/history"))
    assert "0 / 0 / 1" in text(client.get(f"{BASE}/history?page=2"))
    assert client.get(f"{BASE}/history?page=3").status_code == 404
    assert client.get(f"{BASE}/history?page=-1").status_code == 404
