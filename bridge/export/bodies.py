"""The last record that each account was sent, packed and encrypted: what the preview compares with.

Where ``privacy.keep_sent`` is off only the fingerprint in :mod:`bridge.export.sent` is kept, and what was kept before
goes with the next sending.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete

from bridge.db import db, vault
from bridge.models import SentBody
from bridge.writing import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.events import EntityRef

CHUNK = 100
LEVEL = 1
"""Of the packing: more saves a few bytes of a record and costs twice the time."""


def keep(account: str, rows: Sequence[tuple[EntityRef, bytes]]) -> None:
    """Keep the JSON of records. No commit."""
    values = [
        {"account": account, "kind": ref.kind, "entity": ref.id, "body": vault.seal(zlib.compress(body, LEVEL))}
        for ref, body in rows
    ]
    put(SentBody, values, ("account", "kind", "entity"))


def forget(account: str, refs: Sequence[EntityRef]) -> None:
    """Delete what is kept of these entities. No commit."""
    for kind in sorted({ref.kind for ref in refs}):
        ids = [ref.id for ref in refs if ref.kind == kind]
        for start in range(0, len(ids), CHUNK):
            gone = delete(SentBody).where(
                SentBody.account == account, SentBody.kind == kind, SentBody.entity.in_(ids[start : start + CHUNK])
            )
            db.session.execute(gone.execution_options(synchronize_session=False))


def read(account: str, ref: EntityRef) -> dict[str, Any] | None:
    """Return the record that the account was sent last, None where none is kept."""
    row = db.session.get(SentBody, (account, ref.kind, ref.id), populate_existing=True)
    if row is None:
        return None
    found: dict[str, Any] = msgspec.json.decode(zlib.decompress(vault.unseal(row.body)))
    return found
