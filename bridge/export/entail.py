"""What orders entail: their products and customers, which go out before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.events import EntityRef
from bridge.export import sent
from bridge.export.ledger import Owed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.export.ledger import Claimed, Lane
    from bridge.settings import Store
    from bridge.store import Order


def entailed_by(account: str, orders: Sequence[tuple[Claimed, Order, Store]]) -> dict[Lane, list[Owed]]:
    """Return what an account is owed because of orders that were read, by lane; each entity once in a lane.

    A live order moved the stock of its products; else only what the account never had is owed.
    """
    named = [(row, _products(order), _people(order), view.ref) for row, order, view in orders]
    known = sent.digests(account, sorted({ref for _, *parts, _ in named for part in parts for ref in part}))
    wanted: dict[Lane, dict[EntityRef, Owed]] = {"live": {}, "history": {}}
    for row, products, people, scope in named:
        refs = [ref for ref in products if row.lane == "live" or ref not in known]
        refs += [ref for ref in people if ref not in known]
        wanted[row.lane].update({ref: Owed(account, ref, scope) for ref in refs})
    return {lane: list(rows.values()) for lane, rows in wanted.items()}


def _products(order: Order) -> list[EntityRef]:
    return [EntityRef("product", line.product) for line in order.lines if line.product]


def _people(order: Order) -> list[EntityRef]:
    return [EntityRef("contact", f"customer:{order.customer_id}")] if order.customer_id else []
