"""The admin REST API: rights, store codes, quirks of its lists."""

from __future__ import annotations

import pytest


def ids(answer):
    return [row["id"] for row in answer.json["items"]]


@pytest.mark.parametrize("prefix", ["V1", "default/V1", "all/V1", "fr/V1", "de/V1"])
def test_store_codes_that_exist_lead_to_the_same_rows(shop, prefix):
    answer = shop.rest(f"{prefix}/products?searchCriteria[pageSize]=2&fields=items[id],total_count")
    assert answer.json == {"items": [{"id": 1}, {"id": 2}], "total_count": 45}


def test_an_unknown_store_code_matches_no_route(shop):
    answer = shop.rest("xx/V1/store/websites")
    assert (answer.status_code, answer.json) == (404, {"message": "Request does not match any route."})


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_without_the_token_nothing_is_read(shop, token):
    answer = shop.rest("V1/customers/search?searchCriteria=", token)
    assert answer.status_code == 401
    assert answer.json["message"] == "The consumer isn't authorized to access %resources."
    assert answer.json["parameters"] == {"resources": "Magento_Customer::customer"}


def test_answers_are_never_stored(shop):
    assert shop.rest("V1/store/websites").headers["Cache-Control"] == "no-store"


def test_slashes_and_letters_are_escaped_as_php_does(shop):
    text = shop.rest("V1/products/HP-POT-01").text
    assert r"\/h\/p\/hp-pot-01.svg" in text
    assert r"Cr\u00e8me" in text


def test_a_sku_may_hold_encoded_signs(shop):
    assert shop.rest("V1/products/HP%2DPOT%2D01").json["name"] == 'Crème Brûlée "Étoile" Pot & Lid'


def test_products_are_found_by_sku_id_category_and_time(shop):
    start = "V1/products?searchCriteria[filter_groups][0][filters][0]"
    by_sku = shop.rest(f"{start}[field]=sku&{start[12:]}[value]=HP-JKT,HP-MUG-01&{start[12:]}[condition_type]=in")
    by_id = shop.rest(f"{start}[field]=entity_id&{start[12:]}[value]=17,3&{start[12:]}[condition_type]=in")
    assert ids(by_sku) == ids(by_id) == [3, 17]
    assert ids(shop.rest(f"{start}[field]=category_id&{start[12:]}[value]=4")) == [1, 2, 7, 211, 221, 227, 228]
    late = shop.rest(f"{start}[field]=updated_at&{start[12:]}[value]=2025-07-01&{start[12:]}[condition_type]=gteq")
    assert late.json["total_count"] == 0
    assert shop.rest(f"{start}[field]=website_id&{start[12:]}[value]=1").json["total_count"] == 44


@pytest.mark.parametrize("field", ["category_ids", "nosuch", "id"])
def test_a_filter_on_an_unknown_field_is_an_internal_error(shop, field):
    answer = shop.rest(f"V1/products?searchCriteria[filter_groups][0][filters][0][field]={field}")
    assert answer.status_code == 500
    assert "Report ID: webapi-" in answer.json["message"]


def test_a_list_without_criteria_says_what_is_missing(shop):
    answer = shop.rest("V1/orders")
    assert answer.status_code == 400
    assert answer.json["parameters"] == {"fieldName": "searchCriteria"}


def test_a_bad_sort_direction_is_refused(shop):
    asked = "searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[sortOrders][0][direction]=up"
    assert shop.rest(f"V1/orders?{asked}").status_code == 400


def test_lists_leave_the_stock_item_out(shop):
    assert (
        "stock_item" not in shop.rest("V1/products?searchCriteria[pageSize]=1").json["items"][0]["extension_attributes"]
    )
    assert shop.rest("V1/products/HP-BAG-01").json["extension_attributes"]["stock_item"]["qty"] == 97


def test_children_are_simple_products_nobody_sees_alone(shop):
    parent = shop.rest("V1/products/HP-JKT").json
    children = shop.rest("V1/configurable-products/HP-JKT/children").json
    assert [child["id"] for child in children] == parent["extension_attributes"]["configurable_product_links"]
    assert {child["visibility"] for child in children} == {1}
    assert not {child["sku"] for child in children} & {parent["sku"]}


def test_attributes_can_be_searched_and_name_their_options(shop):
    found = shop.rest(
        "V1/products/attributes?searchCriteria[filter_groups][0][filters][0][field]=attribute_code"
        "&searchCriteria[filter_groups][0][filters][0][value]=material"
    ).json
    assert found["total_count"] == 1
    assert {"label": "Steel & enamel", "value": "34"} in found["items"][0]["options"]
    assert shop.rest("V1/products/attributes/nosuch").status_code == 404


def test_an_attribute_answers_by_its_code_and_by_its_id(shop):
    color = shop.rest("V1/products/attributes/color").json
    assert shop.rest(f"V1/products/attributes/{color['attribute_id']}").json == color
    options = shop.rest("V1/products/attributes/color/options").json
    assert shop.rest(f"V1/products/attributes/{color['attribute_id']}/options").json == options != []


