"""The report of a comparison as a page, and the buttons that begin one."""

from __future__ import annotations

import html
import re

import pytest

from bridge.db import db
from bridge.export import cursors, drift
from bridge.models_drift import DriftCount, DriftItem
from tests.dashboard.desk import BASE, token
from tests.dashboard.export_desk import account, furnish

RUN = 1_790_000_000


@pytest.fixture
def room(board):
    return furnish(board)


@pytest.fixture
def compared(room, board):
    """A report of orders: one missing that was sent again, one of Ometria's that is nobody's."""
    with board.app_context():
        known = {account(): {"read": True, "doubt": True}}
        done = {"run": RUN, "began": RUN, "ended": RUN + 60, "since": None, "until": None, "accounts": known}
        cursors.save("drift:order", {"state": "running", "phase": "shop", "run": RUN + 1, "began": RUN, "done": done})
        own = {"kind": "order", "run": RUN, "account": account(), "store": "store:fr"}
        figures = {"shop": 3, "sent": 2, "held": 2, "missing": 1, "stale": 0, "extra": 1, "repaired": 1}
        db.session.add(DriftCount(**own, day="2026-02-03", **figures))
        db.session.add(DriftCount(**own, day="2026-02-04", **dict.fromkeys(figures, 0)))
        db.session.add(
            DriftItem(**own, day="2026-02-03", entity="7", state="missing", detail="was never sent", repaired=True)
        )
        db.session.add(
            DriftItem(**own, day="2026-02-03", record_id="OLD", state="extra", detail="<i>Ometria</i> has it")
        )
        db.session.commit()
    return room


def shown(client, query=""):
    answer = client.get(f"{BASE}/comparison{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(page)))


def test_before_the_first_comparison_the_page_says_so(room, signed_in):
    page = words(shown(signed_in("viewer")))
    assert page.count("Not compared yet") == 3
    assert "Every 24 hours by itself; what differs is sent again." in page


def test_the_report_shows_sums_days_that_differ_and_each_difference(compared, signed_in):
    page = shown(signed_in("viewer"), "?kind=order")
    text = words(page)
    assert "Missing 1" in text.replace("1 Missing", "Missing 1")
    assert "2026-02-03" in text
    assert "2026-02-04" not in text, "a day on which all agree"
    assert "was never sent sent again" in text
    assert f'href="{BASE}/records/order/7"' in page
    assert "&lt;i&gt;Ometria" in page
    assert "lacks most of what was sent" in text
    assert "The shop's list is compared. What is shown is the report before it." in text


def test_one_state_can_be_chosen(compared, signed_in):
    page = words(shown(signed_in("viewer"), "?kind=order&state=extra"))
    assert ("OLD" in page, "was never sent" in page) == (True, False)
    assert signed_in("viewer").get(f"{BASE}/comparison?kind=other").status_code == 404


@pytest.mark.parametrize(("how", "repair"), [("repair", True), ("report", False)])
def test_an_editor_begins_one(room, board, signed_in, how, repair):
    client = signed_in("editor")
    sent = {"csrf_token": token(client, f"{BASE}/comparison"), "kind": "contact", "how": how}
    answer = client.post(f"{BASE}/comparison", data=sent)
    assert (answer.status_code, room.wakes.woken) == (303, [("drift",)])
    assert "The comparison has begun." in shown(client, "?kind=contact")
    with board.app_context():
        note = cursors.read(drift.PREFIX + "contact")
    assert (note["state"], note["repair"], note["asked"]) == ("running", repair, True)
    client.post(f"{BASE}/comparison", data=sent)
    assert "under way already" in shown(client, "?kind=contact")


def test_a_viewer_begins_none(room, signed_in):
    client = signed_in("viewer")
    assert "send what differs" not in shown(client)
    sent = {"csrf_token": token(client, f"{BASE}/comparison"), "kind": "contact"}
    assert client.post(f"{BASE}/comparison", data=sent).status_code == 403
