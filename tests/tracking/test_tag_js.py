"""The tag in real Chromium: page views, the visitor and the order, as Ometria's script is told of them."""

from __future__ import annotations

import json

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import ACCOUNT, DEFAULT_VIEW, FRENCH_VIEW, make_book
from tests.tracking.tag_shop import PAGES
from tests.tracking.tag_visit import identify

pytestmark = NEEDS_CHROMIUM


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/", ["homepage", {}, "default"]),
        ("/product", ["product", {"pid": "5"}, "default"]),
        ("/configurable", ["product", {"pid": "17"}, "default"]),
        (
            "/listing?p=2",
            [
                "listing",
                {
                    "page": 2,
                    "pids": ["5", "6"],
                    "nitems": 12,
                    "category_id": "3",
                    "category_path": "listing",
                    "attributes": [{"id": "3", "type": "category"}],
                },
                "default",
            ],
        ),
        ("/checkout/cart/", ["basket", {}, "default"]),
        ("/checkout/", ["checkout", {}, "default"]),
        ("/about", ["content", {}, "default"]),
        ("/missing", [None, {}, "default"]),
    ],
)
def test_a_page_is_viewed_once_with_its_type_and_store(visit, path, view):
    assert visit.open(path) == [["init", *view]]


def test_search_words_go_with_a_result_page(visit):
    assert visit.open("/catalogsearch/result/?q=caf%C3%A9")[0][2]["search"] == "café"


@pytest.mark.parametrize("told", ["product", "og:product"])
def test_og_type_names_a_product_where_no_class_does_and_comes_before_paths(make_visit, monkeypatch, told):
    meta = f'<meta property="og:type" content="{told}">'
    monkeypatch.setitem(PAGES, "/search.html", ("", meta))
    monkeypatch.setitem(PAGES, "/about", ("cms-page-view", meta))
    visit = make_visit(make_book(tracking__page_type_rules=["/plain=content"]))
    monkeypatch.setitem(PAGES, "/plain", ("", meta))
    types = []
    for path in ("/search.html", "/about", "/plain"):
        visit.shop.forget()
        visit.open(path)
        types.append(visit.wait("init")[0][0])
    assert types == ["product", "content", "content"]


def test_the_words_of_an_advanced_search_are_those_of_its_text_fields(visit):
    asked = "?name=caf%C3%A9&sku=&description=red+bag&short_description=&price[from]=5&price[to]="
    classes = "&classes=catalogsearch-advanced-result"
    assert visit.open("/listing" + asked + classes)[0][2]["search"] == "café red bag"
    assert "search" not in visit.open("/listing?price[from]=5" + classes)[-1][2]
    assert "search" not in visit.open("/listing?name=bag")[-1][2]


def test_ids_carry_the_namespace_and_the_chosen_attribute(make_visit):
    visit = make_visit(
        make_book(
            products__namespace="uk",
            products__namespace_separator=":",
            products__id_attribute="sku",
            orders__namespace="uk",
        )
    )
    assert visit.open("/product")[0][2] == {"pid": "uk:SKU-5"}
    assert visit.open("/listing")[1][2]["pids"] == ["uk:SKU-5"]
    visit.open("/success")
    assert visit.shop.named("trackTransaction") == [["uk000000100"]]


def test_the_page_itself_says_which_store_view_it_is(make_visit):
    book = make_book(general__store_id_kind="id")
    book.values["store:fr"] = {"general.account_id": "fedcba9876543210"}
    visit = make_visit(book)
    visit.shop.store_id = "2"
    requested = []
    visit.page.on("request", lambda request: requested.append(request.url))
    assert visit.open("/")[0][3] == "2"
    assert [url for url in requested if "/tags/" in url] == [f"{visit.origin}/tags/fedcba9876543210.js"]


def test_a_view_that_is_not_tracked_is_left_alone(make_visit):
    book = make_book()
    book.values["store:fr"] = {"tracking.enabled": False}
    visit = make_visit(book)
    visit.shop.store_id = "2"
    assert visit.open("/") == []


