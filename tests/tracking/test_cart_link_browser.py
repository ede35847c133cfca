"""A cart link opened in Chromium at the sandbox shop behind bridge."""

from __future__ import annotations

import re

import pytest

from bridge.settings import Store
from bridge.tracking.cart_links import Line
from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import make_book
from tests.tracking.sandbox_front import IDRIS, MAREN, PASSWORD, sandbox_behind_bridge

pytestmark = NEEDS_CHROMIUM

MUG = Line("3", 2, "HP-MUG-01", {})
GONE = re.compile("expired|valid")


def book_of(url):
    view = Store(
        ref="store:default", code="default", id=1, website="base", website_id=1, is_default=True, base_url=f"{url}/",
        link_url=f"{url}/", locale="en_GB",
    )  # fmt: skip
    # No tag in the pages: these tests are about the link alone.
    return make_book((view,), tracking__enabled=False)


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    with sandbox_behind_bridge(tmp_path_factory.mktemp("front"), book_of) as front:
        yield front


@pytest.fixture
def visit(chromium):
    """Return a function giving a page of a new visitor; no page may have shown an error."""
    contexts, wrong = [], []

    def make():
        contexts.append(chromium.new_context())
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def lines():
    """A mug, and a jacket with the options that the shop's own page would post: colour 93, size 137."""
    return [MUG, Line("17", 1, "HP-JKT-S-Navy", {"93": "4", "137": "7"})]


def link(front, lines, owner="", visitor="a" * 32, basket="one"):
    return f"{front.url}/_bridge/cart/{front.links.keep(visitor, basket, lines, owner, 'default')}"


def open_link(page, address):
    page.goto(address)
    page.wait_for_url("**/checkout/cart/")
    page.wait_for_load_state("networkidle")


def sign_in(page, front, email):
    if "/customer/account/login" not in page.url:
        page.goto(f"{front.url}/customer/account/login/")
    page.fill("#email", email)
    page.fill("#pass", PASSWORD)
    page.click("#send2")
    page.wait_for_url(lambda url: "/login" not in url)


def test_the_basket_is_in_the_visitors_own_cart_and_not_twice_when_opened_again(front, visit, lines):
    page, address = visit(), link(front, lines)
    open_link(page, address)
    whole = [("17", "HP-JKT-S-Navy", 1), ("3", "HP-MUG-01", 2)]
    assert front.cart(page) == whole
    assert page.locator("text=HP-MUG-01").count() or page.locator(".cart.item").count() == 2
    open_link(page, address)
    assert front.cart(page) == whole
    assert front.cart(visit_home(visit(), front)) == []


def visit_home(page, front):
    page.goto(front.url)
    return page


def test_what_is_in_the_cart_stays_and_only_what_is_missing_is_added(front, visit, lines):
    page = visit()
    open_link(page, link(front, [Line("1", 1, "HP-BAG-01", {}), Line("3", 1, "HP-MUG-01", {})]))
    open_link(page, link(front, lines, visitor="b" * 32))
    assert front.cart(page) == [("1", "HP-BAG-01", 1), ("17", "HP-JKT-S-Navy", 1), ("3", "HP-MUG-01", 2)]


def test_two_tabs_at_once_add_once(front, visit, lines):
    page = visit()
    visit_home(page, front)
    tabs = [page, page.context.new_page()]
    address = link(front, lines)
    for tab in tabs:
        tab.goto(address, wait_until="commit")
    for tab in tabs:
        tab.wait_for_url("**/checkout/cart/")
    assert front.cart(page) == [("17", "HP-JKT-S-Navy", 1), ("3", "HP-MUG-01", 2)]


