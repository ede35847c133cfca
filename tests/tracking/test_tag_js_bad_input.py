"""The tag in real Chromium on pages and answers that are wrong, huge or hostile: no error reaches the page."""

from __future__ import annotations

import itertools

import pytest
from flask import Response

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import STATIC
from tests.tracking.tag_shop import PAGES
from tests.tracking.tag_visit import identify, lines

pytestmark = NEEDS_CHROMIUM

DEBUG = "document.cookie = 'OMdebug=2_1; path=/'"


@pytest.fixture
def told(visit):
    """What the tag logs in debugging."""
    texts = []
    visit.page.on("console", lambda message: texts.append(message.text))
    visit.page.add_init_script(DEBUG)
    return texts


def answer_sections(visit, body, content_type="application/json"):
    visit.page.route("**/customer/section/load/**", lambda route: route.fulfill(body=body, content_type=content_type))


def test_malformed_cookies_hold_nothing_up(visit):
    visit.shop.put()
    visit.open("/")
    visit.page.evaluate(
        "(cart) => { localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }));"
        "document.cookie = 'section_data_ids=%E0%A4%A; path=/'; document.cookie = 'private_content_version=%; path=/'; }",
        visit.shop.cart(),
    )
    visit.open("/product")
    assert [lines(basket) for [basket] in visit.shop.named("setBasket")] == [[("5", None, 1, 10)]]


@pytest.mark.parametrize(
    "body", ["<html>login</html>", "", "null", "[]", '{"cart": null}', '{"cart": {"items": "no"}}']
)
def test_answers_that_are_no_cart_are_held_back_and_the_log_says_so(visit, told, body):
    answer_sections(visit, body, "text/html")
    visit.open("/product")
    visit.do("fetch('/customer/section/load/?sections=cart').then((answer) => answer.text())")
    visit.do(
        "new Promise((done) => { const r = new XMLHttpRequest(); r.open('GET', '/customer/section/load/');"
        "r.onload = done; r.send(); })"
    )
    assert visit.shop.named("setBasket") == []
    assert any("cart held back" in text for text in told)


COUNTING = """
window.counted = 0;
const { read } = ReadableStreamDefaultReader.prototype;
ReadableStreamDefaultReader.prototype.read = async function () {
  const found = await read.call(this);
  window.counted += found.value ? found.value.length : 0;
  return found;
};
"""


@pytest.mark.parametrize("length", [None, "50000032"])
def test_of_an_answer_of_fifty_megabytes_only_the_beginning_is_read(visit, told, length):
    """Whether the answer says how long it is, or not."""
    begin, more = b'{"cart": {"items": [], "x": "', b"x" * 500_000
    headers = {"Content-Length": length} if length else {}
    visit.shop.app.view_functions["sections"] = lambda: Response(
        itertools.chain([begin], [more] * 100, [b'"}}']), headers=headers
    )
    visit.page.add_init_script(COUNTING)
    visit.open("/product")
    asked = visit.page.evaluate(
        "fetch('/customer/section/load/?sections=cart').then(async (answer) =>"
        " [(await answer.text()).length, answer.headers.get('content-length')])"
    )
    visit.settle()
    assert asked == [50_000_032, length]
    assert 4_000_000 < visit.page.evaluate("counted") < 6_000_000
    assert any("too long" in text for text in told)
    assert [call[0] for call in visit.shop.calls] == ["init"]


def test_a_cart_of_ten_thousand_items_is_told(visit):
    for number in range(10_000):
        visit.shop.lines.append(
            {"product_type": "simple", "qty": 1, "item_id": str(number), "product_id": str(number + 1), "product_sku": "S",
             "product_price_value": 1, "product_name": "x"}
        )  # fmt: skip
    visit.page.add_init_script("navigator.sendBeacon = (url, body) => fetch(url, { method: 'POST', body });")
    visit.open("/")
    visit.do("shop.cart().then(() => 1)")
    visit.page.wait_for_timeout(1500)
    visit.settle()
    [[basket]] = visit.shop.named("setBasket")
    assert (basket["size"], len(basket["lis"]), basket["total"]) == (10_000, 10_000, 10_000)


def test_an_email_with_quotes_and_plus_signs_is_told_as_it_is(visit):
    visit.open("/")
    identify(visit, 'o\'neill+"shop"@example.com')
    visit.open("/about")
    assert visit.shop.named("identify") == [['o\'neill+"shop"@example.com']]


def test_ids_with_slashes_are_ids(visit):
    visit.shop.room.shop_variants["A/B 1"] = ("13", "17")
    visit.shop.put(product="17", sku="A/B 1", price=52, kind="configurable")
    visit.open("/")
    visit.do("shop.cart()")
    assert lines(visit.shop.named("setBasket")[0][0]) == [("17", "13", 1, 52)]


