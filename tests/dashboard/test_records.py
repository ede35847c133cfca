"""A record is found by the shop's id; its page shows what would be sent, what was, and why; people stay hidden."""

from __future__ import annotations

import html
import re

import msgspec
import pytest

from bridge.db import db
from bridge.errors import Retry
from bridge.events import EntityRef
from bridge.export import ledger, people
from bridge.models import AuditLog, Pending
from bridge.settings import set_value
from tests.dashboard.desk import BASE, KEY, read_form
from tests.dashboard.export_desk import account, furnish, send
from tests.export import samples

JANE = EntityRef("contact", "customer:2")


@pytest.fixture
def room(board):
    return furnish(board)


def search(client, kind, typed):
    form = read_form(client.get(f"{BASE}/records").get_data(as_text=True))
    return client.post(f"{BASE}/records", data={**form, "kind": kind, "id": typed})


def page_of(client, kind, entity, query=""):
    answer = client.get(f"{BASE}/records/{kind}/{entity}{query}")
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


@pytest.mark.parametrize(
    ("kind", "typed", "found"),
    [
        ("order", "100000004", "order/4?number=100000004"),
        ("product", "BAG", "product/1"),
        ("product", "13", "product/13"),
        ("contact", "2", "contact/customer:2"),
        ("contact", "jane@example.com", "contact/customer:2"),
    ],
)
def test_what_the_shop_calls_it_leads_to_a_page_named_by_ids_only(room, signed_in, kind, typed, found):
    answer = search(signed_in("viewer"), kind, typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{BASE}/records/{found}")


def test_a_subscriber_without_account_is_found_by_the_address(room, board, signed_in):
    with board.app_context():
        id_ = people.note("guest@example.com", "fr", 1, 1_700_000_000.0, (KEY,))
        db.session.commit()
    answer = search(signed_in("viewer"), "contact", "Guest@example.com")
    assert answer.headers["Location"] == f"{BASE}/records/contact/subscriber:{id_}"
    page = page_of(signed_in("editor"), "contact", f"subscriber:{id_}")
    assert '"EXPLICITLY_OPTEDIN"' in page


@pytest.mark.parametrize(("kind", "typed"), [("order", "999"), ("product", "NONE"), ("contact", "no@example.com")])
def test_what_the_shop_does_not_have_is_said_and_what_was_typed_stays(room, signed_in, kind, typed):
    answer = search(signed_in("viewer"), kind, typed)
    assert answer.status_code == 404
    page = answer.get_data(as_text=True)
    assert f"The shop has no such {kind}" in page
    assert read_form(page)["id"] == typed


def test_a_shop_that_is_away_is_said_and_the_timeline_is_there(room, board, signed_in):
    with board.app_context():
        ledger.add([ledger.Owed(account(), EntityRef("order", "4"))], "live")
        db.session.commit()
    room.store.fault = Retry("The shop did not answer.")
    assert search(signed_in("viewer"), "order", "100000004").status_code == 503
    page = page_of(signed_in("viewer"), "order", "4")
    assert "The shop did not answer." in page
    assert re.search(r'<span class="tag">queued</span>', page)


def test_a_form_without_its_token_is_refused(room, signed_in):
    assert signed_in("viewer").post(f"{BASE}/records", data={"kind": "order", "id": "4"}).status_code == 400


@pytest.mark.parametrize("path", ["order/a@b.test", "nothing/1", "order/x%2Fy", "order/" + "1" * 70])
def test_an_address_that_names_no_record_is_none(room, signed_in, path):
    assert signed_in("editor").get(f"{BASE}/records/{path}").status_code == 404


def test_nobody_who_is_not_signed_in_sees_a_record(room, client):
    assert client.get(f"{BASE}/records/order/4").status_code == 302


class TestPage:
    def test_it_shows_the_exact_json_beside_what_was_sent_with_differences_and_why(self, room, board, signed_in):
        with board.app_context():
            send(EntityRef("order", "4"))
            set_value("website:base", "orders.valid_statuses", "complete", "test")
            db.session.commit()
        page = page_of(signed_in("editor"), "order", "4")
        now, before = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
        assert (msgspec.json.decode(now)["is_valid"], msgspec.json.decode(before)["is_valid"]) == (False, True)
        row = re.search(r"<td class=\"code\">is_valid</td>(.*?)</tr>", page, re.DOTALL)[1]
        cells = re.sub(r"<[^>]+>", " ", row).split()
        assert cells[:2] == ["true", "false"]
        assert "orders.valid_statuses" in cells
        assert "(Main)" in cells, "the scope that supplied it"

    def test_what_did_not_change_is_said(self, room, board, signed_in):
        with board.app_context():
            send(EntityRef("product", "1"))
        assert "Nothing has changed since it was sent." in page_of(signed_in("editor"), "product", "1")

    def test_what_was_never_sent_has_nothing_to_compare_with(self, room, signed_in):
        page = page_of(signed_in("editor"), "product", "1")
        assert "Never sent before" in page
        assert "There is nothing to compare with." in page

    def test_each_account_has_its_own(self, room, board, signed_in):
        with board.app_context():
            set_value("website:europe", "general.api_key", "om_live_another_key_1", "test")
            db.session.commit()
        page = page_of(signed_in("editor"), "product", "9")
        assert [page.count(f'aria-label="{name}"') for name in ("Default Config", "Europe")] == [1, 1]

    def test_a_viewer_sees_what_happened_and_not_who_it_was(self, room, board, signed_in):
        with board.app_context():
            send(JANE)
            room.store.put(msgspec.structs.replace(samples.JANE, firstname="Zebulon"))
        for role, shown in (("editor", True), ("viewer", False)):
            page = page_of(signed_in(role), "contact", "customer:2")
            assert ("Zebulon" in page, "jane@example.com" in page) == (shown, shown)
            assert '<td class="code">firstname</td>' in page

    def test_the_timeline_names_the_request_and_leads_to_its_log(self, room, board, signed_in):
        with board.app_context():
            send(EntityRef("product", "1"), "req-77")
        page = page_of(signed_in("viewer"), "product", "1")
        assert f'href="{BASE}/logs/requests?request_id=req-77"' in page

    def test_hostile_text_of_the_shop_stays_text(self, room, signed_in):
        room.store.put(samples.product("1", "BAG", "<script>alert(1)</script>", "34"))
        page = signed_in("editor").get(f"{BASE}/records/product/1").get_data(as_text=True)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def noted():
    """Who did what with records, by the audit log."""
    lines = db.session.query(AuditLog).filter(AuditLog.what.contains("product"))
    return [(line.who, line.what) for line in lines]


class TestTryAgain:
    @pytest.fixture
    def aside(self, room, board):
        with board.app_context():
            row = Pending(account=account(), kind="product", entity="1", state="refused", reason="bad title")
            db.session.add(row)
            db.session.commit()
            return row.id

    def test_an_editor_gives_it_another_chance(self, room, board, signed_in, aside):
        client = signed_in("editor")
        form = read_form(client.get(f"{BASE}/records/product/1").get_data(as_text=True))
        answer = client.post(f"{BASE}/records/product/1/again", data=form)
        assert answer.status_code == 303
        assert "It is tried again." in page_of(client, "product", "1")
        with board.app_context():
            assert db.session.get(Pending, aside).state == "waiting"
            assert noted() == [("editor", "refused product 1 tried again")]
        assert ("backlog", room.wakes.woken[0][1]) in room.wakes.woken

    def test_a_viewer_may_not(self, room, signed_in, aside):
        client = signed_in("viewer")
        page = client.get(f"{BASE}/records/product/1").get_data(as_text=True)
        assert ("set aside for 1 account" in page, "Try again" in page) == (True, False)
        answer = client.post(f"{BASE}/records/product/1/again", data={"csrf_token": read_form(page)["csrf_token"]})
        assert answer.status_code == 403


class TestSendNow:
    def press(self, client, kind, entity):
        form = read_form(client.get(f"{BASE}/records/{kind}/{entity}").get_data(as_text=True))
        return client.post(f"{BASE}/records/{kind}/{entity}/send", data=form)

    def test_an_editor_sends_a_record_though_nothing_changed(self, room, board, signed_in):
        with board.app_context():
            send(EntityRef("product", "1"))
        client = signed_in("editor")
        page = page_of(client, "product", "1")
        assert ("Nothing has changed since it was sent." in page, "Send this record now" in page) == (True, True)
        assert self.press(client, "product", "1").status_code == 303
        assert "It waits to be sent at once" in page_of(client, "product", "1")
        with board.app_context():
            row = db.session.query(Pending).one()
            assert (row.kind, row.entity, row.lane, row.state, row.force) == ("product", "1", "live", "waiting", True)
            assert ("session", row.account, "live") in room.wakes.woken
            assert noted() == [("editor", "product 1 sent now")]

    def test_what_no_account_takes_is_said_and_not_owed(self, room, board, signed_in):
        client = signed_in("editor")
        assert self.press(client, "product", "999999").status_code == 303
        assert "No account takes it now" in page_of(client, "product", "999999")
        with board.app_context():
            assert db.session.query(Pending).count() == 0
            assert noted() == []

    def test_a_shop_that_is_away_is_said(self, room, board, signed_in):
        client = signed_in("editor")
        form = read_form(client.get(f"{BASE}/records/product/1").get_data(as_text=True))
        room.store.fault = Retry("The shop did not answer.")
        assert client.post(f"{BASE}/records/product/1/send", data=form).status_code == 303
        with board.app_context():
            assert db.session.query(Pending).count() == 0

    def test_a_viewer_may_not(self, room, signed_in):
        client = signed_in("viewer")
        assert "Send this record now" not in page_of(client, "product", "1")
        assert self.press(client, "product", "1").status_code == 403
