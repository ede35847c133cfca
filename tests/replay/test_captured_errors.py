"""Every recorded answer that is an error goes through the real client and ends in the error that says what happens next.

The tables are written by hand from what Magento's contract says of each answer, and from the branches of
`bridge.errors`: nothing that fails may look like an empty list, and no sentence may tell a secret or a person's data.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace

import pytest

from bridge.checks.shop import look_at_shop
from bridge.config import Config
from bridge.errors import BridgeError, Misconfigured, Retry, Stumbled
from bridge.events import EntityRef
from bridge.store import Customer, Gone, Product
from bridge.store.magento import Magento
from bridge.store.magento_faults import Barred, NotTaken
from tests.base.test_config import read
from tests.replay.library import CAPTURES, NEEDS_CAPTURES, SAMPLES, calls, pages
from tests.replay.rest_shop import RestShop, rows

TOKEN = "token-0123456789abcdef"
EMAIL = "jane@example.com"
NUMBER = "000000012345"
START = dt.datetime(2026, 11, 25, 10, 0, tzinfo=dt.UTC)

MAINTENANCE = (Retry, r"maintenance or overloaded \(503\); it is asked again after 30 seconds")
NO_COUNT = (Retry, "without its total_count; it is asked again after 60 seconds")
COUNTS_ONLY = (Retry, "counts rows of orders and shows none; it is asked again after 60 seconds")
NO_RIGHT = (Misconfigured, r"for Magento_Sales::actions_view \(401\): give the integration this right")
NOT_JSON = (Misconfigured, "does not answer in JSON .* the Accept header; let it pass as it is")
NO_ROUTE = (Misconfigured, r"has no orders \(404\): BRIDGE_STORE_URL or BRIDGE_STORE_REST_URL must lead to a Magento")
NO_MAGENTO = (Misconfigured, "does not answer as Magento's REST API .404.: correct BRIDGE_STORE_URL")
FAILED = (Stumbled, r"failed \(500\) at orders(, which its log has as webapi-[0-9a-f]+)?: it is asked again for less")
REDIRECTED = (Misconfigured, r"redirects \(302\): set BRIDGE_PUBLIC_URL")


def refused(words: str):
    """A query that the shop does not take: Magento's own words, without the values that it sent beside them."""
    return NotTaken, rf"the query for orders \(400: {words}\): it is asked again for less"


