"""The tag in real Chromium on a shop without the proxy: its pages carry the snippet, and bridge is another origin."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.request import urlopen

import pytest

from bridge.events import OrderPlaced
from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import DEFAULT_VIEW, FRENCH_VIEW, make_book
from tests.tracking.tag_shop import Shop, listening
from tests.tracking.tag_visit import Visit, lines

pytestmark = NEEDS_CHROMIUM


class Embedded:
    """A shop, bridge beside it, and a visitor; ``asked`` is what her browser asked bridge for."""

    def __init__(self, visit, room, bridge):
        self.visit, self.room, self.bridge = visit, room, bridge
        self.asked = []
        visit.page.on("request", self._saw)

    def _saw(self, request):
        if request.url.startswith(self.bridge):
            self.asked.append((request.method, re.sub(r"\?.*", "", request.url.removeprefix(self.bridge))))

    def wait_for_order(self):
        limit = time.monotonic() + 10
        while not self.room.stream.urgent and time.monotonic() < limit:
            self.visit.page.wait_for_timeout(50)
        return self.room.stream.urgent


@pytest.fixture
def make_embedded(make_room, chromium):
    """Return a function giving the three; ``known`` is whether the shop's host is in the store tree."""
    running = []

    def make(*, known=True, **values):
        room = make_room(ometria_tag_url="/tags/{account_id}.js")
        shop = Shop(room)
        servers = [listening(shop.app), listening(room.app)]
        origin, bridge = (server.__enter__() for server in servers)
        base = f"{origin}/" if known else "http://elsewhere.test/"
        views = (
            replace(DEFAULT_VIEW, base_url=base, link_url=base),
            replace(FRENCH_VIEW, base_url=base, link_url=base),
        )
        room.books.current = make_book(views, **values)
        with urlopen(f"{bridge}/_bridge/snippet/default", timeout=10) as answer:
            shop.snippet = answer.read().decode()
        context = chromium.new_context()
        running.append((context, servers, Visit(context, shop, origin)))
        return Embedded(running[-1][2], room, bridge)

    yield make
    for context, servers, _ in running:
        context.close()
        for server in servers:
            server.__exit__(None, None, None)
    assert [wrong for _, _, visit in running for wrong in visit.wrong] == []


def test_the_snippet_tracks_pages_basket_and_order_of_a_shop_on_another_origin(make_embedded):
    embedded = make_embedded()
    visit = embedded.visit
    visit.open("/product")
    visit.do("shop.add('5')")
    visit.wait("setBasket")
    assert [call[0] for call in visit.shop.calls] == ["init", "trackAddToBasket", "setBasket"]
    assert visit.shop.named("init") == [["product", {"pid": "5"}, "default"]]
    [[basket]] = visit.shop.named("setBasket")
    assert (lines(basket), basket["url"]) == ([("5", None, 1, 10)], f"{visit.origin}/checkout/cart/")
    assert basket["id"]
    visit.open("/listing")
    assert visit.wait("init", 2)[1][1]["pids"] == ["5", "6"]
    visit.shop.lines.clear()
    visit.open("/success")
    visit.do("shop.cart()")
    assert visit.wait("trackTransaction") == [["000000100"]]
    [event] = embedded.wait_for_order()
    assert isinstance(event, OrderPlaced)
    assert (event.number, event.store, event.host) == ("000000100", "default", visit.origin.removeprefix("http://"))


def test_nothing_of_the_visitor_is_asked_for_or_sent_and_no_cookie_of_ours_is_set(make_embedded):
    embedded = make_embedded()
    visit = embedded.visit
    visit.shop.put()
    for path in ("/", "/product", "/success"):
        visit.open(path)
    visit.do("shop.cart()")
    embedded.wait_for_order()
    assert {path for _, path in embedded.asked} == {"/_bridge/tag.js", "/_bridge/beacon"}
    assert [path for method, path in embedded.asked if method == "POST"] == ["/_bridge/beacon"]
    assert [cookie["name"] for cookie in visit.context.cookies() if cookie["name"].startswith("bridge")] == []


def test_an_order_is_named_to_the_beacon_once(make_embedded):
    embedded = make_embedded()
    embedded.visit.open("/success")
    embedded.wait_for_order()
    embedded.visit.page.reload()
    embedded.visit.settle()
    assert [event.number for event in embedded.room.stream.urgent] == ["000000100"]
    assert embedded.asked.count(("POST", "/_bridge/beacon")) == 1


def test_the_page_says_which_store_view_it_is(make_embedded):
    embedded = make_embedded()
    embedded.visit.shop.store_id = "2"
    embedded.visit.open("/")
    assert embedded.visit.wait("init") == [["homepage", {}, "fr"]]


def test_a_page_of_a_host_that_is_not_the_shops_is_no_proof_of_an_order(make_embedded):
    embedded = make_embedded(known=False)
    embedded.visit.open("/success")
    limit = time.monotonic() + 10
    while ("POST", "/_bridge/beacon") not in embedded.asked and time.monotonic() < limit:
        embedded.visit.page.wait_for_timeout(50)
    assert ("POST", "/_bridge/beacon") in embedded.asked
    embedded.visit.settle()
    assert embedded.room.stream.urgent == []
    # The refusal is seen in the browser's console.
    embedded.visit.wrong.clear()


def test_without_consent_the_snippet_loads_nothing_more(make_embedded):
    embedded = make_embedded(consent__mode="cookie", consent__cookie="choice", consent__pattern="yes")
    visit = embedded.visit
    assert visit.open("/success") == []
    assert embedded.asked == [("GET", "/_bridge/tag.js")]
    visit.page.evaluate("document.cookie = 'choice=yes; path=/'")
    assert visit.wait("trackTransaction") == [["000000100"]]
    assert [event.number for event in embedded.wait_for_order()] == ["000000100"]
