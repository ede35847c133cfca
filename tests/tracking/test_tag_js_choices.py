"""The tag in real Chromium under the settings that a shop may choose, and what a front end says of itself."""

from __future__ import annotations

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import ACCOUNT, STATIC, make_book
from tests.tracking.tag_shop import PAGES, init_script
from tests.tracking.test_tag_js_layer import PLUGIN

pytestmark = NEEDS_CHROMIUM

# A configurable product with two attributes, as Luma's drop-downs hold them.
CHOOSING = init_script(
    {
        "#product_addtocart_form": {
            "configurable": {
                "spConfig": {
                    "productId": "17",
                    "index": {"13": {"93": "5", "144": "8"}, "14": {"93": "5", "144": "9"}},
                    "sku": {"13": "S-Red", "14": "M-Red"},
                    "optionPrices": {"13": {"finalPrice": {"amount": 52}}, "14": {"finalPrice": {"amount": 54}}},
                }
            }
        }
    }
) + (
    '<form id="product_addtocart_form" data-product-sku="PARENT-17" method="post"><input type="hidden" name="product" value="17">'
    '<select name="super_attribute[93]"><option value=""></option><option value="5">Red</option></select>'
    '<select name="super_attribute[144]"><option value=""></option><option value="8">S</option><option value="9">M</option></select>'
    "</form>"
)


@pytest.fixture
def make_choosing(make_visit, monkeypatch):
    """Return a function giving a visitor on the page of a product with variants."""
    monkeypatch.setitem(PAGES, "/configurable", ("catalog-product-view", CHOOSING))

    def make(**values):
        visit = make_visit(make_book(tracking__variant_pageview=True, **values))
        if values.get("tracking__mode") == "data_layer":
            visit.shop.ometria = PLUGIN
        with visit.page.expect_response("**/tag.js*part=variant*"):
            visit.open("/configurable")
        visit.settle()
        return visit

    return make


def choose(visit, size, colour="5"):
    visit.page.select_option("[name='super_attribute[93]']", colour)
    visit.page.select_option("[name='super_attribute[144]']", size)
    visit.page.wait_for_timeout(200)
    return visit.settle()


def test_a_chosen_variant_is_a_view_of_it_once(make_choosing):
    visit = make_choosing()
    choose(visit, "")
    assert visit.shop.named("pageview") == []
    choose(visit, "8")
    choose(visit, "8")
    choose(visit, "9")
    assert visit.wait("pageview", 2) == [
        ["/configurable", "product", {"pid": "13"}],
        ["/configurable", "product", {"pid": "14"}],
    ]
    assert visit.shop.named("init") == [["product", {"pid": "17"}, "default"]]


def test_a_chosen_variant_carries_the_sku_where_the_export_does(make_choosing):
    visit = make_choosing(products__id_attribute="sku", products__namespace="uk", products__namespace_separator="-")
    choose(visit, "9")
    assert visit.wait("pageview") == [["/configurable", "product", {"pid": "uk-M-Red"}]]


def test_hyvas_word_for_the_choice_is_heard(make_choosing):
    visit = make_choosing()
    for detail in ("{ productIndex: '' }", "{ productIndex: 14 }", "{ productIndex: '14' }", "null"):
        visit.do(f"window.dispatchEvent(new CustomEvent('configurable-selection-changed', {{ detail: {detail} }}))")
    assert visit.wait("pageview") == [["/configurable", "product", {"pid": "14"}]]


def test_with_the_plugin_the_data_becomes_the_variants_and_init_is_called(make_choosing):
    visit = make_choosing(tracking__mode="data_layer")
    choose(visit, "9")
    first, second = (call[0] for call in visit.wait("init", 2))
    assert (first["data"]["id"], second["data"]["id"]) == ("17", "14")
    assert (second["data"]["sku"], second["data"]["price"]) == ("M-Red", 54)


def test_without_the_setting_a_choice_is_no_view(make_visit, monkeypatch):
    monkeypatch.setitem(PAGES, "/configurable", ("catalog-product-view", CHOOSING))
    visit = make_visit()
    visit.open("/configurable")
    choose(visit, "8")
    assert [call[0] for call in visit.shop.calls] == ["init"]


def test_a_share_of_visitors_is_told_of_and_each_is_in_it_or_not_for_good(make_visit):
    visit = make_visit(make_book(tracking__percent=40))
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    # The lots that are drawn: 90 of a hundred first, and 10 after the storage was emptied.
    visit.page.add_init_script(
        "const lots = [0.895, 0.095]; Math.random = () => Number(localStorage.getItem('lot') || 0.895);"
    )
    visit.open("/product#om_debug")
    visit.page.evaluate("localStorage.setItem('lot', 0.095)")
    visit.open("/about")
    assert visit.shop.calls == []
    assert any("not in the share" in text for text in told)
    assert visit.page.evaluate(f"localStorage.getItem('bridge.{ACCOUNT}.lot')") == "90"
    visit.page.evaluate("localStorage.clear(); localStorage.setItem('lot', 0.095)")
    visit.open("/product")
    visit.page.evaluate("localStorage.setItem('lot', 0.895)")
    visit.open("/about")
    assert [call[0] for call in visit.wait("init", 2)] == ["product", "content"]


@pytest.mark.parametrize(("chance", "told"), [("0.09", ["product", "content", "other"]), ("0.11", [])])
def test_one_view_in_ten_tells_bridge_its_type_and_nothing_else(make_visit, chance, told):
    visit = make_visit()
    visit.page.add_init_script(f"Math.random = () => {chance};")
    beacons = []
    visit.page.on("request", lambda asked: beacons.append(asked) if asked.url.endswith("/_bridge/seen") else None)
    for number, path in enumerate(("/product", "/about", "/customer/account/"), 1):
        visit.open(path)
        visit.wait("init", number)
    visit.page.wait_for_timeout(200)
    assert [(asked.method, asked.post_data) for asked in beacons] == [("POST", kind) for kind in told]


