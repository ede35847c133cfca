"""Which store view a host and path lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from bridge.settings.book import Book, Store


def store_at(host: str, book: Book, path: str = "/") -> Store | None:
    """Return the store view that a host and path lead to.

    Of several the one with the longest base path that fits, and among equals the default one of its website; of none
    at this host, the shop's default one.
    """
    name = host.partition(":")[0].lower()
    there = [store for store in book.stores if store.active and _parts(store).hostname == name]
    fits = [store for store in there if path.startswith(base_path(store))]
    longest = max((len(base_path(store)) for store in fits), default=0)
    near = [store for store in fits if len(base_path(store)) == longest] or there
    return next((store for store in near if store.is_default), near[0] if near else book.default_store)


def base_path(store: Store) -> str:
    """Return the path below which a store view's pages lie, with a slash at its end."""
    return _parts(store).path.rstrip("/") + "/"


def _parts(store: Store) -> SplitResult:
    return urlsplit(store.link_url or store.base_url)
