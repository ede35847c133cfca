"""The read-only endpoints by which Ometria's old importer reads the shop, from the same mapping as what is pushed.

A page is found by walking the shop's list by id; where the next one begins is remembered, so that a reader who takes
one page after the other costs one walk. Nothing of the settings is ever in an answer.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
import redis
import structlog
from sqlalchemy import func, select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export.gather import Gatherer, Ready, asked
from bridge.export.names import namespaced
from bridge.export.pull_shapes import contact_row, order_row, product_row, subscriber_row
from bridge.export.routes import customer_store, stores_of
from bridge.export.sent import number_of
from bridge.models import Subscriber
from bridge.settings import DEFAULT, Account
from bridge.store import Customer, Order, Product

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.config import Config
    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.settings import Store as StoreView
    from bridge.store import Fetched, Listed, Store

KINDS: Final[dict[str, Kind]] = {"products": "product", "customers": "contact", "orders": "order"}
ACTIONS: Final = (*KINDS, "subscribers")
REMEMBERED_SECONDS: Final = 6 * 3600
NOT_VISIBLE: Final = 1
ID_DIGITS: Final = 9

log = structlog.get_logger()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a call asks for. Bounds of time are exclusive; ``ids`` are entity ids, of orders their numbers.

    ``number`` counts pages from 1. ``product_type`` is ``parent`` (with a page of its own) or ``variant``.
    """

    ids: list[str] | None = None
    website_ids: list[int] | None = None
    store_ids: list[int] | None = None
    created_since: dt.datetime | None = None
    created_before: dt.datetime | None = None
    updated_since: dt.datetime | None = None
    updated_before: dt.datetime | None = None
    product_type: str = ""
    listing: bool = False
    final_price: bool = False
    number: int = 1
    size: int = 100
    count: bool = False


class Mark(NamedTuple):
    """A place in the shop's list: the cursor of its page, and how many rows of that page lie before."""

    cursor: str | None = None
    skip: int = 0


class Pull:
    """Answers the calls. ``memory`` is Redis; without it every page is walked to from the beginning."""

    def __init__(self, store: Store, config: Config, memory: redis.Redis) -> None:
        self._store = store
        self._config = config
        self._memory = memory

    def answer(self, action: str, view: StoreView | None, book: Book, wanted: Wanted) -> Any:
        """Return the rows of a page, or ``{"count": n}``, for the account of the store view that was addressed.

        Raises :class:`bridge.errors.Retry` and :class:`bridge.errors.Misconfigured`.
        """
        account = account_at(view, book)
        if action == "subscribers":
            return _subscribers(account, wanted)
        reading = _Reading(self._store, self._config, account, book, wanted)
        if wanted.count:
            return {"count": reading.count(KINDS[action])}
        return self._page(action, reading)

    def _page(self, action: str, reading: _Reading) -> list[dict[str, Any]]:
        wanted = reading.wanted
        if wanted.ids is not None:
            start = (wanted.number - 1) * wanted.size
            return [row for _, row in reading.named(KINDS[action], wanted.ids)][start : start + wanted.size]
        pages = self._pages(action, reading)
        mark, before = pages.start(wanted.number)
        rows: list[dict[str, Any]] = []
        for at, row in reading.rows(KINDS[action], mark):
            rows.append(row)
            if len(rows) == wanted.size:
                pages.keep(wanted.number - before + 1, at)
                if not before:
                    return rows
                before, rows = before - 1, []
        return [] if before else rows

    def _pages(self, action: str, reading: _Reading) -> _Pages:
        whole = msgspec.structs.asdict(reading.wanted) | {"number": 0}
        named = [action, [store.ref for store in reading.account.stores], whole]
        return _Pages(self._memory, hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:32])


