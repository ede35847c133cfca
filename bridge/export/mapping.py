"""Entity + account + settings -> record. Pure functions; they raise ``Skipped`` or ``Refused``.

Ids, merge and store names follow the scope that owns the account, since one account cannot have two id policies; what
describes one order (valid statuses, currency) follows the order's own store view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from bridge.errors import Refused, Skipped
from bridge.export.map_orders import order_record
from bridge.export.map_products import product_record
from bridge.export.names import merge, namespaced, seconds
from bridge.export.records import Contact, Order, Product, Record, encode
from bridge.export.routes import customer_store
from bridge.store import Customer
from bridge.store import Order as ShopOrder
from bridge.store import Product as ShopProduct

if TYPE_CHECKING:
    import datetime as dt

    from bridge.settings import Account, Book, Store

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

MAPPING_VERSION = 1
"""Part of every digest: raise it when the same entity gives another record on purpose."""
RECORD_BYTES = 60_000
GENDERS = {1: "m", 2: "f"}
IDS_MOST = 120
TYPES: dict[type[Record], str] = {Contact: "contact", Product: "product", Order: "order"}


@dataclass(frozen=True, slots=True)
class Subscription:
    """What passing traffic showed of a newsletter subscription: Magento's status, and when it changed.

    Status 1 subscribed, 2 not active, 3 unsubscribed, 4 unconfirmed, 0 unknown.
    """

    status: int
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record ready to travel. ``key`` tells equal records apart from others of its kind."""

    kind: str
    id: str
    key: str
    body: bytes


def mapped(record: Record) -> Mapped:
    """Encode a record and check what Ometria would refuse; raises :class:`Refused` with the reason."""
    body = encode(record)
    if len(body) > RECORD_BYTES:
        raise Refused(f"The record has {len(body)} bytes; Ometria takes {RECORD_BYTES}.")
    if not record.id.strip() or "@" in record.id:
        raise Refused("The record's id is empty or looks like an e-mail address.")
    if len(record.id) > IDS_MOST:
        raise Refused(f"The record's id has {len(record.id)} characters; {IDS_MOST} can be kept.")
    collection = record.collection if isinstance(record, Contact) else ""
    return Mapped(TYPES[type(record)], record.id, f"{collection}/{record.id}", body)


def record_of(entity: Customer | ShopProduct | ShopOrder, account: Account, book: Book) -> Record:
    """Map what needs no knowledge besides settings."""
    if isinstance(entity, Customer):
        return contact_record(entity, account, book)
    if isinstance(entity, ShopProduct):
        return product_record(entity, account)
    return order_record(entity, account, book)


def contact_record(
    customer: Customer, account: Account, book: Book, subscription: Subscription | None = None
) -> Contact:
    """Return the contact of a customer account.

    Merely not subscribed is no opt-out: at Ometria an opt-out of one list overrules the opt-ins of all others.
    """
    store = customer_store(customer.store_id, customer.website_id, book)
    if store is None or store not in account.stores:
        raise Skipped("The customer belongs to a store view of another account.")
    if customer.email is None:
        raise Refused("The customer has no e-mail address.")
    optin, subscribed_at, unsubscribed_at = _optin(customer.subscribed, subscription, account)
    return Contact(
        collection="customers",
        id=namespaced(account, "contact", customer.id),
        merge=merge(account, "contact"),
        email=customer.email,
        customer_id=namespaced(account, "contact", customer.id),
        marketing_optin=optin,
        prefix=customer.prefix,
        firstname=customer.firstname,
        middlename=customer.middlename,
        lastname=customer.lastname,
        gender=GENDERS.get(customer.gender or 0),
        date_of_birth=customer.date_of_birth,
        country_id=customer.country,
        store_ids=[account.store_name(store)],
        timestamp_acquired=seconds(customer.created_at),
        timestamp_subscribed=seconds(subscribed_at),
        timestamp_unsubscribed=seconds(unsubscribed_at),
    )


def guest_record(subscriber: str, email: str, store: Store, account: Account, subscription: Subscription) -> Contact:
    """Return the contact of a newsletter subscriber without account; ``subscriber`` is our number of it."""
    if not account.settings["customers.newsletter_tracking"]:
        raise Skipped("Newsletter status tracking is off.")
    if store not in account.stores:
        raise Skipped("The subscriber belongs to a store view of another account.")
    if subscription.status not in {1, 3}:
        raise Skipped("The address is not subscribed and has no account.")
    optin, subscribed_at, unsubscribed_at = _optin(subscription.status == 1, subscription, account)
    return Contact(
        collection="subscribers",
        id=namespaced(account, "contact", subscriber),
        merge=merge(account, "contact"),
        email=email,
        marketing_optin=optin,
        store_ids=[account.store_name(store)],
        timestamp_subscribed=seconds(subscribed_at),
        timestamp_unsubscribed=seconds(unsubscribed_at),
    )


def _optin(
    subscribed: bool | None,  # noqa: FBT001 the shop's own three-valued word
    known: Subscription | None,
    account: Account,
) -> tuple[str | None, dt.datetime | None, dt.datetime | None]:
    """Return opt-in, time of subscription and of its end; a time only where traffic showed it.

    The shop's present word stands above an older observation.
    """
    if subscribed is None or not account.settings["customers.newsletter_tracking"]:
        return None, None, None
    if subscribed:
        return "EXPLICITLY_OPTEDIN", known.changed_at if known and known.status == 1 else None, None
    if known and known.status == 3:
        return "EXPLICITLY_OPTEDOUT", None, known.changed_at
    return "NOT_SPECIFIED", None, None


def with_parent(product: ShopProduct, parent: tuple[str, str] | None) -> ShopProduct:
    """Return the product with its parent's id and SKU filled in."""
    if parent is None:
        return product
    return msgspec.structs.replace(product, parent=parent[0], parent_sku=parent[1])
