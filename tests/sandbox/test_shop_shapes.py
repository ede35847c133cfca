"""Orders, carts, pages and headers of a visitor have the shapes that a running Magento 2.4.6 gave; see test_shop_captures too."""

from __future__ import annotations

import json
import re

import pytest

from tests.sandbox.shapes import CAPTURES, assert_same_shape, captured, differences

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures do not lie beside the checkout"),
]

# Discounts: the captured orders used a coupon, the orders of these tests do not.
COUPON = {"$.applied_rule_ids", "$.coupon_code", "$.discount_description", "$.items[].applied_rule_ids"}
COUPON |= {
    re.sub(r"^\$\.items", prefix, path)
    for path in COUPON
    for prefix in ("$.extension_attributes.shipping_assignments[].items",)
    if path.startswith("$.items")
}


def test_a_refused_token_has_the_captured_answer(shop):
    for token in (None, "wrong"):
        answer = shop.rest("V1/orders/1", token)
        assert answer.status_code == 401
        assert answer.json == captured("rest/error_401_no_token.json")


def test_a_guest_order_has_the_captured_shape(shop, visitor):
    visitor.add(1)
    visitor.add(4)
    order_id = visitor.order()
    assert_same_shape(shop.rest(f"V1/orders/{order_id}").json, captured("rest/order_pending_guest.json"), COUPON)


def test_a_customer_order_of_a_configurable_has_the_captured_shape(shop, visitor):
    visitor.register()
    visitor.add(17, options={93: 4, 137: 7})
    order_id = visitor.place("carts/mine", None)
    child = {
        f"{prefix}[].parent_item.applied_rule_ids"
        for prefix in ("$.items", "$.extension_attributes.shipping_assignments[].items")
    }
    card = {f"$.payment.{key}" for key in ("cc_exp_year", "cc_ss_start_month", "cc_ss_start_year")}
    assert_same_shape(
        shop.rest(f"V1/orders/{order_id}").json, captured("rest/order_pending_customer.json"), COUPON | child | card
    )  # fmt: skip


def test_a_virtual_order_has_the_captured_shape(shop, visitor):
    visitor.add(18)
    quote = shop.state.guest_quote(visitor.checkout_config()["quoteData"]["entity_id"])
    address = {"countryId": "GB", "street": ["1 Test Street", "Flat 2"], "city": "London", "postcode": "N1 1AA",
               "firstname": "Vera", "lastname": "Shopper", "telephone": "0207"}  # fmt: skip
    body = {"email": "vera@example.com", "billingAddress": address, "paymentMethod": {"method": "checkmo"}}
    placed = visitor.call("POST", f"guest-carts/{quote.masked_id}/payment-information", body)
    assert_same_shape(shop.rest(f"V1/orders/{placed.json}").json, captured("rest/order_virtual_only.json"))


@pytest.mark.parametrize("prefix", ["guest", "mine"])
def test_cart_calls_of_the_checkout_have_the_captured_shapes(shop, visitor, prefix):
    if prefix == "mine":
        visitor.register()
    visitor.add(1)
    entity_id = visitor.checkout_config()["quoteData"]["entity_id"]
    cart = "carts/mine" if prefix == "mine" else f"guest-carts/{entity_id}"
    rates = visitor.call("POST", f"{cart}/estimate-shipping-methods", {"address": {"country_id": "GB"}})
    assert_same_shape(rates.json, captured("rest/guestcart_3_estimate.json"))
    totals = visitor.call("GET", f"{cart}/totals")
    assert_same_shape(totals.json, captured("rest/carts_mine_totals.json"))
    information = {
        "addressInformation": {"shipping_address": {"countryId": "GB"}, "shipping_method_code": "flatrate",
                               "shipping_carrier_code": "flatrate"}
    }  # fmt: skip
    saved = visitor.call("POST", f"{cart}/shipping-information", information)
    coupon = {"$.totals.coupon_code", "$.totals.extension_attributes", "$.totals.extension_attributes.coupon_label"}
    assert_same_shape(saved.json, captured("rest/guestcart_4_shipping_information.json"), coupon)


