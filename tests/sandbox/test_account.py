"""Signing in and out, registering, the newsletter: cookies and proofs of success."""

from __future__ import annotations

import pytest

from tests.sandbox.shop_client import BASE_URL, set_cookies

MAREN = ("maren.holt@example.com", "Lighthouse-42")


def test_signing_in_changes_the_session_and_sets_the_vary_cookie(visitor):
    visitor.get("/customer/account/login/")
    before = visitor.cookie("PHPSESSID")
    answer = visitor.log_in(*MAREN)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}customer/account/")
    lines = set_cookies(answer)
    assert "HttpOnly" in lines["X-Magento-Vary"] and "Domain" not in lines["X-Magento-Vary"]
    assert lines["form_key"].startswith("form_key=deleted;")
    assert lines["persistent_shopping_cart"].startswith("persistent_shopping_cart=deleted;")
    assert "mage-cache-sessid" not in lines, "the request did not carry it"
    assert "mage-messages" not in lines
    assert visitor.cookie("PHPSESSID") != before
    page = visitor.get("/customer/account/")
    assert MAREN[0] in page.text
    assert set_cookies(page)["X-Magento-Vary"] != lines["X-Magento-Vary"]


def test_the_cache_session_cookie_is_deleted_only_when_it_came(visitor):
    visitor.client.set_cookie("mage-cache-sessid", "true", domain="shop.test")
    assert "Max-Age=0" in set_cookies(visitor.log_in(*MAREN))["mage-cache-sessid"]


@pytest.mark.parametrize(("email", "password"), [(MAREN[0], "wrong"), ("nobody@example.com", "x"), ("", "")])
def test_a_wrong_password_leads_back_to_the_form_with_an_error(visitor, email, password):
    answer = visitor.log_in(email, password)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}customer/account/login/")
    assert "X-Magento-Vary" not in set_cookies(answer)
    assert visitor.messages()[0]["type"] == "error"


def test_signing_in_without_the_form_key_fails(visitor):
    data = {"login[username]": MAREN[0], "login[password]": MAREN[1]}
    answer = visitor.post("/customer/account/loginPost/", data, form_key="XXXXXXXXXXXXXXXX")
    assert "X-Magento-Vary" not in set_cookies(answer)
    assert visitor.messages()[0]["type"] == "error"


def test_a_guests_cart_joins_the_customers_cart(visitor):
    visitor.log_in(*MAREN)
    visitor.add(1)
    visitor.get("/customer/account/logout/")
    assert visitor.cart()["items"] == []
    visitor.add(1, 2)
    visitor.add(3)
    visitor.log_in(*MAREN)
    assert {(item["product_id"], item["qty"]) for item in visitor.cart()["items"]} == {("1", 3), ("3", 1)}


def test_signing_in_opens_an_empty_cart(visitor):
    assert visitor.cart()["subtotalAmount"] is None
    visitor.log_in(*MAREN)
    assert visitor.cart()["subtotalAmount"] == "0.0000"


def test_signing_out_ends_the_session_and_the_next_page_drops_the_vary_cookie(visitor):
    visitor.log_in(*MAREN)
    old = visitor.cookie("PHPSESSID")
    answer = visitor.get("/customer/account/logout/")
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/logoutSuccess/"
    assert visitor.cookie("PHPSESSID") != old
    assert "Max-Age=0" not in set_cookies(answer)["X-Magento-Vary"], "the real shop sets one more value here"
    page = visitor.get("/customer/account/logoutSuccess/")
    assert "Max-Age=0" in set_cookies(page)["X-Magento-Vary"]
    assert "customer-account-logoutsuccess" in page.text
    assert visitor.get("/customer/account/").status_code == 302
    visitor.client.set_cookie("PHPSESSID", old, domain="shop.test")
    assert visitor.get("/customer/account/").status_code == 302, "the old session id opens nothing"


def test_registering_signs_in_subscribes_and_sends_a_welcome(shop, visitor):
    answer = visitor.register("new@example.com", is_subscribed="1")
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/"
    assert "X-Magento-Vary" in set_cookies(answer)
    assert visitor.messages()[0]["type"] == "success"
    found = shop.rest("V1/customers/47").json
    assert (found["email"], found["extension_attributes"]["is_subscribed"]) == ("new@example.com", True)
    assert [(mail["Subject"], mail["To"].addresses[0].addr_spec) for mail in shop.mails] == [
        ("Newsletter subscription success", "new@example.com"),
        ("Welcome to Harbour & Pine Outfitters", "new@example.com"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "MAREN.HOLT@example.com"}, {"email": "no-address"}, {"firstname": " "}, {"password": "other"},
        {"password": "", "password_confirmation": ""},
    ],
)  # fmt: skip
def test_a_registration_that_cannot_be_leads_back_with_an_error(shop, visitor, fields):
    answer = visitor.register(**fields)
    assert answer.headers["Location"] == f"{BASE_URL}customer/account/create/"
    assert "X-Magento-Vary" not in set_cookies(answer)
    assert visitor.messages()[0]["type"] == "error"
    assert len(shop.state.customers) == 6