REST = {
    "action_cancel_impossible_returns_false_200": NO_COUNT,
    "coupon_create_duplicate": refused("%1 already exists"),
    "coupon_create_duplicate_same_rule": refused("%1 already exists"),
    "coupon_create_type0_on_auto_rule": refused("Error occurred when saving coupon: %1"),
    "coupons_deleteByCodes_strict_missing": refused("Some coupons are invalid"),
    "coupons_generate_missing_rule": refused("Error occurred when generating coupons: %1"),
    "coupons_generate_quantity_zero": refused("One or more input exceptions have occurred"),
    "coupons_generate_wrong_rule": refused("Error occurred when generating coupons: %1"),
    "error_400_bad_field_type": refused("Error occurred during … processing. The … value's type is invalid. .*"),
    "error_400_bad_json": refused("Decoding error"),
    "error_400_duplicate_customer": refused("A customer with the same email address already exists .*"),
    "error_400_media_type": refused("Server cannot understand .* media type application/x-www-form-urlencoded"),
    "error_400_refund_invoice_refused": refused(r"Creditmemo Document Validation Error\(s\): We can't create .*"),
    "error_400_search_no_criteria": refused('"%fieldName" is required. Enter and try again'),
    "error_400_validation_missing_required": refused("The customer email is missing. Enter and try again"),
    "error_401_bad_token": NO_RIGHT,
    "error_401_customer_token": (Misconfigured, r"refuses the token \(401\): check BRIDGE_STORE_TOKEN or the four"),
    "error_401_no_token": NO_RIGHT,
    "error_404_cart": NO_ROUTE,
    "error_404_coupon_apply": NO_ROUTE,
    "error_404_customer": NO_ROUTE,
    "error_404_order": NO_ROUTE,
    "error_404_product": NO_ROUTE,
    "error_404_route": NO_ROUTE,
    "error_500_accept_text_html": FAILED,
    "error_500_filter_category_ids": FAILED,
    "error_500_filter_unknown_field": FAILED,
    "error_500_sort_unknown_field": FAILED,
    "error_503_maintenance": MAINTENANCE,
    "inventory_salable_qty_configurable_400": refused("Can't check requested quantity for products .*"),
    "orders_fields_unbalanced": NO_COUNT,
    "page_out_of_range_returns_200": COUNTS_ONLY,
    "store_websites_accept_xml": NOT_JSON,
}
GRAPHQL = {
    "applyCouponToCart_invalid": NO_COUNT,
    "customer_no_token": NO_COUNT,
    "generateCustomerToken_wrong_password": NO_COUNT,
    "placeOrder_again_error": NO_COUNT,
    "removeItemFromCart_error": NO_COUNT,
    "syntax_error": FAILED,
    "unknown_field": NO_COUNT,
}
PAGES = {
    "account_not_logged_in_redirect": REDIRECTED,
    "admin_login_post_redirect": REDIRECTED,
    "cart_add_non_ajax_redirect": REDIRECTED,
    "checkout_with_empty_cart_redirect": REDIRECTED,
    "cms_about": NO_MAGENTO,
    "login_post_redirect": REDIRECTED,
    "login_post_wrong_password": REDIRECTED,
    "logout_redirect": REDIRECTED,
    "maintenance_503": MAINTENANCE,
    "newsletter_get_404": NO_MAGENTO,
    "newsletter_manage_save_redirect": REDIRECTED,
    "not_found_404": NO_MAGENTO,
    "sitemap_404": NO_MAGENTO,
    "varnishmode_not_found_404": NO_MAGENTO,
    "wrong_host_header_redirect": REDIRECTED,
    "wrong_host_redirect": REDIRECTED,
    "x_forwarded_host_ignored": REDIRECTED,
}
AJAX = {
    "cart_add_bad_form_key_response": REDIRECTED,
    "section_load_unknown_section": refused("The … section source isn't supported"),
}
OWN = {
    "busy": (Retry, r"asks for fewer calls \(429\); it is asked again after 120 seconds"),
    "internal": FAILED,
    "maintenance": MAINTENANCE,
    "no_criteria": refused('"%fieldName" is missing'),
    "no_route": NO_ROUTE,
    "no_rows": COUNTS_ONLY,
    "no_such_customer": NO_ROUTE,
    "no_token": NO_RIGHT,
    "not_acceptable": NOT_JSON,
    "overloaded_until": (Retry, r"\(503\); it is asked again after 200 seconds"),
    "page_limit": refused("A pageSize above %max is not taken"),
    "refused_xml": NOT_JSON,
    "unbalanced_fields": NO_COUNT,
    "unknown_fields": COUNTS_ONLY,
    "used_nonce": (Retry, "saw the nonce of a call before; it is asked again with another"),
    "websites_xml": NOT_JSON,
    "wrong_clock": (Misconfigured, r"the time of a signed call \(401\): set this machine's clock right"),
    "wrong_signature": (Misconfigured, "refuses the OAuth signature: check the four"),
    "wrong_value": refused('The value … of "%fieldName" is odd, .31msee … or ask … or …'),
}
SHELVES = {
    "rest": (REST, calls(CAPTURES / "rest"), NEEDS_CAPTURES),
    "graphql": (GRAPHQL, calls(CAPTURES / "graphql"), NEEDS_CAPTURES),
    "pages": (PAGES, pages(CAPTURES / "pages"), NEEDS_CAPTURES),
    "ajax": (AJAX, pages(CAPTURES / "ajax"), NEEDS_CAPTURES),
    "own": (OWN, calls(SAMPLES / "rest"), ()),
}


EVERY_ERROR = [
    pytest.param(recorded.get(name), outcome, id=f"{shelf}-{name}", marks=marks)
    for shelf, (table, recorded, marks) in SHELVES.items()
    for name, outcome in table.items()
]


@pytest.fixture(scope="module")
def open_shop():
    made = RestShop()
    yield made
    made.close()


@pytest.fixture
def shop(open_shop):
    open_shop.routes, open_shop.otherwise = {}, rows()
    open_shop.asked.clear()
    return open_shop


@pytest.fixture
def magento(shop):
    return Magento(Config(store_url=shop.url, public_url="http://store.test", store_token=TOKEN))


CALLS = {
    "walk": lambda store: store.ids("order"),
    "orders": lambda store: store.fetch([EntityRef("order", "12345")]),
    "contacts": lambda store: store.fetch([EntityRef("contact", "customer:12345")]),
    "products": lambda store: store.fetch([EntityRef("product", "12345")], ["default"]),
    "families": lambda store: list(store.families()),
    "changes": lambda store: list(store.changed_since("contact", START, START)),
    "number": lambda store: store.order_by_number(NUMBER, EMAIL),
    "address": lambda store: store.customer_by_email(EMAIL, 1),
    "tree": lambda store: store.tree(),
}
"""What bridge asks a shop for: each of them must see that an error is no data."""


