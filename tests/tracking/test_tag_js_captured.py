"""The tag in real Chromium, on pages of a stock Magento shop."""

from __future__ import annotations

import json
import re

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import ACCOUNT, CAPTURES

pytestmark = NEEDS_CHROMIUM


HOODIE_VARIANTS = {"MH01-S-Red": "13", "MH01-M-Red": "14", "MH01-S-Blue": "15", "MH01-M-Blue": "16"}


def open_captured(visit, name):
    """Show a captured page with the tag in it; everything else that the page asks for stays away."""
    html = (CAPTURES / "pages" / f"{name}.html").read_text(encoding="utf-8")
    tag = visit.shop.tag()

    def answer(route):
        url = route.request.url
        if url == visit.origin + "/captured":
            route.fulfill(
                body=re.sub(r"<head\b[^>]*>", lambda head: head[0] + tag, html, count=1), content_type="text/html"
            )
        elif "/_bridge/" in url or "/tags/" in url or "/calls" in url:
            route.continue_()
        else:
            route.abort()

    visit.page.route("**/*", answer)
    calls = visit.open("/captured")
    visit.wrong.clear()
    return calls


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("home", ["homepage", {}, "default"]),
        ("home_eu_fr", ["homepage", {}, "fr"]),
        ("product_simple", ["product", {"pid": "1"}, "default"]),
        ("product_configurable", ["product", {"pid": "17"}, "default"]),
        ("product_grouped", ["product", {"pid": "19"}, "default"]),
        ("product_bundle", ["product", {"pid": "20"}, "default"]),
        ("product_out_of_stock", ["product", {"pid": "12"}, "default"]),
        ("product_simple_eu_fr", ["product", {"pid": "1"}, "fr"]),
        ("cart_with_items", ["basket", {}, "default"]),
        ("checkout_guest", ["checkout", {}, "default"]),
        ("not_found_404", [None, {}, "default"]),
        ("cms_page_privacy", ["content", {}, "default"]),
    ],
)
def test_a_captured_page_is_viewed_as_what_it_is(visit, name, expected):
    open_captured(visit, name)
    assert visit.wait("init") == [expected]
    assert len(visit.shop.calls) == 1


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
def test_a_captured_listing_gives_its_products_and_category(visit):
    open_captured(visit, "category")
    [[_, data, _]] = visit.wait("init")
    assert (data["category_id"], data["nitems"], data["page"]) == ("5", 9, 1)
    assert sorted(data["pids"], key=int) == ["1", "2", "3", "4", "5", "6", "18", "19", "20"]


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
def test_a_captured_product_page_teaches_its_variants(visit):
    open_captured(visit, "product_configurable")
    visit.shop.put(product="17", sku="MH01-S-Red", kind="configurable")
    cart = json.dumps({"cart": visit.shop.cart()})
    visit.page.evaluate(f"localStorage.setItem('mage-cache-storage', {json.dumps(cart)})")
    visit.do("document.dispatchEvent(new Event('customer-data-reload'))")
    [[basket]] = visit.wait("setBasket")
    assert [(line["pid"], line["vid"]) for line in basket["lis"]] == [("17", "13")]
    assert visit.shop.room.asked == []
    known = dict(visit.page.evaluate(f"JSON.parse(localStorage.getItem('bridge.{ACCOUNT}.skus'))"))
    assert {sku: ids["product"] for sku, ids in known.items()} == HOODIE_VARIANTS
    assert {ids["parent"] for ids in known.values()} == {"17"}


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "order"), [("order_success_guest", "000000001"), ("order_success_logged_in", "000000002")]
)
def test_a_captured_confirmation_gives_its_order(visit, name, order):
    open_captured(visit, name)
    assert visit.wait("trackTransaction") == [[order]]


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
def test_a_captured_page_of_the_backend_is_left_alone(visit):
    assert open_captured(visit, "admin_dashboard") == []
