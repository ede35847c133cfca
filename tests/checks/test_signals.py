from __future__ import annotations

import pytest

from bridge.checks.signals import read_signals
from tests.tracking.conftest import CAPTURES

HOME = "http://store.test/"


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "kind", "source", "product", "sku", "category"),
    [
        ("home", "homepage", "body class cms-index-index", "", "", ""),
        ("category", "listing", "body class catalog-category-view", "", "", None),
        ("product_simple", "product", "body class catalog-product-view", None, None, ""),
        ("product_configurable", "product", "body class catalog-product-view", "17", "MH01", ""),
        ("cart_empty", "basket", "body class checkout-cart-index", "", "", ""),
        ("order_success_guest", "confirmation", "body class checkout-onepage-success", "", "", ""),
    ],
)
def test_a_captured_page_says_what_it_is(name, kind, source, product, sku, category):
    path = CAPTURES / "pages" / f"{name}.html"
    if not path.is_file():
        pytest.skip(f"{name} was not captured")
    signals = read_signals(path.read_text(), HOME)
    assert (signals.type, signals.source) == (kind, source)
    if product is not None:
        assert (signals.product, signals.sku) == (product, sku)
    elif kind == "product":
        assert signals.product.isdigit()
        assert signals.sku
    if kind == "listing":
        assert signals.category.isdigit()
        assert len(signals.products) > 2


@pytest.mark.parametrize(
    ("html", "url", "kind", "source"),
    [
        ('<meta property="og:type" content="og:product"><body>', HOME + "x", "product", "og:type"),
        ("<body>", HOME, "homepage", "path /"),
        ("<body>", HOME + "fr/checkout/cart/", "basket", "path /fr/checkout/cart/"),
        ("<body>", HOME + "checkout", "checkout", "path /checkout"),
        ("<body>", HOME + "catalogsearch/result/", "listing", "path /catalogsearch/result/"),
        ("<body>", HOME + "fr/order-confirmation", "confirmation", "path /fr/order-confirmation"),
        ("<body>", HOME + "search.html", "listing", "path /search.html"),
        ("<body>", HOME + "about", None, ""),
        ('<body class="cms-noroute-index">', HOME, None, "body class cms-noroute-index"),
        ("", HOME + "x", None, ""),
        ("\0<<<>", HOME + "x", None, ""),
    ],
)
def test_a_page_without_the_shops_classes_is_told_by_the_next_best_signal(html, url, kind, source):
    signals = read_signals(html, url)
    assert (signals.type, signals.source) == (kind, source)


def test_links_of_the_menu_come_first_and_those_of_other_hosts_not_at_all():
    html = (
        '<body><main><a href="/b">b</a><a href="http://elsewhere.test/">x</a></main><nav><a href="/a#top">a</a></nav>'
        '<a href="/search?q=1">q</a><a href="mailto:a@b.test">m</a><a href="javascript:x()">j</a></body>'
    )
    assert read_signals(html, HOME).links == (HOME + "a", HOME + "b")


def test_hyva_has_no_sku_and_its_tiles_are_forms():
    html = (
        '<body class="catalog-category-view"><form class="product-item product_addtocart_form"><input name="product" '
        'value="5"></form><form class="product-item"><input name="product" value="x"></form></body>'
    )
    assert read_signals(html, HOME).products == (("5", ""),)
