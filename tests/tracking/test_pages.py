from __future__ import annotations

import gzip
import re

import pytest

from bridge.tracking import PAGE_TYPES, page_type
from tests.tracking.conftest import CAPTURES

CAPTURED = {
    "account_addresses": None,
    "account_dashboard": None,
    "account_edit": None,
    "account_orders": None,
    "admin_dashboard": None,
    "admin_login": None,
    "advanced_search": None,
    "cart_after_non_ajax_add_message": "basket",
    "cart_empty": "basket",
    "cart_with_items": "basket",
    "category": "listing",
    "category_ajax_header": "listing",
    "category_eu_de_store_cookie": "listing",
    "category_filtered": "listing",
    "category_second_hit": "listing",
    "category_sorted_page_list": "listing",
    "category_utm": "listing",
    "checkout_guest": "checkout",
    "checkout_guest_with_sri": "checkout",
    "checkout_logged_in": "checkout",
    "cms_about": None,
    "cms_page_privacy": "content",
    "compare": None,
    "contact": None,
    "create_account": None,
    "forgot_password": None,
    "home": "homepage",
    "home_eu_fr": "homepage",
    "home_gzip": "homepage",
    "home_logged_in": "homepage",
    "login": None,
    "newsletter_get_404": None,
    "newsletter_manage": None,
    "not_found_404": None,
    "order_success_guest": "confirmation",
    "order_success_logged_in": "confirmation",
    "orders_and_returns": None,
    "product_bundle": "product",
    "product_configurable": "product",
    "product_configurable_gzip": "product",
    "product_grouped": "product",
    "product_out_of_stock": "product",
    "product_simple": "product",
    "product_simple_eu_fr": "product",
    "product_simple_logged_in": "product",
    "product_simple_special_price": "product",
    "product_simple_unicode": "product",
    "product_virtual": "product",
    "search_no_results": "listing",
    "search_results": "listing",
    "search_terms": None,
    "sitemap_404": None,
    "store_switch_query": "listing",
    "varnishmode_cart_empty": "basket",
    "varnishmode_category": "listing",
    "varnishmode_category_surrogate_capability": "listing",
    "varnishmode_home": "homepage",
    "varnishmode_not_found_404": None,
    "varnishmode_product_simple": "product",
}


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("cms-home cms-index-index page-layout-1column", "homepage"),
        ("cms-index-defaultindex", "homepage"),
        ("cms-home cms-page-view page-layout-1column", "content"),
        ("cms-no-route cms-noroute-index page-layout-2columns-right", None),
        ("page-products categorypath-gear category-gear catalog-category-view", "listing"),
        ("page-products catalogsearch-result-index", "listing"),
        ("page-products catalogsearch-advanced-result", "listing"),
        ("page-product-configurable catalog-product-view product-hoodie", "product"),
        ("checkout-cart-configure", "product"),
        ("checkout-cart-index page-layout-1column", "basket"),
        ("checkout-index-index page-layout-checkout", "checkout"),
        ("hyva_checkout-index-index", "checkout"),
        ("multishipping-checkout-addresses", "checkout"),
        ("multishipping-checkout-success", "confirmation"),
        ("multishipping-checkout-results", "confirmation"),
        ("paypal-express-review", "checkout"),
        ("checkout-onepage-success page-layout-1column", "confirmation"),
        ("checkout-onepage-failure", None),
        ("account customer-account-index", None),
        ("customer-account-login", None),
        ("contact-index-index", None),
        ("adminhtml-dashboard-index", None),
        ("not-catalog-product-view catalog-product-viewer", None),
        ("", None),
    ],
)
def test_a_page_has_the_type_of_its_action(classes, expected):
    assert page_type(classes) == expected
    assert page_type(list(reversed(classes.split()))) == expected


def test_the_table_holds_only_types_that_ometria_knows():
    known = {"homepage", "listing", "product", "basket", "checkout", "confirmation", "content", None}
    assert {found for _, found in PAGE_TYPES} <= known


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
def test_every_captured_page_has_the_type_written_down_here():
    found = {}
    for path in sorted((CAPTURES / "pages").glob("*.html*")):
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")
        body = re.search(r"<body\b[^>]*?\bclass=\"([^\"]*)\"", text, re.DOTALL)
        if body:
            found[path.name.partition(".")[0]] = page_type(body.group(1))
    assert found == CAPTURED
