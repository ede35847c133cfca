"""The tag in real Chromium over the fronts of the sandbox that are not Luma's, with bridge between browser and shop."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from threading import Event
from urllib.request import Request, urlopen

import pytest
from prometheus_client import CollectorRegistry

from bridge.db import db
from bridge.models import CatalogItem
from bridge.proxy import Counters, ProxyOptions, ProxyWiring
from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import Store
from bridge.tracking.observer import Capture
from tests.chromium import NEEDS_CHROMIUM
from tests.replay.bridged import tracking_room
from tests.tracking.conftest import ACCOUNT, make_book
from tests.tracking.sandbox_front import IDRIS, MAREN, PASSWORD
from tests.wire.conftest import start_edge

pytestmark = NEEDS_CHROMIUM

ORDER = """async () => {
  const call = async (method, path, body) => (await fetch('/rest/default/V1/' + path, {
    method, headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest' },
    body: body ? JSON.stringify(body) : undefined })).json();
  const page = await (await fetch('/checkout/')).text();
  const cart = 'guest-carts/' + /"entity_id":\\s*"(\\w{32})"/.exec(page)[1];
  const address = { street: ['1 Quay Street'], city: 'Bristol', country_id: 'GB', postcode: 'BS1 4AA', firstname: 'Greta',
    lastname: 'Shopper', telephone: '0117', region: '' };
  await call('POST', cart + '/shipping-information', { addressInformation: { shipping_address: address,
    billing_address: address, shipping_method_code: 'flatrate', shipping_carrier_code: 'flatrate' } });
  return call('POST', cart + '/payment-information', { cartId: cart, email: 'greta@example.com', billingAddress: address,
    paymentMethod: { method: 'checkmo' } });
}"""


class Front:
    """A front of the shop behind bridge, and what the fake Ometria received; ``direct`` is the shop without bridge."""

    def __init__(self, url, received, page, wrong, direct, room):
        self.url, self.received, self.page, self.wrong, self.direct = url, received, page, wrong, direct
        self.room = room

    def events(self, *kinds):
        events = sorted(self.received.snapshot(ACCOUNT)["events"], key=lambda event: (event["sent"], event["seq"]))
        return [event for event in events if event["type"] in kinds]

    def wait(self, kind, number):
        limit = time.monotonic() + 15
        while len(self.events(kind)) < number and time.monotonic() < limit:
            self.page.wait_for_timeout(50)
        self.page.wait_for_timeout(500)
        return [event["d"] for event in self.events(kind)]

    def open(self, path):
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")


@pytest.fixture
def make_front(tmp_path, chromium):
    """Return a function giving a front by its name; no page may have shown an error at the end."""
    with ExitStack() as stack:
        fronts = []

        def make(name, **settings):
            ometria = Listener("127.0.0.1", 0)
            app = create_ometria(OmetriaOptions(api_keys={"key": ACCOUNT}))
            ometria.start(app)
            stack.callback(ometria.stop)
            room = stack.enter_context(tracking_room(tmp_path, ometria_tag_url=ometria.url + "/tags/{account_id}.js"))
            origin = Listener("127.0.0.1", 0)
            tracking = room.tracking
            wiring = ProxyWiring(ProxyOptions(origin=origin.url), tracking.tags, tracking.observer)
            _, port, stop = start_edge(wiring, Counters(CollectorRegistry()), room.app)
            stack.callback(stop)
            url = f"http://127.0.0.1:{port}"
            view = Store(
                ref="store:default", code="default", id=1, website="base", website_id=1, is_default=True,
                base_url=f"{url}/", link_url=f"{url}/", currency="GBP",
            )  # fmt: skip
            room.books.current = make_book((view,), **settings)
            origin.start(create_shop(ShopOptions(url, "token", front=name)))
            stack.callback(origin.stop)
            context = chromium.new_context()
            stack.callback(context.close)
            page, wrong = context.new_page(), []
            page.on("pageerror", lambda error: wrong.append(str(error)))
            fronts.append(Front(url, app.extensions["received"], page, wrong, origin.url, room))
            return fronts[-1]

        yield make
        assert [wrong for front in fronts for wrong in front.wrong] == []


def shown(basket):
    return sorted((line["pid"], line.get("vid"), line["q"], line["tot"]) for line in basket["lis"])


def test_a_hyva_like_front_is_tracked_from_view_to_order(make_front):
    front = make_front("hyva")
    front.open("/bags.html")
    listing = front.wait("pageview", 1)[0]
    assert (listing["type"], listing["category_path"]) == ("listing", "bags")
    assert "1" in listing["pids"]
    # The page does not name its category; the shop does, by the page's address.
    assert (listing["category_id"], listing["attributes"]) == ("4", [{"id": "4", "type": "category"}])
    front.open("/quayside-holdall.html")
    assert front.wait("pageview", 2)[1]["pid"] == "1"
    front.page.click("#product-addtocart-button")
    front.page.wait_for_load_state("networkidle")
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 1)] == [("1", 1)]
    [basket] = front.wait("setbasket", 1)
    assert (shown(basket), basket["cur"]) == ([("1", None, 1, 64)], "GBP")
    assert int(front.page.evaluate(ORDER)) > 0
    front.open("/checkout/onepage/success/")
    [order] = front.wait("transaction", 1)
    assert order["tid"].isdigit()
    front.page.reload()
    front.page.wait_for_load_state("networkidle")
    front.page.wait_for_timeout(700)
    assert len(front.events("transaction")) == 1
    assert {event["site"] for event in front.events("pageview", "setbasket", "transaction")} == {"default"}


def know_skus(front, skus):
    """Fill the table of the catalogue as the export does; ``skus`` is id -> SKU."""
    with front.room.app.app_context():
        db.session.add_all([CatalogItem(sku=sku, product=product) for product, sku in skus.items()])
        db.session.commit()


def test_where_ids_are_skus_bridge_is_asked_for_what_a_hyva_like_front_does_not_show(make_front):
    front = make_front("hyva", products__id_attribute="sku")
    know_skus(front, {"1": "QUAY/64 h", "2": "OTHER"})
    asked = []
    front.page.on("request", lambda request: asked.append(request) if request.url.endswith("/skus") else None)
    front.open("/quayside-holdall.html")
    assert front.wait("pageview", 1)[0]["pid"] == "QUAY/64 h"
    front.open("/bags.html")
    listing = front.wait("pageview", 2)[1]
    assert "QUAY/64 h" in listing["pids"]
    assert set(listing["pids"]) <= {"QUAY/64 h", "OTHER"}
    assert (listing["type"], listing["category_path"]) == ("listing", "bags")
    # What was told is kept; the question says nothing of who asks.
    assert [json.loads(request.post_data)["products"].count("1") for request in asked] == [1, 0]
    assert not any("cookie" in request.all_headers() for request in asked)
    front.open("/quayside-holdall.html")
    assert front.wait("pageview", 3)[2]["pid"] == "QUAY/64 h"
    assert len(asked) == 2


def test_a_category_that_no_page_names_is_asked_for_once_in_a_tab(make_front):
    front = make_front("hyva")
    asked = []
    front.page.on("request", lambda request: asked.append(request) if "/graphql?" in request.url else None)
    front.open("/bags.html")
    front.wait("pageview", 1)
    front.open("/bags.html?p=1")
    front.open("/catalogsearch/result/?q=mug")
    listings = front.wait("pageview", 3)
    assert [listing.get("category_id") for listing in listings] == ["4", "4", None]
    assert len(asked) == 1
    assert "cookie" not in asked[0].all_headers()


@pytest.mark.parametrize("answer", ["never", "no GraphQL", "no category", "no JSON", "an error"])
def test_a_category_that_the_shop_does_not_tell_is_left_out_of_the_view(make_front, answer):
    front = make_front("hyva")
    ways = {
        "never": lambda _route: None,
        "no GraphQL": lambda route: route.fulfill(status=404, body="<html></html>", content_type="text/html"),
        "no category": lambda route: route.fulfill(status=200, json={"data": {"route": None}}),
        "an error": lambda route: route.fulfill(status=200, json={"errors": [{"message": "x"}], "data": None}),
        "no JSON": lambda route: route.fulfill(status=200, body="{", content_type="application/json"),
    }
    asked = []

    def fail(route):
        asked.append(route.request.url)
        ways[answer](route)

    front.page.route("**/graphql?*", fail)
    front.page.goto(front.url + "/bags.html")
    listing = front.wait("pageview", 1)[0]
    assert (listing["type"], listing["category_path"], listing.get("category_id")) == ("listing", "bags", None)
    assert "1" in listing["pids"]
    front.page.goto(front.url + "/bags.html?p=1")
    front.wait("pageview", 2)
    assert len(asked) == (1 if answer in {"no GraphQL", "no category"} else 2)
    front.page.unroute_all(behavior="ignoreErrors")


def test_skus_that_are_not_answered_in_time_are_left_out_of_the_view(make_front):
    front = make_front("hyva", products__id_attribute="sku")
    know_skus(front, {"1": "QUAY"})
    front.page.route("**/_bridge/skus", lambda _route: None)
    front.page.goto(front.url + "/bags.html")
    listing = front.wait("pageview", 1)[0]
    assert (listing["type"], listing["category_path"], listing.get("pids") or []) == ("listing", "bags", [])
    front.page.goto(front.url + "/quayside-holdall.html")
    product = front.wait("pageview", 2)[1]
    assert (product["type"], product.get("pid")) == ("product", None)


def test_a_front_that_knows_graphql_only_is_tracked_from_view_to_order(make_front):
    front = make_front("graphql")
    front.open("/")
    assert front.wait("pageview", 1)[0]["type"] == "homepage"
    front.page.evaluate("front.go('/bags.html')")
    listing = front.wait("pageview", 2)[1]
    assert (listing["type"], listing["category_path"], listing["page"]) == ("listing", "bags", 1)
    shown_there = front.page.eval_on_selector_all("#root p", "lines => lines.length") - 1
    assert listing["nitems"] == len(listing["pids"]) == shown_there > 1
    assert "1" in listing["pids"]
    front.page.evaluate("front.go('/quayside-holdall.html')")
    assert front.wait("pageview", 3)[2] | {"rurl": ""} == {"type": "product", "pid": "1", "rurl": ""}
    front.page.evaluate("front.add('HP-BAG-01', [])")
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 1)] == [("1", 1)]
    [basket] = front.wait("setbasket", 1)
    assert (shown(basket), basket["cur"]) == ([("1", None, 1, 64)], "GBP")
    front.page.evaluate("front.add('HP-BAG-01', [])")
    assert [event["q"] for event in front.wait("addtobasket", 2)] == [1, 1]
    front.page.evaluate("front.go('/cart')")
    assert front.wait("pageview", 4)[3]["type"] == "basket"
    # The shop tells nothing of a cart any more that was ordered meanwhile.
    front.page.evaluate("front.ship('greta@example.com')")
    front.wait("setbasket", 3)
    number = front.page.evaluate("front.order('greta@example.com')")
    assert [event["tid"] for event in front.wait("transaction", 1)] == [number]
    # The total is the cart's grand total, which grows by the shipping that was chosen on the way to the order.
    assert [(shown(basket), basket["total"]) for basket in front.wait("setbasket", 4)] == [
        ([("1", None, 1, 64)], 64), ([("1", None, 2, 128)], 128), ([("1", None, 2, 128)], 138), ([], 0),
    ]  # fmt: skip
    assert front.wait("pageview", 5)[4]["type"] == "confirmation"


def test_a_variant_chosen_by_graphql_is_told_with_its_parent(make_front):
    front = make_front("graphql")
    front.open("/breakwater-jacket.html")
    assert front.wait("pageview", 1)[0]["pid"] == "17"
    chosen = front.page.evaluate(
        """async () => {
          const { products } = await front.ask('{ products(filter: { url_key: { eq: "breakwater-jacket" } }) { items { sku'
            + ' ... on ConfigurableProduct { variants { product { id sku } attributes { uid } } } } } }');
          const [item] = products.items, [variant] = item.variants;
          await front.add(item.sku, variant.attributes.map((attribute) => attribute.uid));
          return variant.product;
        }"""
    )
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 1)] == [("17", 1)]
    [basket] = front.wait("setbasket", 1)
    assert [(line["pid"], line["vid"]) for line in basket["lis"]] == [("17", str(chosen["id"]))]


def test_a_customer_who_logs_in_by_graphql_is_identified_and_keeps_her_cart(make_front):
    front = make_front("graphql")
    front.open("/quayside-holdall.html")
    front.wait("pageview", 1)
    front.page.evaluate("front.add('HP-BAG-01', [])")
    [guest] = front.wait("setbasket", 1)
    front.page.evaluate("([email, password]) => front.logIn(email, password)", [MAREN, PASSWORD])
    assert [event["uiid"] for event in front.wait("identify", 1)] == [MAREN]
    front.page.evaluate("front.add('HP-BAG-01', [])")
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 2)] == [("1", 1), ("1", 1)]
    merged = front.wait("setbasket", 2)[1]
    assert shown(merged) == [("1", None, 2, 128)]
    assert merged["id"] == guest["id"]
    number = front.page.evaluate("front.order('')")
    assert [event["tid"] for event in front.wait("transaction", 1)] == [number]
    assert len(front.events("identify")) == 1
    assert front.page.evaluate("JSON.stringify([{...localStorage}, document.cookie])").count(MAREN) == 0


def token_of(front, email):
    """Log a customer in at the shop itself, past bridge; return her token."""
    query = "mutation($e:String!,$p:String!){generateCustomerToken(email:$e,password:$p){token}}"
    body = json.dumps({"query": query, "variables": {"e": email, "p": PASSWORD}}).encode()
    asked = Request(f"{front.direct}/graphql", body, {"Content-Type": "application/json"})
    with urlopen(asked, timeout=10) as answer:
        return json.load(answer)["data"]["generateCustomerToken"]["token"]


def test_a_changed_email_is_told_at_once_and_after_leaving_the_next_customer_is(make_front, monkeypatch):
    front = make_front("graphql")
    read, was_asked = Capture.seen, Event()

    def late(self, route, exchange):
        if b"updateCustomerEmail" in (exchange.request_body or b""):
            # The answer reaches the browser before bridge knows what is in it.
            was_asked.wait(10)
        read(self, route, exchange)

    monkeypatch.setattr(Capture, "seen", late)
    front.open("/")
    front.page.evaluate("([email, password]) => front.logIn(email, password)", [MAREN, PASSWORD])
    assert [event["uiid"] for event in front.wait("identify", 1)] == [MAREN]
    # What the log-in itself makes the tag ask (at once, after 1 s and after 5 s) is over by then.
    front.page.wait_for_timeout(6000)
    front.page.on("response", lambda answer: was_asked.set() if answer.url.endswith("/_bridge/me") else None)
    front.page.evaluate(
        """([email, password]) => front.ask(
          'mutation($e: String!, $p: String!) { updateCustomerEmail(email: $e, password: $p) { customer { email } } }',
          { e: email, p: password })""",
        ["maren.new@example.com", PASSWORD],
    )
    assert [event["uiid"] for event in front.wait("identify", 2)] == [MAREN, "maren.new@example.com"]
    front.page.evaluate("front.logOut()")
    front.page.wait_for_timeout(500)
    assert len(front.events("identify")) == 2
    # Logged in by a way that bridge does not know: her token is first seen with a question.
    front.page.evaluate(
        "(token) => { localStorage.setItem('customer_token', token); return front.ask('{ customer { firstname } }'); }",
        token_of(front, IDRIS),
    )
    assert [event["uiid"] for event in front.wait("identify", 3)][2] == IDRIS


def test_a_customer_who_was_logged_in_by_token_before_bridge_came_is_identified(make_front):
    front = make_front("graphql")
    front.page.add_init_script(f"localStorage.setItem('customer_token', {json.dumps(token_of(front, IDRIS))})")
    front.open("/")
    front.wait("pageview", 1)
    front.page.evaluate("front.go('/bags.html')")
    assert [event["uiid"] for event in front.wait("identify", 1)] == [IDRIS]
    front.page.evaluate("front.go('/quayside-holdall.html')")
    front.wait("pageview", 3)
    assert len(front.events("identify")) == 1


def test_a_customer_known_by_token_is_told_after_the_view_however_late_bridge_reads_and_ometria_loads(
    make_front, monkeypatch
):
    front = make_front("graphql")
    front.open("/")
    front.page.evaluate("([email, password]) => front.logIn(email, password)", [IDRIS, PASSWORD])
    front.wait("identify", 1)
    # Another browser's storage: of her who has the token nothing is known.
    front.page.evaluate(
        "Object.keys(localStorage).forEach((key) => key.startsWith('bridge.') && localStorage.removeItem(key))"
    )
    front.page.context.clear_cookies()
    read, was_asked = Capture.seen, Event()

    def late(self, route, exchange):
        if b"{customer{email}}" in (exchange.request_body or b""):
            was_asked.wait(10)
        read(self, route, exchange)

    def ask(route):
        route.continue_()
        if "authorization" in route.request.headers:
            was_asked.set()

    monkeypatch.setattr(Capture, "seen", late)
    front.page.route("**/_bridge/me", ask)
    held = []
    front.page.route("**/tags/*.js", lambda route: held.append(route))
    front.page.goto(front.url + "/bags.html", wait_until="commit")
    until(front, was_asked.is_set)
    front.page.wait_for_timeout(1500)
    assert len(front.events("identify")) == 1
    held.pop().continue_()
    assert [event["uiid"] for event in front.wait("identify", 2)] == [IDRIS, IDRIS]
    assert [event["type"] for event in front.events("pageview", "identify")][-2:] == ["pageview", "identify"]


def until(front, is_so):
    limit = time.monotonic() + 15
    while not is_so() and time.monotonic() < limit:
        front.page.wait_for_timeout(50)
    assert is_so()


def test_a_view_that_was_left_while_its_address_was_asked_for_changes_nothing_of_the_next(make_front):
    front = make_front("graphql")
    front.open("/")
    front.wait("pageview", 1)
    held = []

    def hold(route):
        if "query($url:String!){route" in (route.request.post_data or "") and "holdall" in route.request.post_data:
            held.append(route)
        else:
            route.continue_()

    front.page.route("**/graphql", hold)
    front.page.evaluate("front.go('/quayside-holdall.html')")
    until(front, lambda: held)
    front.page.evaluate("front.go('/cart')")
    front.page.wait_for_timeout(1000)
    held.pop().continue_()
    assert [view["type"] for view in front.wait("pageview", 2)] == ["homepage", "basket"]
    front.page.evaluate(HOLDALL)
    assert len(front.wait("setbasket", 1)) == 1
    assert front.events("addtobasket") == []


HOLDALL = "front.add('HP-BAG-01', [])"


def test_an_add_before_the_shop_has_said_what_the_address_shows_is_told(make_front):
    front = make_front("graphql")
    held = []

    def hold(route):
        if "query($url:String!){route" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    front.page.route("**/graphql", hold)
    front.page.goto(front.url + "/quayside-holdall.html")
    front.page.wait_for_function("window.front")
    limit = time.monotonic() + 15
    while not held and time.monotonic() < limit:
        front.page.wait_for_timeout(50)
    front.page.evaluate(HOLDALL)
    front.page.wait_for_timeout(1000)
    assert front.events("pageview", "addtobasket") == []
    held.pop().continue_()
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 1)] == [("1", 1)]
    assert front.wait("pageview", 1)[0]["pid"] == "1"
    assert [shown(basket) for basket in front.wait("setbasket", 1)] == [[("1", None, 1, 64)]]


def test_an_add_right_after_the_address_changed_is_told_by_what_it_changed_to(make_front):
    front = make_front("graphql")
    front.open("/cart")
    front.wait("pageview", 1)
    front.page.evaluate(f"front.go('/quayside-holdall.html'), {HOLDALL}")
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 1)] == [("1", 1)]
    assert [view["type"] for view in front.wait("pageview", 2)] == ["basket", "product"]
    front.page.evaluate("front.go('/cart')")
    front.wait("pageview", 3)
    front.page.evaluate(HOLDALL)
    assert [shown(basket)[0][2] for basket in front.wait("setbasket", 2)] == [1, 2]
    assert len(front.events("addtobasket")) == 1


def test_what_is_asked_with_requests_of_the_pages_own_is_read_too(make_front):
    front = make_front("graphql")
    front.open("/quayside-holdall.html")
    front.wait("pageview", 1)
    front.page.evaluate(
        "(() => { const tagged = window.fetch; window.fetch = (url, options) => tagged(new Request(url, options)); })()"
    )
    front.page.evaluate(HOLDALL)
    assert [(event["pid"], event["q"]) for event in front.wait("addtobasket", 1)] == [("1", 1)]
    front.page.evaluate("([email, password]) => front.logIn(email, password)", [MAREN, PASSWORD])
    assert [event["uiid"] for event in front.wait("identify", 1)] == [MAREN]
    # The customer's own cart is read with her token, which only the Request has.
    front.page.evaluate(HOLDALL)
    assert [shown(basket) for basket in front.wait("setbasket", 2)] == [[("1", None, 1, 64)], [("1", None, 2, 128)]]


def test_what_pwa_studio_says_of_an_order_is_told_once(make_front):
    front = make_front("graphql")
    front.open("/quayside-holdall.html")
    front.page.evaluate("front.add('HP-BAG-01', [])")
    front.wait("setbasket", 1)
    tell = (
        "(number) => document.dispatchEvent(new CustomEvent('eventing', { detail: { type: 'ORDER_CONFIRMATION_PAGE_VIEW',"
        " payload: { order_number: number } } }))"
    )
    front.page.evaluate(tell, "000000815")
    front.page.evaluate(tell, "000000815")
    front.page.evaluate("document.dispatchEvent(new CustomEvent('eventing', { detail: null }))")
    assert [event["tid"] for event in front.wait("transaction", 1)] == ["000000815"]
