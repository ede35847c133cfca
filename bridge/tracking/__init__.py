"""Tracking: the tag in the page, what the tag asks for, and what passing traffic shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.tracking.cart_links import CartLinks
from bridge.tracking.endpoints import CartPage, Embedding, Endpoints
from bridge.tracking.identity import Identities
from bridge.tracking.observer import Capture
from bridge.tracking.page_views import PageViews
from bridge.tracking.pages import PAGE_TYPES, page_type
from bridge.tracking.seen_orders import SeenOrders
from bridge.tracking.tags import Tags
from bridge.tracking.variants import Variants

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask

    from bridge.config import Config
    from bridge.settings import Books
    from bridge.stream import EventStream
    from bridge.tracking.variants import FindVariants


class Tracking:
    """The room, wired: ``tags`` and ``observer`` for the proxy, ``blueprint`` for the application.

    ``old_links`` is a blueprint too, for the cart links of the shop's old module, which lie outside the prefix.

    ``stream`` may be a function that gives the stream when the first event comes, since the stream owns a thread and
    must be made after the fork. ``find_variants`` asks the shop: SKUs -> (product id, parent id or None). ``views``
    counts page views for the dashboard.
    """

    def __init__(
        self,
        *,
        app: Flask,
        config: Config,
        books: Books,
        stream: EventStream | Callable[[], EventStream],
        find_variants: FindVariants,
        static_folder: Path,
        views: PageViews | None = None,
    ) -> None:
        identities = Identities(app, config.secret_keys[0])
        self._make: Callable[[], EventStream] = stream if callable(stream) else lambda: stream
        self._made: EventStream | None = None
        self.tags = Tags(config, books, static_folder)
        orders, links = SeenOrders(app, config.secret_keys[0]), CartLinks(app, books)
        self.observer = Capture(books, self._events, identities, orders, links)
        https, prefix = (config.public_url or "").startswith("https:"), config.prefix
        variants = Variants(find_variants)
        self.endpoints = Endpoints(
            self.tags, identities, variants, links, books, views=views, prefix=prefix, https=https
        )
        self.blueprint = self.endpoints.blueprint()
        cart = CartPage(links, identities, books, static_folder, prefix=prefix, https=https)
        cart.add_to(self.blueprint)
        self.old_links = cart.old_links()
        Embedding(books, self._events, orders, prefix=prefix, public_url=config.public_url).add_to(self.blueprint)

    def close(self) -> None:
        """Send the events that wait."""
        if self._made is not None:
            self._made.close()

    def _events(self) -> EventStream:
        if self._made is None:
            self._made = self._make()
        return self._made


__all__ = ["PAGE_TYPES", "PageViews", "Tracking", "page_type"]