class _Pages:
    """Where the pages of one question begin."""

    def __init__(self, memory: redis.Redis, question: str) -> None:
        self._memory = memory
        self._key = f"bridge:pull:{question}"

    def start(self, number: int) -> tuple[Mark, int]:
        """Return where to start for a page, and how many pages lie between."""
        if number > 1:
            try:
                found: Any = self._memory.hget(self._key, str(number))
            except redis.RedisError:
                found = None
            if found is not None:
                return Mark(*msgspec.json.decode(found)), 0
        return Mark(), number - 1

    def keep(self, number: int, mark: Mark) -> None:
        """Remember where a page begins."""
        try:
            self._memory.hset(self._key, str(number), msgspec.json.encode(mark))
            self._memory.expire(self._key, REMEMBERED_SECONDS)
        except redis.RedisError:
            log.warning("page not remembered", next="the next one is walked to from the beginning")


class _Reading:
    """One call's way through the shop."""

    def __init__(self, store: Store, config: Config, account: Account, book: Book, wanted: Wanted) -> None:
        self._kept = _Kept(store)
        self._store = store
        self._config = config
        self.account = account
        self.book = book
        self.wanted = wanted

    def count(self, kind: Kind) -> int:
        """Return how many rows all pages have together."""
        if self.wanted.ids is not None:
            return sum(1 for _ in self.named(kind, self.wanted.ids))
        if self.wanted.product_type and kind == "product":
            return sum(1 for _ in self.rows(kind, Mark()))
        return sum(1 for _, row in self._listed(kind, Mark()) if self._fits(row))

    def rows(self, kind: Kind, start: Mark) -> Iterator[tuple[Mark, dict[str, Any]]]:
        """Yield rows from a place on, each with the place behind it."""
        waiting: list[tuple[Mark, EntityRef]] = []
        for mark, listed in self._listed(kind, start):
            if self._fits(listed):
                waiting.append((mark, listed.ref))
            if len(waiting) >= self.wanted.size:
                yield from self._made(waiting)
                waiting = []
        yield from self._made(waiting)

    def named(self, kind: Kind, ids: Sequence[str]) -> Iterator[tuple[Mark, dict[str, Any]]]:
        """Yield the rows of these ids; what the shop does not have, or another account's, is left out."""
        refs = []
        for id_ in dict.fromkeys(ids):
            if kind == "order":
                order = self._store.order_by_number(id_)
                refs += [EntityRef("order", order.id)] if order else []
            elif id_.isascii() and id_.isdecimal() and len(id_) <= ID_DIGITS:
                refs.append(EntityRef(kind, f"customer:{id_}" if kind == "contact" else id_))
        yield from self._made([(Mark(), ref) for ref in refs])

    def _listed(self, kind: Kind, start: Mark) -> Iterator[tuple[Mark, Listed]]:
        """Yield the shop's list from a place on: of what changed, where a time of change is asked for."""
        wanted = self.wanted
        if wanted.updated_since is not None:
            found = self._store.changed_since(kind, wanted.updated_since, wanted.updated_before or self._store.now())
            rows = sorted({number_of(row.ref): row for row in found}.items())
            yield from ((Mark(str(id_)), row) for id_, row in rows if id_ > int(start.cursor or 0))
            return
        cursor, skip = start
        while True:
            page = self._store.ids(kind, cursor, since=wanted.created_since, until=wanted.created_before)
            for at, row in enumerate(page.rows[skip:], start=skip + 1):
                yield Mark(cursor, at), row
            if page.cursor is None:
                return
            cursor, skip = page.cursor, 0

    def _fits(self, row: Listed) -> bool:
        """Return whether a row is the account's, and one of those that are asked for."""
        wanted = self.wanted
        stores = [store for store in stores_of(row, self.book) if store in self.account.stores]
        if wanted.website_ids is not None:
            stores = [store for store in stores if store.website_id in wanted.website_ids]
        if wanted.store_ids is not None:
            stores = [store for store in stores if store.id in wanted.store_ids]
        return (
            bool(stores)
            and _within(row.created_at, wanted.created_since, wanted.created_before)
            and _within(row.updated_at, wanted.updated_since, wanted.updated_before)
        )

    def _made(self, marked: Sequence[tuple[Mark, EntityRef]]) -> Iterator[tuple[Mark, dict[str, Any]]]:
        """Map entities in bulk. One that cannot be mapped is left out; the shop's own faults are raised."""
        gatherer = Gatherer(cast("Store", self._kept), self._config, self.account, self.book, dry=True)
        claimed = [asked(self.account.id, ref, self.account.owner) for _, ref in marked]
        outcomes = {outcome.row.ref: outcome for outcome in gatherer.gather(claimed) if isinstance(outcome, Ready)}
        for mark, ref in marked:
            outcome, entity = outcomes.get(ref), self._kept.seen.get(ref)
            if outcome is None:
                continue
            record = json.loads(outcome.record.body, parse_float=Decimal)
            row = self._row(entity, record)
            if row is not None:
                yield mark, row

    def _row(self, entity: Fetched | None, record: dict[str, Any]) -> dict[str, Any] | None:
        """Return the row of an entity, or None where it is not of the kind that is asked for."""
        match entity:
            case Customer():
                view = customer_store(entity.store_id, entity.website_id, self.book)
                return contact_row(entity, record, view)
            case Order():
                return order_row(entity, record, self.account)
            case Product() if self.wanted.product_type in {"", "variant" if _hidden(entity) else "parent"}:
                return product_row(
                    entity, record, self.account, listing=self.wanted.listing, final=self.wanted.final_price
                )
        return None