def test_asking_for_the_address_and_prerendering_it_change_nothing(front, visit, lines):
    page, address = visit(), link(front, lines)
    visit_home(page, front)
    posted = []
    page.context.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.evaluate("async (url) => { await fetch(url); await fetch(url, {priority: 'low'}); }", address)
    page.evaluate(
        """(url) => { const rules = document.createElement('script'); rules.type = 'speculationrules';
        rules.textContent = JSON.stringify({prefetch: [{source: 'list', urls: [url], eagerness: 'immediate'}]});
        document.head.append(rules); }""",
        address,
    )
    page.wait_for_timeout(500)
    assert posted == []
    assert front.cart(page) == []


def test_a_page_that_is_only_prepared_waits_until_it_is_shown(front, visit, lines):
    page, address = visit(), link(front, lines)
    page.add_init_script("Object.defineProperty(document, 'prerendering', {get: () => !window.shown})")
    page.goto(address)
    page.wait_for_timeout(500)
    assert page.url == address
    assert front.cart(page) == []
    page.evaluate("() => { window.shown = true; document.dispatchEvent(new Event('prerenderingchange')); }")
    page.wait_for_url("**/checkout/cart/")
    assert len(front.cart(page)) == 2


def notice(page):
    return page.locator(".message-notice, .message.notice").first.inner_text(timeout=5000)


@pytest.mark.parametrize("token", ["none", "0" * 48])
def test_a_wrong_token_shows_the_cart_with_a_notice(front, visit, token):
    page = visit()
    open_link(page, f"{front.url}/_bridge/cart/{token}")
    assert GONE.search(notice(page))
    assert front.cart(page) == []


def test_what_only_the_visitor_can_choose_is_told(front, visit):
    page = visit()
    open_link(page, link(front, [MUG, Line("20", 1, "HP-KIT", None)]))
    assert "choose them again" in notice(page)
    assert front.cart(page) == [("3", "HP-MUG-01", 2)]


ODD_CARTS = {
    "html": "<html><body>maintenance</body></html>",
    "nothing": "",
    "no object": "[]",
    "null": '{"cart": null}',
    "too long": '{"cart": {"items": [], "x": "' + "x" * 5_000_000 + '"}}',
    "words": '{"cart": {"items": [{"product_id": "3", "product_sku": "HP-MUG-01", "qty": "1,5", "product_price_value": "9,50"}]}}',
    "objects": '{"cart": {"items": [{"product_id": {"a": 1}, "product_sku": [], "qty": {"b": 2}}, null]}}',
}  # fmt: skip


@pytest.mark.parametrize("answer", ODD_CARTS)
def test_a_cart_that_cannot_be_read_is_left_as_it_is_and_the_visitor_told(front, visit, answer):
    page = visit()
    said = []
    page.context.add_cookies([{"name": "OMdebug", "value": "2_1", "url": front.url}])
    page.on("console", lambda message: said.append(message.text) if message.text.startswith("bridge:") else None)
    # What bridge's own page asks; the shop's script asks with a parameter more.
    asked = re.compile(r"/customer/section/load/.*timestamp=false$")
    page.route(asked, lambda route: route.fulfill(body=ODD_CARTS[answer]))
    page.goto(link(front, [MUG]))
    page.wait_for_url("**/checkout/cart/")
    page.unroute(asked)
    assert "choose them again" in notice(page)
    assert front.cart(page) in ([], [("3", "HP-MUG-01", 2)])
    assert said


def test_a_customers_basket_leads_to_the_log_in_and_opens_for_that_customer_alone(front, visit, lines):
    address = link(front, lines, owner=front.identities.owner(MAREN))
    stranger = visit()
    stranger.goto(address)
    stranger.wait_for_url("**/customer/account/login/referer/**")
    assert front.cart(stranger) == []
    sign_in(stranger, front, IDRIS)
    before = front.cart(stranger)
    open_link(stranger, address)
    assert GONE.search(notice(stranger))
    assert front.cart(stranger) == before

    owner = visit()
    sign_in(owner, front, MAREN)
    open_link(owner, address)
    assert {("17", "HP-JKT-S-Navy", 1), ("3", "HP-MUG-01", 2)} <= set(front.cart(owner))
