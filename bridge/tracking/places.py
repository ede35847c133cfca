"""Which store view a request is about, by what it names: a code in a REST path or header, else its host and path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.tracking.routes import GRAPHQL, rest_code

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from bridge.settings import Book, Settings, Store
    from bridge.tracking.wire import RequestHead

_CODE = re.compile(rb"[A-Za-z][A-Za-z0-9_]{0,63}")


def store_code(request: RequestHead) -> str | None:
    """Return the store code that a request names: in a REST path, or in the header that goes with GraphQL."""
    if request.path.rstrip(b"/").lower().endswith(GRAPHQL):
        named = (request.get(b"store") or b"").strip()
        return named.decode("ascii") if _CODE.fullmatch(named) else None
    return rest_code(request.path)


def store_at(host: bytes | str, book: Book, path: str = "/") -> Store | None:
    """Return the store view that a host and path lead to.

    Of several the one with the longest base path that fits, and among equals the default one of its website; of none
    at this host, the shop's default one.
    """
    name = (host if isinstance(host, str) else host.decode("latin-1")).partition(":")[0].lower()
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


def settings_at(book: Book, host: bytes | str, code: str | None = None, path: str = "/") -> Settings:
    """Return the settings of the store view that is named, else of the one that the host and path lead to."""
    store = (book.store(code=code) if code else None) or store_at(host, book, path)
    return book.settings(store.ref if store else "default")
