"""The tag in real Chromium for accounts whose script carries Ometria's plugin for Magento: data layer and cookie."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import make_book
from tests.tracking.tag_visit import identify

pytestmark = NEEDS_CHROMIUM

# Ometria's script with a plugin: it sends the view itself, from the data that was there before it.
PLUGIN = """
(function () {
  const init = () => navigator.sendBeacon('/calls', JSON.stringify(
    [performance.timeOrigin, window.count = (window.count || 0) + 1, ['init', window.ometria.raw_data]]));
  window.ometria.init = init;
  init();
})();
"""


@pytest.fixture
def visit(make_visit):
    visit = make_visit(make_book(tracking__mode="data_layer"))
    visit.shop.ometria = PLUGIN
    return visit


def commands(visit):
    cookie = next((cookie["value"] for cookie in visit.context.cookies() if cookie["name"] == "ommage"), "")
    return unquote(cookie).split(";") if cookie else []


def test_the_data_layer_is_there_before_the_plugin_runs_and_init_is_left_to_it(visit):
    [[raw]] = [call[1:] for call in visit.open("/product")]
    assert raw["data"] | {"url": ""} == {
        "id": "5", "sku": "SKU-5", "name": raw["data"]["name"], "url": "", "in_stock": False, "currency": "GBP",
    }  # fmt: skip
    assert {key: raw[key] for key in ("store", "type", "route", "controller", "action")} == {
        "store": 1, "type": "product", "route": "catalog", "controller": "product", "action": "view",
    }  # fmt: skip


def test_the_variants_of_a_product_are_in_its_map(visit):
    [[raw]] = [call[1:] for call in visit.open("/configurable")]
    assert {child: data["sku"] for child, data in raw["product_map"].items()} == {"13": "S-Red", "14": "M-Red"}


def test_a_category_and_a_search_are_named(visit):
    assert visit.open("/listing")[0][1]["category"] == {"id": "3", "path": "listing"}
    raw = visit.open("/catalogsearch/result/?q=bag")[1][1]
    assert (raw["type"], raw["query"]) == ("search", "bag")


def test_a_confirmation_names_its_order_in_the_data_and_once_in_the_cookie(visit):
    [[raw]] = [call[1:] for call in visit.open("/success")]
    assert (raw["type"], raw["data"]["id"]) == ("confirmation", "000000100")
    visit.page.wait_for_timeout(500)
    assert commands(visit) == ["trans:000000100"]


def test_basket_and_identity_wait_in_the_cookie_as_commands(visit):
    visit.shop.put(qty=2, price=34)
    visit.open("/")
    visit.do("shop.cart()")
    visit.page.wait_for_timeout(700)
    identify(visit, "ada@example.com")
    visit.open("/about")
    visit.page.wait_for_timeout(700)
    basket, identity = commands(visit)
    assert identity == "identify::e=ada@example.com&i="
    name, basket_id, *rest = basket.split(":")
    assert (name, rest) == ("basket", ["68", "GBP", "", "i=5&v=5&q=2&t=68"])
    assert len(basket_id) == 24


def test_what_would_empty_the_cookie_is_held_back(visit):
    for number in range(60):
        visit.shop.put(product=str(100 + number), sku=f"SKU-{number}", item=str(number))
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.page.add_init_script("document.cookie = 'OMdebug=2_1; path=/'")
    visit.open("/")
    visit.do("shop.cart()")
    visit.page.wait_for_timeout(700)
    assert commands(visit) == []
    assert any("too long for the cookie" in text for text in told)


def test_a_view_without_a_load_fills_the_data_anew(visit):
    visit.open("/listing")
    visit.do("document.body.className = 'cms-page-view cms-about'; history.pushState(null, '', '/about')")
    visit.page.wait_for_timeout(700)
    assert [call[1]["type"] for call in visit.settle()] == ["listing", "content"]