def is_error(recorded) -> bool:
    """Tell what no client may read as data: a status, no JSON where there should be some, a list that shows nothing."""
    if recorded.status >= 300:
        return True
    if b"/rest/" not in recorded.target and recorded.target != b"/graphql":
        return False
    if recorded.text.strip() in {b"[]", b"[[]]", b"false", b""}:
        return True
    try:
        data = json.loads(recorded.text)
    except ValueError:
        return True
    if not isinstance(data, dict):
        return False
    return "errors" in data or bool(data.get("total_count") and not any(data.get("items", [1])))


@pytest.mark.parametrize("shelf", [pytest.param(name, marks=marks, id=name) for name, (_, _, marks) in SHELVES.items()])
def test_no_recorded_error_is_left_out(shelf):
    table, recorded, _ = SHELVES[shelf]
    assert {name for name, each in recorded.items() if is_error(each)} == set(table)


@pytest.mark.parametrize(("recorded", "outcome"), EVERY_ERROR)
def test_a_list_that_the_shop_answers_so_ends_in_this_sentence(magento, shop, recorded, outcome):
    kind, words = outcome
    shop.otherwise = recorded
    with pytest.raises(BridgeError) as raised:
        magento.ids("order")
    assert type(raised.value) is kind
    assert re.search(words, str(raised.value)), str(raised.value)


@pytest.mark.parametrize(("recorded", "outcome"), EVERY_ERROR)
def test_whatever_is_asked_for_the_answer_is_the_same_kind_of_error_and_tells_no_secret(
    magento, shop, recorded, outcome
):
    shop.otherwise = recorded
    for call, ask in CALLS.items():
        with pytest.raises((Retry, Misconfigured)) as raised:
            ask(magento)
        # A store view's own list that is not there means the view: it is read again with the tree.
        branch = {NotTaken: Stumbled}.get(outcome[0], outcome[0])
        assert isinstance(raised.value, Retry if call == "products" and outcome is NO_ROUTE else branch), call
        assert_one_plain_sentence(raised.value)


def assert_one_plain_sentence(error: BridgeError):
    """One line that ends and can be read, without token, query, person, entity, path of the server or markup."""
    said = str(error)
    assert 20 < len(said) < 400
    assert said.endswith(".")
    assert said.isprintable()
    assert not re.search(r"token-|jane|12345|99999|/srv|<|abc\b", said), said
    if isinstance(error, Retry):
        assert 1 <= error.after <= 3600


@pytest.mark.parametrize(("recorded", "outcome"), EVERY_ERROR)
def test_bridge_check_names_every_right_that_it_cannot_use(magento, shop, recorded, outcome):
    shop.otherwise = recorded
    rights = magento.rights()
    if recorded.status != 200 or outcome[0] is Misconfigured:
        assert all(right.fault.endswith(".") for right in rights)
        assert {right.missing for right in rights} == {outcome[0] is Misconfigured and outcome is not NO_ROUTE}


def one(name: str, shelf: str = "own"):
    """Return a recording for a test that runs with the project's own samples, or with the captures where they are."""
    return SHELVES[shelf][1].get(name)


def errors_of(own: str, captured: str):
    """The same answer from both libraries."""
    return pytest.mark.parametrize(
        "recorded",
        [
            pytest.param(one(own), id=f"own-{own}"),
            pytest.param(one(captured, "rest"), id=captured, marks=NEEDS_CAPTURES),
        ],
    )


SITES = [{"id": 0, "code": "admin"}, {"id": 1, "code": "base"}, {"id": 2, "code": "europe"}]
JANE = {"id": 99999, "email": EMAIL, "website_id": 1, "extension_attributes": {"is_subscribed": True}}
BAG = {"id": 1, "sku": "BAG", "name": "Bag", "status": 1, "price": 34, "extension_attributes": {"website_ids": [1]}}
CONFIGS = [{"id": 1, "code": "default", "website_id": 1, "default_display_currency_code": "GBP"}]


@pytest.fixture
def good_shop(shop):
    """A shop with a customer and a product, in two websites."""
    stock = {"items": [{"sku": "BAG", "qty": 3, "is_salable": True}], "total_count": 1}
    shown = {"items": [{"id": 1, "url": "http://store.test/bag.html", "price_info": {"final_price": 30}}]}
    shop.routes = {
        "store/websites": SITES,
        "store/storeConfigs": CONFIGS,
        "customers/search": rows(JANE),
        "customers/99999": {**JANE, "extension_attributes": {"is_subscribed": False}},
        "products": rows(BAG),
        "products-render-info": shown,
        "inventory/export-stock-salable-qty": stock,
        "stockStatuses/BAG": {"stock_status": 0},
    }
    return shop


