"""The REST calls of the storefront: checkout of guests and customers, the visitor's own data."""

from __future__ import annotations

import pytest

from tests.sandbox.shop_client import BASE_URL, TOKEN, set_cookies


def guest_cart(visitor):
    return f"guest-carts/{visitor.checkout_config()['quoteData']['entity_id']}"


def test_a_guest_checks_out_and_the_answer_is_the_entity_id_as_a_string(shop, visitor):
    visitor.add(1, 2)
    order_id = visitor.order("gus@example.com")
    assert order_id == "126"
    order = shop.rest("V1/orders/126").json
    assert (order["increment_id"], order["customer_email"], order["customer_is_guest"]) == (
        "000000018",
        "gus@example.com",
        1,
    )
    assert (order["subtotal"], order["shipping_amount"], order["grand_total"]) == (128, 10, 138)
    assert visitor.cart()["items"] == []
    assert visitor.cart()["subtotalAmount"] is None


def test_the_placing_answer_is_a_quoted_string_on_the_wire(visitor):
    visitor.add(18)
    address = {"countryId": "GB", "street": ["1 Test Street"], "city": "London", "firstname": "V", "lastname": "S"}
    body = {"email": "v@example.com", "billing_address": address, "payment_method": {"method": "checkmo"}}
    assert visitor.call("POST", f"{guest_cart(visitor)}/payment-information", body).text == '"126"'


def test_a_customer_checks_out_by_session_and_keeps_the_address(shop, visitor):
    visitor.register("ann@example.com")
    visitor.add(23, options={93: 6, 137: 8})
    order = shop.rest(f"V1/orders/{visitor.place('carts/mine', None)}").json
    parent, child = order["items"]
    assert (parent["product_id"], parent["sku"], parent["price"]) == (23, "HP-JMP-M-Rust", 72)
    assert (child["product_id"], child["parent_item_id"], child["price"]) == (19, parent["item_id"], 0)
    customer = shop.rest(f"V1/customers/{order['customer_id']}").json
    assert customer["addresses"][0]["city"] == "London"
    assert customer["email"] == order["customer_email"] == "ann@example.com"


@pytest.mark.parametrize("path", ["customers/me", "carts/mine", "carts/mine/totals"])
def test_the_session_opens_own_data_only_to_the_shops_scripts(visitor, path):
    assert visitor.call("GET", path).status_code == 401
    visitor.register()
    assert visitor.call("GET", path, ajax=False).status_code == 401
    answer = visitor.call("GET", path)
    assert answer.status_code == 200
    assert "PHPSESSID" in set_cookies(answer)


def test_a_refused_session_says_self(visitor):
    assert visitor.call("GET", "customers/me").json == {
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": {"resources": "self"},
    }


@pytest.mark.parametrize(("code", "status"), [("default", 200), ("all", 200), ("fr", 401), ("xx", 404)])
def test_the_session_counts_only_for_store_codes_of_its_website(visitor, code, status):
    visitor.register()
    answer = visitor.get(f"/rest/{code}/V1/customers/me", **{"X-Requested-With": "XMLHttpRequest"})
    assert answer.status_code == status


def test_mail_addresses_of_accounts_are_not_available(visitor):
    assert visitor.call("POST", "customers/isEmailAvailable", {"customerEmail": "new@example.com"}).json is True
    assert visitor.call("POST", "customers/isEmailAvailable", {"customerEmail": "Maren.Holt@example.com"}).json is False


def test_an_unknown_cart_is_not_found(visitor):
    answer = visitor.call("GET", "guest-carts/doesnotexist")
    assert answer.status_code == 404
    assert answer.json["parameters"] == {"fieldName": "cartId", "fieldValue": None}


def test_a_cart_that_was_ordered_is_gone(visitor):
    visitor.add(1)
    cart = guest_cart(visitor)
    visitor.order()
    assert visitor.call("GET", cart).status_code == 404


def test_free_shipping_starts_at_a_hundred_pounds(visitor):
    visitor.add(1)
    cart = guest_cart(visitor)
    asked = {"address": {"country_id": "GB", "postcode": None}}
    rates = visitor.call("POST", f"{cart}/estimate-shipping-methods", asked).json
    assert [(rate["carrier_code"], rate["amount"]) for rate in rates] == [("flatrate", 5)]
    visitor.add(1)
    rates = visitor.call("POST", f"{cart}/estimate-shipping-methods", asked).json
    assert [(rate["carrier_code"], rate["amount"]) for rate in rates] == [("freeshipping", 0), ("flatrate", 10)]


