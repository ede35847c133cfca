"""The checkout page, its policy, and the page after an order."""

from __future__ import annotations

import re

from tests.sandbox.shop_client import BASE_URL


def test_an_empty_cart_leads_back_to_the_cart(visitor):
    answer = visitor.get("/checkout/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}checkout/cart/")


def test_the_policy_of_the_checkout_is_enforced_and_its_own_scripts_pass_by_nonce(visitor):
    visitor.add(1)
    answer = visitor.get("/checkout/")
    assert "Content-Security-Policy-Report-Only" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    sources = re.search(r"script-src ([^;]*)", policy)[1].split()
    assert "'self'" in sources
    assert "'unsafe-inline'" not in sources
    nonce = next(source for source in sources if source.startswith("'nonce-"))[7:-1]
    tags = re.findall(r"<script([^>]*)>", answer.text)
    inline = [tag for tag in tags if "src=" not in tag and "x-magento" not in tag]
    assert len(inline) == 3
    assert all(f'nonce="{nonce}"' in tag for tag in inline)
    assert not re.search(r'<[^>]+\son\w+="', answer.text), "no handler in an attribute"


def test_each_checkout_page_has_a_nonce_of_its_own(visitor):
    visitor.add(1)
    first, second = (visitor.get("/checkout/").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


def test_the_session_id_changes_at_the_checkout_and_the_cart_stays(visitor):
    visitor.add(1)
    before = visitor.cookie("PHPSESSID")
    visitor.get("/checkout/")
    assert visitor.cookie("PHPSESSID") != before
    assert visitor.cart()["summary_count"] == 1


def test_a_request_with_the_session_id_of_a_moment_ago_still_finds_the_visitor(visitor):
    visitor.add(1)
    before = visitor.cookie("PHPSESSID")
    visitor.get("/checkout/")
    visitor.client.set_cookie("PHPSESSID", before, domain="shop.test")
    assert visitor.cart()["summary_count"] == 1


def test_a_guest_is_masked_in_the_config_and_a_customer_is_named(visitor):
    visitor.add(1)
    guest = visitor.checkout_config("/checkout/")
    assert len(guest["quoteData"]["entity_id"]) == 32
    assert (guest["customerData"], guest["isCustomerLoggedIn"], guest["quoteData"]["customer_email"]) == (
        [],
        False,
        None,
    )
    visitor.register("ann@example.com")
    own = visitor.checkout_config("/checkout/")
    assert own["quoteData"]["entity_id"].isdigit()
    assert own["customerData"]["email"] == own["quoteData"]["customer_email"] == "ann@example.com"
    assert own["quoteData"]["quote_currency_code"] == "GBP"


def test_totals_of_the_config_follow_the_cart(visitor):
    visitor.add(2, 2)
    config = visitor.checkout_config()
    assert config["totalsData"]["grand_total"] == config["quoteData"]["grand_total"] == "78.0000"
    assert [(row["product_id"], row["qty"], row["price"]) for row in config["quoteItemData"]] == [("2", 2, "39.0000")]


def test_text_in_the_config_cannot_leave_its_script(shop, visitor):
    visitor.register("ann@example.com", firstname="</script><script>alert(1)//")
    visitor.add(1)
    text = visitor.get("/checkout/cart/").text
    assert "</script><script>alert(1)" not in text
    assert visitor.checkout_config()["customerData"]["firstname"] == "</script><script>alert(1)//"


def test_without_an_order_the_success_page_is_the_cart(visitor):
    assert visitor.get("/checkout/onepage/success/").headers["Location"] == f"{BASE_URL}checkout/cart/"


def test_the_success_page_of_a_guest_shows_the_number_and_shows_it_again(visitor):
    visitor.add(1)
    visitor.order("gus@example.com")
    for _ in range(2):
        text = visitor.get("/checkout/onepage/success/").text
        assert re.search(r'class="checkout-success">\s*<p>[^<]*<span>000000018</span>', text)
        assert "gus@example.com" not in text
        assert "126" not in text


def test_the_success_page_of_a_customer_links_the_order(visitor):
    visitor.register()
    visitor.add(1)
    order_id = visitor.place("carts/mine", None)
    text = visitor.get("/checkout/onepage/success/").text
    link = rf'<a href="{BASE_URL}sales/order/view/order_id/{order_id}/" class="order-number"><strong>000000018</strong></a>'
    assert re.search(link, text)


def test_the_next_order_replaces_the_last_one(visitor):
    for number in ("000000018", "000000019"):
        visitor.add(1)
        visitor.order()
        assert number in visitor.get("/checkout/onepage/success/").text