def test_a_theme_that_throws_in_every_handler_is_tracked_all_the_same(visit):
    visit.page.add_init_script(
        "for (const event of ['DOMContentLoaded', 'load', 'pageshow', 'submit', 'hashchange', 'popstate'])"
        " window.addEventListener(event, () => { throw new Error('theme ' + event); }, true);"
    )
    visit.open("/listing")
    visit.do("shop.add('5').then(() => 1)")
    assert [call[0] for call in visit.shop.calls] == ["init", "trackAddToBasket", "setBasket"]
    assert all("theme" in wrong for wrong in visit.wrong)
    visit.wrong.clear()


def test_without_storage_the_page_is_tracked(visit):
    visit.page.add_init_script(
        "for (const area of ['localStorage', 'sessionStorage']) Object.defineProperty(window, area, {"
        " get() { throw new DOMException('blocked', 'SecurityError'); } });"
    )
    visit.shop.ometria = visit.shop.ometria.replace("localStorage.getItem('bskt')", "window.last").replace(
        "localStorage.setItem('bskt', signature)", "window.last = signature"
    )
    visit.shop.put()
    visit.open("/product")
    visit.do("fetch('/customer/section/load/?sections=cart').then((answer) => answer.text())")
    visit.do("fetch('/customer/section/load/?sections=cart').then((answer) => answer.text())")
    assert [call[0] for call in visit.shop.calls] == ["init", "setBasket"]


def test_a_refused_part_of_ours_is_no_error_of_the_page(visit):
    errors = []
    visit.page.on("pageerror", lambda error: errors.append(str(error)))
    visit.page.route("**/tag.js*part=*", lambda route: route.abort())
    visit.shop.put()
    visit.open("/success")
    visit.do("shop.cart()")
    assert [call[0] for call in visit.shop.calls] == ["init"]
    assert errors == []
    visit.wrong.clear()


@pytest.mark.parametrize("fault", [500, 403, "hang", "abort"])
def test_with_our_endpoints_failing_the_shop_and_the_page_view_go_on(visit, fault):
    def answer(route):
        if fault == "abort":
            route.abort()
        elif fault != "hang":
            route.fulfill(status=fault, body="no")

    visit.page.route("**/_bridge/me", answer)
    visit.page.route("**/_bridge/basket", answer)
    visit.open("/product")
    visit.page.wait_for_timeout(1200)
    visit.do("shop.add('5').then(() => 1)")
    assert visit.shop.lines[0]["qty"] == 1
    assert [call[0] for call in visit.shop.calls][:2] == ["init", "trackAddToBasket"]
    visit.page.unroute_all(behavior="ignoreErrors")
    visit.wrong.clear()


POLICY = "default-src 'self'; img-src 'self' data:; script-src 'nonce-abc' 'strict-dynamic'; connect-src 'self'"


def test_under_a_strict_policy_every_part_runs_and_nothing_is_reported(visit, monkeypatch):
    monkeypatch.setitem(PAGES, "/strict", PAGES["/product"])
    shop = visit.shop
    shop.put()

    def strict(route):
        with shop.app.test_request_context("/product", base_url=visit.origin):
            html = shop.html(*PAGES["/strict"])
        body = html.replace("<script", '<script nonce="abc"')
        route.fulfill(body=body, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    visit.page.route("**/strict", strict)
    visit.page.add_init_script(
        "window.violations = []; document.addEventListener('securitypolicyviolation',"
        " (event) => violations.push(event.violatedDirective + ' ' + event.blockedURI));"
    )
    visit.open("/strict")
    visit.do("shop.add('5').then(() => 1)")
    assert [call[0] for call in shop.calls] == ["init", "trackAddToBasket", "setBasket"]
    assert visit.page.evaluate("violations") == []


def test_the_page_neither_waits_for_the_tag_nor_moves_because_of_it(visit):
    """What the timeline records: nothing of ours blocks rendering, no task of it is a long one, nothing shifts."""
    visit.page.add_init_script(
        "window.entries = []; for (const type of ['longtask', 'layout-shift', 'resource'])"
        " new PerformanceObserver((list) => entries.push(...list.getEntries().map((entry) => entry.toJSON())))"
        ".observe({ type, buffered: true });"
    )
    visit.shop.put()
    visit.open("/product")
    visit.do("shop.cart().then(() => 1)")
    entries = visit.page.evaluate("entries")
    ours = [entry for entry in entries if "/_bridge/" in entry["name"] or "/tags/" in entry["name"]]
    assert len(ours) >= 4
    assert {entry["renderBlockingStatus"] for entry in ours} == {"non-blocking"}
    assert [entry for entry in entries if entry["entryType"] == "layout-shift"] == []


def test_the_sources_are_small_files_without_templates():
    for path in (STATIC / "bridge" / "tag").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400
        assert "`" not in text, "the server's shortening reads no templates"
