"""Chromium at a shop through the real proxy: strict policies, and a shop that works whatever our endpoints do."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from playwright.sync_api import Error

from bridge.sandbox.policies import enforced_policy, report_only_policy
from tests.chromium import NEEDS_CHROMIUM
from tests.replay.bridged import bridged
from tests.tracking.conftest import DEFAULT_VIEW, make_book
from tests.tracking.sandbox_front import sandbox_behind_bridge
from tests.tracking.tag_shop import Shop, listening
from tests.tracking.tag_visit import Visit

pytestmark = NEEDS_CHROMIUM

NONCE = "bmV3ZWFjaHRpbWU"
REST = "default-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'"
STRICT = f"script-src 'self' 'nonce-{NONCE}' 'strict-dynamic'"
POLICIES = {
    "strict-dynamic beside self": {"Content-Security-Policy": f"{STRICT}; {REST}"},
    "strict-dynamic alone": {"Content-Security-Policy": f"script-src 'nonce-{NONCE}' 'strict-dynamic'; {REST}"},
    "hosts only": {"Content-Security-Policy": f"script-src 'self' 'nonce-{NONCE}'; {REST}"},
    "elements apart": {"Content-Security-Policy": f"script-src 'none'; script-src-elem 'self' 'nonce-{NONCE}'; {REST}"},
    "enforced and reported": {
        "Content-Security-Policy": f"{STRICT}; {REST}",
        "Content-Security-Policy-Report-Only": f"script-src 'self' 'nonce-{NONCE}'; {REST}",
    },
    "enforced by Magento 2.4.7 on its checkout": {"Content-Security-Policy": enforced_policy(NONCE)},
    "reported by Magento 2.4.7 elsewhere": {"Content-Security-Policy-Report-Only": report_only_policy()},
}
LISTEN = (
    "window.violations = []; document.addEventListener('securitypolicyviolation',"
    " (event) => violations.push([event.effectiveDirective, event.blockedURI, event.disposition]));"
)


@pytest.fixture
def make_guarded(make_room, chromium):
    """Return a function giving a visitor at a shop with these policies, bridge in between and Ometria on another host."""
    running = []

    def make(policies):
        shop = Shop(None)
        shop.snippet = "<!-- the proxy puts the tag here -->"
        servers = [listening(shop.app), listening(shop.app)]
        origin, ometria = (server.__enter__() for server in servers)
        room = make_room(ometria_tag_url=f"{ometria}/tags/{{account_id}}.js")
        shop.room = room

        @shop.app.after_request
        def guard(response):
            if response.mimetype == "text/html":
                response.set_data(response.get_data(as_text=True).replace("<script", f'<script nonce="{NONCE}"'))
                response.headers.update(policies)
            return response

        tracking = room.tracking
        proxy = bridged("edge", origin, tags=tracking.tags, observer=tracking.observer, app=room.app)
        address = f"http://127.0.0.1:{proxy.__enter__().port}"
        view = replace(DEFAULT_VIEW, base_url=f"{address}/", link_url=f"{address}/")
        room.books.current = make_book((view,))
        context = chromium.new_context()
        context.add_init_script(LISTEN)
        running.append((context, [proxy, *servers]))
        return Visit(context, shop, address)

    yield make
    for context, servers in running:
        context.close()
        for server in servers:
            server.__exit__(None, None, None)


@pytest.mark.parametrize("name", POLICIES)
def test_under_a_strict_policy_every_part_runs_and_nothing_is_reported(make_guarded, name):
    visit = make_guarded(POLICIES[name])
    visit.open("/listing")
    assert visit.wait("init")[0][1]["pids"] == ["5", "6"]
    visit.open("/configurable")
    visit.do("shop.add('5').then(() => 1)")
    visit.wait("setBasket")
    assert [call[0] for call in visit.shop.calls] == ["init", "init", "trackAddToBasket", "setBasket"]
    assert visit.page.evaluate("violations") == []
    visit.open("/success")
    assert visit.wait("trackTransaction") == [["000000100"]]
    assert visit.page.evaluate("violations") == []
    visit.open("/checkout/")
    visit.wait("init", 4)
    assert visit.page.evaluate("violations") == []
    assert visit.wrong == []


def test_a_violation_would_be_seen(make_guarded):
    visit = make_guarded(POLICIES["hosts only"])
    visit.open("/about")
    visit.page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), { src: 'http://127.0.0.1:1/x.js' }))"
    )
    visit.page.wait_for_function("violations.length === 1")


FAULTS = {
    "error": lambda route: route.fulfill(status=500, body="no"),
    "refusal": lambda route: route.fulfill(status=403, content_type="text/html", body="<html>no</html>"),
    # Never answered while the test lasts: longer than any patience of the tag's.
    "hanging": lambda _route: None,
    "blocked": lambda route: route.abort("blockedbyclient"),
    # Kept, and answered half a minute later by the page's own clock.
    "late": lambda route: HELD.append(route),
}
HELD = []
OURS = {
    "all that is ours": re.compile(r"/_bridge/|/tags/"),
    "all but the tag": re.compile(r"/_bridge/(?!tag\.js\?v=\w+&view=\w+$)|/tags/"),
    "what the tag asks": re.compile(r"/_bridge/(me|basket|beacon)"),
}


def hearing(page):
    """Keep how each of the page's requests ended, for the message of a test that fails."""
    heard = []
    page.on("response", lambda response: heard.append((response.url, response.status)))
    page.on("requestfailed", lambda request: heard.append((request.url, request.failure)))
    return heard


@pytest.mark.parametrize("what", OURS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_shop_works_whatever_our_endpoints_do(tmp_path, chromium, fault, what):
    def book(url):
        return make_book((replace(DEFAULT_VIEW, base_url=f"{url}/", link_url=f"{url}/"),))

    with sandbox_behind_bridge(tmp_path, book) as front:
        context = chromium.new_context()
        page = context.new_page()
        HELD.clear()
        if fault == "late":
            page.clock.install()
        errors, met = [], []
        page.on("pageerror", lambda error: errors.append(str(error)))
        heard = hearing(page)

        def fail(route):
            met.append(route.request.url)
            FAULTS[fault](route)

        page.route(OURS[what], fail)
        # Ometria's own host is not to be had here, whatever is tested.
        page.route("**/cdn.ometria.com/**", FAULTS[fault])
        page.goto(f"{front.url}/quayside-holdall.html", wait_until="domcontentloaded")
        try:
            page.click("#product-addtocart-button")
        except Error:
            pytest.fail(f"the shop's own script did not run: {heard}, {errors}")
        limit = time.monotonic() + 20
        while not front.cart(page) and time.monotonic() < limit:
            page.wait_for_timeout(100)
        assert front.cart(page) == [("1", "HP-BAG-01", 1)]
        if HELD:
            page.clock.fast_forward(30_000)
            for route in HELD:
                route.continue_()
            page.wait_for_timeout(1000)
            assert errors == []
        page.goto(f"{front.url}/checkout/cart/", wait_until="domcontentloaded")
        assert "Quayside Holdall" in page.inner_text("main")
        assert errors == []
        assert met
        page.unroute_all(behavior="ignoreErrors")
        context.close()