CONTACT = EntityRef("contact", "customer:99999")
PRODUCT = EntityRef("product", "1")


class TestOneEntity:
    """The shop answers so for one entity, or for what is not essential, while all else is well."""

    def bag(self, magento) -> Product:
        found = magento.fetch([PRODUCT], ["default"])[PRODUCT]
        assert isinstance(found, Product)
        return found

    def test_the_shop_of_these_tests_is_well(self, magento, good_shop):
        assert self.bag(magento).salable is True
        assert self.bag(magento).views["default"].url == "http://store.test/bag.html"
        found = magento.fetch([CONTACT])[CONTACT]
        assert isinstance(found, Customer)
        assert found.subscribed is False

    @errors_of("no_such_customer", "error_404_customer")
    def test_a_customer_that_is_gone_meanwhile_is_gone(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "customers/99999")
        assert magento.fetch([CONTACT])[CONTACT] == Gone()
        assert magento.customer_by_email(EMAIL, 1) is None

    @errors_of("unbalanced_fields", "orders_fields_unbalanced")
    def test_a_customer_that_is_answered_with_nothing_is_asked_for_again(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "customers/99999")
        with pytest.raises(Retry, match="another thing than the customer") as raised:
            magento.fetch([CONTACT])
        assert_one_plain_sentence(raised.value)

    @errors_of("unbalanced_fields", "orders_fields_unbalanced")
    def test_a_shop_that_lists_no_website_is_not_a_shop_with_one(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "store/websites")
        with pytest.raises(Retry, match="store tree with an empty list"):
            magento.fetch([CONTACT])

    @pytest.mark.parametrize("name", ["no_rows", "unknown_fields"])
    def test_a_product_that_is_counted_and_not_shown_is_not_gone(self, magento, good_shop, name):
        good_shop.fail(one(name), "products")
        with pytest.raises(Retry, match="counts rows of products and shows none"):
            magento.fetch([PRODUCT], ["default"])

    @errors_of("no_route", "error_404_route")
    def test_stock_of_a_shop_without_sources_is_asked_the_old_way(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "inventory/export-stock-salable-qty")
        assert self.bag(magento).salable is False

    @errors_of("no_criteria", "inventory_salable_qty_configurable_400")
    def test_stock_that_the_shop_does_not_tell_is_unknown(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "inventory/export-stock-salable-qty")
        assert self.bag(magento).salable is None

    @errors_of("no_such_customer", "error_404_product")
    def test_a_sku_without_old_stock_is_unknown(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "inventory/export-stock-salable-qty")
        good_shop.fail(recorded, "stockStatuses/BAG")
        assert self.bag(magento).salable is None

    @errors_of("no_criteria", "error_400_search_no_criteria")
    def test_what_the_shop_front_shows_may_be_missing(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "products-render-info")
        assert self.bag(magento).views["default"].url is None

    @pytest.mark.parametrize(
        "route", ["products-render-info", "inventory/export-stock-salable-qty", "store/storeConfigs", "customers/99999"]
    )
    @pytest.mark.parametrize("name", ["no_token", "internal", "maintenance", "websites_xml"])
    def test_what_fails_beside_the_entity_is_no_gap_in_it(self, magento, good_shop, route, name):
        good_shop.fail(one(name), route)
        with pytest.raises(OWN[name][0]):
            magento.fetch([PRODUCT, CONTACT], ["default"])

    @pytest.mark.parametrize("route", ["store/storeConfigs", "store/websites"])
    def test_a_route_that_bridge_needs_is_named_where_the_shop_lacks_it(self, magento, good_shop, route):
        good_shop.fail(one("no_route"), route)
        with pytest.raises(Misconfigured, match=rf"has no {route} \(404\): BRIDGE_STORE_URL"):
            magento.fetch([PRODUCT], ["default"])

    @errors_of("no_token", "error_401_no_token")
    def test_a_right_that_is_missing_for_one_thing_is_named_and_the_others_are_read(self, magento, good_shop, recorded):
        good_shop.fail(recorded, "orders")
        with pytest.raises(Misconfigured, match="Magento_Sales::actions_view"):
            magento.ids("order")
        assert isinstance(magento.fetch([CONTACT])[CONTACT], Customer)
        assert [right.needed_for for right in magento.rights() if right.missing] == ["orders"]


