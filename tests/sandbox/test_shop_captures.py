"""Every captured REST, AJAX and GraphQL answer has a counterpart in the sandbox with its status, keys and JSON types.

What differs stands in ALLOWED with its reason; a difference that is gone must be taken off the list. What has no
counterpart stands in WITHOUT with its reason.
"""

from __future__ import annotations

import json

import pytest

from tests.sandbox.capture_calls import CALLS, Call
from tests.sandbox.shapes import CAPTURES, assert_same_shape, captured, paths
from tests.sandbox.shop_client import BASE_URL, EU_URL

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures do not lie beside the checkout"),
    pytest.mark.slow,
]

FILTER_KEYS = ("field", "value", "condition_type")
GROUPS = "$.search_criteria.filter_groups[]"
PICKED = dict.fromkeys(
    (GROUPS, f"{GROUPS}.filters", f"{GROUPS}.filters[]", *(f"{GROUPS}.filters[].{key}" for key in FILTER_KEYS)),
    "the sandbox's rows are picked by a filter, so that rows of the captured kinds are compared",
)
UNSORTED = dict.fromkeys(
    ("$.search_criteria.sort_orders", "$.search_criteria.sort_orders[]",
     *(f"$.search_criteria.sort_orders[].{key}" for key in ("field", "direction"))),
    "the captured call sorted, the sandbox's does not",
)  # fmt: skip


def card(start: str) -> dict[str, str]:
    """Return the columns of cards, which only orders of the captured browser runs have."""
    reason = "the captured order was placed in a browser, whose payment left columns of cards"
    return {f"{start}.payment.{key}": reason for key in ("cc_exp_year", "cc_ss_start_month", "cc_ss_start_year")}


ALLOWED: dict[str, dict[str, str]] = {
    "order_pending_customer": card("$"),
    "orders_search": {**PICKED, **card("$.items[]")},
    "orders_search_by_email": card("$.items[]"),
    "orders_search_updated_since": {**UNSORTED, **card("$.items[]")},
    "products_search": PICKED,
    "products_search_page2": PICKED,
    "products_search_store_all": PICKED,
    "products_search_store_fr": PICKED,
    "invoices_search": PICKED,
    "salesRules_search": PICKED,
}
WITHOUT = {
    "carts_search": "bridge never reads carts of others: baskets come from the page and the session",
    "schema_swagger_store": "a description of the API, which nobody reads at run time",
}
# Answers that need a visitor or another format: their tests are below.
ELSEWHERE = {
    "carts_mine", "carts_mine_add_item", "carts_mine_create", "carts_mine_totals", "customers_me",
    "action_change_password", "guestcart_1_create", "guestcart_2_add_item_1", "guestcart_2_add_item_2",
    "guestcart_2c_coupon", "guestcart_3_estimate", "guestcart_4_shipping_information", "guestcart_5_totals",
    "guestcart_6_place_order", "error_503_maintenance", "error_500_accept_text_html", "store_websites_accept_xml",
}  # fmt: skip


def test_every_captured_rest_answer_is_compared_or_has_a_reason_not_to_be():
    names = {path.name.split(".")[0] for path in (CAPTURES / "rest").iterdir()}
    assert names == CALLS.keys() | ELSEWHERE | WITHOUT.keys()
    assert ALLOWED.keys() <= CALLS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_rest_answer_has_the_captured_status_and_shape(shop, name):
    answer = CALLS[name].ask(shop)
    meta = captured(f"rest/{name}.meta.json")
    assert answer.status_code == meta["response"]["status"], answer.text
    assert_same_shape(answer.json, captured(f"rest/{name}.json"), ALLOWED.get(name, {}))


def same(answer, name: str, **allowed: str) -> None:
    """Compare status and shape of an answer with a captured one."""
    assert answer.status_code == captured(f"rest/{name}.meta.json")["response"]["status"], answer.text
    assert_same_shape(answer.json, captured(f"rest/{name}.json"), allowed)


def test_the_calls_of_a_guest_cart_have_the_captured_shapes(visitor):
    made = visitor.call("POST", "guest-carts")
    same(made, "guestcart_1_create")
    cart = f"guest-carts/{made.json}"
    for number, (sku, qty) in enumerate((("HP-GLV-01", 4), ("HP-LAN-01", 1)), 1):
        added = visitor.call("POST", f"{cart}/items", {"cartItem": {"sku": sku, "qty": qty, "quote_id": made.json}})
        same(added, f"guestcart_2_add_item_{number}")
    same(visitor.call("PUT", f"{cart}/coupons/SAVE10"), "guestcart_2c_coupon")
    address = {"countryId": "GB", "street": ["1 Test Street"], "city": "London", "postcode": "N1", "firstname": "G",
               "lastname": "H", "telephone": "020", "email": "greta@example.com"}  # fmt: skip
    same(visitor.call("POST", f"{cart}/estimate-shipping-methods", {"address": address}), "guestcart_3_estimate")
    information = {"shipping_address": address, "billing_address": address, "shipping_method_code": "flatrate",
                   "shipping_carrier_code": "flatrate"}  # fmt: skip
    saved = visitor.call("POST", f"{cart}/shipping-information", {"addressInformation": information})
    same(saved, "guestcart_4_shipping_information")
    same(visitor.call("GET", f"{cart}/totals"), "guestcart_5_totals")
    paid = {"email": "greta@example.com", "paymentMethod": {"method": "checkmo"}, "billing_address": address}
    same(visitor.call("POST", f"{cart}/payment-information", paid), "guestcart_6_place_order")


