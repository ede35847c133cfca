"""Recorded sessions and answers of a stock Magento shop, and by hand what each must give."""

from __future__ import annotations

import json

import pytest

from tests.tracking.conftest import CAPTURES
from tests.tracking.test_capture import seen
from tests.tracking.wires import Exchange, Request, Response

FLOWS = {
    "add_to_cart_bundle_pdp": [("AddedToCart", "20", 1)],
    "add_to_cart_configurable_pdp": [("AddedToCart", "17", 1)],
    "add_to_cart_grouped_pdp": [("AddedToCart", "19", 1)],
    "add_to_cart_pdp": [("AddedToCart", "1", 1)],
    "add_to_cart_pdp_logged_in": [("AddedToCart", "5", 1)],
    "add_to_cart_plp": [("AddedToCart", "3", 1)],
    "add_to_compare": [],
    "add_to_wishlist": [],
    "apply_coupon_cart": [("BasketChanged", "couponPost")],
    "cart_page_logged_in": [],
    "change_email_and_password": [("Identified", "roni.new@example.com", "account")],
    "change_password": [],
    "contact_form": [],
    "create_account_from_success_page": [],
    "forgot_password": [("MailExpected", "password_forgot", "roni@example.com")],
    "forgot_password_fr": [("MailExpected", "password_forgot", "elise@example.com")],
    "guest_checkout": [("AddedToCart", "1", 1), ("OrderPlaced", "1", True)],
    "guest_checkout_with_coupon": [("OrderPlaced", "22", True)],
    "logged_in_checkout": [("OrderPlaced", "2", False)],
    "login": [("Identified", "roni@example.com", "login")],
    "logout": [("LoggedOut",)],
    "minicart_update_qty": [("AddedToCart", "1", 1), ("BasketChanged", "updateItemQty")],
    "newsletter_confirm_link": [],
    "newsletter_subscribe": [("Subscribed", "nina@example.com"), ("Identified", "nina@example.com", "newsletter")],
    "newsletter_subscribe_confirm_required": [
        ("Subscribed", "nick@example.com"),
        ("Identified", "nick@example.com", "newsletter"),
    ],
    "newsletter_subscribe_de": [("Subscribed", "nora@example.com"), ("Identified", "nora@example.com", "newsletter")],
    "newsletter_subscribe_fr": [
        ("Subscribed", "nadine@example.com"),
        ("Identified", "nadine@example.com", "newsletter"),
    ],
    "orders_history": [],
    "register": [("Registered", "roni@example.com", True), ("Identified", "roni@example.com", "registration")],
    "register_confirm_link": [],
    "register_confirmation_required": [
        ("Registered", "conny@example.com", False),
        ("Identified", "conny@example.com", "registration"),
    ],
    "register_eu_fr": [("Registered", "elise@example.com", False), ("Identified", "elise@example.com", "registration")],
    "remove_from_cart_page": [("BasketChanged", "delete")],
    "remove_from_minicart": [("BasketChanged", "removeItem")],
    "reset_password_from_mail": [("PasswordReset", "1", "")],
    "search": [],
    "stock_alert_subscribe": [],
    "store_switch_fr_to_de": [],
    "update_qty_cart": [("BasketChanged", "updatePost")],
    "wishlist_share": [],
}
BREEZE_FLOWS = {
    "add_to_cart_pdp": [("AddedToCart", "1", 1)],
    "guest_checkout": [("AddedToCart", "1", 1), ("OrderPlaced", "180", True)],
    "login": [("Identified", "roni.new@example.com", "login")],
    "logout": [("LoggedOut",)],
    "minicart_update_qty": [("BasketChanged", "updateItemQty")],
    "remove_from_minicart": [("BasketChanged", "removeItem")],
}


def replay(room, path):
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        passing = Exchange(
            Request(record["method"], record["path"], list(record["request_headers"].items())),
            (record["request_body"] or "").encode(),
            Response(record["status"], record["response_headers"]),
            (record["body"] or "").encode(),
            host=record["host"].encode(),
        )
        found += seen(room, passing) or []
    return found


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded flows are not beside this checkout")
@pytest.mark.parametrize("flow", FLOWS)
def test_a_recorded_flow_gives_what_is_written_down_here(room, flow):
    assert replay(room, CAPTURES / "flows" / f"{flow}.jsonl") == FLOWS[flow]


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded flows are not beside this checkout")
@pytest.mark.parametrize("flow", BREEZE_FLOWS)
def test_a_flow_of_the_other_theme_gives_what_is_written_down_here(room, flow):
    assert replay(room, CAPTURES / "breeze" / "flows" / f"{flow}.jsonl") == BREEZE_FLOWS[flow]


REFUSED = {
    "pages/login_post_wrong_password": "login%5Busername%5D=jane%40example.com&login%5Bpassword%5D=wrong",
    "pages/login_post_redirect": "login%5Busername%5D=jane%40example.com&login%5Bpassword%5D=right",
    "pages/cart_add_non_ajax_redirect": "product=2&qty=1",
    "ajax/cart_add_bad_form_key_response": "product=1&qty=1",
    "ajax/cart_add_configurable_no_options_response": "product=17&qty=1",
    "ajax/cart_add_too_many_response": "product=4&qty=9999",
    "ajax/cart_add_configurable_response": "product=17&qty=1",
    "ajax/sidebar_update_item_qty": "item_id=1",
}
GIVEN = {
    "pages/login_post_redirect": [("Identified", "jane@example.com", "login")],
    "pages/cart_add_non_ajax_redirect": [("AddedToCart", "2", 1)],
    "ajax/cart_add_configurable_response": [("AddedToCart", "17", 1)],
    "ajax/sidebar_update_item_qty": [("BasketChanged", "updateItemQty")],
}


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured answers are not beside this checkout")
@pytest.mark.parametrize("name", REFUSED)
def test_a_captured_answer_is_read_as_success_or_refusal(room, name):
    lines = (CAPTURES / f"{name}.headers.txt").read_text(encoding="utf-8").splitlines()
    sent = [line[2:].partition(": ")[::2] for line in lines if line.startswith("> ") and ": " in line]
    answer = [line[2:].partition(": ")[::2] for line in lines if line.startswith("< ") and ": " in line]
    target = lines[0].split(" ")[2].partition("store.test")[2]
    status = next(int(line.split(" ")[2]) for line in lines if line.startswith("< HTTP/"))
    bodies = [
        path
        for path in (CAPTURES / name).parent.glob(f"{name.partition('/')[2]}.*")
        if path.suffix in {".json", ".html"}
    ]
    passing = Exchange(
        Request("POST", target, sent), REFUSED[name].encode(), Response(status, answer), bodies[0].read_bytes()
    )
    assert seen(room, passing) == GIVEN.get(name, [])
