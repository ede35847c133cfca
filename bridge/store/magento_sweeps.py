"""What Magento tells of changes that leave ``updated_at`` where it was: stock, and documents of orders.

A partial shipment of an order in progress does not touch the order's row; a new shipment, invoice or credit memo is
listed by its own time. Stock moves touch no product. The stock list is paged by number: its ``total_count`` is the
count of the page, so that it ends with the first page that is not full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import Stumbled
from bridge.events import EntityRef
from bridge.store import magento_read as read
from bridge.store.entities import Level, Listed, Page, Paper
from bridge.store.magento_faults import ODD_SECONDS, NotThere, later
from bridge.store.magento_search import Filter, criteria, moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from bridge.store.magento_lists import Lists
    from bridge.store.magento_rest import Rest

STOCK_SIZE = 300
STOCK_SMALLEST = 10
PAPER_SIZE = 100
PAPERS = {"shipment": "shipments", "invoice": "invoices", "credit_memo": "creditmemos"}
"""Document -> the route that lists it."""
PAPER_FIELDS = "items[entity_id,order_id,store_id,created_at],total_count"


def papers(lists: Lists, since: dt.datetime, until: dt.datetime) -> Iterator[Paper]:
    """Yield the documents of orders made within the two moments, both included, each once, kind after kind."""
    for kind, route in PAPERS.items():
        made: list[Filter] = [("created_at", "gteq", moment(since)), ("created_at", "lteq", moment(until))]
        raws = lists.rows(route, "entity_id", made, PAPER_SIZE, PAPER_FIELDS, less_on=Stumbled)
        yield from (found for raw in raws if (found := _paper(kind, raw)) is not None)


def _paper(kind: str, raw: dict[str, Any]) -> Paper | None:
    id_, order = read.whole(raw.get("entity_id")), read.whole(raw.get("order_id"))
    if not id_ or not order:
        return None
    made = read.moment(raw.get("created_at"))
    row = Listed(ref=EntityRef("order", str(order)), updated_at=made, store_id=read.whole(raw.get("store_id")))
    return Paper(id=f"{kind}:{id_}", order=row)


def stock_page(rest: Rest, website: str, cursor: str | None) -> Page | None:
    """Return a page of what a website can sell; None where the shop has no multi-source inventory.

    ``cursor`` is ``SIZE/NUMBER/FIRST``: the page size that the shop takes, the number of the page, and the first SKU
    of the page before, by which a shop is noticed that repeats its last page.
    """
    size, number, before = _place(cursor)
    query = criteria(sort=["sku"], size=size, page=number)
    query.append(("fields", "items[sku,is_salable],total_count"))
    try:
        data = read.table(rest.get(f"inventory/export-stock-salable-qty/website/{website}", query).data)
    except NotThere:
        return None
    except Stumbled:
        if size <= STOCK_SMALLEST or number > 1:
            raise
        return stock_page(rest, website, f"{size // 2}/1/")
    if read.whole(data.get("total_count")) is None:
        raise later("The shop answered a list without its total_count", ODD_SECONDS)
    raws = [raw for raw in read.rows(data.get("items")) if raw.get("sku")]
    first = str(raws[0]["sku"]) if raws else ""
    if number > 1 and first == before:
        return Page(rows=(), cursor=None, left=0)
    rows = tuple(Level(sku=str(raw["sku"]), salable=read.flag(raw.get("is_salable"))) for raw in raws)
    return Page(rows=rows, cursor=f"{size}/{number + 1}/{first}" if len(raws) >= size else None, left=len(rows))


def _place(cursor: str | None) -> tuple[int, int, str]:
    if cursor is None:
        return STOCK_SIZE, 1, ""
    size, number, before = cursor.split("/", 2)
    return int(size), int(number), before
