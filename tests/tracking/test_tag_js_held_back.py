"""Whatever the tag holds back it gives a reason for in debugging; each of its reasons is brought about here, in Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import make_book
from tests.tracking.tag_shop import PAGES
from tests.tracking.test_tag_js_choices import CHOOSING

pytestmark = NEEDS_CHROMIUM
PARTS = Path(__file__).resolve().parents[2] / "static" / "bridge" / "tag"
POST = "fetch('%s', { method: 'POST', body: new URLSearchParams({ product: '5' }) }).catch(() => 0)"
CART = "localStorage.setItem('mage-cache-storage', JSON.stringify({cart: %s}))"
MUTATION = "fetch('/graphql', { method: 'POST', body: JSON.stringify({ query: 'mutation{addProductsToCart(cartId:\"%s\"){x}}' }) })"
CHOOSE = """[[93, 5], [144, 8]].forEach(([attribute, value]) => {
  const field = document.querySelector(`[name="super_attribute[${attribute}]"]`);
  field.value = value;
  field.dispatchEvent(new Event('change', { bubbles: true }));
})"""
FORM = '<form id="product_addtocart_form" method="post" action="/checkout/cart/add/"></form>'
SKUS = {"products__id_attribute": "sku"}


def of_cart(**line):
    """Return what puts a cart with one odd line into the shop's answers."""
    good = {
        "product_id": "5",
        "product_sku": "SKU-5",
        "qty": 1,
        "product_price_value": 3,
        "product_type": "simple",
        "options": [],
    }

    def change(visit):
        visit.shop.lines = [{**good, **line}]

    return change


def refuse(visit):
    visit.shop.refuse = True


def without_cart(visit):
    """The shop's GraphQL takes the mutation, and gives no cart."""
    cart = {"data": {"addProductsToCart": {"cart": {"id": "a" * 32}}}}

    def answer(route):
        route.fulfill(json=cart if "mutation" in route.request.post_data else {"data": {"cart": None}})

    visit.page.route("**/graphql", answer)


def long_answer(visit):
    text = json.dumps({"cart": {"items": [], "padding": "x" * 4_100_000}})
    visit.page.route(
        "**/customer/section/load/**", lambda route: route.fulfill(body=text, content_type="application/json")
    )


def view_off(visit):
    visit.shop.store_id = "2"  # the one that is off, see below


NOTHING = lambda visit: None  # noqa: E731 - a step that is none
# The reason -> settings, pages, what is prepared, the page that is opened, and what is done on it.
REASONS = {
    "add held back: no cart": ({}, {}, NOTHING, "/product", POST % "/wishlist/index/cart/"),
    "add held back: page type": ({}, {}, NOTHING, "/about", POST % "/checkout/cart/add/product/5/"),
    "add held back: the cart did not grow": ({}, {}, refuse, "/product", "shop.add('5')"),
    "add held back: no id": (SKUS, {}, of_cart(product_id="7", product_sku=""), "/product", "shop.add('7')"),
    "basket held back: the order is placed": ({}, {}, of_cart(), "/success", "shop.cart()"),
    "basket held back: not readable": ({}, {}, of_cart(product_price_value="1e3"), "/about", "shop.cart()"),
    "basket held back: as it was": ({}, {}, of_cart(), "/about", "shop.cart().then(() => new Promise((done) => setTimeout(() => shop.cart().then(done), 1500)))"),
    "cart held back: the shop gives none": ({}, {}, without_cart, "/product", MUTATION % ("a" * 32)),
    "cart held back": ({}, {}, NOTHING, "/about", "localStorage.setItem('mage-cache-storage', JSON.stringify({cart: {items: 7}})); window.dispatchEvent(new Event('private-content-loaded'))"),
    "held back: too long": ({}, {}, long_answer, "/about", "fetch('/customer/section/load/').then((answer) => answer.text()).then(() => 0)"),
    "held back: private page": ({}, {}, NOTHING, "/customer/account/createpassword/?token=x", "0"),
    "held back: view off": ({}, {}, view_off, "/about", "0"),
    "held back: no consent yet by": ({"consent__mode": "cookie", "consent__cookie": "agreed", "consent__pattern": "1"}, {}, NOTHING, "/about", "0"),
    "held back: path excluded": ({"tracking__exclude_paths": ["/about"]}, {}, NOTHING, "/product", "document.body.className = 'cms-page-view'; history.pushState(null, '', '/about#om_debug')"),
    "held back: not in the share": ({"tracking__percent": 1}, {}, NOTHING, "/about", "0"),
    "held back: the plugin tells adds from its basket": ({"tracking__mode": "data_layer"}, {}, NOTHING, "/product", "shop.add('5')"),
    "held back: a part has a separator in it": ({"tracking__mode": "data_layer", "products__namespace": "uk", "products__namespace_separator": ":"}, {}, of_cart(), "/about", "shop.cart()"),
    "variant held back: no id": ({"tracking__variant_pageview": True, **SKUS}, {"/bare": ("catalog-product-view", re.sub(r'"sku": *{[^}]*}', '"sku": {}', CHOOSING))}, NOTHING, "/bare", CHOOSE),
    "pids held back: no id or SKU": ({}, {"/bare": ("catalog-category-view", '<div class="products"><li class="product-item"></li></div>')}, NOTHING, "/bare", "0"),
    "pid held back: no id": ({}, {"/bare": ("catalog-product-view", FORM)}, NOTHING, "/bare", "0"),
    "pid held back: no SKU": (SKUS, {"/bare": ("catalog-product-view", FORM.replace("></form>", '><input name="product" value="999"></form>'))}, NOTHING, "/bare", "0"),
}  # fmt: skip
ELSEWHERE = {
    "held back: too long for the cookie": "test_tag_js_layer",
    "held back: ": "what a call says, with the reason of the view",
    "held back:": "likewise",
}


def reasons():
    """Return every reason in the tag's own text."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(PARTS.glob("*.js")))
    return set(re.findall(r"'((?:\w+ )?held back[^']*)'", text))


def test_every_reason_is_here():
    assert reasons() - ELSEWHERE.keys() == REASONS.keys() - {"held back: path excluded"}


@pytest.mark.parametrize("reason", REASONS)
def test_what_is_held_back_is_said_with_its_reason(make_visit, monkeypatch, reason):
    settings, pages, prepare, path, act = REASONS[reason]
    for at, page in pages.items():
        monkeypatch.setitem(PAGES, at, page)
    book = make_book(**settings)
    book.values["store:fr"] = {"tracking.enabled": False}
    visit = make_visit(book)
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    prepare(visit)
    if "not in the share" in reason:
        visit.page.add_init_script("Math.random = () => 0.999")
    visit.open(path + "#om_debug")
    visit.do(act)
    for _ in range(400):
        if any(f"bridge: {reason}" in text for text in told):
            break
        visit.page.wait_for_timeout(50)
    assert any(f"bridge: {reason}" in text for text in told), told
    assert not [text for text in told if "bridge: fault" in text]
    visit.wrong.clear()
