"""What the integration may read: one cheap call for each right that bridge needs.

The names are those of the resource list in Magento's backend (System > Extensions > Integrations > API).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError, Misconfigured
from bridge.store.magento_search import Query, criteria

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Right:
    """One right: ``name`` as the backend shows it, ``needed_for``; ``fault`` is empty when the shop grants it."""

    name: str
    needed_for: str
    fault: str = ""
    missing: bool = False


ONE = criteria(size=1)
RIGHTS: tuple[tuple[str, str, str, Query | None], ...] = (
    ("Stores > Settings > All Stores", "the store tree", "store/storeConfigs", None),
    ("Catalog > Inventory > Products", "products", "products", ONE),
    ("Stores > Attributes > Product", "attribute labels", "products/attributes", ONE),
    ("Catalog > Inventory > Categories", "category names", "categories/list", ONE),
    ("Customers > All Customers", "customers", "customers/search", ONE),
    ("Sales > Operations > Orders > Actions > View", "orders", "orders", ONE),
    ("Sales > Operations > Shipments", "shipped orders", "shipments", ONE),
    ("Sales > Operations > Credit Memos", "refunds", "creditmemos", ONE),
    ("Stores > Inventory > Sources", "stock", "inventory/source-items", ONE),
)

COUPONS = Right("Marketing > Promotions > Cart Price Rules", "coupons")
"""Needed only where codes are made; a pool's rule is asked for with it."""


def check_rights(get: Callable[[str, Query | None], Any]) -> Iterator[Right]:
    """Ask for each right. A shop that does not answer is told as such, never as a missing right."""
    for name, needed_for, route, query in RIGHTS:
        try:
            get(route, query)
        except Misconfigured as error:
            yield Right(name, needed_for, error.what, missing=True)
        except BridgeError as error:
            yield Right(name, needed_for, str(error))
        else:
            yield Right(name, needed_for)
