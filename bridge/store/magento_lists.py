"""Magento's lists: pages, walks by keyset, and what changed, past rows at which the shop fails.

Lists are walked by keyset (``entity_id gt last``, ascending, always page 1): offsets shift when rows move, and a page
past the end may repeat the last one. Every list must bring ``total_count``; an answer without it is not "no rows".

One broken row makes every page that holds it fail, even a page of ids, since Magento loads whole entities for it.
Where small pages fail too, the walk goes on by ranges of ids that halve until the broken row stands alone; it is named
in ``Page.broken`` and stepped over. The cursor ``LAST/WIDTH`` keeps the range between calls, so that each call asks
the shop little and a walk that was killed goes on within the range; ``LAST/WIDTH/REST`` says, too, that the broken row
is in the range or in the REST behind it, which need not be asked for as a whole again.
"""

from __future__ import annotations

import datetime as dt
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from bridge.errors import Misconfigured, Stumbled
from bridge.events import EntityRef
from bridge.store import magento_read as read
from bridge.store.entities import Listed, Page
from bridge.store.magento_faults import ODD_SECONDS, NotTaken, NotThere, later
from bridge.store.magento_search import Filter, Query, criteria, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bridge.events import Kind
    from bridge.store.magento_rest import Answer

ROUTES: dict[Kind, str] = {"contact": "customers/search", "product": "products", "order": "orders"}
SIZES: dict[Kind, int] = {"contact": 300, "product": 100, "order": 100}
"""Rows a page: what costs about half a second, and at most the usual limit of the shop (300)."""
LIGHT: dict[Kind, str] = {
    "contact": "items[id,created_at,updated_at,store_id,website_id],total_count",
    "product": "items[id,sku,created_at,updated_at,extension_attributes[website_ids]],total_count",
    "order": "items[entity_id,created_at,updated_at,store_id],total_count",
}
SMALLEST = 10
LESS_SECONDS = 20.0
"""How long a page at which the shop fails is asked for again with fewer rows: less than a walk holds its lock."""
FIRST_WIDTH = 16
WIDEST = 1024
"""From this width on, a range with rows in it is left for plain pages again."""
NO_MORE = 2**40
"""A range as wide as this that is empty is the end of the list."""

Rows = tuple[list[dict[str, Any]], int]
"""The rows of a page and the shop's count of all that match."""

log = structlog.get_logger()


