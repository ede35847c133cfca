"""A visitor's browser at the sandbox shop behind bridge, and what the fake Ometria received of her."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, contextmanager

from prometheus_client import CollectorRegistry

from bridge.proxy import Counters, ProxyOptions, ProxyWiring
from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import Store
from tests.replay.bridged import tracking_room
from tests.tracking.conftest import ACCOUNT, make_book
from tests.tracking.sandbox_front import MAREN, PASSWORD
from tests.wire.conftest import start_edge

PATIENCE = 15.0
QUIET = 0.6
TOKEN = "token"

HOLDALL = ("1", None, 1, 64)
DAYPACK = ("2", None, 1, 39)
MUG = ("3", None, 1, 12.5)


class Browser:
    """One visitor. ``url`` is the shop's public address, ``state`` its memory, ``room`` the tracking room."""

    def __init__(self, url, state, room, received, context):
        self.url, self.state, self.room, self.context = url, state, room, context
        self._received = received
        self.wrong = []
        self.page = self.tab()

    def tab(self):
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        return page

    def events(self, *kinds):
        events = sorted(self._received.snapshot(ACCOUNT)["events"], key=lambda event: (event["sent"], event["seq"]))
        return [event for event in events if event["type"] in kinds]

    def told(self, kind):
        return [event["d"] for event in self.events(kind)]

    def baskets(self):
        """Return (lines, total) of each basket that was told."""
        return [(lines_of(basket), basket.get("total") or 0) for basket in self.told("setbasket")]

    def adds(self):
        return [(event["pid"], event["q"]) for event in self.told("addtobasket")]

    def orders(self):
        return [event["tid"] for event in self.told("transaction")]

    def identities(self):
        return [event.get("uiid") or event["d"].get("uiid") for event in self.events("identify")]

    def settle(self, page=None):
        """Wait until the network is still and Ometria has heard nothing new for a while."""
        page = page or self.page
        page.wait_for_load_state("load")
        # An answer of ours that nobody reads would never be over for the browser.
        page.wait_for_load_state("networkidle", timeout=PATIENCE * 1000)
        limit, known, since = time.monotonic() + PATIENCE, -1, time.monotonic()
        while time.monotonic() < limit and time.monotonic() - since < QUIET:
            heard = len(self._received.snapshot(ACCOUNT)["events"])
            if heard != known:
                known, since = heard, time.monotonic()
            page.wait_for_timeout(50)

    def check(self, read, expected):
        """Wait until ``read()`` gives what is expected, then that nothing more comes."""
        limit = time.monotonic() + PATIENCE
        while read() != expected and time.monotonic() < limit:
            self.page.wait_for_timeout(50)
        self.settle()
        assert read() == expected

    def open(self, path, page=None):
        (page or self.page).goto(self.url + path)
        self.settle(page)

    def click(self, selector, page=None):
        """Press what leads to another page, or changes this one."""
        (page or self.page).locator(selector).first.click()
        self.settle(page)

    def add(self, path, button="#product-addtocart-button"):
        """Open a page and press its button."""
        self.open(path)
        self.click(button)

    def sign_in(self, email=MAREN, password=PASSWORD):
        if "/customer/account/login" not in self.page.url:
            self.open("/customer/account/login/")
        self.page.fill("#email", email)
        self.page.fill("#pass", password)
        self.click("#send2")

    def do(self, script, *arguments):
        found = self.page.evaluate(script, *arguments)
        self.settle()
        return found

    def pay(self, email="greta@example.com"):
        """Go through the checkout; return the order's number."""
        page = self.page
        self.open("/checkout/")
        if page.locator("#customer-email").count():
            page.fill("#customer-email", email)
        for name, value in ADDRESS.items():
            page.fill(f"#co-shipping-form [name='{name}']", value)
        page.locator("#co-shipping-form [name='postcode']").blur()
        page.locator("[data-role=shipping-methods] input[type=radio]").first.check()
        page.click("#shipping-method-buttons-container button.continue")
        page.check("#checkmo")
        self.settle()
        page.click("#payment button.action.primary.checkout")
        page.wait_for_url(re.compile(r"/checkout/onepage/success"))
        self.settle()
        return self.number()

    def number(self):
        """Return the number on the confirmation page."""
        return self.page.locator(
            ".checkout-success .order-number strong, .checkout-success p > span"
        ).first.inner_text()


ADDRESS = {
    "firstname": "Greta",
    "lastname": "Shopper",
    "street[0]": "1 Quay Street",
    "city": "Bristol",
    "postcode": "BS1 4AA",
    "telephone": "01170000000",
}


def lines_of(basket):
    lines = [(line["pid"], line.get("vid"), line["q"], line["tot"]) for line in basket.get("lis") or []]
    return sorted(lines, key=lambda line: int(line[0]))


@contextmanager
def sandbox_shop(folder, front="luma", **settings):
    """Start the shop, bridge in front of it and Ometria; yield a function: browser's context -> :class:`Browser`."""
    with ExitStack() as stack:
        ometria = Listener("127.0.0.1", 0)
        app = create_ometria(OmetriaOptions(api_keys={"key": ACCOUNT}))
        ometria.start(app)
        stack.callback(ometria.stop)
        room = stack.enter_context(tracking_room(folder, ometria_tag_url=ometria.url + "/tags/{account_id}.js"))
        origin = Listener("127.0.0.1", 0)
        wiring = ProxyWiring(ProxyOptions(origin=origin.url), room.tracking.tags, room.tracking.observer)
        _, port, stop = start_edge(wiring, Counters(CollectorRegistry()), room.app)
        stack.callback(stop)
        url = f"http://127.0.0.1:{port}"
        view = Store(
            ref="store:default", code="default", id=1, website="base", website_id=1, is_default=True,
            base_url=f"{url}/", link_url=f"{url}/", currency="GBP",
        )  # fmt: skip
        room.books.current = make_book((view,), **settings)
        shop = create_shop(ShopOptions(url, TOKEN, front=front))
        origin.start(shop)
        stack.callback(origin.stop)
        state, received = shop.extensions["sandbox_shop"], app.extensions["received"]
        yield lambda context: Browser(url, state, room, received, context)