class _Kept:
    """A shop that remembers what was fetched from it: a record does not hold all that a row shows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seen: dict[EntityRef, Fetched] = {}

    def fetch(self, refs: Iterable[EntityRef], views: Sequence[str] = ()) -> dict[EntityRef, Fetched]:
        """Fetch, and remember."""
        found = self._store.fetch(refs, views)
        self.seen.update(found)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def account_at(view: StoreView | None, book: Book) -> Account:
    """Return the account that a store view's public key names, with all store views that have it.

    A shop that is only read has no key for pushing, so the account is made of the settings alone.
    """
    settings = book.settings(view.ref if view else DEFAULT)
    public = settings["general.account_id"]
    stores = tuple(store for store in book.stores if book.settings(store.ref)["general.account_id"] == public)
    owner = settings.source("general.account_id") or DEFAULT
    return Account("pull", "", owner, is_global=False, settings=book.settings(owner), stores=stores)


def _subscribers(account: Account, wanted: Wanted) -> Any:
    """Return newsletter subscribers without account, as far as bridge knows them: the shop's REST lists none."""
    stores = {
        store.code: store
        for store in account.stores
        if (wanted.store_ids is None or store.id in wanted.store_ids)
        and (wanted.website_ids is None or store.website_id in wanted.website_ids)
    }
    query = select(Subscriber).where(Subscriber.store.in_(list(stores)))
    if wanted.ids is not None:
        numbers = [int(id_) for id_ in wanted.ids if id_.isascii() and id_.isdecimal() and len(id_) <= ID_DIGITS]
        query = query.where(Subscriber.id.in_(numbers))
    if wanted.updated_since is not None:
        query = query.where(Subscriber.changed_at > wanted.updated_since.timestamp())
    if wanted.updated_before is not None:
        query = query.where(Subscriber.changed_at < wanted.updated_before.timestamp())
    if wanted.count:
        return {"count": int(db.session.scalar(select(func.count()).select_from(query.subquery())) or 0)}
    page = query.order_by(Subscriber.id).offset((wanted.number - 1) * wanted.size).limit(wanted.size)
    return [
        subscriber_row(namespaced(account, "contact", str(row.id)), row.email, row.status, stores[row.store])
        for row in db.session.scalars(page)
    ]


def _within(moment: dt.datetime | None, since: dt.datetime | None, before: dt.datetime | None) -> bool:
    """Return whether a moment lies between two, both excluded; one that is not known lies nowhere."""
    if since is None and before is None:
        return True
    return moment is not None and (since is None or moment > since) and (before is None or moment < before)


def _hidden(product: Product) -> bool:
    """Return whether no store view shows a page of the product."""
    return all(view.visibility == NOT_VISIBLE for view in product.views.values())
