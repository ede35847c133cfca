"""Attributes: their codes, and the labels of options in a store view's words, one small call each, kept for an hour."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bridge.store import magento_read as read
from bridge.store.entities import AttributeInfo
from bridge.store.magento_faults import NotTaken, NotThere
from bridge.store.magento_search import criteria

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.events import Kind
    from bridge.store.magento_rest import Rest

ROUTES: dict[Kind, str] = {"product": "products/attributes/{}", "contact": "attributeMetadata/customer/attribute/{}"}
"""Orders have no attributes of their own. Products' are found by code and by id alike."""
CODES_PAGE = 200
CODES_PAGES_MOST = 50
KEPT_SECONDS = 3600.0
FRESH_SECONDS = 60.0
"""How old what is kept may be when something newer is asked for: an option that is gone is asked about each time."""


class Attributes:
    """Reads attributes by code or id; what the shop does not have is kept as such."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._kept: dict[tuple[Kind, str, str], tuple[float, AttributeInfo | None]] = {}

    def read(self, kind: Kind, names: Iterable[str], view: str, *, fresh: bool) -> dict[str, AttributeInfo]:
        """Return what the shop has of these, by the name that was asked for."""
        found: dict[str, AttributeInfo] = {}
        for name in dict.fromkeys(names):
            key, now = (kind, view, name), time.monotonic()
            read_at, info = self._kept.get(key, (None, None))
            if read_at is None or now - read_at > (FRESH_SECONDS if fresh else KEPT_SECONDS):
                info = self._ask(kind, name, view)
                self._kept[key] = (now, info)
            if info is not None:
                found[name] = info
        return found

    def codes(self, kind: Kind) -> list[str]:
        """Return the codes of all attributes; of what has none of its own, or where the shop has no such list, none."""
        try:
            if kind == "contact":
                return _codes(self._rest.get("attributeMetadata/customer").data)
            return self._product_codes() if kind == "product" else []
        except (NotThere, NotTaken):
            return []

    def _product_codes(self) -> list[str]:
        found: dict[str, None] = {}
        for page in range(1, CODES_PAGES_MOST + 1):
            query = criteria(sort=["attribute_id"], size=CODES_PAGE, page=page)
            rows = _codes(read.table(self._rest.get("products/attributes", query).data).get("items"))
            before = len(found)
            found |= dict.fromkeys(rows)
            if len(rows) < CODES_PAGE or len(found) == before:  # behind its last page Magento answers that page again
                break
        return list(found)

    def _ask(self, kind: Kind, name: str, view: str) -> AttributeInfo | None:
        route = ROUTES.get(kind)
        if route is None or not name.replace("_", "").isalnum() or not name.isascii():
            return None
        try:
            raw = read.table(self._rest.get(route.format(name), store=view or "all").data)
        except (NotThere, NotTaken):
            return None
        return _info(raw) if raw.get("attribute_code") else None


def _codes(rows: Any) -> list[str]:
    return [code for row in read.rows(rows) if (code := read.text(row.get("attribute_code")))]


def _info(raw: dict[str, Any]) -> AttributeInfo:
    """Return an attribute; the blank option that Magento puts first is none."""
    pairs = ((read.text(row.get("value")), read.text(row.get("label"))) for row in read.rows(raw.get("options")))
    return AttributeInfo(
        id=str(raw.get("attribute_id") or ""),
        code=str(raw["attribute_code"]),
        input=read.text(raw.get("frontend_input")) or "text",
        options={value: label for value, label in pairs if value and label},
    )
