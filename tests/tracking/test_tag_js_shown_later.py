"""Pages that Chromium prepares before they are shown (Speculation Rules), and pages that it brings back as they were."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.chromium import CHROMIUM, NEEDS_CHROMIUM
from tests.tracking.tag_shop import PAGES, Shop, serving
from tests.tracking.tag_visit import Visit, identify

pytestmark = NEEDS_CHROMIUM

RULES = (
    '<script type="speculationrules">{"prerender": [{"source": "list", "urls": ["/product", "/about"],'
    ' "eagerness": "immediate"}]}</script><a id="go" href="/product">Product</a>'
    # Told once the browser has prepared both pages; then the visitor goes to one of them.
    "<script>const wait = setInterval(async () => { if (await (await fetch('/prepared')).json() >= 2) {"
    " clearInterval(wait); setTimeout(() => document.getElementById('go').click(), 500); } }, 100);</script>"
)
REPORT = (
    "<script>if (document.prerendering) { fetch('/ran', { method: 'POST' }); document.addEventListener("
    "'prerenderingchange', () => fetch('/shown', { method: 'POST' })); }</script>"
)


def wait_for(condition, seconds=20):
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    assert condition()


@pytest.fixture
def shop(make_room):
    return Shop(make_room(ometria_tag_url="/tags/{account_id}.js"))


def test_a_prepared_page_is_told_once_it_is_shown_and_one_that_is_never_shown_is_not(shop, tmp_path, monkeypatch):
    """Nothing is attached to the browser here: a page under a debugger's eye is not prerendered."""
    seen = {"ran": 0, "shown": 0, "early": []}
    monkeypatch.setitem(PAGES, "/before", ("cms-page-view", RULES))
    for path in ("/product", "/about"):
        monkeypatch.setitem(PAGES, path, (PAGES[path][0], PAGES[path][1] + REPORT))

    def ran():
        seen["ran"] += 1
        return ""

    def shown():
        seen["early"] = list(shop.calls)
        seen["asked_early"] = shop.asked_me
        seen["shown"] += 1
        return ""

    shop.app.add_url_rule("/prepared", view_func=lambda: str(seen["ran"]))
    shop.app.add_url_rule("/ran", view_func=ran, methods=["POST"])
    shop.app.add_url_rule("/shown", view_func=shown, methods=["POST"])
    with serving(shop) as origin:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
        with subprocess.Popen(
            [CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'profile'}", f"{origin}/before"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as browser:
            try:
                wait_for(lambda: seen["shown"])
                wait_for(lambda: len(shop.named("init")) >= 2)
                time.sleep(1)
            finally:
                browser.terminate()
    assert seen["ran"] == 2
    assert seen["asked_early"] <= 1, "only the page that was shown may have asked who the visitor is"
    assert [call[1] for call in seen["early"] if call[0] == "init"] in ([], ["content"])
    views = [(call[1], call[2]) for call in shop.calls if call[0] == "init"]
    assert views == [("content", {}), ("product", {"pid": "5"})]


@pytest.fixture
def back_and_forth(shop):
    """A visitor whose browser keeps pages for the way back; playwright switches that off unless told."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright, serving(shop) as origin:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--enable-features=BackForwardCache"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        context = browser.new_context()
        context.add_init_script("addEventListener('pageshow', (event) => { window.restored = event.persisted; });")
        yield Visit(context, shop, origin)
        browser.close()


def go_back(visit, path):
    visit.page.evaluate("history.back()")
    limit = time.monotonic() + 10
    while not visit.page.url.endswith(path) and time.monotonic() < limit:
        visit.page.wait_for_timeout(50)
    assert visit.page.evaluate("window.restored") is True
    return visit.settle()


def test_a_page_that_is_brought_back_is_one_view_with_the_visitor_and_the_cart_of_now(back_and_forth):
    visit = back_and_forth
    visit.open("/product")
    identity = "ada@example.com"
    visit.open("/about")
    identify(visit, identity)
    visit.shop.put()
    visit.page.evaluate(
        "(cart) => localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }))", visit.shop.cart()
    )
    visit.shop.forget()
    go_back(visit, "/product")
    assert [call[0] for call in visit.shop.calls] == ["init", "identify", "setBasket"]
    assert visit.shop.named("init") == [["product", {"pid": "5"}, "default"]]
    assert visit.shop.named("identify") == [[identity]]


def test_a_confirmation_that_is_brought_back_tells_no_order_again(back_and_forth):
    visit = back_and_forth
    visit.open("/success")
    visit.open("/about")
    go_back(visit, "/success")
    assert visit.shop.named("trackTransaction") == [["000000100"]]
