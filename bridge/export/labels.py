"""Labels of the attributes that a merchant maps of products: asked for only where there is a mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.export.map_attributes import unknown_options
from bridge.export.map_products import main_offer, offers
from bridge.settings import mapped_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.settings import Account, Book
    from bridge.store import AttributeInfo, Product, ProductView, Store

log = structlog.get_logger()

Labels = dict[str, dict[str, "AttributeInfo"]]
"""Attributes by store view and code."""


def labels_of(products: Sequence[Product], account: Account, book: Book, store: Store) -> Labels:
    """Return what the products' records need; options that the shop does not know are asked for once more and told."""
    rows = account.settings["products.mapping"]
    codes = [row.attribute for row in mapped_attributes(rows)]
    seen: dict[str, list[ProductView]] = {}
    for product in products if codes else ():
        sold = offers(product, account, book)
        if sold:
            first = main_offer(sold)
            seen.setdefault(first.store.code, []).append(first.view)
    found: Labels = {}
    for code, views in seen.items():
        used = [name for name in codes if any(name in view.values for view in views)]
        known = store.attributes("product", used, code)
        if unknown_options(views, rows, known):
            known = store.attributes("product", used, code, fresh=True)
        for attribute, option in sorted(unknown_options(views, rows, known)):
            log.warning(
                "option without a label", attribute=attribute, option=option[:40], store=code, next="it is left out"
            )
        found[code] = known
    return found