class TestWalks:
    """A page at which the shop fails is asked for with fewer rows."""

    @staticmethod
    def answer_up_to(most: int, failure):
        found = [{"entity_id": number, "store_id": 1, "updated_at": "2026-11-25 10:00:00"} for number in range(1, 61)]

        def answer(query: str):
            size = int(re.search(r"pageSize\]=(\d+)", query)[1])
            last = re.search(r"\[value\]=(\d+)&[^=]*condition_type\]=gt", query)
            left = [row for row in found if row["entity_id"] > int(last[1] if last else 0)]
            return failure if size > most else {"items": left[:size], "total_count": len(left)}

        return answer

    @pytest.mark.parametrize("name", ["internal", "page_limit"])
    def test_each_row_comes_once_all_the_same(self, magento, shop, name):
        shop.routes["orders"] = self.answer_up_to(30, one(name))
        ids, cursor = [], None
        while True:
            page = magento.ids("order", cursor)
            ids += [row.ref.id for row in page.rows]
            cursor = page.cursor
            if cursor is None:
                break
        assert ids == [str(number) for number in range(1, 61)]
        changed = magento.changed_since("order", START, START)
        assert sorted(int(row.ref.id) for row in changed) == list(range(1, 61))

    def test_a_shop_that_fails_at_every_page_is_left_alone_after_a_few_questions(self, magento, shop):
        shop.routes["orders"] = one("internal")

        def walk(cursor: str | None = None) -> None:
            for _ in range(40):
                page = magento.ids("order", cursor)
                assert not page.rows
                cursor = page.cursor

        with pytest.raises(Stumbled):
            walk()
        sizes = [re.search(r"pageSize\]=(\d+)", query)[1] for _, query in shop.asked if "pageSize" in query]
        # Smaller pages, then narrower ranges of ids down to one, then whether any other order can be had.
        assert sizes == ["100", "50", "25", "12", "6", *["100"] * 5, "1", "1", "1"]
        assert len(shop.asked) < 20

    @pytest.mark.parametrize("name", ["maintenance", "busy", "no_token", "websites_xml"])
    def test_a_shop_that_is_away_or_refuses_is_asked_once(self, magento, shop, name):
        shop.routes["orders"] = one(name)
        with pytest.raises((Retry, Misconfigured)):
            magento.ids("order")
        assert len(shop.asked) == 1


class TestAFirewall:
    """What refuses a call before Magento sees it answers a page of its own."""

    @staticmethod
    def page(status: int):
        return replace(one("maintenance"), status=status, reason=b"No")

    @pytest.mark.parametrize("status", [400, 401, 403, 405, 406, 451])
    def test_it_is_named_with_the_change_to_make(self, magento, shop, status):
        shop.otherwise = self.page(status)
        with pytest.raises(Barred, match=rf"in front of the shop refuses bridge's calls \({status}\): let its fire"):
            magento.ids("order")

    def test_a_value_that_it_dislikes_is_told_from_a_set_up_that_it_refuses(self, magento, shop):
        shop.routes["customers/search"] = lambda query: self.page(403) if EMAIL in query else rows()
        with pytest.raises(Stumbled, match="refuses a value of this question") as raised:
            magento.customer_by_email(EMAIL, 1)
        assert_one_plain_sentence(raised.value)
        shop.routes["customers/search"] = self.page(403)
        with pytest.raises(Barred):
            magento.customer_by_email(EMAIL, 1)

    @pytest.mark.parametrize("status", [413, 414, 431])
    def test_a_call_that_is_too_large_is_asked_in_parts(self, magento, shop, status):
        shop.otherwise = self.page(status)
        with pytest.raises(Stumbled, match=rf"too large \({status}\)"):
            magento.fetch([EntityRef("order", "12345")])

    @pytest.mark.parametrize("status", [500, 502, 504, 524])
    def test_a_gateway_that_gives_up_may_be_asked_for_less(self, magento, shop, status):
        shop.otherwise = self.page(status)
        with pytest.raises(Stumbled, match=rf"failed \({status}\)"):
            magento.fetch([EntityRef("order", "12345")])


@pytest.mark.parametrize(
    "recorded",
    [
        pytest.param(pages(SAMPLES / "pages")["maintenance"], id="own"),
        pytest.param(one("maintenance_503", "pages"), id="captured", marks=NEEDS_CAPTURES),
    ],
)
def test_bridge_check_says_that_the_home_page_is_closed(tmp_path, shop, recorded):
    shop.otherwise = recorded
    config = read(tmp_path, BRIDGE_STORE_URL=shop.url, BRIDGE_PUBLIC_URL="http://store.test")
    (finding,) = look_at_shop(config)
    assert (finding.level, finding.name) == ("fail", "shop")
    assert "answers 503" in finding.sentence
