"""The captured GraphQL calls, asked of the sandbox: status, keys, JSON types and error categories."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.shapes import CAPTURES, assert_same_shape, captured
from tests.sandbox.shop_client import BASE_URL, EU_URL

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures do not lie beside the checkout"),
]

# What the captured calls name, and what it is here.
NAMES = {
    "24-MB01": "HP-BAG-01", "MH01-S-Red": "HP-JKT-S-Navy", "MH01": "HP-JKT", "watch": "a", "nope": "nope",
    "jane@example.com": "maren.holt@example.com", "Shopper1234!b": "Lighthouse-42",
}  # fmt: skip


class Headless:
    """A headless storefront: no cookies, a bearer token."""

    def __init__(self, shop):
        self.client = shop.app.test_client(use_cookies=False)
        self.token = None
        self.cart = "none"
        self.item = "none"

    def ask(self, query, variables=None, **headers):
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        body = {"query": query, "variables": variables or {}}
        return self.client.post("/graphql", json=body, base_url=BASE_URL, headers=headers)

    def replay(self, name, *, signed_in=False):
        """Ask a captured call again; return the answer when status, keys and types are the captured ones."""
        meta = captured(f"graphql/{name}.meta.json")
        if meta["request"]["method"] == "GET":
            answer = self.client.get(meta["request"]["path"], base_url=BASE_URL)
        else:
            text = json.dumps(meta["request"]["body"])
            for theirs, ours in {**NAMES, "kVQOcmEcBU1U75X306aAcj4PoJncYydx": self.cart, "Mzc=": self.item}.items():
                text = text.replace(theirs, ours)
            token, self.token = self.token, self.token if signed_in else None
            store = meta["request"]["headers"].get("Store")
            answer = self.ask(**json.loads(text), **({"Store": store} if store else {}))
            self.token = token
        assert answer.status_code == meta["response"]["status"]
        theirs = captured(f"graphql/{name}.json")
        assert_same_shape(answer.json, theirs)
        for mine, real in zip(answer.json.get("errors", []), theirs.get("errors", []), strict=True):
            assert (mine.get("path"), mine.get("extensions")) == (real.get("path"), real.get("extensions"))
        return answer.json.get("data")


CART = (
    "addProductsToCart", "addProductsToCart_configurable", "addProductsToCart_out_of_stock", "cart", "updateCartItems",
    "applyCouponToCart", "applyCouponToCart_invalid", "setGuestEmailOnCart", "setShippingAddressesOnCart",
    "setShippingMethodsOnCart", "setBillingAddressOnCart", "setPaymentMethodOnCart", "placeOrder",
    "placeOrder_again_error", "removeItemFromCart_error",
)  # fmt: skip
ACCOUNT = (
    "createCustomerV2", "requestPasswordResetEmail", "subscribeEmailToNewsletter", "generateCustomerToken_wrong_password",
    "customer_no_token",
)  # fmt: skip
PLAIN = (
    "storeConfig", "storeConfig_header_store_fr", "get_query_cacheable", "get_query_cacheable_second_hit",
    "products_search", "product_configurable", "syntax_error", "unknown_field",
)  # fmt: skip
SIGNED_IN = ("generateCustomerToken", "customerCart", "customer")


@pytest.mark.parametrize("name", PLAIN)
def test_a_query_has_the_captured_shape(shop, name):
    assert Headless(shop).replay(name) is not None or name in {"syntax_error", "unknown_field"}


def test_a_guests_way_to_an_order_has_the_captured_shapes(shop):
    headless = Headless(shop)
    headless.cart = headless.replay("createEmptyCart")["createEmptyCart"]
    for name in CART:
        data = headless.replay(name)
        if name == "addProductsToCart":
            headless.item = data["addProductsToCart"]["cart"]["items"][0]["uid"]
        if name == "placeOrder":
            number = data["placeOrder"]["order"]["order_number"]
    order = next(one for one in shop.state.orders.values() if one.increment_id == number)
    assert (order.email, order.coupon_code) == ("gina@example.com", "SAVE10")
    assert [mail["Subject"] for mail in shop.mails] == ["Your Harbour & Pine Outfitters order confirmation"]


def test_the_account_calls_have_the_captured_shapes(shop):
    headless = Headless(shop)
    for name in ACCOUNT:
        headless.replay(name)
    subjects = [mail["Subject"] for mail in shop.mails]
    assert subjects == [
        "Welcome to Harbour & Pine Outfitters",
        "Newsletter subscription success",
        "Reset your Harbour & Pine Outfitters password",
        "Newsletter subscription success",
    ]


def test_a_signed_in_customers_calls_have_the_captured_shapes(shop):
    # The captured customer had no orders.
    shop.state.orders.clear()
    headless = Headless(shop)
    headless.token = headless.replay("generateCustomerToken")["generateCustomerToken"]["token"]
    headless.replay("customerCart", signed_in=True)
    assert headless.replay("customer", signed_in=True)["customer"]["email"] == "maren.holt@example.com"


def test_every_captured_graphql_answer_is_compared():
    names = {path.name.split(".")[0] for path in (CAPTURES / "graphql").iterdir()}
    assert names == {"createEmptyCart", *CART, *ACCOUNT, *PLAIN, *SIGNED_IN}


def test_a_mutation_may_not_be_a_get(shop):
    answer = shop.app.test_client().get("/graphql?query=mutation{createEmptyCart}", base_url=BASE_URL)
    assert "errors" in answer.json
    assert answer.json.get("data") is None


def test_the_view_is_that_of_the_header_or_of_the_host(shop):
    query = {"query": '{storeConfig{store_code} products(filter:{sku:{eq:"HP-BAG-01"}}){items{name}}}'}
    client = shop.app.test_client(use_cookies=False)
    seen = {}
    for host, code in ((BASE_URL, ""), (EU_URL, ""), (EU_URL, "de")):
        data = client.post("/graphql", json=query, base_url=host, headers={"Store": code} if code else {}).json["data"]
        seen[data["storeConfig"]["store_code"]] = data["products"]["items"][0]["name"]
    assert seen == {"default": "Quayside Holdall", "fr": "Sac de quai", "de": "Kaitasche"}


@pytest.mark.parametrize(("url", "kind"), [("/bags.html", "CATEGORY"), ("quayside-holdall.html", "PRODUCT"),
                                           ("about-us", "CMS_PAGE"), ("nowhere.html", None)])  # fmt: skip
def test_a_route_says_what_an_address_leads_to(shop, url, kind):
    answer = Headless(shop).ask("query($u:String!){route(url:$u){type relative_url}}", {"u": url})
    assert (answer.json["data"]["route"] or {}).get("type") == kind
