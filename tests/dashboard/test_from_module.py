"""The page for shops that had an Ometria module: ids compared, the order of steps, and no welcome campaigns."""

from __future__ import annotations

import html
import re

import pytest

from bridge.dashboard import check_notes, from_module
from bridge.dashboard.check_notes import Kept
from bridge.db import db
from bridge.models import SentRecord
from bridge.settings import SETTINGS, load_book, set_value
from tests.dashboard.desk import API_KEY, BASE

PAGE = f"{BASE}/setup/from-module"
MODULE = {"compare": "1", "products.id_attribute": "id", "general.store_id_kind": "code"}


@pytest.fixture
def board(board):
    with board.app_context():
        set_value("default", "general.api_key", API_KEY, "test")
        db.session.commit()
    return board


def words(client, **query):
    text = client.get(PAGE, query_string=query).get_data(as_text=True)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text[text.index("<main") :])))


def sent(kind, count):
    account = load_book().accounts()[0].id
    for number in range(count):
        db.session.add(SentRecord(account=account, kind=kind, entity=str(number), digest="d"))
    db.session.commit()


def test_each_setting_that_is_taken_over_exists_and_is_named_with_its_value_now(board, signed_in):
    known = {one.key for one in SETTINGS}
    assert {one.key for one in from_module.TAKEN} <= known
    text = words(signed_in("viewer"))
    assert "orders.valid_statuses complete, pending, processing Orders > Valid Order Statuses" in text
    assert "coupons.private_key not set \N{EN DASH} ometria/general/privatekey" in text
    assert "general.api_key set Credentials > API Key" in text
    assert API_KEY not in text


def test_without_the_module_s_values_it_says_what_a_change_would_do_now(board, signed_in):
    with board.app_context():
        sent("product", 3)
    text = words(signed_in("viewer"))
    assert "Product namespace empty 3 records sent already would get another id" in text
    assert "Product ID mapping id 3 records sent already would get another id" in text
    assert "Order namespace empty nothing: no such record was sent yet" in text
    assert "Store identifier code 3 store views would be other stores at Ometria" in text


def test_the_module_s_values_are_compared_and_a_difference_is_counted(board, signed_in):
    with board.app_context():
        sent("order", 2)
        set_value("default", "customers.namespace", "uk", "test")
        db.session.commit()
    query = MODULE | {"customers.namespace": "uk", "orders.namespace": "m2", "general.store_id_kind": "id"}
    text = words(signed_in("viewer"), **query)
    assert "Customer namespace uk uk same nothing to change" in text
    assert "Order namespace empty m2 differs 2 records sent already would get another id" in text
    assert "Product ID mapping id id same" in text
    assert "Store identifier code id differs 3 store views would be other stores at Ometria" in text
    with board.app_context():
        assert "orders.namespace" not in load_book().values["default"], "comparing changes nothing"


def test_each_scope_that_owns_an_account_is_compared_by_itself(board, signed_in):
    with board.app_context():
        set_value("website:outlet", "general.api_key", "om_live_outlet_000001", "test")
        set_value("website:outlet", "products.id_attribute", "sku", "test")
        db.session.commit()
    text = words(signed_in("viewer"), **MODULE)
    assert "Default Config Product ID mapping id id same" in text
    assert "Outlet Product ID mapping sku id differs" in text


@pytest.mark.parametrize(
    ("key", "value", "label"),
    [
        ("customers.namespace", "a:b", "Customer namespace"),
        ("products.id_attribute", "name", "Product ID mapping"),
        ("general.store_id_kind", "<b>", "Store identifier"),
    ],
)
def test_what_no_module_can_have_used_is_refused_and_kept_in_the_form(board, signed_in, key, value, label):
    client = signed_in("viewer")
    text = words(client, **MODULE | {key: value})
    assert f"{label}: " in text
    assert "differs" not in text
    assert "same nothing to change" not in text
    if key.endswith("namespace"):
        assert 'value="a:b"' in client.get(PAGE, query_string=MODULE | {key: value}).get_data(as_text=True)


def test_the_steps_stand_in_the_order_in_which_nothing_is_doubled(signed_in):
    text = words(signed_in("viewer"))
    marks = ("Take the settings over", "Coupons, before", "The module's tag", "What Ometria pulls", "Mails.", "Send.")
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "module:disable Ometria_AbandonedCarts Ometria_Api Ometria_Core" in text


def test_a_history_that_could_welcome_everybody_is_warned_of(board, signed_in):
    client = signed_in("viewer")
    assert "the time at which the account was made is sent" in words(client)
    with board.app_context():
        set_value("default", "customers.subscription_time", "none", "test")
        db.session.commit()
    assert "Choose account before the history is sent." in words(client)


def test_the_module_s_tag_is_told_as_the_check_of_the_shop_saw_it(board, signed_in):
    client = signed_in("viewer")
    assert "Nobody has asked yet" in words(client)
    with board.app_context():
        check_notes.end("shop", [Kept("shop", "ok", "The home page answers.")])
    assert "carried no tag of a module when it was last looked at" in words(client)
    with board.app_context():
        check_notes.end("shop", [Kept(from_module.OLD_MODULE, "fail", "The tag is still there.")])
    assert "The tag is still there." in words(client)


def test_without_an_account_it_says_so(make_app):
    app = make_app()
    with app.test_request_context(), app.app_context():
        assert from_module.compared(load_book(), [], {}) == []
