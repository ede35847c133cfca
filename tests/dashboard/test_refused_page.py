"""What was set aside by its reason, and another chance for all that have one."""

from __future__ import annotations

import html
import re

import pytest

from bridge.dashboard import refused_page
from bridge.db import db
from bridge.export import refusals
from bridge.models import AuditLog, Pending
from tests.dashboard.desk import BASE, token
from tests.dashboard.export_desk import account, furnish

WRONG = "root > title is not a valid value"
OTHER = "no price <script>alert(1)</script> for ann.smith@example.com"


@pytest.fixture
def room(board):
    """Three orders of one reason, one of another, a product of the first; one order that waits."""
    services = furnish(board)
    with board.app_context():
        rows = [("order", number, WRONG) for number in range(3)] + [("order", 3, OTHER), ("product", 4, WRONG)]
        for kind, number, reason in rows:
            own = {"account": account(), "kind": kind, "entity": str(number), "state": "refused"}
            db.session.add(Pending(**own, reason=reason, attempts=5))
        db.session.add(Pending(account=account(), kind="order", entity="9"))
        db.session.commit()
    return services


def page(client):
    return client.get(f"{BASE}/refused").get_data(as_text=True)


def text(source):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(source)))


def states(board):
    with board.app_context():
        return {(row.kind, row.entity): row.state for row in db.session.query(Pending)}


def press(client, words, **more):
    """Press the button of the first row that says these words."""
    row = next(row for row in page(client).split("<tr>") if words in html.unescape(row))
    sent = {"row": re.search(r'name="row" value="(\d+)"', row).group(1), **more}
    return client.post(f"{BASE}/refused", data={"csrf_token": token(client, f"{BASE}/refused"), **sent})


def test_reasons_are_counted_with_the_most_frequent_first(room, signed_in):
    source = page(signed_in("viewer"))
    rows = [text(row) for row in source.split("<tr>")[2:]]
    assert [row.split()[:2] for row in rows] == [["3", "Orders"], ["1", "Products"], ["1", "Orders"]]
    assert "ann.smith@example.com" not in source
    assert "a•••@example.com" in source
    assert "<script>alert" not in source


def test_all_of_one_reason_are_tried_again_once_it_was_confirmed(room, board, signed_in):
    client = signed_in("editor")
    asked = press(client, WRONG)
    assert asked.status_code == 200
    assert "Try 3 records of Default Config again?" in text(asked.get_data(as_text=True))
    assert list(states(board).values()).count("refused") == 5, "nothing has happened"
    with board.app_context():
        assert db.session.query(AuditLog).filter(AuditLog.what.contains("tried again")).count() == 0
    assert press(client, WRONG, sure="1").status_code == 303
    assert "3 records are tried again." in text(page(client))
    waiting = {one for one, state in states(board).items() if state == "waiting"}
    assert waiting == {("order", "0"), ("order", "1"), ("order", "2"), ("order", "9")}
    assert [words[0] for words in room.wakes.woken] == ["backlog"]
    with board.app_context():
        (line,) = db.session.query(AuditLog).filter(AuditLog.what.contains("tried again"))
        assert (line.who, line.what) == ("editor", "3 refused order records tried again")
        assert line.after == {"account": account(), "reason": WRONG}


def test_a_row_that_was_tried_meanwhile_is_told(room, board, signed_in):
    client = signed_in("editor")
    for row in ("0", "-1", "999999999", "2147483648", "9" * 30, "x"):
        data = {"csrf_token": token(client, f"{BASE}/refused"), "row": row, "sure": "1"}
        assert client.post(f"{BASE}/refused", data=data).status_code == 303
        assert "These are not set aside any more." in text(page(client))
    assert list(states(board).values()).count("refused") == 5


def test_the_question_stays_when_another_record_is_refused_meanwhile(room, board, signed_in):
    client = signed_in("editor")
    with board.app_context():
        own = {"account": account(), "kind": "order", "entity": "8", "state": "refused", "reason": WRONG}
        (row,) = db.session.query(Pending.id).filter_by(kind="order", entity="2").one()
        db.session.add(Pending(**own))
        db.session.commit()
    data = {"csrf_token": token(client, f"{BASE}/refused"), "row": str(row)}
    asked = client.post(f"{BASE}/refused", data=data).get_data(as_text=True)
    assert "Try 4 records of Default Config again?" in text(asked)


def test_a_viewer_looks_only(room, board, signed_in):
    client = signed_in("viewer")
    assert "Try again" not in page(client)
    data = {"csrf_token": token(client, f"{BASE}/refused"), "row": "1", "sure": "1"}
    assert client.post(f"{BASE}/refused", data=data).status_code == 403
    assert list(states(board).values()).count("refused") == 5


def test_no_more_than_so_many_rows_are_read(room, signed_in, monkeypatch):
    monkeypatch.setattr(refusals, "LOOKED", 2)
    assert "The newest 2 are put together; there are more." in text(page(signed_in("viewer")))


def test_no_more_than_so_many_reasons_are_shown(room, signed_in, monkeypatch):
    client = signed_in("editor")
    assert "left out here" not in page(client)
    monkeypatch.setattr(refused_page, "SHOWN", 1)
    source = page(client)
    assert source.count('name="row"') == 1
    assert "2 rarer reasons are left out here" in source


def test_nothing_refused_is_said_in_words(board, signed_in):
    furnish(board)
    assert "Ometria has refused nothing." in text(page(signed_in("viewer")))
