"""The cart: adding, changing, removing, from listing, product page, mini cart and cart page."""

from __future__ import annotations

import pytest

from tests.sandbox.shop_client import BASE_URL, set_cookies


def test_adding_by_script_answers_an_empty_list_and_leaves_the_message_to_the_section(visitor):
    answer = visitor.add(1, 2)
    assert (answer.status_code, answer.text) == (200, "[]")
    assert {"PHPSESSID", "private_content_version", "form_key"} == set(set_cookies(answer))
    sections = visitor.sections("cart", "messages")
    assert sections["messages"]["messages"][0]["type"] == "success"
    assert visitor.sections("messages")["messages"]["messages"] == []
    item = sections["cart"]["items"][0]
    assert item["item_id"].isdigit()
    assert (item["product_id"], item["product_sku"], item["qty"]) == ("1", "HP-BAG-01", 2)
    assert sections["cart"]["subtotalAmount"] == "128.0000"
    assert sections["cart"]["summary_count"] == 2


def test_a_form_may_be_multipart_or_urlencoded(visitor):
    for kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        data = {"product": "3", "qty": "1", "form_key": visitor.form_key}
        answer = visitor.client.post("/checkout/cart/add/product/3/", base_url=BASE_URL, data=data, content_type=kind)
        assert answer.status_code == 302
    assert visitor.cart()["summary_count"] == 2


def test_the_same_product_joins_its_line_and_another_variant_gets_its_own(visitor):
    visitor.add(1)
    visitor.add(1, 3)
    visitor.add(17, options={93: 4, 137: 7})
    visitor.add(17, options={93: 4, 137: 8})
    rows = [(item["product_sku"], item["qty"]) for item in visitor.cart()["items"]]
    assert rows == [("HP-JKT-M-Navy", 1), ("HP-JKT-S-Navy", 1), ("HP-BAG-01", 4)], "newest first"


def test_a_configurable_is_named_by_its_parent_and_counted_by_its_child(visitor):
    visitor.add(17, options={93: 5, 137: 8})
    item = visitor.cart()["items"][0]
    assert (item["product_id"], item["product_sku"], item["product_price_value"]) == ("17", "HP-JKT-M-Moss", 155)
    assert item["options"] == [
        {"label": "Colour", "value": "Moss", "option_id": 93, "option_value": "5"},
        {"label": "Size", "value": "M", "option_id": 137, "option_value": "8"},
    ]


@pytest.mark.parametrize("options", [None, {93: 4}, {93: 4, 137: 999}])
def test_missing_options_send_the_visitor_to_the_product(visitor, options):
    answer = visitor.add(17, options=options)
    assert (answer.status_code, answer.json) == (200, {"backUrl": f"{BASE_URL}breakwater-jacket.html"})
    assert visitor.sections("messages")["messages"]["messages"][0]["type"] == "notice"
    assert visitor.cart()["items"] == []


@pytest.mark.parametrize(("product", "qty", "page"), [(1, 9999, "quayside-holdall"), (7, 1, "bridle-leather-belt")])
def test_stock_that_does_not_reach_sends_the_visitor_to_the_product(visitor, product, qty, page):
    assert visitor.add(product, qty).json == {"backUrl": f"{BASE_URL}{page}.html"}
    assert visitor.sections("messages")["messages"]["messages"][0]["type"] == "error"


def test_without_script_the_visitor_is_sent_back_with_a_message_in_the_cookie(visitor):
    answer = visitor.post(
        "/checkout/cart/add/uenc/aHR0cDovL3Nob3AudGVzdC9iYWdzLmh0bWw~/product/1/", {"product": 1, "qty": 1}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}bags.html")
    assert [message["type"] for message in visitor.messages()] == ["success"]


def test_the_way_back_never_leaves_the_shop(visitor):
    answer = visitor.post("/checkout/cart/add/uenc/aHR0cDovL2V2aWwudGVzdC8~/product/1/", {"product": 1, "qty": 1})
    assert answer.headers["Location"] == BASE_URL


def test_messages_of_redirects_gather_in_the_cookie(visitor):
    for _ in range(2):
        visitor.post("/checkout/cart/add/product/1/", {"product": 1})
    assert len(visitor.messages()) == 2


