"""The tag in real Chromium where pages overlap: left early, two tabs, another store view or currency, a slow shop."""

from __future__ import annotations

import pytest

from bridge.events import Identified
from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import make_book
from tests.tracking.tag_shop import CONFIGURABLE
from tests.tracking.tag_visit import identify, lines

pytestmark = NEEDS_CHROMIUM

MANY_SKUS = '"S-Red", ' + ", ".join(f'"{number}": "{number}"' for number in range(5000, 5400))
STORE = "(cart) => localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }))"


def page_of(visit, path, classes, body):
    """Answer a path with a page of the shop."""
    with visit.shop.app.test_request_context(path, base_url=visit.origin):
        page = visit.shop.html(classes, body)
    visit.page.route("**" + path, lambda route: route.fulfill(body=page, content_type="text/html"))


def test_an_identity_is_told_on_the_next_page_when_this_one_was_left_before_ometrias_script_came(visit):
    visit.open("/")
    identify(visit, "ada@example.com")
    visit.page.route("**/tags/*.js", lambda route: route.abort())
    visit.open("/product")
    visit.page.unroute("**/tags/*.js")
    visit.open("/listing")
    visit.open("/")
    assert visit.shop.named("identify") == [["ada@example.com"]]
    assert visit.shop.asked_me == 3
    visit.wrong.clear()


CUSTOMER = "localStorage.setItem('mage-cache-storage', JSON.stringify({ customer: { fullname: 'Ada' } }))"


def logged_in_before(visit, asked_again):
    """Show a customer of whom bridge knows nothing; each question after the shop has named her goes to a function.

    Where it returns true, the question has no answer until its page is left.
    """
    named = []

    def shop(route):
        named.append(route.request.url)
        route.fulfill(json={"id": 7, "email": "ada@example.com"})

    def bridge(route):
        if named:
            named.append(route.request.url)
            if asked_again(len(named) - 1):
                return
        route.continue_()

    visit.page.route("**/_bridge/me", bridge)
    visit.page.route("**/rest/default/V1/customers/me", shop)
    visit.open("/")
    visit.page.evaluate(CUSTOMER)
    return next(cookie["value"] for cookie in visit.context.cookies() if cookie["name"] == "bridge_visitor")


def read_late(visit, visitor):
    """Let bridge have read the shop's answer only now."""
    event = Identified(email="ada@example.com", source="account")
    visit.shop.room.tracking.observer._identities.identify(visitor, None, event)


def test_who_the_shop_has_named_is_asked_for_again_when_bridge_reads_its_answer_late(visit):
    visitor = logged_in_before(visit, lambda number: number == 2 and read_late(visit, visitor))
    visit.page.goto(visit.origin + "/product")
    assert visit.wait("identify") == [["ada@example.com"]]
    assert [call[0] for call in visit.shop.calls][-2:] == ["init", "identify"]


def test_who_the_shop_has_named_is_told_on_the_next_page_when_this_one_was_left_before_bridge_knew(visit):
    asked = []
    # Answered while its page is being left, it would be told there, by a beacon that Playwright loses.
    visitor = logged_in_before(visit, lambda number: asked.append(number) or number == 1)
    visit.page.goto(visit.origin + "/product")
    while not asked:
        visit.page.wait_for_timeout(50)
    read_late(visit, visitor)
    visit.open("/listing")
    assert visit.wait("identify") == [["ada@example.com"]]
    visit.open("/")
    assert len(visit.shop.named("identify")) == 1


def test_a_visitor_that_is_not_answered_is_no_error_of_the_page(visit):
    visit.page.route("**/me", lambda route: route.fulfill(status=503))
    visit.page.route("**/tags/*.js", lambda route: route.abort())
    errors = []
    visit.page.on("pageerror", lambda error: errors.append(str(error)))
    visit.open("/")
    assert errors == []
    visit.wrong.clear()