def test_the_checkout_is_left_out_by_setting_and_its_confirmation_is_not(make_visit):
    visit = make_visit(make_book(tracking__checkout=False))
    assert visit.open("/checkout/") == []
    visit.open("/success")
    assert visit.shop.named("trackTransaction") == [["000000100"]]


@pytest.mark.parametrize(
    "path",
    ["/admin-like", "/customer/account/createpassword/?id=7&token=SECRET", "/customer/account/createpassword/?token=S"],
)
def test_backend_pages_and_secret_addresses_are_never_tracked(visit, path):
    assert visit.open(path) == []
    assert visit.page.evaluate("typeof window.ometria.init") == "undefined"


def test_a_secret_address_is_not_told_as_referrer_either(visit):
    visit.open("/customer/account/createpassword/?token=SECRET")
    visit.do("location.href = '/'")
    assert visit.shop.calls == []


def test_in_a_frame_the_tag_does_nothing(visit):
    assert visit.open("/framing") == [["init", "content", {}, "default"]]


def test_a_second_tag_in_the_page_does_nothing(visit):
    assert visit.open("/twice") == [["init", "content", {}, "default"]]


def test_a_page_that_has_ometrias_script_already_is_left_alone(visit):
    visit.page.add_init_script("window.ometria = { init() {} }")
    assert visit.open("/") == []


def test_no_global_is_left_but_ometrias_own(visit):
    visit.page.add_init_script("window.before = Object.keys(window)")
    visit.open("/product")
    new = visit.page.evaluate("Object.keys(window).filter((name) => !before.includes(name))")
    assert sorted(new) == ["before", "checkout", "ometria", "shop"]


def test_a_prerendered_page_is_told_when_it_is_shown(visit):
    visit.page.add_init_script(
        "let shown = false;"
        "Object.defineProperty(document, 'prerendering', { get: () => !shown, configurable: true });"
        "window.activate = () => { shown = true; document.dispatchEvent(new Event('prerenderingchange')); };"
    )
    requested = []
    visit.page.on("request", lambda request: requested.append(request.url))
    assert visit.open("/product") == []
    # A page under the pointer becomes visible for the browser before it is shown to anybody.
    assert (
        visit.do("document.dispatchEvent(new Event('visibilitychange')); window.dispatchEvent(new Event('focus'))")
        == []
    )
    assert not [url for url in requested if "/me" in url or "/tags/" in url]
    assert visit.do("activate()") == [["init", "product", {"pid": "5"}, "default"]]


def test_a_page_shown_from_prerender_tells_the_visitor_and_the_cart_of_now(visit):
    """Both may have changed since the page was made: another page logged in and added a product."""
    visit.page.add_init_script(
        "let shown = false;"
        "Object.defineProperty(document, 'prerendering', { get: () => !shown, configurable: true });"
        "window.activate = () => { shown = true; document.dispatchEvent(new Event('prerenderingchange')); };"
    )
    other = visit.context.new_page()
    before = len(visit.open("/", other))
    # It looks for the cart for some seconds, and would tell it first.
    other.close()
    assert len(visit.open("/about")) == before
    identify(visit, "ada@example.com")
    visit.shop.put()
    visit.page.evaluate(
        "(cart) => localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }))", visit.shop.cart()
    )
    told = visit.do("activate()")[before:]
    assert [call[0] for call in told] == ["init", "identify", "setBasket"]
    assert told[1][1] == "ada@example.com"


