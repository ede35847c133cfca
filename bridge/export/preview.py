"""The exact records of one entity for each account; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bridge.errors import Misconfigured
from bridge.events import EntityRef
from bridge.export.gather import Aside, Dropped, Gatherer, Later, Ready
from bridge.export.jobs import exporter
from bridge.export.ledger import Claimed
from bridge.export.routes import within
from bridge.settings import known_scope, load_book

if TYPE_CHECKING:
    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Store


def preview(kind: Kind, identifier: str, scope: str | None = None) -> list[dict[str, Any]]:
    """Return ``{"account": …, "record": {…}}`` for each account, or ``"reason"`` in place of the record.

    ``identifier`` is the shop's: customer id or e-mail, product id or SKU, order number. Raises
    :class:`Misconfigured` when the shop has no such entity or the scope is unknown.
    """
    if scope is not None:
        known_scope(scope)
    own, book = exporter(), load_book()
    ref = find(kind, identifier, own.store, book)
    rows = []
    for account in book.accounts():
        if scope is not None and not any(within(scope, store, book) for store in account.stores):
            continue
        row = Claimed(0, account.id, ref, account.owner, "live", 0, 0, False, "")  # noqa: FBT003 no force
        outcome = Gatherer(own.store, own.config, account, book, dry=True).gather([row])[0]
        match outcome:
            case Ready(record=record):
                rows.append({"account": account.id, "record": msgspec.json.decode(record.body)})
            case Aside(reason=reason) | Dropped(reason=reason) | Later(reason=reason):
                rows.append({"account": account.id, "reason": reason})
    return rows


def find(kind: Kind, identifier: str, store: Store, book: Book) -> EntityRef:
    """Return the entity that the shop calls so."""
    found: str | None = None
    if kind == "order":
        order = store.order_by_number(identifier)
        found = order.id if order else None
    elif kind == "product":
        by_sku = store.products_by_sku([identifier]).get(identifier)
        found = by_sku.id if by_sku else (identifier if identifier.isdecimal() else None)
    elif "@" in identifier:
        for website in dict.fromkeys(view.website_id for view in book.stores):
            customer = store.customer_by_email(identifier, website)
            if customer is not None:
                found = f"customer:{customer.id}"
                break
    elif identifier.removeprefix("customer:").isdecimal():
        found = f"customer:{identifier.removeprefix('customer:')}"
    if found is None:
        raise Misconfigured(f"The shop has no such {kind}: give the id that the shop shows.")
    return EntityRef(kind, found)
