"""The sandbox shop with bridge in front of it, and a browser's context that keeps what is wrong on its pages."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

from prometheus_client import CollectorRegistry

from bridge.proxy import Counters, ProxyOptions, ProxyWiring
from bridge.sandbox.listener import Listener
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.replay.bridged import tracking_room
from tests.wire.conftest import start_edge

PASSWORD = "Lighthouse-42"
MAREN = "maren.holt@example.com"
IDRIS = "idris.vaughan@example.com"


class Front:
    """``url`` is where visitors go; ``shop`` is the sandbox's memory, ``room`` the tracking room."""

    def __init__(self, url, shop, room):
        self.url, self.shop, self.room = url, shop, room

    @property
    def identities(self):
        return self.room.tracking.observer._identities

    @property
    def links(self):
        return self.room.tracking.observer._links

    def cart(self, page):
        """Return (product, sku, quantity) of each line in the cart of a page's visitor, oldest first."""
        told = page.evaluate(
            "async () => (await (await fetch('/customer/section/load/?sections=cart', {cache: 'no-store'})).json()).cart"
        )
        return sorted((item["product_id"], item["product_sku"], item["qty"]) for item in told.get("items", []))


@contextmanager
def sandbox_behind_bridge(folder, book):
    """Start both; ``book`` is a function of the public address that gives the settings."""
    with ExitStack() as stack:
        room = stack.enter_context(tracking_room(folder))
        origin = Listener("127.0.0.1", 0)
        wiring = ProxyWiring(ProxyOptions(origin=origin.url), room.tracking.tags, room.tracking.observer)
        _, port, stop = start_edge(wiring, Counters(CollectorRegistry()), room.app)
        stack.callback(stop)
        url = f"http://127.0.0.1:{port}"
        room.books.current = book(url)
        shop = create_shop(ShopOptions(url, "token"))
        origin.start(shop)
        stack.callback(origin.stop)
        yield Front(url, shop.extensions["sandbox_shop"], room)
