"""Bundles, grouped products and swatches: pages, carts, orders."""

from __future__ import annotations

import pytest

KIT = {"bundle_option[51]": 61, "bundle_option[52]": 64, "bundle_option_qty[52]": 3}


def put(visitor, product, **fields):
    data = {"product": product, "qty": 1, "item": product, **fields}
    return visitor.post(f"/checkout/cart/add/product/{product}/", data, ajax=True)


@pytest.mark.parametrize(
    ("path", "hooks"),
    [
        ("/weekend-kit.html", ['name="bundle_option[51]"', 'name="bundle_option_qty[52]"', 'name="bundle_option[53][65]"',
                               "page-product-bundle"]),
        ("/galley-table.html", ['name="super_group[3]"', 'name="super_group[4]"', "page-product-grouped"]),
        ("/drystone-snood.html", ['class="swatch-attribute color"', 'data-option-id="4"', 'name="super_attribute[93]"']),
        ("/oilskin-cap.html", ["productalert/add/stock/product_id/206/uenc/", "productalert/add/price/"]),
    ],
)  # fmt: skip
def test_a_product_page_has_the_hooks_of_its_type(visitor, path, hooks):
    text = visitor.get(path).text
    assert [hook for hook in hooks if hook not in text] == []


def test_a_bundle_costs_its_parts_and_has_their_numbers(visitor):
    assert put(visitor, 221, **KIT).json == []
    (item,) = visitor.cart()["items"]
    assert (item["product_sku"], item["product_price_value"]) == ("HP-KIT-HP-BAG-01-HP/TEA TIN 02", 92.5)
    assert [row["label"] for row in item["options"]] == ["Bag", "Mug"]
    put(visitor, 221, **KIT)
    put(visitor, 221, **{**KIT, "bundle_option[51]": 62})
    assert [item["qty"] for item in visitor.cart()["items"]] == [1, 2]


def test_a_bundle_of_fixed_price_adds_what_its_parts_cost_more(visitor):
    put(visitor, 222, **{"bundle_option[54]": 67, "bundle_option[55]": 68})
    assert visitor.cart()["items"][0]["product_price_value"] == 85


@pytest.mark.parametrize("fields", [{}, {"bundle_option[51]": 61}, {"bundle_option[51]": 61, "bundle_option[52]": 99}])
def test_a_bundle_without_its_required_choice_leads_back_to_its_page(visitor, fields):
    assert put(visitor, 221, **fields).json["backUrl"].endswith("/weekend-kit.html")
    assert visitor.cart()["summary_count"] == 0


def test_a_grouped_product_puts_its_members_in_the_cart(visitor):
    put(visitor, 223, **{"super_group[3]": 2, "super_group[6]": 0, "super_group[4]": 1})
    assert [(item["product_id"], item["qty"]) for item in visitor.cart()["items"]] == [("4", 1), ("3", 2)]
    assert "backUrl" in put(visitor, 223, **{"super_group[3]": 0}).json


def test_an_order_of_a_bundle_has_rows_for_the_parts_and_reserves_them(shop, visitor):
    put(visitor, 221, **KIT)
    before = shop.state.salable(shop.state.catalog.by_id[201])
    order = shop.rest(f"V1/orders/{visitor.order()}").json
    bundle, bag, tin = order["items"]
    assert (bundle["product_type"], bundle["price"], bundle["row_total"]) == ("bundle", 92.5, 92.5)
    assert [row["parent_item_id"] for row in (bag, tin)] == [bundle["item_id"]] * 2
    assert (tin["sku"], tin["qty_ordered"], tin["row_total"]) == ("HP/TEA TIN 02", 3, 28.5)
    assert bundle["product_option"]["extension_attributes"]["bundle_options"][1]["option_selections"] == [64]
    assert shop.state.salable(shop.state.catalog.by_id[201]) == before - 3


def test_a_sku_with_slash_and_blanks_is_read_over_rest(shop):
    assert shop.rest("V1/products/HP%2FTEA%20TIN%2002").json["id"] == 201


def test_a_coupon_lowers_cart_and_order(shop, visitor):
    visitor.add(1)
    visitor.post("/checkout/cart/couponPost/", {"remove": 0, "coupon_code": "nope"})
    assert visitor.messages()[-1]["type"] == "error"
    visitor.post("/checkout/cart/couponPost/", {"remove": 0, "coupon_code": "SAVE10"})
    assert visitor.messages()[-1]["type"] == "success"
    assert visitor.checkout_config()["totalsData"]["discount_amount"] == "-6.4000"
    order = shop.rest(f"V1/orders/{visitor.order()}").json
    assert (order["discount_amount"], order["grand_total"], order["coupon_code"]) == (-6.4, 62.6, "SAVE10")
    assert shop.rest("V1/salesRules/1").json["times_used"] == 4


def test_a_coupon_comes_off_again(visitor):
    visitor.add(1)
    visitor.post("/checkout/cart/couponPost/", {"remove": 0, "coupon_code": "SAVE10"})
    visitor.post("/checkout/cart/couponPost/", {"remove": 1, "coupon_code": "SAVE10"})
    assert visitor.checkout_config()["quoteData"]["coupon_code"] is None
