"""The historical export as a page: progress, and what an editor does to it; the offer after pictures moved."""

from __future__ import annotations

import html
import re
import time

import pytest

from bridge.errors import Stumbled
from bridge.export import cursors, history, offers
from bridge.store import Order
from tests.dashboard.desk import BASE, token
from tests.dashboard.export_desk import furnish
from tests.export import samples


@pytest.fixture
def room(board):
    return furnish(board)


def shown(client):
    return html.unescape(client.get(f"{BASE}/history").get_data(as_text=True))


def ask(client, **sent):
    return client.post(f"{BASE}/history", data={"csrf_token": token(client, f"{BASE}/history"), **sent})


def post(client, path="", **sent):
    sure = {} if path else {"sure": "1"}
    return client.post(f"{BASE}/history{path}", data={"csrf_token": token(client, f"{BASE}/history"), **sure, **sent})


def states(board):
    with board.app_context():
        return {(row.kind, row.scope): row.state for row in history.progress()}


def test_an_editor_begins_all_or_one_by_scope_and_days(room, board, signed_in):
    client = signed_in("editor")
    assert post(client, kind="all", scope="default").status_code == 303
    assert set(states(board)) == {("contact", "default"), ("product", "default"), ("order", "default")}
    assert sorted(room.wakes.woken) == [("history", kind, "default") for kind in ("contact", "order", "product")]
    post(client, kind="order", scope="store:fr", since="2026-01-01", until="2026-01-31", force="1")
    with board.app_context():
        note = cursors.read("history:order:store:fr")
    assert (note["since"], note["until"], note["force"]) == ("2026-01-01", "2026-01-31", True)
    assert "made 2026-01-01 to 2026-01-31" in shown(client)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"since": "2026-02-01", "until": "2026-01-01"}, "The first day must not be after the last."),
        ({"since": "soon"}, "A day is written as 2026-11-25."),
        ({"scope": "store:none"}, "There is no scope"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_begins(room, board, signed_in, sent, said):
    answer = post(signed_in("editor"), **{"kind": "order", "scope": "default", **sent})
    assert (answer.status_code, said in html.unescape(answer.get_data(as_text=True))) == (422, True)
    assert states(board) == {}


def fields(page):
    """Return the hidden fields of the form that asks back."""
    form = re.search(r'<form[^>]*role="alertdialog".*?</form>', page, re.DOTALL).group()
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_an_export_begins_only_once_it_was_confirmed(room, board, signed_in):
    with board.app_context():
        note = {"state": "done", "seen": 1200, "total": 1200, "began": time.time() - 60, "after": None}
        note |= {"since": "2026-01-01", "until": "2026-01-31"}
        cursors.save("history:order:store:fr", note)
    client = signed_in("editor")
    for other in ({}, {"since": "2026-01-01"}, {"since": "2026-01-01", "until": "2026-02-01"}):
        page = ask(client, kind="order", scope="store:fr", **other).get_data(as_text=True)
        assert "begin this export?" in page
        assert "The last one went through" not in page, "it was of other days"
    answer = ask(client, kind="order", scope="store:fr", since="2026-01-01", until="2026-01-31")
    page = html.unescape(answer.get_data(as_text=True))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert answer.status_code == 200
    assert "begin this export?" in text
    assert "Those made 2026-01-01 to 2026-01-31. What did not change since it was sent is left out." in text
    assert "The last one went through 1,200." in text
    assert states(board) == {("order", "store:fr"): "done"}, "nothing has begun"
    assert room.wakes.woken == []
    sent = fields(page)
    assert client.post(f"{BASE}/history", data=sent).status_code == 303
    assert states(board) == {("order", "store:fr"): "running"}
    with board.app_context():
        note = cursors.read("history:order:store:fr")
    assert (note["since"], note["until"], note["force"]) == ("2026-01-01", "2026-01-31", False)


def test_before_a_first_export_the_shop_says_how_many_there_are(room, signed_in):
    client = signed_in("editor")
    orders = len([one for one in samples.ENTITIES if isinstance(one, Order)])
    asked = {"kind": "order", "scope": "default"}
    said = f"The shop lists {orders} in all its store views."
    assert said in ask(client, **asked).get_data(as_text=True)
    assert "The shop lists" not in ask(client, **asked, since="2026-11-26").get_data(as_text=True)
    assert f"The shop lists {len(samples.ENTITIES)} " in ask(client, kind="all", scope="default").get_data(as_text=True)
    room.store.fault = Stumbled("The shop failed.")
    page = ask(client, **asked).get_data(as_text=True)
    assert "begin this export?" in page
    assert "The shop lists" not in page


@pytest.mark.parametrize("kind", ["contact", "product", "order"])
def test_a_re_export_sends_one_entity_whether_it_changed_or_not(room, board, signed_in, kind):
    client = signed_in("editor")
    page = html.unescape(ask(client, kind="all", again=kind, scope="default").get_data(as_text=True))
    assert "What did not change since it was sent is sent again, too." in page
    assert client.post(f"{BASE}/history", data=fields(page)).status_code == 303
    assert states(board) == {(kind, "default"): "running"}
    with board.app_context():
        assert cursors.read(f"history:{kind}:default")["force"] is True


def test_an_unknown_entity_is_refused(room, board, signed_in):
    assert ask(signed_in("editor"), kind="all", again="admin", scope="default").status_code == 400
    assert states(board) == {}


def test_it_is_paused_resumed_and_cancelled(room, board, signed_in):
    client = signed_in("editor")
    post(client, kind="order", scope="default")
    for turn, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert post(client, "/turn", kind="order", scope="default", turn=turn).status_code == 303
        assert states(board) == {("order", "default"): state}
    post(client, "/turn", kind="order", scope="default", turn="resume")
    assert "It is not under way any more." in shown(client)
    assert states(board) == {("order", "default"): "cancelled"}


def test_progress_rate_and_end_are_shown(room, board, signed_in):
    with board.app_context():
        note = {"state": "running", "seen": 300, "total": 1200, "began": time.time() - 60, "after": "300", "broken": 2}
        cursors.save("history:contact:default", note)
    page = shown(signed_in("viewer"))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "300 of 1,200" in text
    assert "2 set aside" in text
    assert re.search(r"[45]\.\d .* about ", text), "a rate and a time"
    assert '<progress max="1200" value="300"' in page


def test_a_viewer_changes_nothing(room, board, signed_in):
    client = signed_in("viewer")
    assert "Historical Data Export" not in shown(client)
    assert post(client, kind="order", scope="default").status_code == 403
    assert post(client, "/turn", kind="order", scope="default", turn="cancel").status_code == 403
    assert post(client, "/offer").status_code == 403


class TestOffer:
    @pytest.fixture
    def moved(self, room, board):
        with board.app_context():
            hosts = ["https://old.test/media/", "https://cdn.test/media/"]
            cursors.save(offers.MEDIA, {"at": time.time() - 1, "stores": {"fr": hosts}})

    def test_it_names_the_hosts_and_ends_when_the_export_begins(self, moved, board, signed_in):
        client = signed_in("editor")
        page = shown(client)
        assert "The shop's pictures have moved" in page
        assert "https://cdn.test/media/" in page
        post(client, kind="product", scope="default")
        assert states(board) == {("product", "default"): "running"}
        assert "The shop's pictures have moved" not in shown(client)

    def test_the_overview_leads_to_it(self, moved, signed_in):
        page = signed_in("viewer").get(f"{BASE}/").get_data(as_text=True)
        assert f'<a href="{BASE}/history">Historical export</a>' in page

    def test_it_can_be_declined(self, moved, board, signed_in):
        client = signed_in("editor")
        post(client, "/offer")
        assert "The shop's pictures have moved" not in shown(client)
        assert states(board) == {}