def test_pages_of_the_account_ask_guests_to_sign_in(visitor):
    for path in (
        "/customer/account/",
        "/sales/order/history/",
        "/newsletter/manage/",
        "/sales/order/view/order_id/102/",
    ):
        assert "/customer/account/login/referer/" in visitor.get(path).headers["Location"]


def test_the_own_orders_are_shown_and_nobody_elses(visitor):
    visitor.log_in(*MAREN)
    assert "000000001" in visitor.get("/sales/order/history/").text
    assert "HP-BAG-01" in visitor.get("/sales/order/view/order_id/102/").text
    assert visitor.get("/sales/order/view/order_id/103/").status_code == 404


def test_the_footer_form_subscribes_and_only_the_message_tells(shop, visitor):
    answer = visitor.post("/newsletter/subscriber/new/", {"email": "nina@example.com"})
    assert (answer.status_code, answer.headers["Location"]) == (302, BASE_URL)
    assert [message["type"] for message in visitor.messages()] == ["success"]
    assert shop.state.is_subscribed("Nina@example.com")


@pytest.mark.parametrize("email", ["", "nina", "maren.holt@example.com"])
def test_an_address_that_cannot_be_subscribed_gets_an_error(shop, visitor, email):
    answer = visitor.post("/newsletter/subscriber/new/", {"email": email})
    assert answer.status_code == 302
    assert [message["type"] for message in visitor.messages()] == ["error"]
    assert len(shop.state.subscribers) == 4


def test_the_footer_form_leaves_the_time_of_change_and_the_account_page_moves_it(shop, visitor):
    visitor.log_in("idris.vaughan@example.com", "Lighthouse-42")
    before = shop.rest("V1/customers/42").json
    visitor.post("/newsletter/subscriber/new/", {"email": "idris.vaughan@example.com"})
    after = shop.rest("V1/customers/42").json
    assert (after["updated_at"], after["extension_attributes"]["is_subscribed"]) == (before["updated_at"], True)
    visitor.post("/newsletter/manage/save/", {})
    saved = shop.rest("V1/customers/42").json
    assert (saved["updated_at"], saved["extension_attributes"]["is_subscribed"]) == ("2026-03-01 12:00:00", False)


def test_a_forgotten_password_is_answered_the_same_for_everybody(visitor):
    locations = []
    for email in (MAREN[0], "nobody@example.com"):
        locations.append(visitor.post("/customer/account/forgotpasswordpost/", {"email": email}).headers["Location"])
        assert visitor.messages()[0]["type"] == "success"
    assert len(set(locations)) == 1


def test_typed_text_stands_escaped_in_messages(visitor):
    visitor.post("/customer/account/forgotpasswordpost/", {"email": "<img src=x onerror=alert(1)>"})
    assert "<img" not in visitor.messages()[0]["text"]


def test_an_order_placed_again_fills_the_cart_with_its_lines_and_choices(shop, visitor):
    visitor.log_in("maren.holt@example.com", "Lighthouse-42")
    orders = {order.increment_id: order for order in shop.state.orders.values()}
    for number in ("000000001", "000000004"):
        answer = visitor.post(f"/sales/order/reorder/order_id/{orders[number].entity_id}/", {})
        assert answer.headers["Location"].endswith("/checkout/cart/")
    assert visitor.messages() == []
    lines = {(item["product_id"], item["product_sku"], item["qty"]) for item in visitor.cart()["items"]}
    ordered = [line.quote_item for number in ("000000001", "000000004") for line in orders[number].items]
    assert lines == {(str(item.product.id), item.sku, item.qty) for item in ordered}
    foreign = next(order for order in orders.values() if order.customer_id != 41)
    answer = visitor.post(f"/sales/order/reorder/order_id/{foreign.entity_id}/", {})
    assert answer.headers["Location"].endswith("/sales/order/history/")
    assert len(visitor.cart()["items"]) == len(lines)