@pytest.mark.parametrize(("percent", "views"), [(0, 0), (100, 1)])
def test_nobody_and_everybody_are_shares_too(make_visit, percent, views):
    visit = make_visit(make_book(tracking__percent=percent))
    visit.open("/")
    assert len(visit.wait("init", views)) == views


def test_an_excluded_path_that_is_reached_without_a_load_is_held_back_and_the_next_is_not(make_visit):
    visit = make_visit(make_book(tracking__exclude_paths=["/listing", "/checkout/*"]))
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.open("/listing#om_debug")
    assert visit.shop.calls == []
    visit.do("shop.add('5')")
    visit.do("document.body.className = 'cms-page-view'; history.pushState(null, '', '/about#om_debug')")
    # Ometria's script has told of no view yet.
    assert visit.wait("init") == [["content", {}, "default"]]
    visit.do("history.pushState(null, '', '/checkout/cart/#om_debug')")
    visit.page.wait_for_timeout(800)
    visit.do("document.body.className = 'cms-index-index'; history.pushState(null, '', '/')")
    assert visit.wait("pageview") == [["/", "homepage", {}]]
    assert visit.shop.named("trackAddToBasket") == []
    assert any("held back: path excluded" in text for text in told)


def test_a_front_end_may_say_itself_what_it_shows(make_visit):
    visit = make_visit()
    visit.page.add_init_script("window.bridgePage = { type: 'product', data: { pid: '31' } };")
    visit.open("/plain")
    visit.do(
        "window.bridgePage = { type: 'confirmation', order: 'W-000000731' }; history.pushState(null, '', '/thanks')"
    )
    assert visit.wait("trackTransaction") == [["W-000000731"]]
    assert visit.shop.named("init") == [["product", {"pid": "31"}, "default"]]
    assert visit.shop.named("pageview") == [["/thanks", "confirmation", {}]]


def test_a_part_that_does_not_come_leaves_the_listing_without_its_products(make_visit):
    visit = make_visit()
    visit.page.route("**/tag.js*part=listing*", lambda route: route.abort())
    visit.open("/listing")
    assert visit.wait("init") == [["listing", {}, "default"]]
    visit.wrong.clear()


def test_what_is_left_alone_is_logged_with_the_reason(make_visit):
    visit = make_visit()
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.open("/plain#om_debug")
    visit.open("/customer/account/createpassword/?token=SECRET#om_debug")
    assert any("bridge: type none by nothing" in text for text in told)
    assert any("bridge: held back: private page" in text for text in told)
    assert not [text for text in told if "SECRET" in text]


def test_om_debug_in_the_address_shows_ometrias_box_and_our_decisions_until_it_is_turned_off(make_visit):
    visit = make_visit()
    visit.shop.ometria = (STATIC / "sandbox" / "ometria-tag.js").read_text(encoding="utf-8")
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.open("/product#om_debug")
    visit.page.wait_for_selector("#ometria-debug", state="attached")
    assert "pageview" in visit.page.inner_text("#ometria-debug")
    visit.open("/listing")
    visit.page.wait_for_selector("#ometria-debug", state="attached")
    for expected in (
        "type product by catalog-product-view",
        "call view product",
        "type listing by catalog-category-view",
    ):
        assert any(f"bridge: {expected}" in text for text in told), expected
    visit.open("/about#om_debug=off")
    visit.settle()
    told.clear()
    visit.open("/listing")
    visit.settle()
    assert told == []
    assert visit.page.locator("#ometria-debug").count() == 0


@pytest.mark.parametrize(
    "action",
    [
        "hyva_checkout-index-index",
        "onestepcheckout-index-index",
        "firecheckout-index-index",
        "paypal-express-review",
        "multishipping-checkout-overview",
    ],
)
def test_a_checkout_of_another_make_is_a_checkout_with_its_steps(make_visit, monkeypatch, action):
    monkeypatch.setitem(PAGES, "/checkout/", (action, ""))
    visit = make_visit()
    visit.open("/checkout/")
    visit.do("location.hash = '#payment'")
    step = "overview" if action.startswith("multishipping") else "payment"
    assert visit.wait("trackCheckout") == [[step]]
    assert visit.shop.named("init") == [["checkout", {}, "default"]]


def test_an_advanced_search_is_a_listing_and_several_orders_of_one_checkout_are_each_told(make_visit, monkeypatch):
    monkeypatch.setitem(PAGES, "/advanced", ("catalogsearch-advanced-result page-products", PAGES["/listing"][1]))
    visit = make_visit()
    visit.open("/advanced")
    assert visit.wait("init")[0][:2] == ["listing", visit.shop.named("init")[0][1] | {"pids": ["5", "6"]}]
    visit.open("/many")
    assert visit.wait("trackTransaction", 2) == [["000000103"], ["000000104"]]


@pytest.mark.parametrize(
    "body",
    [
        '<form class="review-form" action="/review/product/post/id/8/"></form>',
        '<div class="product-info-main"><div data-role="priceBox" data-product-id="8"></div></div>',
        '<div class="product-info-main"><a data-post=\'{"action":"/wishlist/index/add/","data":{"product":"8"}}\'></a></div>',
    ],
)
def test_a_product_that_is_out_of_stock_is_named_by_its_other_forms(make_visit, monkeypatch, body):
    monkeypatch.setitem(PAGES, "/gone", ("catalog-product-view", body))
    visit = make_visit()
    visit.open("/gone")
    assert visit.wait("init") == [["product", {"pid": "8"}, "default"]]