def test_the_own_cart_has_the_captured_shape(visitor):
    visitor.log_in("maren.holt@example.com", "Lighthouse-42")
    assert_same_shape(visitor.call("GET", "carts/mine").json, captured("rest/carts_mine.json"))
    added = visitor.call("POST", "carts/mine/items", {"cartItem": {"sku": "HP-MUG-01", "qty": 1}})
    assert_same_shape(added.json, captured("rest/carts_mine_add_item.json"))
    assert_same_shape(visitor.call("GET", "customers/me").json, captured("rest/customers_me.json"))


@pytest.mark.parametrize(
    ("page", "capture"), [("/checkout/cart/", "cart_with_items"), ("/checkout/", "checkout_guest")]
)
def test_what_the_checkout_config_has_agrees_with_the_capture(visitor, page, capture):
    visitor.add(1, 2)
    visitor.add(17, options={93: 4, 137: 7})
    text = (CAPTURES / "pages" / f"{capture}.html").read_text()
    start = text.index("window.checkoutConfig = ") + len("window.checkoutConfig = ")
    theirs = json.JSONDecoder().raw_decode(text[start:])[0]
    ours = visitor.checkout_config(page)
    # The real one has far more; what is here must be there, with the same types.
    wrong = {
        path: what
        for path, what in differences(ours, theirs).items()
        if what != "missing" and not re.match(r"\$\.(quoteMessages|imageData)\.", path)
    }
    assert wrong == {}


def test_the_options_of_a_configurable_have_the_captured_shape(visitor):
    def config(text: str) -> dict:
        start = text.index('"spConfig": ') + len('"spConfig": ')
        return json.JSONDecoder().raw_decode(text[start:])[0]

    theirs = config((CAPTURES / "pages" / "product_configurable.html").read_text())
    ours = config(visitor.get("/breakwater-jacket.html").text)
    assert_same_shape(ours, theirs)


@pytest.mark.parametrize(
    ("path", "capture"),
    [
        ("/", "home"), ("/outerwear.html", "category"), ("/catalogsearch/result/?q=wool", "search_results"),
        ("/quayside-holdall.html", "product_simple"), ("/breakwater-jacket.html", "product_configurable"),
        ("/no-such-page", "not_found_404"), ("/about-us", "cms_page_privacy"), ("/checkout/cart/", "cart_empty"),
        ("/customer/account/login/", "login"), ("/customer/account/create/", "create_account"),
        ("/customer/account/forgotpassword/", "forgot_password"),
    ],
)  # fmt: skip
def test_a_page_has_the_captured_status_and_body_classes(visitor, path, capture):
    def classes(text: str) -> set[str]:
        own = re.search(r'<body[^>]*?\sclass="([^"]*)"', text, re.DOTALL)[1].split()
        named = r"(product|category|categorypath)-.*|cms-(?!index|page|noroute|no-route|home).*"
        return {name for name in own if not re.fullmatch(named, name)}

    head = (CAPTURES / "pages" / f"{capture}.headers.txt").read_text()
    answer = visitor.get(path)
    assert answer.status_code == int(re.search(r"^< HTTP/1.1 (\d+)", head, re.MULTILINE)[1])
    assert classes(answer.text) == classes((CAPTURES / "pages" / f"{capture}.html").read_text())


def test_headers_of_a_page_are_the_captured_ones(visitor):
    head = (CAPTURES / "pages" / "home.headers.txt").read_text()
    theirs = {line[2:].partition(":")[0].lower() for line in head.splitlines() if re.match(r"< [\w-]+:", line)}
    by_the_server = {"server", "date", "connection", "transfer-encoding"}
    ours = {name.lower() for name, _ in visitor.get("/").headers}
    assert theirs - by_the_server <= ours
    assert ours - theirs == {"set-cookie"}
