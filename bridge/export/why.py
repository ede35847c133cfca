"""Which settings, and of which scope, a field of a record follows. Pure functions over a record's JSON and the book.

A path names a field as people write it: ``listings[0].url``, ``properties.colour``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bridge.export.names import SECTIONS
from bridge.settings import mapped_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.events import Kind
    from bridge.settings import Account, Book, Settings, Store

ABSENT = object()
"""Stands for a field that one of two records does not have."""

NAMES = ("namespace", "namespace_separator")
STORES = "general.store_id_kind"
ADDRESS = ("products.url_format", "products.url_suffix")
PICTURE = ("products.image", "products.image_number")
TRACKED = ("customers.newsletter_tracking", "customers.subscription_time")
PIECES = "orders.subtract_cancelled"
COLLECTIONS = ("customers.collection", "customers.subscriber_collection")

RULES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "contact": (
        ("id|customer_id", ("customers.namespace", "customers.namespace_separator")),
        ("@merge", ("customers.merge",)),
        ("@collection", COLLECTIONS),
        (r"store_ids.*", (STORES,)),
        ("marketing_optin|timestamp_subscribed|timestamp_unsubscribed", TRACKED),
    ),
    "product": (
        ("id", ("products.id_attribute", "products.namespace", "products.namespace_separator")),
        (
            "parent_id",
            ("products.parent_id", "products.id_attribute", "products.namespace", "products.namespace_separator"),
        ),
        ("@merge|special_price_dt_to", ("products.merge",)),
        (r"url|listings\[\d+\]\.url", ADDRESS),
        (r"image_url|listings\[\d+\]\.image_url", PICTURE),
        (r"listings\[\d+\]\.store", (STORES,)),
    ),
    "order": (
        ("id", ("orders.namespace", "orders.namespace_separator")),
        ("@merge", ("orders.merge",)),
        ("store", (STORES,)),
        ("is_valid", ("orders.valid_statuses",)),
        (r"customer\.id", ("customers.namespace", "customers.namespace_separator")),
        ("grand_total|subtotal|discount|shipping|tax", (PIECES,)),
        (
            r"lineitems\[\d+\]\.(product_id|variant_id)",
            ("products.id_attribute", "products.namespace", "products.namespace_separator"),
        ),
        (r"lineitems\[\d+\]\.refunded", ("orders.refunded", "orders.currency")),
        (r"lineitems\[\d+\]\.quantity", (PIECES, "orders.bundle_lines")),
        (r"lineitems\[\d+\]\.(unit_price|totals.*)", ("orders.currency",)),
        (r"lineitems\[\d+\]\.(subtotal|discount|tax|total)", ("orders.currency", PIECES)),
        (r"lineitems\[\d+\]\.properties.*", ("orders.bundle_lines",)),
    ),
}
"""Kind -> (pattern of a path, the settings that it follows)."""
OWNED = {
    *(f"{section}.{name}" for section in SECTIONS.values() for name in (*NAMES, "merge")),
    *COLLECTIONS,
    *TRACKED,
    STORES,
    "products.id_attribute",
    "products.parent_id",
    "products.mapping",
}
"""What the scope that owns the account decides; the rest follows the record's own store view."""
MAPPED = {"contact": ("phone_number", "timezone"), "product": (), "order": ("ip_address", "web_id")}
"""Fields besides properties and attributes that only a mapping fills."""


def reasons(kind: Kind, path: str, record: dict[str, Any], account: Account, book: Book) -> list[dict[str, Any]]:
    """Return ``{"setting": …, "value": …, "scope": …}`` for each setting that a field follows, none where none does.

    A field that a mapping made has its row as the value. The scope is the one that supplied the value, ``built in``
    where none did.
    """
    view = _view_settings(path, record, account, book)
    found = [
        _told(key, account.settings if key in OWNED else view)
        for pattern, keys in RULES[kind]
        if re.fullmatch(pattern, path)
        for key in keys
    ]
    if kind == "contact" and path.startswith("@collection"):
        found = [one for one in found if one["value"] == record.get("@collection")] or found
    return found + list(_rows(kind, path, record, account.settings if kind == "product" else view))


def _told(key: str, settings: Settings) -> dict[str, Any]:
    return {"setting": key, "value": settings[key], "scope": settings.source(key) or "built in"}


def _rows(kind: Kind, path: str, record: dict[str, Any], settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the rows of a mapping that gave a field."""
    key = f"{SECTIONS[kind]}.mapping"
    name: str | None = None
    if match := re.fullmatch(r"properties\.([^.\[]+).*", path):
        name = match[1]
    elif path in MAPPED[kind]:
        name = path
    elif kind == "product" and (match := re.match(r"attributes\[(\d+)\]", path)):
        entries = record.get("attributes") or []
        place = int(match[1])
        name = entries[place].get("type") if place < len(entries) else None
    if name is None:
        return
    for text in settings[key]:
        if any(row.name == name for row in mapped_attributes([text])):
            yield {"setting": key, "value": text, "scope": settings.source(key) or "built in"}


def _view_settings(path: str, record: dict[str, Any], account: Account, book: Book) -> Settings:
    """Return the settings of the store view that a field belongs to; the owner's where it is none's."""
    names = [record.get("store"), *(record.get("store_ids") or [])]
    listings = record.get("listings") or []
    match = re.match(r"listings\[(\d+)\]", path)
    place = int(match[1]) if match else 0
    if place < len(listings):
        names.append(listings[place].get("store"))
    by_name: dict[Any, Store] = {account.store_name(store): store for store in account.stores}
    store = next((by_name[name] for name in names if name in by_name), None)
    return book.settings(store.ref) if store else account.settings


def differences(now: Any, before: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, new value, old value) of each single value that differs; :data:`ABSENT` where there is none."""
    if isinstance(now, dict) and isinstance(before, dict):
        for key in dict.fromkeys((*now, *before)):
            inner = f"{path}.{key}" if path else key
            yield from differences(now.get(key, ABSENT), before.get(key, ABSENT), inner)
    elif isinstance(now, list) and isinstance(before, list):
        for place in range(max(len(now), len(before))):
            new, old = (row[place] if place < len(row) else ABSENT for row in (now, before))
            yield from differences(new, old, f"{path}[{place}]")
    elif now != before or type(now) is not type(before):
        yield path, now, before


def fields(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each single value of a record."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from fields(inner, f"{path}[{place}]")
    else:
        yield path
