"""The basket of a visitor at the sandbox shop, in Chromium with bridge in between: every change of it, told once."""

from __future__ import annotations

import pytest

from bridge.sandbox.order_documents import order_document
from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.sandbox_visit import DAYPACK, HOLDALL, MUG, sandbox_shop

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def browser(tmp_path, chromium):
    with sandbox_shop(tmp_path) as visitor:
        context = chromium.new_context()
        browser = visitor(context)
        yield browser
        context.close()
        assert browser.wrong == []


def test_adds_from_a_product_page_and_a_listing_and_each_change_of_the_cart_are_told(browser):
    browser.add("/quayside-holdall.html")
    browser.check(browser.baskets, [([HOLDALL], 64)])
    browser.add("/bags.html", "form[data-product-sku='HP-BAG-02'] button")
    browser.check(browser.adds, [("1", 1), ("2", 1)])
    browser.check(lambda: browser.baskets()[1:], [([HOLDALL, DAYPACK], 103)])

    browser.open("/checkout/cart/")
    browser.page.locator(".cart.item", has_text="Holdall").locator("input.qty").fill("3")
    browser.click("button.action.update")
    three = ("1", None, 3, 192)
    browser.check(lambda: browser.baskets()[2:], [([three, DAYPACK], 231)])

    browser.page.click("[data-block=minicart] .showcart")
    line = browser.page.locator("#mini-cart .product-item", has_text="Daypack")
    line.locator("input.cart-item-qty").fill("2")
    line.locator(".update-cart-item").click()
    browser.settle()
    browser.check(lambda: browser.baskets()[3:], [([three, ("2", None, 2, 78)], 270)])

    browser.page.click("[data-block=minicart] .showcart")
    browser.page.locator("#mini-cart .product-item", has_text="Daypack").locator(".action.delete").click()
    browser.settle()
    browser.check(lambda: browser.baskets()[4:], [([three], 192)])
    browser.click(".cart.item .action-delete")
    browser.check(lambda: browser.baskets()[5:], [([], 0)])
    browser.check(browser.adds, [("1", 1), ("2", 1)])
    assert len({basket["id"] for basket in browser.told("setbasket")}) == 1


def test_a_log_in_merges_what_the_guest_had_into_the_customers_basket(browser):
    browser.sign_in()
    browser.add("/enamel-camp-mug.html")
    browser.click(".authorization-link a")
    browser.add("/quayside-holdall.html")
    before = len(browser.baskets())
    browser.sign_in()
    browser.check(lambda: browser.baskets()[before:], [([HOLDALL, MUG], 76.5)])
    browser.check(browser.adds, [("3", 1), ("1", 1)])


def test_an_order_empties_the_basket_and_the_next_one_has_another_id(browser):
    browser.add("/quayside-holdall.html")
    browser.pay()
    browser.check(browser.baskets, [([HOLDALL], 64), ([], 0)])
    browser.add("/enamel-camp-mug.html")
    baskets = browser.told("setbasket")
    assert [basket["id"] for basket in baskets[:2]] == [baskets[0]["id"]] * 2
    assert baskets[2]["id"] != baskets[0]["id"]
    assert baskets[2]["url"] != baskets[0]["url"]


def test_a_switch_of_the_currency_tells_the_basket_in_the_new_one_and_so_is_it_ordered(browser):
    browser.add("/quayside-holdall.html")
    browser.click("#switcher-currency .currency-USD a")
    dollars = ("1", None, 1, 80)
    browser.check(browser.baskets, [([HOLDALL], 64), ([dollars], 80)])
    browser.add("/bags.html", "form[data-product-sku='HP-BAG-02'] button")
    browser.check(lambda: browser.baskets()[2:], [([dollars, ("2", None, 1, 48.75)], 128.75)])
    assert [basket["cur"] for basket in browser.told("setbasket")] == ["GBP", "USD", "USD"]
    number = browser.pay()
    browser.check(browser.orders, [number])
    order = next(order for order in browser.state.orders.values() if order.increment_id == number)
    document = order_document(order)
    assert (document["order_currency_code"], document["base_currency_code"]) == ("USD", "GBP")
    assert (document["subtotal"], document["base_subtotal"], document["base_to_order_rate"]) == (128.75, 103, 1.25)


def test_the_currency_may_be_switched_back_and_the_first_basket_is_told_again(browser):
    browser.add("/quayside-holdall.html")
    told = [([HOLDALL], 64)]
    for code, basket in (("USD", ([("1", None, 1, 80)], 80)), ("GBP", ([HOLDALL], 64))):
        browser.click(f"#switcher-currency .currency-{code} a")
        told.append(basket)
        browser.check(browser.baskets, told)
    assert [basket["cur"] for basket in browser.told("setbasket")] == ["GBP", "USD", "GBP"]


def test_a_bundle_is_one_product_and_what_it_costs_as_it_was_chosen(browser):
    browser.open("/weekend-kit.html")
    browser.page.fill("#qty", "2")
    browser.click("#product-addtocart-button")
    browser.check(browser.adds, [("221", 2)])
    browser.check(browser.baskets, [([("221", None, 2, 153)], 153)])