def test_totals_information_saves_nothing(visitor):
    visitor.add(1)
    cart = guest_cart(visitor)
    body = {
        "addressInformation": {"address": {}, "shipping_method_code": "flatrate", "shipping_carrier_code": "flatrate"}
    }
    assert visitor.call("POST", f"{cart}/totals-information", body).json["grand_total"] == 69
    assert visitor.call("GET", f"{cart}/totals").json["grand_total"] == 64


def test_a_guests_mail_is_in_the_checkout_config_once_it_was_sent(visitor):
    visitor.add(1)
    cart = guest_cart(visitor)
    assert "validatedEmailValue" not in visitor.checkout_config()
    body = {"cartId": cart[12:], "paymentMethod": {"method": "checkmo"}, "email": "gus@example.com"}
    assert visitor.call("POST", f"{cart}/set-payment-information", body).json is True
    for page in ("/checkout/cart/", "/checkout/"):
        config = visitor.checkout_config(page)
        assert config["validatedEmailValue"] == "gus@example.com"
        assert config["quoteData"]["customer_email"] is None


def test_a_cart_can_be_filled_by_rest_alone(shop, visitor):
    masked = visitor.call("POST", "guest-carts").json
    assert len(masked) == 32
    options = [{"option_id": "93", "option_value": 5}, {"option_id": "137", "option_value": 8}]
    item = {"cartItem": {"sku": "HP-JKT", "qty": 2, "quote_id": masked,
                         "product_option": {"extension_attributes": {"configurable_item_options": options}}}}  # fmt: skip
    added = visitor.call("POST", f"guest-carts/{masked}/items", item).json
    assert (added["sku"], added["price"], added["product_type"]) == ("HP-JKT-M-Moss", 155, "configurable")
    path = f"guest-carts/{masked}/items/{added['item_id']}"
    assert visitor.call("PUT", path, {"cartItem": {"qty": 1}}).json["qty"] == 1
    assert visitor.call("DELETE", path).json is True
    assert visitor.call("GET", f"guest-carts/{masked}/items").json == []
    assert visitor.cart()["items"] == [], "the session's own cart is another one"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"cartItem": {"sku": "nosuch", "qty": 1}}, "no product"),
        ({"cartItem": {"sku": "HP-MUG-01", "qty": "abc"}}, "must be a number"),
        ({"cartItem": {"sku": "HP-BLT-01", "qty": 1}}, "in stock"),
        ({}, "is required"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_a_message(visitor, body, message):
    masked = visitor.call("POST", "guest-carts").json
    answer = visitor.call("POST", f"guest-carts/{masked}/items", body)
    assert answer.status_code in {400, 404}
    assert message in answer.json["message"]


def test_bodies_that_are_not_json_are_refused(visitor):
    url = "/rest/default/V1/customers/isEmailAvailable"
    bad = visitor.client.post(url, base_url=BASE_URL, data="{bad", content_type="application/json")
    assert (bad.status_code, bad.json) == (400, {"message": "Decoding error."})
    form = visitor.client.post(url, base_url=BASE_URL, data={"a": "b"})
    assert form.status_code == 400
    assert "media type" in form.json["message"]


def test_an_order_without_address_or_with_a_strange_payment_is_refused(visitor):
    visitor.add(1)
    cart = guest_cart(visitor)
    early = visitor.call(
        "POST", f"{cart}/payment-information", {"email": "a@example.com", "paymentMethod": {"method": "checkmo"}}
    )
    assert early.status_code == 400
    odd = visitor.call(
        "POST",
        f"{cart}/shipping-information",
        {"addressInformation": {"shipping_address": {}, "shipping_method_code": "ufo", "shipping_carrier_code": "ufo"}},
    )
    assert odd.status_code == 400


def test_stock_that_went_meanwhile_stops_the_order(shop, visitor):
    visitor.add(4)
    shop.state.reserved["HP-LAN-01"] = 100
    cart = guest_cart(visitor)
    address = {"countryId": "GB", "street": ["1"], "city": "L", "firstname": "G", "lastname": "G"}
    information = {"shipping_address": address, "shipping_method_code": "flatrate", "shipping_carrier_code": "flatrate"}
    visitor.call("POST", f"{cart}/shipping-information", {"addressInformation": information})
    body = {"email": "a@example.com", "paymentMethod": {"method": "checkmo"}}
    answer = visitor.call("POST", f"{cart}/payment-information", body)
    assert (answer.status_code, answer.json["message"]) == (400, "We do not have that many in stock.")


def test_the_admin_token_is_no_visitor(shop):
    assert shop.rest("default/V1/customers/me", TOKEN).status_code == 401


def test_what_has_no_route_says_so(visitor):
    answer = visitor.call("POST", "guest-carts/x/nonsense", {})
    assert (answer.status_code, answer.json) == (404, {"message": "Request does not match any route."})