def test_a_stored_cart_of_another_store_view_is_not_told_in_this_one(make_visit):
    visit = make_visit(make_book())
    visit.shop.put()
    visit.open("/")
    visit.page.evaluate(STORE, visit.shop.cart())
    visit.shop.store_id = "2"
    visit.open("/product")
    assert visit.shop.named("setBasket") == []
    visit.do("shop.cart()")
    [[basket]] = visit.shop.named("setBasket")
    assert basket["cur"] == "EUR"


def test_the_currency_is_the_one_that_the_visitor_switched_to(visit):
    visit.shop.put()
    visit.open("/about")
    visit.do("shop.cart()")
    visit.shop.lines[0]["product_price_value"] = 12
    # The shop's own script forgets the cart when the visitor switches.
    visit.page.evaluate("localStorage.removeItem('mage-cache-storage')")
    visit.page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => document.body.insertAdjacentHTML('beforeend',"
        "'<div id=\"switcher-currency-trigger\"><strong><span>EUR - Euro</span></strong></div>'))"
    )
    visit.open("/")
    visit.do("shop.cart()")
    assert [basket["cur"] for [basket] in visit.shop.named("setBasket")] == ["GBP", "EUR"]


def test_a_stored_cart_is_not_told_when_a_newer_one_came_before_ometrias_script(visit):
    visit.open("/about")
    visit.shop.put()
    visit.page.evaluate(STORE, visit.shop.cart())
    visit.shop.lines[0]["qty"] = 2
    visit.page.route("**/tags/*.js", lambda route: visit.page.evaluate("shop.cart()") and route.continue_())
    visit.open("/")
    assert [lines(basket) for [basket] in visit.shop.named("setBasket")] == [[("5", None, 2, 20)]]


def test_variants_are_known_in_a_shop_whose_skus_are_numbers(visit):
    page_of(visit, "/many-variants", "catalog-product-view", CONFIGURABLE.replace('"S-Red"', MANY_SKUS))
    visit.open("/many-variants")
    visit.shop.room.shop_variants["1001"] = ("13", "17")
    visit.shop.put(product="17", sku="1001", price=52, kind="configurable")
    visit.do("shop.cart()")
    visit.open("/")
    visit.do("shop.cart()")
    [[basket]] = visit.shop.named("setBasket")
    assert lines(basket) == [("17", "13", 1, 52)]
    assert len(visit.shop.room.asked) <= 1


def test_growth_in_another_tab_is_not_told_again_in_this_one(visit):
    visit.open("/product")
    visit.do("shop.cart()")
    other = visit.tab()
    visit.open("/product", other)
    visit.do("shop.add('5')", other)
    visit.do("shop.add('5')", other)
    visit.do("shop.add('5')")
    assert visit.shop.named("trackAddToBasket") == [["5", 1]] * 3


def test_a_cart_that_a_slow_shop_answers_late_is_found_in_storage(visit):
    visit.page.clock.install()
    visit.open("/")
    visit.page.clock.run_for(3000)
    visit.shop.put()
    visit.page.evaluate(STORE, visit.shop.cart())
    visit.page.clock.run_for(6000)
    visit.settle()
    assert len(visit.shop.named("setBasket")) == 1


def test_a_reset_token_in_the_path_is_a_secret_too(visit):
    page_of(visit, "/customer/account/createpassword/token/SECRET/", "customer-account-createpassword", "")
    assert visit.open("/customer/account/createpassword/token/SECRET/") == []


@pytest.mark.parametrize("number", ["FR/2026.000000007", "#000000012"])
def test_an_order_number_may_have_any_prefix(visit, number):
    visit.shop.order = number
    visit.open("/success")
    assert visit.shop.named("trackTransaction") == [[number]]


def test_a_fetch_of_nothing_fails_as_it_does_without_the_tag(visit):
    visit.open("/product")
    assert visit.page.evaluate("fetch().catch((error) => error.name)") == "TypeError"
