"""How each captured REST answer is asked of the sandbox: method, path, body, token. Ids are those of the seeds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.sandbox.shop_client import TOKEN

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.sandbox.shop_client import Shop


@dataclass(frozen=True)
class Call:
    """One REST call; ``before`` are calls that must come first."""

    path: str
    method: str = "GET"
    body: Any = None
    token: str | None = TOKEN
    raw: str | None = None
    media: str = "application/json"
    accept: str = "application/json"
    before: tuple[Call, ...] = ()

    def ask(self, shop: Shop) -> TestResponse:
        """Make the calls; return the last answer."""
        for call in self.before:
            assert call.ask(shop).status_code == 200
        data = self.raw if self.raw is not None else None if self.method == "GET" else json.dumps(self.body or {})
        headers = {"Accept": self.accept}
        return shop.rest(self.path, self.token, self.method, data=data, content_type=self.media, headers=headers)


FIRST = "searchCriteria[filterGroups][0][filters][0]"
PAGE = "searchCriteria[pageSize]={}&searchCriteria[currentPage]={}"
TEN = PAGE.format(10, 1)


def matching(field: str, value: str, condition: str = "eq", size: int = 20) -> str:
    """Return the query of a search with one filter."""
    asked = f"{FIRST}[field]={field}&{FIRST}[value]={value}&{FIRST}[conditionType]={condition}"
    return f"{asked}&{PAGE.format(size, 1)}"


def post(path: str, body: Any = None, **others: Any) -> Call:
    """Return a POST."""
    return Call(path, "POST", body, **others)


PERSON = {"firstname": "Jane", "lastname": "Doe", "email": "jane.new@example.com"}
HOME = {
    "defaultShipping": True, "defaultBilling": True, "firstname": "Jane", "lastname": "Doe", "postcode": "N1 1AA",
    "street": ["1 High Street"], "city": "London", "telephone": "020", "countryId": "GB",
}  # fmt: skip
COMMENT = {"comment": "On its way", "is_visible_on_front": 1}
PARCEL = {"track_number": "1Z", "title": "UPS", "carrier_code": "ups"}
SPEC = {"rule_id": 2, "format": "alphanum", "quantity": 3, "length": 10, "prefix": "LAB-", "delimiter_at_every": 0}
ENTITY = {"is_customer_notified": 1, "comment": "Thanks", "is_visible_on_front": 1}


def coupon(code: str, **others: Any) -> Call:
    """Return the call that inserts a code."""
    body = {"rule_id": 2, "code": code, "type": 1, "times_used": 0, "is_primary": False, **others}
    return post("V1/coupons", {"coupon": body})


def spec(**others: Any) -> Call:
    """Return the call that generates codes."""
    return post("V1/coupons/generate", {"couponSpec": {**SPEC, **others}})


def status(order: int, state: str, text: str) -> Call:
    """Return the call that writes a history entry."""
    entry = {**ENTITY, "comment": text, "parent_id": order, "status": state, "entity_name": "order"}
    return post(f"V1/orders/{order}/comments", {"statusHistory": entry})


CATALOGUE = {
    "product_simple": Call("V1/products/HP-GLV-01"),
    "product_simple_store_fr": Call("fr/V1/products/HP-GLV-01"),
    "product_simple_special_price": Call("V1/products/HP-BAG-02"),
    "product_simple_unicode": Call("V1/products/HP-POT-01"),
    "product_configurable": Call("V1/products/HP-JKT"),
    "product_configurable_child": Call("V1/products/HP-JKT-S-Navy"),
    "product_virtual": Call("V1/products/HP-WALK-01"),
    "product_bundle": Call("V1/products/HP-KIT"),
    "product_grouped": Call("V1/products/HP-TABLE"),
    "product_media": Call("V1/products/HP-HAT-01/media"),
    "bundle_options": Call("V1/bundle-products/HP-KIT/options/all"),
    "grouped_links": Call("V1/products/HP-TABLE/links/associated"),
    "configurable_children": Call("V1/configurable-products/HP-JKT/children"),
    "configurable_options": Call("V1/configurable-products/HP-JKT/options/all"),
    "products_search": Call(f"V1/products?{matching('entity_id', '2,225,226', 'in')}"),
    "products_search_page2": Call(f"V1/products?{matching('entity_id', '225,226,227', 'in')}"),
    "products_search_store_all": Call(f"all/V1/products?{matching('entity_id', '2,225,226', 'in')}"),
    "products_search_store_fr": Call(f"fr/V1/products?{matching('entity_id', '2,225,226', 'in')}"),
    "products_search_updated_since": Call(f"V1/products?{matching('sku', 'HP-BAG-02,HP-GLV-01', 'in')}"),
    "products_render_info": Call(f"V1/products-render-info?{matching('entity_id', '225,226', 'in')}"
                                 "&storeId=1&currencyCode=GBP"),
    "products_render_info_configurable": Call(f"V1/products-render-info?{matching('entity_id', '17,13', 'in')}"
                                              "&storeId=1&currencyCode=GBP", token=None),
    "page_out_of_range_returns_200": Call(f"V1/products?{PAGE.format(5, 99)}"),
    "attribute_color": Call("V1/products/attributes/color"),
    "attribute_color_options": Call("V1/products/attributes/color/options"),
    "categories_tree": Call("V1/categories"),
    "categories_list": Call(f"V1/categories/list?{PAGE.format(5, 1)}"),
    "category_one": Call("V1/categories/3"),
    "category_products": Call("V1/categories/5/products"),
}  # fmt: skip
STOCK = {
    "inventory_source_items": Call(f"V1/inventory/source-items?{PAGE.format(5, 1)}"),
    "inventory_sources": Call(f"V1/inventory/sources?{PAGE.format(5, 1)}"),
    "inventory_stocks": Call(f"V1/inventory/stocks?{PAGE.format(5, 1)}"),
    "inventory_export_stock_salable_qty": Call(
        f"V1/inventory/export-stock-salable-qty/website/base?{PAGE.format(3, 2)}"
    ),
    "inventory_salable_qty": Call("V1/inventory/get-product-salable-quantity/HP-BAG-01/1"),
    "inventory_salable_qty_configurable_400": Call("V1/inventory/get-product-salable-quantity/HP-JKT/1"),
    "inventory_is_salable": Call("V1/inventory/is-product-salable/HP-BAG-01/1"),
    "inventory_are_products_salable": Call(
        "V1/inventory/are-products-salable?skus[0]=HP-BAG-01&skus[1]=HP-JKT&stockId=1"
    ),
    "stockItem_one": Call("V1/stockItems/HP-BAG-01"),
    "stockItems_lowStock": Call("V1/stockItems/lowStock/?scopeId=0&qty=50&pageSize=5"),
    "stockStatus_one": Call("V1/stockStatuses/HP-BAG-01"),
    "stockStatus_configurable": Call("V1/stockStatuses/HP-JKT"),
    "action_update_stock": Call(
        "V1/products/HP-CAP-01/stockItems/1", "PUT", {"stockItem": {"qty": 25, "is_in_stock": True}}
    ),
}
STORE = {
    "store_websites": Call("V1/store/websites"),
    "store_storeGroups": Call("V1/store/storeGroups"),
    "store_storeViews": Call("V1/store/storeViews"),
    "store_storeConfigs": Call("V1/store/storeConfigs"),
    "modules": Call("V1/modules?searchCriteria[pageSize]=500"),
    "directory_countries_GB": Call("V1/directory/countries/GB"),
    "directory_currency": Call("V1/directory/currency"),
    "taxRates_search": Call(f"V1/taxRates/search?{PAGE.format(3, 1)}"),
    "cmsPage_search": Call(f"V1/cmsPage/search?{PAGE.format(3, 1)}"),
}
PEOPLE = {
    "customer_one": Call("V1/customers/41"),
    "customers_search": Call(f"V1/customers/search?{TEN}"),
    "customers_search_by_email": Call(f"V1/customers/search?{matching('email', 'maren.holt@example.com')}"),
    "customer_addresses_default_billing": Call("V1/customers/42/billingAddress"),
    "customer_groups": Call(f"V1/customerGroups/search?{TEN}"),
    "customers_isEmailAvailable_true": post(
        "V1/customers/isEmailAvailable", {"customerEmail": "nobody@example.com", "websiteId": 1}, token=None
    ),
    "customers_isEmailAvailable_false": post(
        "V1/customers/isEmailAvailable", {"customerEmail": "maren.holt@example.com", "websiteId": 1}, token=None
    ),
    "action_create_customer": post(
        "V1/customers",
        {"customer": {**PERSON, "addresses": [HOME], "extension_attributes": {"is_subscribed": True}}, "password": "x"},
        token=None,
    ),
    "action_forgot_password": Call(
        "V1/customers/password", "PUT", {"email": "maren.holt@example.com", "template": "email_reset", "websiteId": 1}
    ),
    "token_customer": post(
        "V1/integration/customer/token", {"username": "maren.holt@example.com", "password": "Lighthouse-42"}, token=None
    ),
    "token_admin": post("V1/integration/admin/token", {"username": "admin", "password": TOKEN}, token=None),
}
SALES = {
    "order_pending_guest": Call("V1/orders/104"),
    "order_pending_customer": Call("V1/orders/105"),
    "order_bundle_and_virtual": Call("V1/orders/106"),
    "order_processing_invoiced": Call("V1/orders/109"),
    "order_partially_refunded_and_shipped": Call("V1/orders/110"),
    "order_processing_shipped": Call("V1/orders/111"),
    "order_closed_refunded": Call("V1/orders/112"),
    "order_canceled": Call("V1/orders/113"),
    "order_canceled_with_notified_comment": Call("V1/orders/113"),
    "order_holded": Call("V1/orders/114"),
    "order_virtual_only": Call("V1/orders/116"),
    "order_complete": Call("V1/orders/117"),
    "order_store_fr_eur": Call("V1/orders/121"),
    "order_configurable": Call("V1/orders/124"),
    "order_processing_partial": Call("V1/orders/125"),
    "order_comments": Call("V1/orders/113/comments"),
    "order_statuses": Call("V1/orders/113/statuses"),
    "order_items_search": Call(f"V1/orders/items?{matching('order_id', '124')}"),
    "orders_search": Call(f"V1/orders?{matching('entity_id', '104,105', 'in')}"),
    "orders_search_by_email": Call(f"V1/orders?{matching('customer_email', 'guest1@example.com')}"),
    "orders_search_by_increment_id": Call(f"V1/orders?{matching('increment_id', '000000003')}"),
    "orders_search_fields": Call(
        f"V1/orders?{PAGE.format(50, 1)}"
        "&fields=items[entity_id,increment_id,status,state,customer_email,grand_total,updated_at],total_count"
    ),
    "orders_search_updated_since": Call(f"V1/orders?{matching('entity_id', '104,105', 'in')}"),
    "orders_sort_without_direction_is_desc": Call(
        "V1/orders?searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[pageSize]=2"
        "&fields=items[entity_id],total_count"
    ),
    "orders_fields_unbalanced": Call("V1/orders?searchCriteria[pageSize]=1&fields=items[entity_id"),
    "invoice_one": Call("V1/invoices/403"),
    "invoices_search": Call(f"V1/invoices?{matching('entity_id', '403,406', 'in')}"),
    "shipment_two_tracks": Call("V1/shipment/604"),
    "shipment_with_track": Call("V1/shipment/603"),
    "shipment_without_track": Call("V1/shipment/605"),
    "shipment_comments": Call("V1/shipment/605/comments"),
    "shipments_search": Call(f"V1/shipments?{TEN}"),
    "shipments_search_by_order": Call(f"V1/shipments?{matching('order_id', '111')}"),
    "creditmemo_one": Call("V1/creditmemo/801"),
    "creditmemo_partial": Call("V1/creditmemo/802"),
    "creditmemos_search": Call(f"V1/creditmemos?{TEN}"),
    "transactions_search": Call(f"V1/transactions?{TEN}"),
}
ACTIONS = {
    "action_invoice_order": post("V1/order/104/invoice", {"capture": True, "notify": True, "comment": COMMENT}),
    "action_ship_order_no_track": post("V1/order/104/ship", {"notify": True, "appendComment": True, "comment": COMMENT}),
    "action_ship_order_with_track": post("V1/order/104/ship", {"notify": True, "tracks": [PARCEL]}),
    "action_ship_order_with_track_fr": post("V1/order/121/ship", {"notify": True, "tracks": [PARCEL]}),
    "action_refund_order": post(
        "V1/order/109/refund", {"notify": True, "appendComment": True, "comment": COMMENT,
                                "arguments": {"shipping_amount": 0, "adjustment_positive": 0}},
    ),
    "action_cancel_order": post("V1/orders/104/cancel"),
    "action_cancel_impossible_returns_false_200": post("V1/orders/117/cancel"),
    "action_hold_order": post("V1/orders/104/hold"),
    "action_order_emails": post("V1/orders/104/emails"),
    "action_shipment_emails": post("V1/shipment/603/emails"),
    "action_order_comment_notify": status(113, "canceled", "Canceled."),
    "action_order_comment_processing": status(109, "processing", "We are packing it."),
    "action_invoice_comment": post("V1/invoices/comments", {"entity": {**ENTITY, "parent_id": 403}}),
    "action_shipment_comment": post("V1/shipment/603/comments", {"entity": {**ENTITY, "parent_id": 603}}),
    "action_creditmemo_comment": post("V1/creditmemo/801/comments", {"entity": {**ENTITY, "parent_id": 801}}),
    "action_add_track": post(
        "V1/shipment/track",
        {"entity": {"order_id": 111, "parent_id": 603, "track_number": "LATE", "title": "Royal Mail",
                    "carrier_code": "custom", "weight": 1, "qty": 1, "description": "late"}},
    ),
    "error_400_refund_invoice_refused": post("V1/invoice/403/refund", {"notify": True}),
}  # fmt: skip
COUPONS = {
    "salesRule_one": Call("V1/salesRules/1"),
    "salesRules_search": Call(f"V1/salesRules/search?{matching('rule_id', '1,2', 'in')}"),
    "coupons_search": Call(f"V1/coupons/search?{TEN}"),
    "coupons_search_after_generate": Call(f"V1/coupons/search?{matching('rule_id', '2')}", before=(spec(),)),
    "coupon_create": coupon("MANUAL5", usage_limit=1),
    "coupon_create_duplicate": coupon("save10"),
    "coupon_create_duplicate_same_rule": Call(
        "V1/coupons", "POST", {"coupon": {"rule_id": 2, "code": "OBX-CAP", "type": 1}}, before=(coupon("OBX-CAP"),)
    ),
    "coupon_create_limits_overwritten": coupon("OBX-CAP", usage_limit=7, expiration_date="2026-12-31 00:00:00"),
    "coupon_create_type0_on_auto_rule": coupon("OBX-CAP0", type=0),
    "coupons_generate": spec(),
    "coupons_generate_missing_rule": spec(rule_id=999),
    "coupons_generate_wrong_rule": spec(rule_id=1),
    "coupons_generate_quantity_zero": spec(quantity=0),
    "coupons_deleteByCodes": post(
        "V1/coupons/deleteByCodes", {"codes": ["MANUAL5", "NOPE"], "ignoreInvalidCoupons": True},
        before=(coupon("MANUAL5"),),
    ),
    "coupons_deleteByCodes_ok": post(
        "V1/coupons/deleteByCodes", {"codes": ["OBX-CAP"], "ignoreInvalidCoupons": True}, before=(coupon("OBX-CAP"),)
    ),
    "coupons_deleteByCodes_strict_missing": post(
        "V1/coupons/deleteByCodes", {"codes": ["NOPE"], "ignoreInvalidCoupons": False}
    ),
}  # fmt: skip
ERRORS = {
    "error_400_bad_field_type": post("V1/guest-carts/x/items", {"cartItem": {"qty": "abc", "sku": 1}}, token=None),
    "error_400_bad_json": Call("V1/products", "POST", raw='"{bad json"'),
    "error_400_media_type": Call("V1/products", "POST", raw="a=b", media="application/x-www-form-urlencoded"),
    "error_400_search_no_criteria": Call("V1/products"),
    "error_400_duplicate_customer": post(
        "V1/customers", {"customer": {**PERSON, "email": "maren.holt@example.com"}, "password": "x"}, token=None
    ),
    "error_400_validation_missing_required": post("V1/customers", {"customer": {"firstname": "X"}}),
    "error_401_bad_token": Call("V1/orders/102", token="wrong"),
    "error_401_no_token": Call("V1/orders/102", token=None),
    "error_401_customer_token": post(
        "V1/integration/customer/token", {"username": "maren.holt@example.com", "password": "wrong"}, token=None
    ),
    "error_404_cart": Call("V1/guest-carts/doesnotexist", token=None),
    "error_404_coupon_apply": Call("V1/guest-carts/doesnotexist/coupons/NOPE", "PUT", token=None),
    "error_404_customer": Call("V1/customers/99999"),
    "error_404_order": Call("V1/orders/99999"),
    "error_404_product": Call("V1/products/nosuch"),
    "error_404_route": Call("V1/nosuchroute/1"),
    "error_500_filter_category_ids": Call(f"V1/products?{matching('category_ids', '5')}"),
    "error_500_filter_unknown_field": Call(f"V1/orders?{matching('nosuchfield', '1')}"),
    "error_500_sort_unknown_field": Call(
        "V1/orders?searchCriteria[sortOrders][0][field]=nosuch&searchCriteria[pageSize]=1"
    ),
}

CALLS: dict[str, Call] = {
    **CATALOGUE, **STOCK, **STORE, **PEOPLE, **SALES, **ACTIONS, **COUPONS, **ERRORS,
}  # fmt: skip
