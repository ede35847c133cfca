"""Payment on another site: paid, refused, or given up."""

from __future__ import annotations

import pytest

from tests.sandbox.shop_client import BASE_URL


def where(answer):
    assert answer.status_code == 302
    return answer.headers["Location"].removeprefix(BASE_URL)


def pay(visitor, way=""):
    visitor.add(1)
    assert where(visitor.get("/paypal/express/start/")) == "paypal/site/"
    assert f"paypal/express/return/{way}" in visitor.get("/paypal/site/").text
    assert where(visitor.get(f"/paypal/express/return/{way}")) == "paypal/express/review/"
    assert "paypal-express-review" in visitor.get("/paypal/express/review/").text
    return visitor.post("/paypal/express/placeOrder/", {})


def test_a_paid_order_is_placed_after_the_return(shop, visitor):
    before = len(shop.state.orders)
    assert where(pay(visitor)) == "checkout/onepage/success/"
    assert len(shop.state.orders) == before + 1
    page = visitor.get("/checkout/onepage/success/").text
    assert "000000018" in page
    assert visitor.cart()["items"] == []
    order = max(shop.state.orders)
    assert shop.rest(f"V1/orders/{order}").json["payment"]["method"] == "paypal_express"


def test_a_declined_card_places_nothing_and_leaves_the_cart(shop, visitor):
    before = len(shop.state.orders)
    assert where(pay(visitor, "?card=declined")) == "checkout/onepage/failure/"
    page = visitor.get("/checkout/onepage/failure/").text
    assert "checkout-onepage-failure" in page
    assert len(shop.state.orders) == before
    assert visitor.cart()["summary_count"] == 1


def test_who_gives_up_is_back_in_the_cart_with_a_message_of_success(shop, visitor):
    before = len(shop.state.orders)
    visitor.add(1)
    assert where(visitor.get("/paypal/express/cancel/")) == "checkout/cart/"
    assert [message["type"] for message in visitor.messages()][-1] == "success"
    assert len(shop.state.orders) == before
    assert visitor.cart()["summary_count"] == 1


def test_without_a_cart_every_way_leads_to_the_cart(visitor):
    for path in ("start", "return", "review"):
        assert where(visitor.get(f"/paypal/express/{path}/")) == "checkout/cart/"
    assert where(visitor.post("/paypal/express/placeOrder/", {})) == "checkout/cart/"
    assert where(visitor.get("/hosted/payment/return/?paid=1")) == "checkout/cart/"


@pytest.mark.parametrize("paid", ["1", "0"])
def test_a_gateway_is_paid_after_the_order_or_the_cart_comes_back(shop, visitor, paid):
    visitor.add(1)
    cart = f"guest-carts/{visitor.checkout_config()['quoteData']['entity_id']}"
    order = int(visitor.place(cart, "gus@example.com", "hosted_card"))
    assert visitor.cart()["items"] == []
    led = where(visitor.get(f"/hosted/payment/return/?paid={paid}"))
    if paid == "1":
        assert (led, shop.state.orders[order].state) == ("checkout/onepage/success/", "new")
    else:
        assert (led, shop.state.orders[order].state) == ("checkout/cart/", "canceled")
        assert visitor.cart()["summary_count"] == 1
        assert where(visitor.get("/checkout/onepage/success/")) == "checkout/cart/"
