"""Wish list, alerts, AJAX login, contact and multishipping."""

from __future__ import annotations

import pytest

from bridge.sandbox.values import uenc
from tests.sandbox.shop_client import AJAX, BASE_URL, set_cookies

MAREN = ("maren.holt@example.com", "Lighthouse-42")


@pytest.fixture
def maren(visitor):
    visitor.log_in(*MAREN)
    return visitor


def test_a_wish_becomes_a_line_of_the_cart(maren):
    answer = maren.post("/wishlist/index/add/", {"product": 4})
    assert answer.headers["Location"] == f"{BASE_URL}wishlist/index/index/wishlist_id/41/"
    assert "Storm Lantern" in maren.get("/wishlist/").text
    item = maren.shop.state.customers[41].wishlist[0].id
    assert maren.post("/wishlist/index/cart/", {"item": item, "qty": 2}).headers["Location"] == f"{BASE_URL}wishlist/"
    assert maren.cart()["summary_count"] == 2
    assert maren.shop.state.customers[41].wishlist == []


def test_a_wish_with_options_leads_to_its_page(maren):
    maren.post("/wishlist/index/add/", {"product": 17})
    item = maren.shop.state.customers[41].wishlist[0].id
    answer = maren.post("/wishlist/index/cart/", {"item": item})
    assert answer.headers["Location"] == f"{BASE_URL}breakwater-jacket.html"


def test_a_shared_wish_list_is_mailed(shop, maren):
    maren.post("/wishlist/index/send/", {"emails": "a@example.com, b@example.com", "message": "look"})
    assert [mail["To"].addresses[0].addr_spec for mail in shop.mails] == ["a@example.com", "b@example.com"]
    assert "wishlist/shared/index/code/" in shop.mails[0].get_content()


def test_guests_sign_in_before_they_wish_or_wait(visitor):
    assert "/login/referer/" in visitor.post("/wishlist/index/add/", {"product": 4}).headers["Location"]
    assert "/login/referer/" in visitor.get("/productalert/add/stock/product_id/206/uenc/x/").headers["Location"]


def test_who_waits_for_a_product_hears_when_it_is_back(shop, maren):
    back = uenc(f"{BASE_URL}oilskin-cap.html")
    answer = maren.get(f"/productalert/add/stock/product_id/206/uenc/{back}/")
    assert answer.headers["Location"] == f"{BASE_URL}oilskin-cap.html"
    assert maren.messages()[0]["type"] == "success"
    change = {"sourceItems": [{"sku": "HP-CAP-01", "source_code": "default", "quantity": 5, "status": 1}]}
    before = shop.rest("V1/products/HP-CAP-01").json["updated_at"]
    assert shop.rest("V1/inventory/source-items", method="POST", json=change).status_code == 200
    (mail,) = shop.mails
    assert (mail["Subject"], mail["To"].addresses[0].addr_spec) == ("Products back in stock alert", MAREN[0])
    assert "productalert/unsubscribe/stockAll" in mail.get_content()
    assert "productalert/unsubscribe/email/product/206/" in mail.get_content()
    assert shop.rest("V1/products/HP-CAP-01").json["updated_at"] == before
    assert shop.state.alerts == []


@pytest.mark.parametrize(("password", "errors"), [("Lighthouse-42", False), ("wrong", True)])
def test_signing_in_by_script_answers_json(visitor, password, errors):
    asked = {"username": MAREN[0], "password": password, "context": "checkout"}
    answer = visitor.client.post("/customer/ajax/login", json=asked, base_url=BASE_URL, headers=AJAX)
    assert (answer.status_code, answer.json["errors"]) == (200, errors)
    assert ("X-Magento-Vary" in set_cookies(answer)) is not errors


def test_the_contact_form_writes_to_the_shop(shop, visitor):
    answer = visitor.post("/contact/index/post/", {"email": "c@example.com", "comment": "Where is it?", "hideit": ""})
    assert answer.headers["Location"] == f"{BASE_URL}contact/index/"
    assert shop.mails[0]["Reply-To"] == "c@example.com"


def test_a_search_is_suggested_only_when_it_finds_something(visitor):
    assert visitor.get("/search/ajax/suggest/?q=lantern").json == [{"title": "lantern", "num_results": "1"}]
    assert visitor.get("/search/ajax/suggest/?q=zzz").json == []


def test_two_addresses_are_two_orders(shop, maren):
    second = shop.state.add_address(shop.state.customers[41], shop.state.customers[42].addresses[72])
    first = shop.state.customers[41].default_address
    maren.add(1, 2)
    maren.add(18)
    bag, walk = (item.id for item in shop.state.quote_of_customer(41).items)
    assert "checkout_multishipping_form" in maren.get("/multishipping/checkout/addresses/").text
    ship = {
        f"ship[1][{bag}][qty]": 1, f"ship[1][{bag}][address]": first,
        f"ship[2][{bag}][qty]": 1, f"ship[2][{bag}][address]": second,
        f"ship[3][{walk}][qty]": 1, f"ship[3][{walk}][address]": first,
    }  # fmt: skip
    assert maren.post("/multishipping/checkout/addressesPost/", ship).headers["Location"].endswith("/shipping/")
    methods = {f"shipping_method[{id_}]": "flatrate_flatrate" for id_ in (first, second)}
    assert "multishipping-checkout-shipping" in maren.get("/multishipping/checkout/shipping/").text
    maren.post("/multishipping/checkout/shippingPost/", methods)
    assert "multishipping-checkout-billing" in maren.get("/multishipping/checkout/billing/").text
    overview = maren.post("/multishipping/checkout/overview/", {"payment[method]": "checkmo"})
    assert "multishipping-checkout-overview" in overview.text
    placed = maren.post("/multishipping/checkout/overviewPost/", {})
    assert placed.headers["Location"] == f"{BASE_URL}multishipping/checkout/success/"
    text = maren.get("/multishipping/checkout/success/").text
    assert "multishipping-checkout-success" in text
    assert "000000018" in text
    assert "000000019" in text
    orders = [order for order in shop.state.orders.values() if order.increment_id in {"000000018", "000000019"}]
    assert [(order.qty, order.shipping_address.city) for order in orders] == [(2, "Whitby"), (1, "Aberdyfi")]
    assert len(shop.mails) == 2
    assert maren.cart()["summary_count"] == 0


def test_multishipping_is_for_customers(visitor):
    visitor.add(1, 2)
    assert "/login/referer/" in visitor.get("/multishipping/checkout/").headers["Location"]
