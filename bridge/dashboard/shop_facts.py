"""What the shop has that a setting can name: its attributes, its order statuses, a product's address.

Read when somebody asks for it and kept as a note, so that no page waits for the shop.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError
from bridge.events import EntityRef
from bridge.export import cursors
from bridge.export.map_products import NOT_VISIBLE, Offer, url_of
from bridge.settings import Settings
from bridge.store import Gone, Product

if TYPE_CHECKING:
    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Customer, Order, Store

NOTE = "shop facts"
KINDS: dict[str, Kind] = {"customers": "contact", "products": "product", "orders": "order"}
"""Section of the settings -> kind of entity."""
NEWEST_DAYS = 7
NEWEST_MOST = 100
"""Rows of each kind that are looked at beside the first page."""
VIEWS_MOST = 20
PRODUCTS_MOST = 10
"""Products that are looked at for one that has a page."""


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """The note; ``at`` is Unix seconds, 0 where nothing was read. ``addresses`` is store view -> product's own URL."""

    at: float = 0.0
    attributes: dict[str, list[str]] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    product: str = ""
    addresses: dict[str, str] = field(default_factory=dict)


def known() -> ShopFacts:
    """Return what was read last."""
    data: dict[str, Any] = cursors.read(NOTE)
    return ShopFacts(**data) if data else ShopFacts()


def read_again(shop: Store, book: Book) -> ShopFacts:
    """Ask the shop and keep the answer; commits. Raises :class:`bridge.errors.BridgeError` as the shop's seam does."""
    found = {kind: _seen(shop, kind) for kind in KINDS.values()}
    product, addresses = _addresses(found["product"], shop, book)
    data: dict[str, Any] = {
        "at": time.time(),
        "attributes": {
            kind: sorted({*_all_codes(shop, kind), *(code for one in rows for code in _codes(one))})
            for kind, rows in found.items()
        },
        "statuses": sorted({order.status for order in found["order"] if order.status}),
        "product": product,
        "addresses": addresses,
    }
    cursors.save(NOTE, data)
    return ShopFacts(**data)


def _seen(shop: Store, kind: Kind) -> list[Any]:
    """Return the entities of the first page, and some that changed within the last days."""
    now = shop.now()
    changed = itertools.islice(shop.changed_since(kind, now - dt.timedelta(days=NEWEST_DAYS), now), NEWEST_MOST)
    newest = shop.fetch([row.ref for row in changed]).values()
    return [*shop.pages(kind).rows, *(one for one in newest if not isinstance(one, Gone))]


def _all_codes(shop: Store, kind: Kind) -> list[str]:
    """Return what the shop itself lists, values or not; nothing where it cannot be read.

    One attribute of an extension that is gone may break that list: what the records have is offered all the same.
    """
    try:
        return shop.attribute_codes(kind)
    except BridgeError:
        return []


def _codes(entity: Customer | Order | Product) -> set[str]:
    """Return the shop's names of what an entity holds beyond the fields that every one has."""
    if isinstance(entity, Product):
        return {code for view in entity.views.values() for code in view.values}
    return set(entity.values)


def _addresses(products: list[Product], shop: Store, book: Book) -> tuple[str, dict[str, str]]:
    """Return a product that has a page, by id, and that page's own address in each store view."""
    views = book.stores[:VIEWS_MOST]
    for one in products[:PRODUCTS_MOST]:
        ref = EntityRef("product", one.id)
        whole = shop.fetch([ref], [store.code for store in views]).get(ref)
        found: dict[str, str] = {}
        if not isinstance(whole, Product):
            continue
        for store in views:
            view = whole.views.get(store.code)
            suffix = book.settings(store.ref)["products.url_suffix"]
            native = Settings(store.ref, {"products.url_suffix": (store.ref, suffix)})
            address = url_of(one.id, Offer(store, view, native)) if view and view.visibility != NOT_VISIBLE else None
            if address:
                found[store.ref] = address
        if found:
            return one.id, found
    return "", {}