def test_the_calls_of_a_customer_with_a_token_have_the_captured_shapes(shop):
    token = CALLS["token_customer"].ask(shop).json
    same(Call("V1/carts/mine", "POST", token=token).ask(shop), "carts_mine_create")
    same(Call("V1/carts/mine", token=token).ask(shop), "carts_mine")
    item = {"cartItem": {"sku": "HP-MUG-01", "qty": 1}}
    same(Call("V1/carts/mine/items", "POST", item, token).ask(shop), "carts_mine_add_item")
    same(Call("V1/carts/mine/totals", token=token).ask(shop), "carts_mine_totals")
    same(Call("V1/customers/me", token=token).ask(shop), "customers_me")
    change = {"currentPassword": "Lighthouse-42", "newPassword": "Lighthouse-43"}
    same(Call("V1/customers/me/password", "PUT", change, token).ask(shop), "action_change_password")


def test_answers_that_are_not_json_have_the_captured_status_and_type(shop):
    asked = {
        "store_websites_accept_xml": Call("V1/store/websites", accept="application/xml"),
        "error_500_accept_text_html": Call("V1/store/websites", accept="text/html"),
        "error_503_maintenance": Call("V1/store/websites"),
    }
    for name, call in asked.items():
        shop.state.maintenance = name == "error_503_maintenance"
        answer, real = call.ask(shop), captured(f"rest/{name}.meta.json")["response"]
        assert answer.status_code == real["status"], name
        assert answer.headers["Content-Type"].lower() == dict(real["headers"])["Content-Type"].lower()
    xml = asked["store_websites_accept_xml"]
    shop.state.maintenance = False
    assert "<item><id>1</id><code>base</code>" in xml.ask(shop).text


# The visitor's steps before each captured section call: signed in or not, products in the cart, website.
SECTIONS = {
    "section_load_all_guest": (BASE_URL, False, True),
    "section_load_all_logged_in": (BASE_URL, True, True),
    "section_load_cart": (BASE_URL, False, True),
    "section_load_cart_fr": (EU_URL, False, True),
    "section_load_cart_only_guest": (BASE_URL, False, True),
    "section_load_cart_with_items_guest": (BASE_URL, False, True),
    "section_load_empty_guest": (BASE_URL, False, False),
    "section_load_logged_in_with_items": (BASE_URL, True, True),
}


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_private_sections_have_the_captured_shapes(shop, name):
    base_url, signed_in, filled = SECTIONS[name]
    visitor, theirs = shop.visitor(base_url), captured(f"ajax/{name}.json")
    if signed_in:
        visitor.register()
    if filled:
        visitor.add(1, 2)
    if "options[].label" in " ".join(paths(theirs)):
        visitor.add(17, options={93: 4, 137: 7})
    waiting = theirs.get("messages", {}).get("messages")
    if filled and "messages" in theirs and not waiting:
        visitor.sections("messages")
    ours = visitor.sections(*theirs)
    for document in (ours, theirs):
        if "directory-data" in document:
            # The real list has every country; two are enough.
            document["directory-data"] = {key: document["directory-data"][key] for key in ("GB", "FR", "data_id")}
            document["directory-data"]["FR"].pop("regions", None)
    assert_same_shape(ours, theirs)


def test_an_unknown_section_has_the_captured_status_and_shape(visitor):
    answer = visitor.get("/customer/section/load/?sections=nosuch")
    assert answer.status_code == 400
    assert_same_shape(answer.json, captured("ajax/section_load_unknown_section.json"))


def test_answers_to_changes_of_the_cart_have_the_captured_shapes(shop, visitor):
    english, french, member = visitor, shop.visitor(EU_URL), shop.visitor()
    member.register()
    answers = {
        "cart_add_ajax_response": english.add(1),
        "cart_add_configurable_response": english.add(17, options={93: 4, 137: 7}),
        "cart_add_configurable_no_options_response": english.add(17),
        "cart_add_too_many_response": english.add(1, 9999),
        "cart_add_bad_form_key_response": english.post("/checkout/cart/add/", {"product": 1}, form_key="wrong"),
        "cart_add_ajax_response_logged_in": member.add(4),
        "cart_add_fr": french.add(1),
    }
    item = english.cart()["items"][0]["item_id"]
    change = {"item_id": item, "item_qty": 2}
    answers["sidebar_update_item_qty"] = english.post("/checkout/sidebar/updateItemQty/", change, ajax=True)
    answers["sidebar_remove_item"] = english.post("/checkout/sidebar/removeItem/", {"item_id": item}, ajax=True)
    for name, answer in answers.items():
        text = (CAPTURES / "ajax" / f"{name}.json").read_text()
        assert answer.status_code == (200 if text else 302), name
        if text:
            assert_same_shape(answer.json, json.loads(text))
    known = answers.keys() | SECTIONS.keys() | {"section_load_unknown_section"}
    assert {path.name.split(".")[0] for path in (CAPTURES / "ajax").iterdir()} == known