class Lists:
    """Reads lists through ``get``; ``now`` asks the shop something small and raises where it is away as a whole."""

    def __init__(self, get: Callable[[str, Query | None], Answer], now: Callable[[], object]) -> None:
        self._get = get
        self._now = now

    def page(
        self,
        route: str,
        filters: list[Filter],
        sort: tuple[str, ...],
        size: int,
        fields: str | None,
        *,
        less_on: type[Stumbled] = NotTaken,
    ) -> Rows:
        """Return the rows of page 1 and the shop's count; a shop with a lower page limit is asked for less.

        With ``less_on`` :class:`Stumbled` a page at which the shop fails is asked for with fewer rows, too.
        """
        end = time.monotonic() + LESS_SECONDS
        while True:
            query = criteria(filters, sort=sort, size=size)
            if fields:
                query.append(("fields", fields))
            try:
                return rows_of(self._get(route, query))
            except less_on:
                if size <= SMALLEST or time.monotonic() > end:
                    raise
                size //= 2

    def rows(
        self,
        route: str,
        key: str,
        only: list[Filter],
        size: int,
        fields: str | None = None,
        *,
        after: int = 0,
        less_on: type[Stumbled] = NotTaken,
    ) -> Iterator[dict[str, Any]]:
        """Yield every row for which ``only`` holds by ascending ``key``, a number, from above ``after`` on."""
        last = after
        while True:
            raws, total = self.page(route, [*only, (key, "gt", str(last))], (key,), size, fields, less_on=less_on)
            yield from raws
            if not raws or len(raws) >= total:
                return
            last = _beyond(last, (read.whole(raw.get(key)) for raw in raws))

    def walk(
        self,
        kind: Kind,
        cursor: str | None,
        fields: str | None,
        make: Callable[[dict[str, Any]], Any],
        only: list[Filter] | None = None,
    ) -> Page:
        """Return a page by ascending id of the rows for which ``only`` holds; see the module on broken rows."""
        last, *span = (cursor or "0").split("/")
        filters: list[Filter] = [*(only or []), ("entity_id", "gt", last)]
        if span:
            width, rest = (*map(int, span), 0)[:2]
            return self._range(kind, (int(last), width, rest), fields, make, filters)
        try:
            raws, total = self._sure(kind, filters, fields, less_on=Stumbled)
        except Stumbled as error:
            self._look_for_life(error)
            return Page(rows=(), cursor=f"{last}/{FIRST_WIDTH}", left=0)
        more = bool(raws) and len(raws) < total
        return Page(rows=_made(raws, make), cursor=advance(kind, raws, last) if more else None, left=total)

    def _sure(
        self, kind: Kind, filters: list[Filter], fields: str | None, *, less_on: type[Stumbled] = NotTaken
    ) -> Rows:
        """Return a page by ascending id; that there are no rows is believed when it is said twice."""
        for _ in range(2):
            found = self.page(ROUTES[kind], filters, ("entity_id",), SIZES[kind], fields, less_on=less_on)
            if found[0]:
                break
        return found

    def _range(
        self,
        kind: Kind,
        span: tuple[int, int, int],
        fields: str | None,
        make: Callable[[dict[str, Any]], Any],
        filters: list[Filter],
    ) -> Page:
        last, width, rest = span
        ranged: list[Filter] = [*filters, ("entity_id", "lteq", str(last + width))]
        try:
            raws, total = self._sure(kind, ranged, fields)
        except Stumbled as error:
            self._look_for_life(error)
            if width > 1:
                return Page(rows=(), cursor=_halved(last, width), left=0)
            self._others_answer(kind, last, fields, error)
            return Page(rows=(), broken=(_ref(kind, last + 1),), cursor=f"{last + 1}/2", left=0)
        reached = int(advance(kind, raws, str(last))) if 0 < len(raws) < total else last + width
        following: str | None
        if rest and reached == last + width:
            following = _halved(reached, rest)
        elif not raws:
            following = f"{reached}/{width * 4}" if width < NO_MORE else None
        else:
            following = str(reached) if width >= WIDEST else f"{reached}/{width * 2}"
        return Page(rows=_made(raws, make), cursor=following, left=0)

    def _look_for_life(self, fault: Stumbled) -> None:
        """Raise ``fault`` unless the shop answers a small question: else it fails at everything, not at this list."""
        try:
            self._now()
        except Stumbled:
            raise fault from None

    def _others_answer(self, kind: Kind, last: int, fields: str | None, fault: Stumbled) -> None:
        """Raise ``fault`` unless the shop can list some other entity: else it fails at all of them, not at one."""
        others: tuple[Filter, ...] = (
            ("entity_id", "lteq", str(last)),
            ("entity_id", "gt", str(last + 1)),
            ("entity_id", "gt", str(last + WIDEST)),
        )
        for other in others:
            try:
                raws, _ = self.page(ROUTES[kind], [other], ("entity_id",), 1, fields)
            except Stumbled:
                continue
            if raws:
                return
        raise fault

    def changes(self, kind: Kind, since: dt.datetime, until: dt.datetime) -> Iterator[Listed]:
        """Yield every row changed within the two moments, oldest first; a broken row is left out and logged.

        A span at which the shop fails is halved down to the second; within that, ranges of ids step over the row.
        """
        seen: set[EntityRef] = set()
        spans = [(since.replace(microsecond=0), until)]
        while spans:
            start, end = spans.pop()
            try:
                for row in self._changes(kind, start, end, seen):
                    start = max(start, (row.updated_at or start).replace(microsecond=0))
                    yield row
            except Stumbled as error:
                self._look_for_life(error)
                seconds = int((end - start).total_seconds())
                if seconds < 1:
                    yield from self._second(kind, start, seen)
                    continue
                middle = start + dt.timedelta(seconds=seconds // 2)
                spans += [(middle + dt.timedelta(seconds=1), end)] if middle < end else []
                spans.append((start, middle))

    def _changes(self, kind: Kind, start: dt.datetime, until: dt.datetime, seen: set[EntityRef]) -> Iterator[Listed]:
        """Yield by keyset over (``updated_at``, ``entity_id``).

        A row that is changed again meanwhile leaves the window without shifting the others out of sight. A second
        with more rows than a page is drained by entity id.
        """
        while start <= until:
            window: list[Filter] = [
                ("updated_at", "gteq", moment(start)),
                ("updated_at", "lteq", moment(until)),
            ]
            sort = ("updated_at", "entity_id")
            raws, total = self.page(ROUTES[kind], window, sort, SIZES[kind], LIGHT[kind], less_on=Stumbled)
            rows = [row for row in (read.listed(kind, raw) for raw in raws) if row]
            yield from _new(rows, seen)
            if len(raws) >= total or not rows:
                return
            last = rows[-1].updated_at
            if last is None or last < start:
                raise later("The shop's list is not in the order that was asked for", ODD_SECONDS)
            if last.replace(microsecond=0) == start.replace(microsecond=0):
                yield from self._second(kind, last, seen)
                last += dt.timedelta(seconds=1)
            start = last

    def _second(self, kind: Kind, second: dt.datetime, seen: set[EntityRef]) -> Iterator[Listed]:
        cursor: str | None = "0"
        only: list[Filter] = [("updated_at", "eq", moment(second))]
        while cursor is not None:
            page = self.walk(kind, cursor, LIGHT[kind], lambda raw: read.listed(kind, raw), only)
            for ref in page.broken:
                log.warning("row not listed", kind=kind, id=ref.id, next="the sweeps look at it again")
            yield from _new(list(page.rows), seen)
            cursor = page.cursor


def _ref(kind: Kind, id_: int) -> EntityRef:
    return EntityRef(kind, f"customer:{id_}" if kind == "contact" else str(id_))


def _halved(last: int, width: int) -> str:
    """Return the cursor for the lower half of a range that holds the broken row."""
    half = width // 2
    return f"{last}/{half}/{width - half}" if half else f"{last}/1"


def _made(raws: list[dict[str, Any]], make: Callable[[dict[str, Any]], Any]) -> tuple[Any, ...]:
    return tuple(found for found in (make(raw) for raw in raws) if found is not None)


def _new(rows: list[Listed], seen: set[EntityRef]) -> Iterator[Listed]:
    for row in rows:
        if row.ref not in seen:
            seen.add(row.ref)
            yield row


@contextmanager
def every_route() -> Iterator[None]:
    """Say what to change where the shop lacks a route that bridge cannot do without."""
    try:
        yield
    except NotThere as error:
        said = str(error).removesuffix(".")
        raise Misconfigured(
            f"{said}: BRIDGE_STORE_URL or BRIDGE_STORE_REST_URL must lead to a Magento 2 shop with this route."
        ) from None


def rows_of(answer: Answer) -> Rows:
    """Return the rows and the count of a list answer; without a count it is not a list of the shop."""
    data = read.table(answer.data)
    total = read.whole(data.get("total_count"))
    if total is None:
        raise later("The shop answered a list without its total_count", ODD_SECONDS)
    return read.rows(data.get("items")), total


def advance(kind: Kind, raws: list[dict[str, Any]], last: str) -> str:
    """Return the greatest id of a page, or refuse to go round in circles."""
    return str(_beyond(int(last), (read.whole(read.entity_id(kind, raw)) for raw in raws)))


def _beyond(last: int, found: Iterable[int | None]) -> int:
    newest = max((one or 0 for one in found), default=0)
    if newest <= last:
        raise later("The shop gave the same page again instead of the next one", ODD_SECONDS)
    return newest