def test_the_stock_sweep_counts_the_rows_of_the_page_only(shop):
    page = "V1/inventory/export-stock-salable-qty/website/base?searchCriteria[pageSize]=6&searchCriteria[currentPage]="
    counts = [shop.rest(f"{page}{number}").json["total_count"] for number in (1, 2, 3, 4, 5)]
    assert counts[:2] == [6, 6]
    assert sum(counts) == 30


def test_an_order_lowers_what_may_be_sold_but_neither_the_shelf_nor_the_time_of_change(shop, visitor):
    def look():
        salable = "V1/inventory/export-stock-salable-qty/website/base?searchCriteria[filter_groups][0][filters][0]"
        start = salable.partition("?")[2]
        qty = shop.rest(f"{salable}[field]=sku&{start}[value]=HP-LAN-01").json["items"][0]["qty"]
        shelf = shop.rest(f"V1/inventory/source-items?{start}[field]=sku&{start}[value]=HP-LAN-01").json["items"][0]
        return qty, shelf["quantity"], shop.rest("V1/products/HP-LAN-01").json["updated_at"]

    before = look()
    visitor.add(4, 3)
    shop.clock.advance(60)
    visitor.order()
    assert look() == (before[0] - 3, before[1], before[2])


def test_render_info_needs_store_and_currency_and_echoes_the_currency(shop):
    assert shop.rest("V1/products-render-info?searchCriteria=&storeId=1").status_code == 400
    assert shop.rest("V1/products-render-info?searchCriteria=&currencyCode=GBP").status_code == 400
    assert shop.rest("V1/products-render-info?searchCriteria=&storeId=9&currencyCode=GBP").status_code == 404
    rows = shop.rest("V1/products-render-info?searchCriteria=&storeId=1&currencyCode=XYZ", None).json["items"]
    assert {row["currency_code"] for row in rows} == {"XYZ"}
    shown = {row["id"] for row in rows}
    assert {17, 23, 18} <= shown
    assert not shown & {7, 13, 19}, "sold out, or only a variant"
    pack = next(row for row in rows if row["id"] == 2)
    assert (pack["price_info"]["final_price"], pack["price_info"]["regular_price"]) == (39, 48)


def test_orders_are_found_by_number_and_change(shop, visitor):
    visitor.add(1)
    order_id = visitor.order()
    number = shop.rest(f"V1/orders/{order_id}").json["increment_id"]
    start = "searchCriteria[filter_groups][0][filters][0]"
    by_number = shop.rest(f"V1/orders?{start}[field]=increment_id&{start}[value]={number}").json
    assert [row["entity_id"] for row in by_number["items"]] == [int(order_id)]
    recent = shop.rest(
        f"V1/orders?{start}[field]=updated_at&{start}[value]=2026-01-01&{start}[condition_type]=gteq"
    ).json
    assert [row["increment_id"] for row in recent["items"]] == [number]
    guests = shop.rest(f"V1/orders?{start}[field]=customer_id&{start}[condition_type]=null").json
    assert guests["total_count"] == 16


def test_entity_ids_and_order_numbers_never_meet(shop):
    rows = shop.rest("V1/orders?searchCriteria=").json["items"]
    assert [(row["entity_id"], row["increment_id"]) for row in rows[:2]] == [(102, "000000001"), (103, "000000002")]
    assert not {str(row["entity_id"]) for row in rows} & {row["increment_id"].lstrip("0") for row in rows}


def test_a_state_that_changes_moves_the_time_of_change(shop):
    shop.state.set_order_state(shop.state.orders[103], "canceled", "canceled")
    row = shop.rest("V1/orders/103").json
    assert (row["state"], row["updated_at"]) == ("canceled", "2026-03-01 12:00:00")


def test_customers_are_found_by_mail_and_known_by_id(shop):
    start = "searchCriteria[filter_groups][0][filters][0]"
    found = shop.rest(f"V1/customers/search?{start}[field]=email&{start}[value]=MAREN.HOLT@example.com").json["items"]
    assert found == [shop.rest("V1/customers/41").json]
    assert found[0]["extension_attributes"] == {"is_subscribed": True}


def test_a_customer_attribute_that_cannot_be_searched_is_the_callers_fault(shop):
    asked = "searchCriteria[filter_groups][0][filters][0][field]=is_subscribed"
    assert shop.rest(f"V1/customers/search?{asked}").status_code == 400
    assert shop.rest("V1/customers/search").json["parameters"] == {"fieldName": "searchCriteria"}


@pytest.mark.parametrize("path", ["invoices", "shipments", "creditmemos"])
def test_documents_that_nobody_made_are_empty_lists(shop, path):
    start = "searchCriteria[filter_groups][0][filters][0]"
    answer = shop.rest(f"V1/{path}?{start}[field]=order_id&{start}[value]=104").json
    assert (answer["items"], answer["total_count"]) == ([], 0)


def test_the_same_shop_gives_the_same_ids_each_time(shop):
    other = type(shop)()
    for path in ("V1/orders?searchCriteria=", "V1/customers/search?searchCriteria=", "V1/products?searchCriteria="):
        assert shop.rest(path).json == other.rest(path).json
