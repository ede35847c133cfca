"""The shop in real Chromium, with nothing between: its own scripts do what Luma's do."""

from __future__ import annotations

import json

import pytest

from bridge.sandbox.listener import Listener
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.chromium import NEEDS_CHROMIUM, launch_shell

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def address():
    listener = Listener("127.0.0.1", 0)
    listener.start(create_shop(ShopOptions(listener.url, "token")))
    yield listener.url.rstrip("/")
    listener.stop()


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = launch_shell(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    yield page
    context.close()
    assert problems == []


def stored_cart(page) -> dict:
    return json.loads(page.evaluate("localStorage['mage-cache-storage']"))["cart"]


def count_is(page, count: str) -> None:
    page.wait_for_function("count => document.querySelector('.counter-number').textContent === count", arg=count)


def test_a_visitor_who_did_nothing_asks_for_no_sections(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "section/load" in url]
    assert page.context.cookies()
    key = next(cookie for cookie in page.context.cookies() if cookie["name"] == "form_key")["value"]
    assert len(key) == 16
    assert set(page.eval_on_selector_all("input[name=form_key]", "all => all.map(one => one.value)")) == {key}


def test_options_that_do_not_exist_cannot_be_chosen(page, address):
    page.goto(f"{address}/harbour-jumper.html")
    assert page.locator("#attribute137").is_disabled()
    page.select_option("#attribute93", label="Navy")
    assert page.locator("#attribute137 option").all_inner_texts() == ["Choose an Option...", "M"]
    page.select_option("#attribute137", label="M")
    assert page.input_value("input[name=selected_configurable_option]") == "21"


def test_a_guest_goes_from_listing_to_success_and_back(page, address):
    page.goto(f"{address}/bags.html")
    page.click("form[data-product-sku='HP-BAG-01'] button")
    count_is(page, "1")
    page.goto(f"{address}/breakwater-jacket.html")
    page.select_option("#attribute93", label="Moss")
    page.select_option("#attribute137", label="M")
    assert page.inner_text(".product-info-main .price") == "£155.00"
    with page.expect_request("**/checkout/cart/add/**") as added:
        page.click("#product-addtocart-button")
    assert "multipart/form-data" in added.value.headers["content-type"]
    assert added.value.headers["x-requested-with"] == "XMLHttpRequest"
    count_is(page, "2")
    page.click(".showcart")
    page.locator("#mini-cart .product-item", has_text="Quayside").locator(".cart-item-qty").fill("3")
    page.locator(".update-cart-item:visible").click()
    count_is(page, "4")
    assert {(row["product_sku"], row["qty"]) for row in stored_cart(page)["items"]} == {
        ("HP-BAG-01", 3),
        ("HP-JKT-M-Moss", 1),
    }
    page.goto(f"{address}/checkout/cart/")
    page.locator("input[data-cart-item-id='HP-BAG-01']").fill("1")
    with page.expect_navigation():
        page.click("button.action.update")
    count_is(page, "2")
    page.click("[data-role=proceed-to-checkout]")
    check_out_as_guest(page)
    number = page.inner_text(".checkout-success p > span")
    page.reload()
    assert page.inner_text(".checkout-success p > span") == number
    count_is(page, "")
    assert stored_cart(page)["items"] == []


def check_out_as_guest(page) -> None:
    page.wait_for_selector("[name=shipping_method]")
    assert page.url.endswith("/checkout/#shipping")
    page.fill("#customer-email", "gus@example.com")
    for name, value in {
        "firstname": "Gus", "lastname": "Guest", "street[0]": "1 Test Street", "city": "London",
        "postcode": "N1 1AA", "telephone": "02070000000",
    }.items():  # fmt: skip
        page.fill(f"#co-shipping-form [name='{name}']", value)
    page.click("button.continue")
    page.wait_for_url("**/checkout/#payment")
    page.check("#checkmo")
    page.click("#payment button.action.primary.checkout")
    page.wait_for_url("**/checkout/onepage/success/")


def test_a_form_that_lacks_something_says_what(page, address):
    page.goto(f"{address}/enamel-camp-mug.html")
    page.click("#product-addtocart-button")
    count_is(page, "1")
    page.goto(f"{address}/checkout/")
    page.wait_for_selector("[name=shipping_method]")
    page.click("button.continue")
    assert "e-mail" in page.inner_text("[data-role=shipping-error]")


def test_a_customer_is_welcomed_by_script_and_forgotten_after_signing_out(page, address):
    page.goto(f"{address}/customer/account/login/")
    page.fill("#email", "maren.holt@example.com")
    page.fill("#pass", "Lighthouse-42")
    page.click("#send2")
    page.wait_for_url("**/customer/account/")
    page.wait_for_selector("text=Welcome, Maren Holt!")
    page.goto(f"{address}/")
    page.wait_for_selector("text=Welcome, Maren Holt!")
    page.click(".authorization-link a")
    page.wait_for_url("**/logoutSuccess/")
    page.wait_for_load_state("networkidle")
    assert "Maren" not in page.inner_text(".page-header")
    assert "Maren" not in page.evaluate("localStorage['mage-cache-storage'] || ''")


def test_a_message_of_a_redirect_is_shown_once(page, address):
    page.goto(f"{address}/")
    page.fill("#newsletter", "nina@example.com")
    with page.expect_navigation():
        page.click("button.subscribe")
    assert page.locator(".message.success").count() == 1
    page.reload()
    assert page.locator(".message").count() == 0


def test_a_message_cannot_bring_markup_of_its_own(page, address):
    page.goto(f"{address}/")
    text = "<img src=x onerror=document.title='hacked'> <a href=javascript:alert(1)>no</a>"
    page.evaluate(
        "text => { document.cookie = 'mage-messages=' + encodeURIComponent(JSON.stringify([{type: 'error', text}])) }",
        text,
    )
    page.reload()
    assert page.locator(".message.error").count() == 1
    assert page.locator(".message.error :is(a, img)").count() == 0
    assert page.title() != "hacked"


def test_a_swatch_chooses_a_variant(page, address):
    page.goto(f"{address}/drystone-snood.html")
    assert page.locator(".swatch-option").all_inner_texts() == ["Navy", "Moss"], "the third is sold out"
    page.click(".swatch-option[data-option-label=Moss]")
    assert page.input_value("input[name=selected_configurable_option]") == "213"
    page.click("#product-addtocart-button")
    count_is(page, "1")
    (item,) = stored_cart(page)["items"]
    assert (item["product_sku"], item["options"][0]["value"]) == ("HP-SNOOD-Moss", "Moss")


def test_a_bundle_and_a_grouped_product_go_into_the_cart(page, address):
    page.goto(f"{address}/weekend-kit.html")
    page.select_option("#bundle-option-51", "62")
    page.check("#bundle-option-53-66")
    page.click("#product-addtocart-button")
    count_is(page, "1")
    assert stored_cart(page)["items"][0]["product_sku"] == "HP-KIT-HP-BAG-02-HP-MUG-01-HP-SCF-01"
    page.goto(f"{address}/galley-table.html")
    page.fill("input[name='super_group[4]']", "2")
    page.click("#product-addtocart-button")
    count_is(page, "3")


def test_a_french_visitor_changes_to_german_and_orders_in_euro(page, address):
    other = address.replace("127.0.0.1", "localhost")
    page.goto(f"{other}/sac-de-quai.html")
    assert page.inner_text("#product-addtocart-button") == "Ajouter au panier"
    page.click("#product-addtocart-button")
    count_is(page, "1")
    with page.expect_navigation():
        page.click(".switcher-dropdown .view-de a")
    page.wait_for_load_state("networkidle")
    assert page.url == f"{other}/kaitasche.html"
    assert page.inner_text(".product-info-main .price") == "74,90\N{NO-BREAK SPACE}€"
    page.goto(f"{other}/checkout/")
    check_out_as_guest(page)
    assert page.inner_text(".checkout-success p > span").startswith("3000")
