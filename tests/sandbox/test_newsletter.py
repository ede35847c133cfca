"""The newsletter with and without confirmation."""

from __future__ import annotations

import re

import pytest

from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.sandbox.shop_client import BASE_URL, EU_URL, TOKEN


def subjects(shop):
    return [mail["Subject"] for mail in shop.mails]


def test_a_subscription_is_confirmed_by_mail_in_the_language_of_the_view(shop):
    shop.visitor().post("/newsletter/subscriber/new/", {"email": "a@example.com"})
    shop.visitor(EU_URL).post("/newsletter/subscriber/new/", {"email": "a@example.com"})
    assert subjects(shop) == ["Newsletter subscription success", "Inscription à la newsletter réussie"]
    assert shop.state.is_subscribed("a@example.com", 1)
    assert shop.state.is_subscribed("a@example.com", 2)


def test_a_shop_may_ask_for_the_link_of_a_mail_first(shop):
    options = ShopOptions(BASE_URL, TOKEN, shop.mails.append, shop.clock, newsletter_confirmation=True)
    shop.app = create_shop(options)
    visitor = shop.visitor()
    visitor.post("/newsletter/subscriber/new/", {"email": "nick@example.com"})
    assert visitor.messages()[0]["type"] == "success"
    assert not shop.state.is_subscribed("nick@example.com")
    path = re.search(r"/newsletter/subscriber/confirm/id/\d+/code/\w+/", shop.mails[0].get_content())[0]
    assert visitor.get(path.replace("code/", "code/x")).headers["Location"] == BASE_URL
    assert not shop.state.is_subscribed("nick@example.com")
    assert visitor.get(path).headers["Location"] == BASE_URL
    assert shop.state.is_subscribed("nick@example.com")
    assert subjects(shop) == ["Newsletter subscription confirmation", "Newsletter subscription success"]


def test_the_link_of_a_letter_unsubscribes(shop, visitor):
    row = shop.state.subscriber("reader@example.com")
    visitor.get(f"/newsletter/subscriber/unsubscribe/id/{row.id}/code/wrong/")
    assert shop.state.is_subscribed("reader@example.com")
    visitor.get(f"/newsletter/subscriber/unsubscribe/id/{row.id}/code/{row.code}/")
    assert not shop.state.is_subscribed("reader@example.com")
    assert subjects(shop) == ["Newsletter unsubscription success"]


@pytest.mark.parametrize(("email", "known"), [("maren.holt@example.com", True), ("x@example.com", False)])
def test_the_registration_form_is_told_whether_an_address_is_on_the_list(visitor, email, known):
    assert visitor.get(f"/newsletter/ajax/status?email={email}").json == {"subscribed": known}
