"""The sandbox answers with the keys and JSON types that a running Magento 2.4.6 answered with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.sandbox.shop_client import AJAX, BASE_URL

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento"

FIRST = "searchCriteria[filterGroups][0][filters][0]"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures do not lie beside the checkout"),
]

# Discounts: the captured orders used a coupon, the sandbox has no coupons.
COUPON = {"$.applied_rule_ids", "$.coupon_code", "$.discount_description", "$.items[].applied_rule_ids"}
COUPON |= {
    re.sub(r"^\$\.items", prefix, path)
    for path in COUPON
    for prefix in ("$.extension_attributes.shipping_assignments[].items",)
    if path.startswith("$.items")
}


def captured(name: str):
    return json.loads((CAPTURES / name).read_text())


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", list: "array", dict: "object", type(None): "null"}[type(value)]


def paths(document: object, path: str = "$") -> dict[str, set[str]]:
    """Every key path of a document with the JSON types seen there; attribute lists are read as objects."""
    seen: dict[str, set[str]] = {path: {kind(document)}}
    if isinstance(document, list):
        if document and all(isinstance(row, dict) and set(row) == {"attribute_code", "value"} for row in document):
            document = {row["attribute_code"]: row["value"] for row in document}
            parts = [(f"{path}.{key}", value) for key, value in document.items()]
        else:
            parts = [(f"{path}[]", value) for value in document]
    elif isinstance(document, dict):
        parts = [(f"{path}.{key}", value) for key, value in document.items()]
    else:
        parts = []
    for inner, value in parts:
        for found, kinds in paths(value, inner).items():
            seen.setdefault(found, set()).update(kinds)
    return seen


def differences(ours: object, theirs: object) -> dict[str, str]:
    mine, real = paths(ours), paths(theirs)
    found = dict.fromkeys(real.keys() - mine.keys(), "missing")
    found |= dict.fromkeys(mine.keys() - real.keys(), "added")
    found |= {
        path: f"{sorted(mine[path])} instead of {sorted(real[path])}"
        for path in mine.keys() & real.keys()
        if not mine[path] <= real[path]
    }
    return found


def assert_same_shape(ours: object, theirs: object, allowed: set[str] = frozenset()) -> None:
    found = differences(ours, theirs)
    unexpected = {path: what for path, what in sorted(found.items()) if path not in allowed}
    assert not unexpected, json.dumps(unexpected, indent=1)
    unused = {path for path in allowed if path not in found}
    assert not unused, f"these differences are gone, take them off the list: {sorted(unused)}"


@pytest.mark.parametrize(
    ("path", "capture", "allowed"),
    [
        ("V1/store/websites", "store_websites", set()),
        ("V1/store/storeGroups", "store_storeGroups", set()),
        ("V1/store/storeViews", "store_storeViews", set()),
        ("V1/store/storeConfigs", "store_storeConfigs", set()),
        ("V1/products/HP-HAT-01", "product_simple", {"$.custom_attributes.material"}),
        ("V1/products/HP-BAG-02", "product_simple_special_price", set()),
        ("V1/products/HP-POT-01", "product_simple_unicode", set()),
        ("V1/products/HP-JKT", "product_configurable", set()),
        ("V1/products/HP-JKT-S-Navy", "product_configurable_child", set()),
        ("V1/products/HP-WALK-01", "product_virtual", set()),
        (
            f"V1/products?searchCriteria[pageSize]=2&searchCriteria[currentPage]=1&{FIRST}[field]=sku&{FIRST}[value]=HP-POT-01",
            "products_search",
            {"$.search_criteria.filter_groups[]", "$.search_criteria.filter_groups[].filters"}
            | {"$.search_criteria.filter_groups[].filters[]"}
            | {f"$.search_criteria.filter_groups[].filters[].{key}" for key in ("field", "value", "condition_type")}
            # In the capture other products of the page have these.
            | {"$.items[].custom_attributes.special_price", "$.items[].custom_attributes.special_from_date"},
        ),
        ("V1/products/attributes/color", "attribute_color", set()),
        ("V1/products/attributes/color/options", "attribute_color_options", set()),
        ("V1/configurable-products/HP-JKT/children", "configurable_children", set()),
        ("V1/configurable-products/HP-JKT/options/all", "configurable_options", set()),
        (
            "V1/categories", "categories_tree",
            # The captured tree is one level deeper.
            {
                f"$.children_data[].children_data[]{key}"
                for key in (
                    "", ".id", ".parent_id", ".name", ".is_active", ".position", ".level", ".product_count",
                    ".children_data",
                )
            },
        ),
        ("V1/categories/3", "category_one", set()),
        ("V1/categories/list?searchCriteria[pageSize]=5&searchCriteria[currentPage]=1", "categories_list", set()),
        ("V1/customers/41", "customer_one", set()),
        ("V1/customers/search?searchCriteria[pageSize]=10&searchCriteria[currentPage]=1", "customers_search", set()),
        (
            "V1/inventory/source-items?searchCriteria[pageSize]=5&searchCriteria[currentPage]=1",
            "inventory_source_items", set(),
        ),
        (
            "V1/inventory/export-stock-salable-qty/website/base?searchCriteria[pageSize]=3&searchCriteria[currentPage]=2",
            "inventory_export_stock_salable_qty", set(),
        ),
        ("V1/products?searchCriteria[pageSize]=5&searchCriteria[currentPage]=99", "page_out_of_range_returns_200", set()),
        (
            "V1/orders?searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[pageSize]=2&fields=items[entity_id],total_count",
            "orders_sort_without_direction_is_desc", set(),
        ),
        ("V1/orders?searchCriteria[pageSize]=1&fields=items[entity_id", "orders_fields_unbalanced", set()),
        ("V1/nosuchroute/1", "error_404_route", set()),
        ("V1/products", "error_400_search_no_criteria", set()),
        ("V1/customers/99999", "error_404_customer", set()),
        ("V1/orders/99999", "error_404_order", set()),
        ("V1/products/nosuch", "error_404_product", set()),
        (
            "V1/orders?searchCriteria[sortOrders][0][field]=nosuch&searchCriteria[pageSize]=1",
            "error_500_sort_unknown_field", set(),
        ),
    ],
)  # fmt: skip
def test_an_admin_answer_has_the_captured_shape_and_status(shop, path, capture, allowed):
    answer = shop.rest(path)
    meta = captured(f"rest/{capture}.meta.json")
    assert answer.status_code == meta["response"]["status"]
    assert_same_shape(answer.json, captured(f"rest/{capture}.json"), allowed)


def test_a_refused_token_has_the_captured_answer(shop):
    for token in (None, "wrong"):
        answer = shop.rest("V1/orders/1", token)
        assert answer.status_code == 401
        assert answer.json == captured("rest/error_401_no_token.json")


def test_render_info_has_the_captured_shape(shop):
    first = "searchCriteria[filter_groups][0][filters][0]"
    asked = f"{first}[field]=entity_id&{first}[value]=17,13&{first}[condition_type]=in"
    answer = shop.rest(f"V1/products-render-info?{asked}&storeId=1&currencyCode=GBP", token=None)
    assert [row["id"] for row in answer.json["items"]] == [17]
    assert_same_shape(answer.json, captured("rest/products_render_info_configurable.json"))


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


def test_a_complete_order_has_the_captured_shape(shop):
    theirs = captured("rest/order_complete.json")
    # Shipping documents are not made, so histories and tracks of the capture are not there.
    allowed = {path for path in paths(theirs) if path.startswith("$.status_histories[]")}
    customer = {"$.customer_id", "$.billing_address.customer_address_id"}
    customer |= {"$.extension_attributes.shipping_assignments[].shipping.address.customer_address_id"}
    assert_same_shape(shop.rest("V1/orders/102").json, theirs, allowed | customer)


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


def test_the_sections_of_a_guest_have_the_captured_shapes(visitor):
    visitor.add(1, 2)
    visitor.add(17, options={93: 4, 137: 7})
    theirs = captured("ajax/section_load_all_guest.json")
    ours = visitor.client.get("/customer/section/load/", base_url=BASE_URL, headers=AJAX).json
    theirs["directory-data"] = {key: theirs["directory-data"][key] for key in ("GB", "FR", "data_id")}
    theirs["directory-data"]["FR"].pop("regions", None)
    ours["directory-data"] = {key: ours["directory-data"][key] for key in ("GB", "FR", "data_id")}
    # The messages of both additions wait in ours; in the capture they had been read.
    waiting = {"$.messages.messages[]", "$.messages.messages[].type", "$.messages.messages[].text"}
    assert_same_shape(ours, theirs, waiting)


def test_an_empty_cart_and_a_signed_in_visitor_have_the_captured_sections(shop, visitor):
    empty = visitor.sections("cart", "customer", "messages")
    assert_same_shape(empty, captured("ajax/section_load_empty_guest.json"))
    visitor.log_in("maren.holt@example.com", "Lighthouse-42")
    visitor.add(5, 2)
    ours = visitor.sections("cart", "customer", "messages", "wishlist", "last-ordered-items")
    ordered = {
        f"$.last-ordered-items.items[]{key}" for key in ("", ".id", ".name", ".url", ".is_saleable", ".product_id")
    }
    assert_same_shape(ours, captured("ajax/section_load_logged_in_with_items.json"), ordered)


def test_an_unknown_section_has_the_captured_status_and_shape(visitor):
    answer = visitor.get("/customer/section/load/?sections=nosuch")
    assert answer.status_code == 400
    assert_same_shape(answer.json, captured("ajax/section_load_unknown_section.json"))


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