def test_a_view_from_the_back_forward_cache_counts_once_with_the_cart_of_now(visit):
    visit.open("/product")
    visit.shop.put()
    visit.page.evaluate(
        "localStorage.setItem('mage-cache-storage', JSON.stringify({cart: " + json.dumps(visit.shop.cart()) + "}))"
    )
    visit.do("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert [call[0] for call in visit.shop.calls] == ["init", "init", "setBasket"]


def test_fragments_and_replaced_addresses_are_no_views(visit):
    visit.open("/about")
    visit.do("history.replaceState(null, '', location.href)")
    visit.do("history.replaceState(null, '', '/about?sorted=1')")
    visit.do("location.hash = '#part'")
    assert visit.do("location.hash = '#om_debug'") == [["init", "content", {}, "default"]]


def test_steps_of_the_checkout_are_told_as_they_are_entered(visit):
    visit.open("/checkout/")
    for step in ("#shipping", "#payment", "#payment", "#om_debug"):
        visit.do(f"location.hash = '{step}'")
    assert visit.do("history.replaceState(null, '', '/checkout/?step=review')") == [
        ["init", "checkout", {}, "default"],
        ["trackCheckout", "shipping"],
        ["trackCheckout", "payment"],
        ["trackCheckout", "review"],
    ]


def test_a_step_of_multishipping_is_named_by_its_action(visit):
    assert visit.open("/multishipping/checkout/addresses/")[1:] == [["trackCheckout", "addresses"]]


def test_a_page_that_changes_its_address_is_a_view_once(visit):
    visit.open("/listing")
    visit.do("history.pushState(null, '', '/listing?p=2'); history.pushState(null, '', '/listing?p=2')")
    visit.page.wait_for_timeout(400)
    visit.settle()
    visit.do("history.go(-2)")
    visit.page.wait_for_timeout(400)
    visit.settle()
    assert [(call[0], call[1]) for call in visit.shop.calls] == [
        ("init", "listing"), ("pageview", "/listing"), ("pageview", "/listing"),
    ]  # fmt: skip
    assert [call[2]["page"] for call in visit.shop.named("pageview")] == [2, 1]


def test_a_themes_own_event_says_that_the_next_view_is_drawn(visit):
    visit.open("/listing")
    visit.do(
        "history.pushState(null, '', '/about'); document.body.className = 'cms-page-view cms-about';"
        "document.dispatchEvent(new Event('breeze:load')); document.dispatchEvent(new Event('breeze:load'))"
    )
    assert visit.shop.calls[1:] == [["pageview", "/about", "content", {}]]


def test_a_shops_own_pages_have_the_type_that_its_rules_give(make_visit):
    visit = make_visit(make_book(tracking__page_type_rules=["cms-about=listing", "/missing=content"]))
    assert visit.open("/about")[0][1] == "listing"
    assert visit.open("/missing")[1][1] == "content"


def open_plain(visit, path):
    """Open a page without Magento's classes: the tag waits a moment for signs of a front end that asks by GraphQL."""
    before = len(visit.shop.named("init"))
    visit.open(path)
    visit.wait("init", before + 1)
    return visit.shop.calls[-1]


def test_a_path_says_the_type_where_no_class_does(visit):
    assert open_plain(visit, "/plain") == ["init", None, {}, "default"]
    assert open_plain(visit, "/catalogsearch/result/?q=bag&classes=none")[1:3] == [
        "listing", {"page": 1, "pids": ["5", "6"], "nitems": 12, "category_id": "3",
        "attributes": [{"id": "3", "type": "category"}], "search": "bag"},
    ]  # fmt: skip
    assert open_plain(visit, "/search.html?q=bag")[1:3] == ["listing", {"page": 1, "pids": [], "search": "bag"}]
    assert open_plain(visit, "/gone-missing")[1] is None
    visit.wrong.clear()


def test_decisions_are_logged_only_in_debugging(visit):
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.open("/product")
    assert told == []
    visit.page.evaluate("document.cookie = 'OMdebug=2_1; path=/'")
    visit.open("/product")
    visit.shop.refuse = True
    visit.do("shop.add('5')")
    visit.shop.refuse = False
    visit.do("shop.add('5')")
    visit.do("shop.cart()")
    for expected in (
        "type product by catalog-product-view",
        "call view product",
        "add asked {5: 1}",
        "add held back: the cart did not grow",
        "call added 5 1",
        "call basket",
        "basket held back: as it was",
    ):
        assert any(f"bridge: {expected}" in text for text in told), expected
    assert not [text for text in told if "fault" in text]


def test_the_log_names_no_email(visit):
    visit.open("/")
    identify(visit, "ada@example.com")
    told = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.open("/product#om_debug")
    assert any("call identify" in text for text in told)
    assert not [text for text in told if "ada@" in text]


def test_an_identity_is_told_once_and_again_only_when_it_changes(visit):
    visit.open("/")
    identify(visit, "ada@example.com")
    visit.open("/product")
    visit.open("/customer/account/")
    visit.open("/listing")
    identify(visit, "bob@example.com")
    visit.open("/")
    visit.open("/", visit.tab())
    assert visit.shop.named("identify") == [["ada@example.com"], ["bob@example.com"]]


def test_the_calls_of_a_page_come_in_ometrias_order(visit):
    visit.open("/")
    visit.shop.put()
    visit.do("shop.cart()")
    visit.shop.forget()
    identify(visit, "ada@example.com")
    visit.page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => setTimeout(() => shop.cart(), 100))"
    )
    visit.shop.lines.clear()
    visit.open("/success")
    assert [call[0] for call in visit.shop.calls] == ["init", "identify", "setBasket", "trackTransaction"]


