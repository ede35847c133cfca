"""SKU -> product and parent ids: the shop's cart section names a variant by its SKU only."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bridge.db import db
from bridge.errors import BridgeError
from bridge.models import CatalogItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    FindVariants = Callable[[Sequence[str]], dict[str, tuple[str, str | None]]]

ASKED_AT_ONCE = 20
ASKED_PER_MINUTE = 60
UNKNOWN_SECONDS = 300
UNKNOWN_MOST = 5000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Variant:
    """Magento's ids of the product that has the SKU, and of its configurable parent when one is known."""

    product: str
    parent: str | None
    parent_sku: str | None = None


class Variants:
    """Looks SKUs up in the catalogue table, and asks the shop for the rest.

    Browsers send the SKUs, so the shop is asked for few at once, by one request at a time and a bounded number of times
    a minute, and an unknown SKU is not asked again for five minutes.
    """

    def __init__(self, find: FindVariants) -> None:
        self._find = find
        self._unknown: dict[str, float] = {}
        self._busy = threading.Lock()
        self._window = 0
        self._asked = 0

    def look_up(self, skus: Sequence[str]) -> dict[str, Variant]:
        """Return what is known of these SKUs; needs an application context, raises ``SQLAlchemyError``."""
        rows = db.session.scalars(select(CatalogItem).where(CatalogItem.sku.in_(skus)))
        found = {row.sku: Variant(row.product, row.parent, row.parent_sku) for row in rows}
        missing = [sku for sku in skus if sku not in found and self._unknown.get(sku, 0) < time.monotonic()]
        if missing:
            found.update(self._ask(missing[:ASKED_AT_ONCE]))
        return _with_parent_skus(found)

    @staticmethod
    def skus_of(products: Sequence[str]) -> dict[str, str]:
        """Return the SKU of each product that the catalogue table holds; raises ``SQLAlchemyError``.

        The cart section composes the SKU of a bundle and of a product with options from its parts.
        """
        query = select(CatalogItem.product, CatalogItem.sku).where(CatalogItem.product.in_(products))
        return {row.product: row.sku for row in db.session.execute(query)}

    def _ask(self, skus: list[str]) -> dict[str, Variant]:
        if not self._busy.acquire(blocking=False):
            return {}
        try:
            minute = int(time.monotonic() // 60)
            if minute != self._window:
                self._window, self._asked = minute, 0
            if self._asked >= ASKED_PER_MINUTE:
                return {}
            self._asked += 1
            answer = self._find(skus)
        except (BridgeError, OSError, ValueError) as error:
            log.warning("variants not found", error=type(error).__name__, next="asked again in some minutes")
            answer = {}
        finally:
            self._busy.release()
        self._remember_unknown([sku for sku in skus if sku not in answer])
        found = {sku: Variant(*answer[sku]) for sku in skus if sku in answer}
        self._keep(found)
        return found

    def _remember_unknown(self, skus: list[str]) -> None:
        if len(self._unknown) + len(skus) > UNKNOWN_MOST:
            self._unknown.clear()
        until = time.monotonic() + UNKNOWN_SECONDS
        self._unknown.update(dict.fromkeys(skus, until))

    @staticmethod
    def _keep(found: dict[str, Variant]) -> None:
        for sku, variant in found.items():
            db.session.merge(CatalogItem(sku=sku, product=variant.product, parent=variant.parent, read_at=time.time()))
        try:
            db.session.commit()
        except IntegrityError:
            # Another process kept the same rows first.
            db.session.rollback()


def _with_parent_skus(found: dict[str, Variant]) -> dict[str, Variant]:
    """Fill in the SKU of each parent that the catalogue table holds."""
    parents = {variant.parent for variant in found.values() if variant.parent and not variant.parent_sku}
    if not parents:
        return found
    rows = db.session.execute(select(CatalogItem.product, CatalogItem.sku).where(CatalogItem.product.in_(parents)))
    skus = {row.product: row.sku for row in rows}
    return {
        sku: replace(variant, parent_sku=variant.parent_sku or skus.get(variant.parent or ""))
        for sku, variant in found.items()
    }