@pytest.mark.parametrize("ajax", [True, False])
def test_a_wrong_form_key_changes_nothing_and_leads_to_the_cart(visitor, ajax):
    answer = visitor.post("/checkout/cart/add/product/1/", {"product": 1}, ajax=ajax, form_key="XXXXXXXXXXXXXXXX")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}checkout/cart/")
    assert visitor.messages()[0]["type"] == "error"
    assert visitor.cart()["items"] == []


def test_the_browser_may_choose_its_form_key(shop):
    visitor = shop.visitor()
    visitor.form_key = "zZ9zZ9zZ9zZ9zZ9z"
    visitor.client.set_cookie("form_key", visitor.form_key, domain="shop.test")
    assert visitor.add(1).text == "[]"


@pytest.mark.parametrize("product", ["0", "13", "nonsense"])
def test_a_product_that_cannot_be_bought_alone_is_passed_over(visitor, product):
    assert visitor.post("/checkout/cart/add/", {"product": product}, ajax=True).json == []
    assert visitor.cart()["items"] == []


def line_id(visitor):
    return visitor.cart()["items"][0]["item_id"]


def test_the_mini_cart_changes_and_removes_a_line(visitor):
    visitor.add(1)
    item = line_id(visitor)
    done = visitor.post("/checkout/sidebar/updateItemQty/", {"item_id": item, "item_qty": 3}, ajax=True)
    assert done.text == '{"success":true}'
    assert visitor.cart()["summary_count"] == 3
    assert visitor.post("/checkout/sidebar/removeItem/", {"item_id": item}, ajax=True).json == {"success": True}
    assert visitor.cart()["subtotalAmount"] == "0.0000"


@pytest.mark.parametrize("qty", ["9999", "0", "-1", "many"])
def test_the_mini_cart_refuses_a_quantity_that_cannot_be(visitor, qty):
    visitor.add(1)
    answer = visitor.post("/checkout/sidebar/updateItemQty/", {"item_id": line_id(visitor), "item_qty": qty}, ajax=True)
    assert answer.json["success"] is False
    assert answer.json["error_message"]
    assert visitor.cart()["summary_count"] == 1


def test_the_mini_cart_refuses_a_line_that_is_not_there(visitor):
    answer = visitor.post("/checkout/sidebar/removeItem/", {"item_id": "77"}, ajax=True)
    assert answer.json["success"] is False


def test_the_cart_page_first_checks_and_then_saves(visitor):
    visitor.add(1)
    field = f"cart[{line_id(visitor)}][qty]"
    assert visitor.post("/checkout/cart/updateItemQty/", {field: 3}, ajax=True).json == {"success": True}
    assert visitor.cart()["summary_count"] == 1
    assert visitor.post("/checkout/cart/updateItemQty/", {field: 9999}, ajax=True).json["success"] is False
    answer = visitor.post("/checkout/cart/updatePost/", {field: 3, "update_cart_action": "update_qty"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}checkout/cart/")
    assert visitor.cart()["summary_count"] == 3


def test_zero_on_the_cart_page_removes_and_the_empty_button_empties(visitor):
    visitor.add(1)
    visitor.add(3)
    visitor.post("/checkout/cart/updatePost/", {f"cart[{line_id(visitor)}][qty]": 0})
    assert [item["product_id"] for item in visitor.cart()["items"]] == ["1"]
    visitor.post("/checkout/cart/updatePost/", {"update_cart_action": "empty_cart"})
    assert visitor.cart()["items"] == []


def test_a_line_is_deleted_from_the_cart_page(visitor):
    visitor.add(1)
    answer = visitor.post("/checkout/cart/delete/", {"id": line_id(visitor), "uenc": ""})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}checkout/cart/")
    assert visitor.cart()["items"] == []
    visitor.post("/checkout/cart/delete/", {"id": "1"})
    assert visitor.messages()[-1]["type"] == "error"


def test_the_empty_cart_page_has_no_checkout_config(visitor):
    assert "checkoutConfig" not in visitor.get("/checkout/cart/").text
    visitor.add(1)
    assert visitor.checkout_config()["quoteData"]["items_qty"] == "1.0000"


def test_two_visitors_have_two_carts(shop, visitor):
    other = shop.visitor()
    visitor.add(1)
    other.add(3)
    assert [item["product_id"] for item in visitor.cart()["items"]] == ["1"]
    assert [item["product_id"] for item in other.cart()["items"]] == ["3"]