def test_the_visitor_is_asked_for_only_when_something_may_have_changed(visit):
    for path in ("/", "/product", "/listing"):
        visit.open(path)
    assert visit.shop.asked_me == 1
    visit.context.add_cookies([{"name": "private_content_version", "value": "x", "url": visit.origin}])
    visit.open("/")
    visit.open("/product")
    assert visit.shop.asked_me == 2
    visit.open("/customer/account/")
    visit.open("/success")
    assert visit.shop.asked_me == 4


def test_an_identity_that_the_page_could_not_tell_is_told_later(visit):
    visit.open("/")
    identify(visit, "ada@example.com")
    visit.page.route("**/tags/*.js", lambda route: route.abort())
    visit.open("/product")
    visit.page.unroute("**/tags/*.js")
    visit.open("/customer/account/")
    assert visit.shop.named("identify") == [["ada@example.com"]]
    visit.wrong.clear()


def test_neither_page_nor_address_carries_the_identity(visit):
    requested = []
    visit.page.on("request", lambda request: requested.append(request.url))
    visit.open("/")
    identify(visit, "ada@example.com")
    visit.open("/product")
    assert visit.shop.named("identify")
    assert not [url for url in requested if "ada" in url]
    assert "ada@" not in visit.page.content()
    assert "ada@" not in visit.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )


def test_an_order_is_told_once_whatever_the_visitor_does_with_the_page(visit):
    visit.open("/success")
    visit.page.reload()
    visit.settle()
    visit.open("/")
    visit.page.go_back()
    visit.settle()
    visit.open("/success", visit.tab())
    visit.shop.order = "000000102"
    visit.open("/success")
    visit.open("/many")
    visit.open("/many")
    assert visit.shop.named("trackTransaction") == [["000000100"], ["000000102"], ["000000103"], ["000000104"]]


def test_the_number_is_also_found_where_a_customer_sees_it(visit):
    visit.shop.order = '</span><a class="order-number" href="/x"><strong>FR-000000007-1</strong></a><span>'
    visit.open("/success")
    assert visit.shop.named("trackTransaction") == [["FR-000000007-1"]]


def test_what_is_no_number_is_no_order(visit):
    visit.shop.order = "soon to come"
    visit.open("/success")
    assert visit.shop.named("trackTransaction") == []


def test_the_ordered_cart_is_not_told_again_on_the_confirmation(visit):
    visit.open("/")
    visit.shop.put()
    visit.page.evaluate(
        "(cart) => localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }))", visit.shop.cart()
    )
    visit.open("/success")
    assert visit.shop.named("setBasket") == []


def test_the_account_is_the_one_of_the_settings(visit):
    requested = []
    visit.page.on("request", lambda request: requested.append(request.url))
    visit.open("/")
    assert f"{visit.origin}/tags/{ACCOUNT}.js" in requested
    assert {DEFAULT_VIEW.code, FRENCH_VIEW.code} <= {store.code for store in visit.shop.room.books.current.stores}
