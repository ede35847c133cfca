"""Which accounts an entity of the shop is owed to. Pure functions over the book.

An order and a customer belong to their store view, a product to every store view of its websites. A customer whose
store view is 0 or gone (made in the administration) belongs to the default store view of its website.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.settings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.settings import Account, Book, Store
    from bridge.store import Listed


def customer_store(store_id: int | None, website_id: int | None, book: Book) -> Store | None:
    """Return the store view that a customer belongs to."""
    if store_id and (found := book.store(id=store_id)):
        return found
    own = [store for store in book.stores if store.website_id == website_id]
    return next((store for store in own if store.is_default), own[0] if own else None)


def stores_of(row: Listed, book: Book) -> tuple[Store, ...]:
    """Return the store views that a listed entity belongs to."""
    if row.ref.kind == "product":
        return tuple(store for store in book.stores if store.website_id in row.website_ids)
    if row.ref.kind == "contact":
        found = customer_store(row.store_id, row.website_ids[0] if row.website_ids else None, book)
    else:
        found = book.store(id=row.store_id) if row.store_id is not None else None
    return (found,) if found else ()


def owed(row: Listed, book: Book, scope: str = DEFAULT) -> Iterator[tuple[Account, str]]:
    """Yield each account that the entity is owed to by a store view in ``scope``, with the scope by which it is."""
    stores = tuple(store for store in stores_of(row, book) if within(scope, store, book))
    for account in book.accounts_of(stores):
        yield account, next(store.ref for store in stores if store in account.stores)


def event_store(code: str | None, host: str, book: Book) -> Store | None:
    """Return the store view that traffic belongs to: by its code, else by host name, else the default one."""
    if code and (found := book.store(code=code)):
        return found
    name = urlsplit(f"//{host}").hostname
    same = [store for store in book.stores if name and urlsplit(store.base_url).hostname == name]
    return next((store for store in same if store.is_default), same[0] if same else book.default_store)


def within(scope: str, store: Store, book: Book) -> bool:
    """Return whether a store view lies in a scope."""
    return scope in book.lineage(store.ref)