def test_the_members_of_a_group_are_added_each_with_its_own_growth(browser):
    browser.add("/enamel-camp-mug.html")
    browser.open("/galley-table.html")
    browser.page.fill("[name='super_group[3]']", "2")
    browser.page.fill("[name='super_group[4]']", "1")
    browser.click("#product-addtocart-button")
    browser.check(lambda: sorted(browser.adds()[1:]), [("3", 2), ("4", 1)])
    browser.check(lambda: browser.baskets()[1:], [([("3", None, 3, 37.5), ("4", None, 1, 65)], 102.5)])


def test_a_group_as_the_first_add_of_a_visitor_is_told_as_it_was_asked_for(browser):
    browser.open("/galley-table.html")
    browser.page.fill("[name='super_group[3]']", "2")
    browser.page.fill("[name='super_group[4]']", "1")
    browser.click("#product-addtocart-button")
    browser.check(lambda: sorted(browser.adds()), [("3", 2), ("4", 1)])
    browser.check(browser.baskets, [([("3", None, 2, 25), ("4", None, 1, 65)], 90)])


def test_a_coupon_changes_the_total_of_the_basket_as_long_as_its_lines_stay(browser):
    browser.add("/quayside-holdall.html")
    browser.open("/checkout/cart/")
    browser.page.fill("#coupon_code", "SAVE10")
    browser.click("#discount-coupon-form .action.apply")
    browser.check(browser.baskets, [([HOLDALL], 64), ([HOLDALL], 57.6)])
    # Pages that do not say it have it still.
    browser.open("/bags.html")
    browser.do("shopFront.reload(['cart'], true)")
    browser.check(lambda: len(browser.baskets()), 2)
    browser.add("/trailhead-daypack.html")
    browser.check(lambda: browser.baskets()[2:], [([HOLDALL, DAYPACK], 103)])
    browser.open("/checkout/cart/")
    browser.check(lambda: browser.baskets()[3:], [([HOLDALL, DAYPACK], 92.7)])
    browser.click("#discount-coupon-form .action.cancel")
    browser.check(lambda: browser.baskets()[4:], [([HOLDALL, DAYPACK], 103)])
    assert len({basket["id"] for basket in browser.told("setbasket")}) == 1


def test_a_coupon_given_in_the_checkout_changes_the_total_once_the_checkout_asks_for_it(browser):
    browser.add("/quayside-holdall.html")
    browser.open("/checkout/")
    browser.check(browser.baskets, [([HOLDALL], 64)])
    # As Magento's own checkout: the code, then all that it shows of totals.
    ask = """([method, path, body]) => new Promise((done) => {
      const cart = '/rest/default/V1/guest-carts/' + checkoutConfig.quoteData.entity_id, request = new XMLHttpRequest();
      request.open(method, cart + path);
      request.setRequestHeader('Content-Type', 'application/json');
      request.onload = () => done(request.status);
      request.send(body);
    })"""
    assert browser.do(ask, ["PUT", "/coupons/SAVE10", None]) == 200
    assert browser.do(ask, ["GET", "/totals?_=1", None]) == 200
    browser.check(browser.baskets, [([HOLDALL], 64), ([HOLDALL], 57.6)])
    assert browser.do(ask, ["DELETE", "/coupons", None]) == 200
    assert browser.do(ask, ["GET", "/payment-information?_=2", None]) == 200
    browser.check(lambda: browser.baskets()[2:], [([HOLDALL], 64)])


def test_a_refused_add_is_none(browser):
    browser.open("/quayside-holdall.html")
    browser.page.fill("#qty", "5000")
    browser.click("#product-addtocart-button")
    browser.check(lambda: (browser.adds(), browser.baskets()), ([], []))


def test_a_wish_moved_to_the_cart_and_an_order_placed_again_are_adds(browser):
    browser.sign_in()
    browser.add("/trailhead-daypack.html", "[data-action=add-to-wishlist]")
    browser.check(lambda: (browser.adds(), browser.baskets()), ([], []))
    browser.open("/wishlist/")
    browser.click(".action.tocart")
    browser.check(browser.adds, [("2", 1)])
    browser.check(browser.baskets, [([DAYPACK], 39)])
    browser.open("/sales/order/history/")
    browser.page.locator("tr", has_text="000000001").locator("a.view").click()
    browser.settle()
    browser.click(".action.order")
    browser.check(lambda: sorted(browser.adds()[1:]), [("1", 1), ("3", 2)])
    browser.check(lambda: browser.baskets()[1:], [([HOLDALL, DAYPACK, ("3", None, 2, 25)], 128)])


def test_the_link_of_a_basket_rebuilds_it_in_another_browser(browser, chromium):
    browser.add("/quayside-holdall.html")
    browser.open("/breakwater-jacket.html")
    browser.page.get_by_label("Colour", exact=True).select_option(label="Moss")
    browser.page.get_by_label("Size", exact=True).select_option(label="M")
    browser.click("#product-addtocart-button")
    address = browser.told("setbasket")[-1]["url"]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address)
    page.wait_for_url("**/checkout/cart/")
    page.wait_for_load_state("networkidle")
    there = page.evaluate(
        "async () => (await (await fetch('/customer/section/load/?sections=cart', {cache: 'no-store'})).json()).cart"
    )
    context.close()
    assert sorted((item["product_id"], item["product_sku"], item["qty"]) for item in there["items"]) == [
        ("1", "HP-BAG-01", 1), ("17", "HP-JKT-M-Moss", 1)
    ]  # fmt: skip
