"""Entity + account + settings -> record -> bytes. Pure functions; they raise ``Skipped`` or ``Refused``.

Ids, merge and store names follow the scope that owns the account, since one account cannot have two id policies; what
describes one order (valid statuses, currency) follows the order's own store view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from bridge.errors import Refused
from bridge.export.fitting import fitted
from bridge.export.map_contacts import Subscription, contact_record, guest_record
from bridge.export.map_orders import order_record
from bridge.export.map_products import product_record
from bridge.export.records import Contact, Order, Product, Record, encode
from bridge.export.reduce import reduced
from bridge.store import Customer
from bridge.store import Order as ShopOrder
from bridge.store import Product as ShopProduct

if TYPE_CHECKING:
    from bridge.settings import Account, Book

__all__ = [
    "MAPPING_VERSION",
    "Mapped",
    "Subscription",
    "contact_record",
    "guest_record",
    "mapped",
    "order_record",
    "product_record",
]

MAPPING_VERSION = 2
"""Part of every digest: raise it when the same entity gives another record on purpose."""
RECORD_BYTES = 60_000
IDS_MOST = 120
TYPES: dict[type[Record], str] = {Contact: "contact", Product: "product", Order: "order"}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record ready to travel. ``key`` tells equal records apart from others of its kind."""

    kind: str
    id: str
    key: str
    body: bytes


def mapped(record: Record) -> Mapped:
    """Encode a record and check what Ometria would refuse; raises :class:`Refused` with the reason."""
    if not record.id.strip() or "@" in record.id:
        raise Refused("The record's id is empty or looks like an e-mail address.")
    if len(record.id) > IDS_MOST:
        raise Refused(f"The record's id has {len(record.id)} characters; {IDS_MOST} can be kept.")
    record = fitted(record)
    body = encode(record)
    if len(body) > RECORD_BYTES:
        body = encode(reduced(record, RECORD_BYTES))
    if len(body) > RECORD_BYTES:
        raise Refused(f"The record has {len(body)} bytes; Ometria takes {RECORD_BYTES}.")
    collection = record.collection if isinstance(record, Contact) else ""
    return Mapped(TYPES[type(record)], record.id, f"{collection}/{record.id}", body)


def record_of(entity: Customer | ShopProduct | ShopOrder, account: Account, book: Book) -> Record:
    """Map what needs no knowledge besides settings."""
    if isinstance(entity, Customer):
        return contact_record(entity, account, book)
    if isinstance(entity, ShopProduct):
        return product_record(entity, account, book)
    return order_record(entity, account, book)


def with_parent(product: ShopProduct, parent: tuple[str, str] | None) -> ShopProduct:
    """Return the product with its parent's id and SKU filled in."""
    if parent is None:
        return product
    return msgspec.structs.replace(product, parent=parent[0], parent_sku=parent[1])
