"""The stock sweep: what a website can sell, compared with what it could at the sweep before.

A stock move touches no product's ``updated_at``. Where a product can be sold now and could not before, or the other way
round, it is owed at once; so is a product that the list does not name any more, which the session then asks for alone
before it says that it is gone. The first whole sweep of a website only learns.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, func, select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, ease, ledger
from bridge.export.ledger import Owed
from bridge.models import CatalogItem, StockLevel
from bridge.settings import DEFAULT
from bridge.writing import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bridge.settings import Book
    from bridge.store import Page, Store

PREFIX = "stock:"
SHARE_SECONDS = 20.0
CHUNK = 200
SKU_MOST = 255
GONE_AT_ONCE = 500

log = structlog.get_logger()


def sweep(
    store: Store, book: Book, *, hold: Callable[[], object] = lambda: None, now: float | None = None
) -> tuple[bool, set[str]]:
    """Go on with the websites that are due; return whether there is more to do, and the accounts concerned.

    Raises ``Retry`` and ``Misconfigured``; the sweep is then taken up again where it was.
    """
    moment = time.time() if now is None else now
    end = time.monotonic() + SHARE_SECONDS
    touched: set[str] = set()
    for website in sorted({view.website for account in book.accounts() for view in account.stores}):
        _begin(website, moment, float(book.settings(DEFAULT)["export.stock_minutes"]) * 60)
        while not (note := cursors.read(PREFIX + website)).get("ended"):
            db.session.commit()
            if time.monotonic() > end or ease.rests():
                return not ease.rests(), touched
            hold()
            touched |= _step(website, note, store, book)
    return False, touched


def _begin(website: str, now: float, period: float) -> None:
    note = cursors.read(PREFIX + website)
    if ease.begins(note, now, period):
        fresh = {"began": now, "after": None, "number": int(note.get("number") or 0) + 1, "seen": 0, "ended": None}
        cursors.save(PREFIX + website, {**fresh, "learnt": bool(note.get("learnt"))})


def _step(website: str, note: dict[str, Any], store: Store, book: Book) -> set[str]:
    began = time.monotonic()
    page = store.stock(website, note.get("after"))
    spent = time.monotonic() - began
    if not cursors.still(PREFIX + website, note):
        return set()
    if page is None:
        log.info("no stock list", website=website, next="the rolling sweep looks at each product's stock")
        cursors.write(PREFIX + website, {**note, "ended": time.time(), "without": True})
        db.session.commit()
        return set()
    changed = _changed(website, page, note)
    seen = int(note["seen"]) + len(page.rows)
    last = page.cursor is None
    if last and seen:
        changed += _vanished(website, int(note["number"]))
    touched = ledger.add(_owed(website, changed, book), "live")
    told = {"after": page.cursor, "seen": seen, "ended": time.time() if last else None}
    cursors.write(PREFIX + website, {**note, **told, "learnt": bool(note.get("learnt")) or (last and seen > 0)})
    db.session.commit()
    ease.took("list:stock", spent)
    return touched


def _changed(website: str, page: Page, note: dict[str, Any]) -> list[str]:
    """Keep a page of levels; return the SKUs whose level is another than before."""
    levels = {row.sku: row.salable for row in page.rows if len(row.sku) <= SKU_MOST}
    known = _known(website, list(levels))
    rows = [{"website": website, "sku": sku, "salable": salable} for sku, salable in levels.items()]
    put(StockLevel, [{**row, "sweep": int(note["number"])} for row in rows], ("website", "sku"))
    # What is new in a list that was read before came to the website: no row of a product tells of a mass action.
    new = note.get("learnt")
    return [sku for sku, salable in levels.items() if known.get(sku, None if new else salable) != salable]


def _known(website: str, skus: Sequence[str]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for start in range(0, len(skus), CHUNK):
        query = select(StockLevel.sku, StockLevel.salable).where(
            StockLevel.website == website, StockLevel.sku.in_(skus[start : start + CHUNK])
        )
        found.update({row.sku: row.salable for row in db.session.execute(query)})
    return found


def _vanished(website: str, number: int) -> list[str]:
    """Return the SKUs that this sweep did not see, and forget them.

    Where most of the list is missing the list is to blame, and nothing is forgotten.
    """
    old = (StockLevel.website == website, StockLevel.sweep != number)
    gone = db.session.scalar(select(func.count()).where(*old)) or 0
    whole = db.session.scalar(select(func.count()).where(StockLevel.website == website)) or 0
    if gone > GONE_AT_ONCE and gone * 2 > whole:
        log.warning("stock list lacks most", website=website, missing=gone, next="looked at again in the next sweep")
        return []
    skus = list(db.session.scalars(select(StockLevel.sku).where(*old)))
    db.session.execute(delete(StockLevel).where(*old).execution_options(synchronize_session=False))
    return skus


def _owed(website: str, skus: Iterable[str], book: Book) -> list[Owed]:
    """Return what is owed for SKUs whose product is known; what bridge never read was never sent either."""
    wanted = list(skus)
    found: list[Owed] = []
    for start in range(0, len(wanted), CHUNK):
        query = select(CatalogItem.product).where(CatalogItem.sku.in_(wanted[start : start + CHUNK]))
        for product in db.session.scalars(query):
            found += [
                Owed(account.id, EntityRef("product", product), account.owner)
                for account in book.accounts()
                if any(view.website == website for view in account.stores)
            ]
    return found
