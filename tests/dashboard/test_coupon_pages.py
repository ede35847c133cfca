"""Pools of coupons as pages: figures for all, codes for editors, and each button."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from bridge.coupons import alerts, jobs, ledger, pools
from bridge.coupons.room import EXTENSION, Room
from bridge.dashboard import coupon_pages
from bridge.db import db
from bridge.errors import Refused, Retry
from bridge.models import AuditLog
from bridge.models_coupons import CouponPool
from bridge.store import CodeFormat, Rule, keep_tree
from bridge.store.memory import Memory
from tests.coupons.till import Wakes, states
from tests.dashboard.desk import BASE, beside, read_form, token
from tests.export import samples

GOOD = Rule(id=2, name="Welcome <b>", website_ids=(1,), group_ids=(0, 1), uses_per_coupon=1)


@pytest.fixture
def shop(board):
    shop = Memory(samples.TREE)
    shop.price_rules = {2: GOOD, 3: Rule(id=3, name="Off", active=False, website_ids=(1,), group_ids=(0,))}
    board.extensions[EXTENSION] = Room(shop, Wakes())
    with board.app_context():
        keep_tree(samples.TREE, secure=False)
        db.session.commit()
    return shop


@pytest.fixture
def pool(shop, board):
    with board.app_context():
        made = pools.make_pool("Welcome", 2, CodeFormat(prefix="OM-"), stock=20, expiry_days=30, who="test")
        jobs.work()
        return made.id


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def send(client, path, follow=True, **form):
    page = f"{BASE}/coupons"
    return client.post(f"{page}{path}", data={"csrf_token": token(client, page), **form}, follow_redirects=follow)


def test_without_a_pool_the_page_says_so(shop, signed_in):
    assert "There is no pool yet." in words(signed_in("viewer").get(f"{BASE}/coupons"))


def test_a_viewer_sees_figures_and_neither_codes_nor_buttons(pool, board, signed_in):
    send(signed_in("editor"), f"/{pool}/make", quantity="3", request_id="r1")
    client = signed_in("viewer")
    text = words(client.get(f"{BASE}/coupons"))
    assert "Welcome Welcome <b> (2) usable 17 of 20 3 0 0 0 0" in text
    page = client.get(f"{BASE}/coupons/{pool}?request=r1")
    assert "3 of 3 codes" in words(page)
    assert f'href="{BASE}/coupons/log?pool={pool}"' in page.get_data(as_text=True)
    assert "OM-" not in page.get_data(as_text=True)
    assert f'action="{BASE}/coupons' not in page.get_data(as_text=True)
    assert client.get(f"{BASE}/coupons/{pool}/codes.csv").status_code == 403
    for path in ("", f"/{pool}/make", f"/{pool}/change", f"/{pool}/revoke"):
        assert send(client, path, quantity="1", request_id="r2").status_code == 403
    with board.app_context():
        assert len(ledger.codes_of("r2")) == 0


def test_an_editor_makes_a_pool_and_sees_at_once_whether_its_rule_can_be_used(shop, board, signed_in):
    client = signed_in("editor")
    form = {
        "name": "Autumn",
        "rule_id": "3",
        "stock": "5",
        "expiry_days": "10",
        "kind": "num",
        "length": "10",
        "every": "5",
    }
    text = words(send(client, "", **form))
    assert "The pool Autumn is made." in text
    assert "The rule is switched off" in text
    with board.app_context():
        made = db.session.query(CouponPool).one()
        assert (made.rule_id, made.stock, made.expiry_days, made.kind, made.length, made.every) == (
            3,
            5,
            10,
            "num",
            10,
            5,
        )
        assert "coupons" in board.extensions[EXTENSION].wakes.woken
    assert "Autumn cannot be used since" in words(client.get(f"{BASE}/coupons"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"every": "40"}, "Dashes come after"),
        ({"suffix": "a b"}, "suffix"),
        ({"name": " "}, "1 to 80 characters"),
        ({"name": "Welcome"}, "a pool with this name"),
        ({"rule_id": "two"}, "Cart price rule takes a whole number"),
        ({"rule_id": ""}, "Cart price rule takes a whole number"),
        ({"stock": "-1"}, "from 0 to 50,000"),
        ({"stock": "10000000"}, "from 0 to 50,000"),
        ({"length": "0"}, "from 1 to 32"),
        ({"prefix": "=1"}, "prefix"),
        ({"kind": "hex"}, "format"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_in_words_and_what_was_typed_stays(pool, board, signed_in, changed, said):
    form = {"name": "New", "rule_id": "2", "stock": "0", "length": "12", "kind": "alpha", **changed}
    answer = send(signed_in("editor"), "", **form)
    assert answer.status_code == 422
    assert said in beside(answer.get_data(as_text=True), next(iter(changed)))
    assert read_form(answer.get_data(as_text=True))["prefix"] == changed.get("prefix", "")
    with board.app_context():
        assert db.session.query(CouponPool).count() == 1


def test_codes_are_generated_once_however_often_the_form_is_sent(pool, board, signed_in):
    client = signed_in("editor")
    form = read_form(client.get(f"{BASE}/coupons/{pool}").get_data(as_text=True))
    for _ in range(2):
        answer = send(client, f"/{pool}/make", quantity="4", request_id=form["request_id"])
        assert "4 of 4 codes are given out." in words(answer)
    with board.app_context():
        rows = ledger.codes_of(form["request_id"])
        assert len(rows) == 4
        assert list(states().values()).count("given") == 4
    assert all(row.code in answer.get_data(as_text=True) for row in rows)


@pytest.mark.parametrize("quantity", ["0", "-1", "10000000", "ten", ""])
def test_a_number_that_cannot_be_made_is_said(pool, signed_in, quantity):
    answer = send(signed_in("editor"), f"/{pool}/make", quantity=quantity, request_id="r1")
    assert answer.status_code == 422
    assert "codes" in beside(answer.get_data(as_text=True), "quantity").lower()


def test_what_is_refused_about_no_field_of_the_form_is_said_above_it(pool, signed_in, monkeypatch):
    def refuse(*_, **__):
        raise Refused("The length must be from 1 to 32 characters.", "length")

    monkeypatch.setattr(coupon_pages.generate, "generate", refuse)
    answer = send(signed_in("editor"), f"/{pool}/make", quantity="5", request_id="r1")
    assert answer.status_code == 422
    assert "The length must be from 1 to 32 characters." in words(answer)


def test_a_shop_that_is_away_is_said(pool, shop, signed_in):
    shop.fault = Retry("The shop is in maintenance.")
    answer = send(signed_in("editor"), f"/{pool}/make", quantity="50", request_id="r1")
    assert answer.status_code == 503
    assert "The shop is in maintenance." in words(answer)


def test_the_file_has_the_codes_that_were_given_out(pool, board, signed_in):
    client = signed_in("editor")
    send(client, f"/{pool}/make", quantity="3", request_id="r1")
    send(client, f"/{pool}/make", quantity="2", request_id="r2")
    answer = client.get(f"{BASE}/coupons/{pool}/codes.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="coupons-{pool}.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert len(rows) == 6
    one = client.get(f"{BASE}/coupons/{pool}/codes.csv?request=r2").get_data(as_text=True)
    with board.app_context():
        assert {row[0] for row in csv.reader(io.StringIO(one))} == {
            "code",
            *(row.code for row in ledger.codes_of("r2")),
        }
    assert client.get(f"{BASE}/coupons/{pool}/codes.csv?request=other").status_code == 404


def test_codes_are_revoked_by_name_and_others_are_left(pool, shop, board, signed_in):
    client = signed_in("editor")
    send(client, f"/{pool}/make", quantity="3", request_id="r1")
    shop.insert_coupon(2, "FOREIGN")
    with board.app_context():
        codes = [row.code for row in ledger.codes_of("r1")]
    answer = send(client, f"/{pool}/revoke", codes=f"{codes[0]}\r\n{codes[1].lower()}\nFOREIGN")
    assert "2 codes are revoked. 1 were left" in words(answer)
    assert [code.casefold() in shop.coupons for code in codes] == [False, False, True]
    assert "foreign" in shop.coupons
    with board.app_context():
        assert db.session.query(AuditLog).order_by(AuditLog.id.desc()).first().who == "editor"
    assert send(client, f"/{pool}/revoke", codes=" ").status_code == 422


def test_a_pool_is_changed_and_paused(pool, board, signed_in):
    answer = send(signed_in("editor"), f"/{pool}/change", stock="7", expiry_days="0")
    assert "The pool is changed." in words(answer)
    with board.app_context():
        made = db.session.get(CouponPool, pool)
        assert (made.stock, made.expiry_days, made.active) == (7, 0, False)
    refused = send(signed_in("editor"), f"/{pool}/change", stock="x", expiry_days="3", active="1")
    assert refused.status_code == 422
    assert "takes a whole number" in beside(refused.get_data(as_text=True), "stock")
    assert 'name="active" value="1" checked' in refused.get_data(as_text=True), "what was ticked stays ticked"


def test_two_people_who_change_one_pool_the_second_sees_what_the_first_saved(pool, board, signed_in):
    first, second = signed_in("editor"), signed_in("owner")
    was = read_form(first.get(f"{BASE}/coupons/{pool}").get_data(as_text=True))["was"]
    assert "The pool is changed." in words(
        send(first, f"/{pool}/change", stock="7", expiry_days="1", active="1", was=was)
    )
    answer = send(second, f"/{pool}/change", stock="9", expiry_days="2", active="1", was=was)
    assert answer.status_code == 409
    assert "Somebody else has changed this pool since you opened it. Nothing is saved yet." in words(answer)
    assert "Stored now: stock 7, 1 days, kept filled." in words(answer)
    page = answer.get_data(as_text=True)
    assert 'name="stock" inputmode="numeric" value="9"' in page, "what was typed stays"
    with board.app_context():
        assert db.session.get(CouponPool, pool).stock == 7
    again = send(second, f"/{pool}/change", stock="9", expiry_days="2", active="1", was=read_form(page)["was"])
    assert "The pool is changed." in words(again)
    with board.app_context():
        assert db.session.get(CouponPool, pool).stock == 9


def test_a_rule_that_was_switched_off_is_told_on_every_page_that_should(pool, shop, board, signed_in):
    shop.price_rules[2] = Rule(id=2, name="Welcome", active=False, website_ids=(1,), group_ids=(0,))
    with board.app_context():
        alerts.watch(fresh=True)
    client = signed_in("viewer")
    assert "Welcome cannot be used since" in words(client.get(f"{BASE}/coupons"))
    assert "Coupons: the rule of Welcome cannot be used. The rule is switched off" in words(client.get(f"{BASE}/"))
    assert "No codes are made until it can." in words(client.get(f"{BASE}/coupons/{pool}"))


def test_a_pool_that_there_is_not(shop, signed_in):
    assert signed_in("editor").get(f"{BASE}/coupons/99").status_code == 404
