"""Changed accounts, forgotten passwords, and the mails of both."""

from __future__ import annotations

import re

import pytest

from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.sandbox.shop_client import BASE_URL, TOKEN, set_cookies

MAREN = ("maren.holt@example.com", "Lighthouse-42")
NAMES = {"firstname": "Maren", "lastname": "Holt", "current_password": "Lighthouse-42"}
NEW = {"change_password": "1", "password": "Seagull-1", "password_confirmation": "Seagull-1"}


def sent(shop):
    return [(mail["Subject"].replace("Harbour & Pine Outfitters ", ""), mail["To"].addresses[0].addr_spec)
            for mail in shop.mails]  # fmt: skip


def test_a_changed_name_sends_nothing_and_moves_the_time(shop, visitor):
    visitor.log_in(*MAREN)
    answer = visitor.post("/customer/account/editPost/", {**NAMES, "lastname": "Hold"})
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/"
    assert shop.rest("V1/customers/41").json["updated_at"] == "2026-03-01 12:00:00"
    assert shop.mails == []


def test_a_changed_password_signs_out_and_is_confirmed_by_mail(shop, visitor):
    visitor.log_in(*MAREN)
    answer = visitor.post("/customer/account/editPost/", {**NAMES, **NEW})
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/login/"
    assert visitor.messages()[0]["type"] == "success"
    assert sent(shop) == [("Your password has been changed", MAREN[0])]
    assert visitor.sections("customer")["customer"].keys() == {"data_id"}
    assert "X-Magento-Vary" in set_cookies(visitor.log_in(MAREN[0], "Seagull-1"))


def test_a_changed_address_is_told_to_the_old_and_the_new_one(shop, visitor):
    visitor.log_in(*MAREN)
    visitor.post("/customer/account/editPost/", {**NAMES, **NEW, "change_email": "1", "email": "m@example.com"})
    assert sent(shop) == [
        ("Your email and password has been changed", MAREN[0]),
        ("Your email and password has been changed", "m@example.com"),
    ]
    assert shop.state.is_subscribed("m@example.com")


@pytest.mark.parametrize(
    "fields",
    [{"current_password": "wrong"}, {"password_confirmation": "other"},
     {"change_email": "1", "email": "idris.vaughan@example.com"}],
)  # fmt: skip
def test_what_cannot_be_changed_stays(shop, visitor, fields):
    visitor.log_in(*MAREN)
    answer = visitor.post("/customer/account/editPost/", {**NAMES, **NEW, **fields})
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/edit/"
    assert shop.state.customers[41].password == MAREN[1]
    assert shop.mails == []


def link_of(mail):
    address = re.search(r'class="button"><tr><td><a href="([^"]+)"', mail.get_content())[1].replace("&amp;", "&")
    return address.removeprefix(BASE_URL.rstrip("/"))


def test_a_forgotten_password_is_replaced_by_the_link_of_the_mail(shop, visitor):
    answer = visitor.post("/customer/account/forgotpasswordpost/", {"email": MAREN[0]})
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/"
    assert sent(shop) == [("Reset your password", MAREN[0])]
    link = link_of(shop.mails[0])
    assert re.fullmatch(r"/customer/account/createPassword/\?id=41&token=[0-9a-f]{32}", link)
    assert visitor.get(link).headers["Location"] == f"{BASE_URL}customer/account/createpassword/"
    action = re.search(
        r'<form action="([^"]+resetpasswordpost[^"]+)"', visitor.get("/customer/account/createpassword/").text
    )
    path = action[1].replace("&amp;", "&").removeprefix(BASE_URL.rstrip("/"))
    wish = {"password": "Seagull-1", "password_confirmation": "Seagull-1"}
    done = visitor.post(path, wish)
    assert done.headers["Location"] == f"{BASE_URL}customer/account/login/"
    assert shop.state.customers[41].password == "Seagull-1"
    assert len(shop.mails) == 1, "the real shop sends no mail here"
    assert visitor.post(path, wish).headers["Location"].endswith("/forgotpassword/"), "a token is good once"


def test_an_unknown_address_gets_the_same_answer_and_no_mail(shop, visitor):
    visitor.post("/customer/account/forgotpasswordpost/", {"email": "nobody@example.com"})
    assert visitor.messages()[0]["type"] == "success"
    assert shop.mails == []


def test_an_account_may_have_to_be_confirmed(shop, visitor):
    options = ShopOptions(BASE_URL, TOKEN, shop.mails.append, shop.clock, account_confirmation=True)
    shop.app = create_shop(options)
    visitor = shop.visitor()
    assert "X-Magento-Vary" not in set_cookies(visitor.register())
    assert visitor.log_in("ann@example.com", "Secret-123").headers["Location"].endswith("/login/")
    assert sent(shop)[0][0] == "Please confirm your account"
    answer = visitor.get(link_of(shop.mails[0]))
    assert "X-Magento-Vary" in set_cookies(answer)
    assert sent(shop)[1][0] == "Welcome to Harbour & Pine Outfitters"
