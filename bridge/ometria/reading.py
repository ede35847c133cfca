"""Ometria's lists of what it holds: their addresses and answers. Values in, values out.

The documentation names the lists, ``limit`` (at most 250), ``offset`` and ``includeVariants``, not the answer's shape;
an array is taken, bare or under one of the usual names. What is no such array is no list, never an empty one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from bridge.errors import Retry
from bridge.ometria.answers import seconds

PAGE = 250
READ_BYTES = 16 * 1024 * 1024
"""A page of the largest records (60,000 bytes each) fits."""
NAMES = ("data", "results", "items", "contacts", "products", "orders")
CLOSED = {401, 403, 404, 405, 410}
"""The key may not read, or there is no such list."""
LATER_SECONDS = 60.0


def list_path(kind: str, offset: int, collection: str = "") -> str:
    """Return the address of a page below the API's base URL; of contacts, those of one collection."""
    query: dict[str, Any] = {"limit": PAGE, "offset": offset}
    if kind == "product":
        query["includeVariants"] = "true"
    if collection:
        query["collection"] = collection
    return f"/{kind}s?{urlencode(query)}"


def read_list(status: int, body: bytes, retry_after: str | None = None) -> list[dict[str, Any]] | None:
    """Return the records of a page, None where the list is closed to the key; raises :class:`Retry` for the rest."""
    if status in CLOSED:
        return None
    if status != 200:
        after = seconds(retry_after)
        raise Retry(f"Ometria's list could not be read ({status}).", LATER_SECONDS if after is None else after)
    try:
        data = msgspec.json.decode(body)
    except msgspec.DecodeError:
        data = None
    if isinstance(data, dict):
        data = next((data[name] for name in NAMES if isinstance(data.get(name), list)), None)
    if not isinstance(data, list):
        raise Retry("What answers is not one of Ometria's lists.", LATER_SECONDS)
    return [row for row in data if isinstance(row, dict)]
