"""Which store view a request is about, by what it names: a code in a REST path or header, else its host and path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.settings.places import store_at
from bridge.tracking.routes import GRAPHQL, rest_code

if TYPE_CHECKING:
    from bridge.settings import Book, Settings
    from bridge.tracking.wire import RequestHead

_CODE = re.compile(rb"[A-Za-z][A-Za-z0-9_]{0,63}")


def store_code(request: RequestHead) -> str | None:
    """Return the store code that a request names: in a REST path, or in the header that goes with GraphQL."""
    if request.path.rstrip(b"/").lower().endswith(GRAPHQL):
        named = (request.get(b"store") or b"").strip()
        return named.decode("ascii") if _CODE.fullmatch(named) else None
    return rest_code(request.path)


def settings_at(book: Book, host: bytes | str, code: str | None = None, path: str = "/") -> Settings:
    """Return the settings of the store view that is named, else of the one that the host and path lead to."""
    name = host if isinstance(host, str) else host.decode("latin-1")
    store = (book.store(code=code) if code else None) or store_at(name, book, path)
    return book.settings(store.ref if store else "default")
