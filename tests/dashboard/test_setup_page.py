"""The check list: what is known at once, what a check found, and buttons that ask a worker and never the shop."""

from __future__ import annotations

import datetime as dt
import html
import re
import time

import pytest

from bridge.dashboard import check_notes, setup_facts
from bridge.dashboard.check_notes import Kept
from bridge.db import db
from bridge.events import EntityRef
from bridge.mail import seen, setup
from bridge.mail.letter import Mailbox
from bridge.models import EventLog, Scope
from bridge.models_coupons import CouponPool
from bridge.settings import MAIL_KINDS, load_book, set_value
from bridge.store import Listed, Page
from bridge.store.magento_rights import COUPONS, RIGHTS
from tests.dashboard.desk import BASE, token
from tests.dashboard.export_desk import furnish

PAGE = f"{BASE}/setup"


@pytest.fixture
def room(board):
    """The export room beside the page, with a shop in memory."""
    return furnish(board)


def words(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def page(client):
    return client.get(PAGE).get_data(as_text=True)


def area(client, name):
    """Return the words of one part of the check list."""
    text = page(client)
    begin = text.index(f'id="{name}" aria-labelledby')
    return words(text[begin : text.index("</section>", begin)])


def ask(client, group):
    form = {"csrf_token": token(client, PAGE), "group": group}
    return client.post(f"{PAGE}/check", data=form, follow_redirects=True).get_data(as_text=True)


def keep(board, group, *findings):
    with board.app_context():
        check_notes.begin(group)
        check_notes.end(group, findings)


def test_every_group_stands_on_the_page_and_says_that_nobody_asked_yet(signed_in):
    client = signed_in("viewer")
    for name in check_notes.GROUPS:
        assert "Nobody has asked for this check yet." in area(client, name)
    assert "Nobody has asked" not in area(client, "processes"), "it is known without asking"


def test_who_only_looks_has_no_button_and_no_form(signed_in):
    text = page(signed_in("viewer"))
    assert "/setup/check" not in text
    assert "/setup/record" not in text
    assert "/mail/test" not in text
    assert all(found in page(signed_in("editor")) for found in ("/setup/check", "/setup/record", "/mail/test"))


def test_a_click_asks_a_worker_and_a_second_one_says_that_it_waits(room, signed_in):
    client = signed_in("editor")
    assert "The check has been asked for." in ask(client, "shop")
    assert room.wakes.woken == [("check", "shop")]
    assert "Asked for; it waits for a worker." in area(client, "shop")
    assert "This check was asked for already" in ask(client, "shop")
    assert room.wakes.woken == [("check", "shop")]


def test_a_click_while_the_check_runs_says_so_and_one_just_after_it_too(board, room, signed_in):
    client = signed_in("editor")
    ask(client, "mail")
    with board.app_context():
        check_notes.begin("mail")
    assert "The check is under way." in area(client, "mail")
    assert "This check is under way." in ask(client, "mail")
    with board.app_context():
        check_notes.end("mail", [])
    assert "This check was made just now" in ask(client, "mail")
    assert room.wakes.woken == [("check", "mail")]


def test_check_everything_asks_for_each_group_that_is_not_under_way(room, signed_in):
    client = signed_in("editor")
    ask(client, "tag")
    ask(client, "all")
    assert sorted(group for _, group in room.wakes.woken) == sorted(check_notes.GROUPS), "each once"


def test_a_check_that_no_worker_made_may_be_asked_for_again(board, room, signed_in, monkeypatch):
    client = signed_in("editor")
    ask(client, "tag")
    later = time.time() + check_notes.LOST_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert "It was asked for and never made" in area(client, "tag")
    assert "The check has been asked for." in ask(client, "tag")
    assert len(room.wakes.woken) == 2


def test_without_redis_nobody_is_asked_and_nothing_seems_to_wait(room, signed_in, monkeypatch):
    client = signed_in("editor")
    monkeypatch.setattr(room.wakes, "try_wake", lambda *_: False)
    assert "No worker could be asked" in ask(client, "all")
    assert "waits for a worker" not in page(client)


def test_a_group_that_is_none_is_refused(room, signed_in):
    client = signed_in("editor")
    answer = client.post(f"{PAGE}/check", data={"csrf_token": token(client, PAGE), "group": "x"})
    assert answer.status_code == 400


def test_what_a_check_found_stands_with_the_change_to_make_and_a_way_there(board, signed_in):
    keep(board, "ometria", Kept("Ometria (default)", "fail", "The key is refused: set another."))
    keep(board, "shop", Kept("shop", "ok", "The home page answers."), Kept("old module", "fail", "Switch it off."))
    client = signed_in("viewer")
    found = area(client, "ometria")
    assert "Ometria (default) (trouble) The key is refused: set another. General settings" in found
    assert "Last checked" in found
    assert "shop (well) The home page answers." in area(client, "shop")
    assert "Switch it off. From the old module" in area(client, "shop")


def test_the_page_renews_its_lines_alone(board, signed_in):
    keep(board, "shop", Kept("shop", "ok", "The home page answers."))
    text = signed_in("editor").get(f"{PAGE}?part=live").get_data(as_text=True)
    assert 'data-live="shop"' in text
    assert "<html" not in text


def test_the_resource_list_names_what_is_granted_missing_and_not_asked(board, signed_in):
    client = signed_in("viewer")
    assert area(client, "rights").count("not asked yet") == len(RIGHTS) + 1
    first, second, *_ = (name for name, *_ in RIGHTS)
    keep(
        board,
        "rights",
        Kept("shop's REST API", "ok", "Granted, for the store tree.", first),
        Kept("shop's REST API", "fail", f"Tick “{second}” for the integration.", second),
    )
    found = area(client, "rights")
    assert f"{first} the store tree granted" in found
    assert f"{second} products missing Tick “{second}” for the integration." in found
    assert f"{COUPONS.name} coupons, where codes are made not asked yet" in found
    keep(board, "coupons", Kept("coupon rule", "fail", "Tick it.", COUPONS.name))
    assert f"{COUPONS.name} coupons, where codes are made missing Tick it." in area(client, "rights")
    keep(board, "coupons", Kept("coupon rule", "ok", "Rule 4 of Spring can be used.", "Spring"))
    assert f"{COUPONS.name} coupons, where codes are made granted" in area(client, "rights")


def test_consent_and_policy_stand_for_each_store_view(board, signed_in):
    base = "https://de.shop.test/"
    with board.app_context():
        db.session.get(Scope, "store:de").base_url = base
        set_value("default", "general.account_id", "0123456789abcdef", "test")
        set_value("store:de", "consent.mode", "cookiebot", "test")
        set_value("store:out", "consent.mode", "cookie", "test")
        db.session.add(EventLog(id="1" * 32, at=1_700_000_000, type="basket_changed", store="de"))
        db.session.add(EventLog(id="2" * 32, at=1_700_000_000, type="order_placed", store="out"))
        db.session.commit()
    keep(board, "tag", Kept("content policy", "fail", f"{base}: a policy lacks script-src.", base))
    client = signed_in("viewer")
    found = area(client, "tag")
    assert "Deutsch on cookiebot 2023-11-14 22:13:20 trouble https://de.shop.test/: a policy lacks script-src." in found
    assert "Outlet on cookie consent.cookie names no cookie: nobody ever counts as having agreed. not among" in found
    assert "English on none nobody is asked not looked at yet" in found
    assert found.index("Deutsch") < found.index("English"), "what is wrong comes first"


def test_a_view_without_an_account_leads_to_the_setting_that_is_missing(signed_in):
    assert f"{BASE}/settings/general?scope=store:de" in page(signed_in("viewer"))


def test_mail_of_each_kind_is_seen_or_never_with_the_setting_of_magento(board, signed_in):
    with board.app_context():
        seen.note("stock_alert", "de", 1_700_000_000.0, Mailbox("<b>Acme", "owner@example.com"), marked=False)
        seen.note("stock_alert", "out", 1_700_000_000.0, Mailbox("Acme", "shop@acme.test"), marked=True)
        seen.note("", "out", 1_700_000_000.0, Mailbox("Nobody", "none@acme.test"), marked=False)
        db.session.commit()
    client = signed_in("viewer")
    found = area(client, "mail")
    assert found.count("never seen") == len(MAIL_KINDS) - 1
    assert "seen 2, last 2023-11-14 22:13:20 seen in 1 of 2 store views" in found
    for switches in setup.SWITCHES.values():
        assert all(switch in found for switch in switches)
    assert setup.ALL_OFF in found
    rows = found[found.index("Senders seen") :]
    assert "<b>Acme owner@example.com placeholder" in rows
    assert re.search(r"Acme shop@acme\.test (?!placeholder)", rows)
    assert rows.index("owner@example.com") < rows.index("shop@acme.test")
    assert "none@acme.test" not in rows


def test_the_rule_of_each_pool_is_usable_or_not_with_every_reason(board, signed_in):
    with board.app_context():
        look = {"rule_id": 4, "kind": "alphanum"}
        db.session.add(CouponPool(name="Autumn", checked_at=1_700_000_000, problem="It is off. It ended.", **look))
        db.session.add(CouponPool(name="Birthday", checked_at=1_700_000_000, caution="It ends soon.", **look))
        db.session.add(CouponPool(name="New", **look))
        db.session.commit()
    found = area(signed_in("viewer"), "coupons")
    assert "Autumn 4 cannot be used It is off. It ended. 2023-11-14" in found
    assert "Birthday 4 usable It ends soon. 2023-11-14" in found
    assert "New 4 not asked yet \N{EN DASH}" in found


def test_workers_and_the_switches_that_hold_records_back_are_told(board, redis_values, signed_in):
    client = signed_in("viewer")
    assert "None runs: nothing is sent" in area(client, "processes")
    redis_values[setup_facts.WORKERS] = b"rq:worker:a rq:worker:dead"
    redis_values["rq:worker:a"] = b""
    assert "Workers (well) Running: 1" in area(client, "processes")
    with board.app_context():
        set_value("store:de", "export.dry_run", "yes", "test")
        set_value("website:outlet", "export.live", "no", "test")
        db.session.commit()
    found = area(client, "ometria")
    assert "Dry run (needs a look)" in found
    assert "Live updates (needs a look)" in found


def test_a_mail_mode_without_a_relay_is_trouble(board, signed_in):
    client = signed_in("viewer")
    assert "Not set up; mails go as before." in area(client, "mail")
    with board.app_context():
        set_value("store:de", "mail.mode", "sandbox", "test")
        db.session.commit()
    assert "Mail relay (trouble) A mail mode is set" in area(client, "mail")


def test_the_newest_record_is_the_one_that_changed_last_in_the_shop(room, signed_in, monkeypatch):
    asked = []

    def changed_since(kind, since, until):
        asked.append((kind, round((until - since) / dt.timedelta(days=1))))
        if len(asked) < 2:
            return iter(())
        moments = [until - dt.timedelta(hours=hours) for hours in (9, 1, 5)]
        return (Listed(ref=EntityRef(kind, str(at.hour)), updated_at=at) for at in moments)

    now = dt.datetime(2026, 3, 1, 22, tzinfo=dt.UTC)
    monkeypatch.setattr(room.store, "now", lambda: now)
    monkeypatch.setattr(room.store, "changed_since", changed_since)
    client = signed_in("editor")
    form = {"csrf_token": token(client, PAGE)}
    answer = client.post(f"{PAGE}/record", data=form | {"kind": "order"})
    assert answer.location == f"{BASE}/records/order/21"
    assert asked == [("order", 1), ("order", 7)], "as far back as it takes"
    assert client.post(f"{PAGE}/record", data=form | {"kind": "x"}).status_code == 400


def test_where_nothing_changed_lately_an_old_one_is_shown_and_an_empty_shop_is_said_to_be_so(
    room, signed_in, monkeypatch
):
    monkeypatch.setattr(room.store, "changed_since", lambda *_: iter(()))
    client = signed_in("editor")
    form = {"csrf_token": token(client, PAGE), "kind": "product"}
    last = room.store.ids("product").rows[-1].ref.id
    assert client.post(f"{PAGE}/record", data=form).location == f"{BASE}/records/product/{last}"
    monkeypatch.setattr(room.store, "ids", lambda _: Page(rows=(), cursor=None, left=0))
    answer = client.post(f"{PAGE}/record", data=form, follow_redirects=True)
    assert "The shop has nothing of this kind yet." in answer.get_data(as_text=True)


def test_the_forms_for_a_record_and_a_mail_are_those_of_their_own_pages(room, signed_in):
    client = signed_in("editor")
    text = page(client)
    assert f'action="{BASE}/records"' in text
    assert f'action="{BASE}/mail/test"' in text
    form = {"csrf_token": token(client, PAGE), "kind": "order", "id": "none such"}
    assert client.post(f"{BASE}/records", data=form).status_code == 404


def test_the_events_of_visitors_who_agreed_are_read_among_the_newest_only(board, monkeypatch):
    monkeypatch.setattr(setup_facts, "EVENTS_MOST", 2)
    with board.app_context():
        for number, store in enumerate(("de", "out", "out")):
            db.session.add(EventLog(id=f"{number:032}", at=100.0 + number, type="identified", store=store))
        db.session.commit()
        assert setup_facts.last_agreed() == {"out": 102.0}
        assert load_book().stores
