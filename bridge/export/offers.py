"""What bridge offers to staff after a change in the shop: pictures that have moved to another host.

A picture's address is part of every product's record, and no product says that it changed when the shop's media
address does. Nothing is exported by itself: a catalogue may take hours.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bridge.export import cursors, history

if TYPE_CHECKING:
    from bridge.settings import Book

MEDIA = "offer:media"


def media_moved(before: Book, after: Book) -> bool:
    """Note the store views whose media address differs from before; return whether there are any. Commits.

    The scheme counts too: a record's address is a text. A store view that is new has no products yet.
    """
    known = {store.code: store.media_url for store in before.stores}
    moved = {
        store.code: [known[store.code], store.media_url]
        for store in after.stores
        if known.get(store.code) and store.media_url and known[store.code] != store.media_url
    }
    if moved:
        kept = cursors.read(MEDIA).get("stores") or {}
        merged = {code: [kept.get(code, pair)[0], pair[1]] for code, pair in moved.items()}
        cursors.save(MEDIA, {"at": time.time(), "stores": {**kept, **merged}})
    return bool(moved)


def media() -> dict[str, Any] | None:
    """Return ``{"at", "stores": {code: [old, new]}}`` while a product export is to be offered, else None.

    It ends when one was begun since, or somebody said no.
    """
    note = cursors.read(MEDIA)
    if not note:
        return None
    begun = (walk for walk in history.progress() if walk.kind == "product" and walk.began > note["at"])
    return None if any(not walk.since and not walk.until for walk in begun) else note


def decline() -> None:
    """Forget the offer. Commits."""
    cursors.clear(MEDIA)
