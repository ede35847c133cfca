"""Claimed rows -> records: reads the shop in bulk and maps, one outcome a row.

A row never stops another: what goes wrong with one entity is the outcome of its own row. Only what concerns the whole
shop (it does not answer, it refuses the token) is raised.
"""

from __future__ import annotations

import datetime as dt
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry, Skipped, Stumbled
from bridge.events import EntityRef
from bridge.export import catalog, ledger, people, quality, sent, steps
from bridge.export.entail import entailed_by
from bridge.export.labels import labels_of
from bridge.export.map_products import Beside, gone_record
from bridge.export.mapping import (
    Mapped,
    contact_record,
    guest_record,
    mapped,
    order_record,
    product_record,
    with_parent,
)
from bridge.export.options import options_of_customer, options_of_order
from bridge.export.routes import customer_store, event_store
from bridge.store import Customer, Gone, Order, Product
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bridge.config import Config
    from bridge.export.labels import Labels
    from bridge.export.ledger import Claimed
    from bridge.export.records import Record
    from bridge.settings import Account, Book
    from bridge.settings import Store as StoreView
    from bridge.store import Fetched, Store

Found = TypeVar("Found")
VIEWED_MOST = 300
"""Products times store views that are read before the rows are held for longer."""
ATTEMPTS_MOST = 5
MISSING_SECONDS = 30.0
ODD_SECONDS = 300.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """A record to send. ``ref`` is the entity it is of, where the row named it by a number or an e-mail.

    ``warnings`` are the rules of data quality that it breaks and that are to be told.
    """

    row: Claimed
    ref: EntityRef
    record: Mapped
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aside:
    """The row is kept with the reason for which it cannot be sent; ``broken`` are the rules of data quality, if any."""

    row: Claimed
    reason: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nothing has to be sent for the row."""

    row: Claimed
    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """The row is tried again, and this try counts."""

    row: Claimed
    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The shop answers, but fails at this entity."""

    reason: str


Outcome = Ready | Aside | Dropped | Later


class Gatherer:
    """Reads and maps for one account; what an entity entails is owed at once, unless ``dry``."""

    def __init__(
        self,
        store: Store,
        config: Config,
        account: Account,
        book: Book,
        *,
        dry: bool = False,
        hold: Callable[[], object] = lambda: None,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Take what to read by; ``hold`` is called before each question to the shop, since many take their time.

        ``clock`` tells which special prices count.
        """
        self._dry = dry
        self._hold = hold
        self._clock = clock
        self._store = store
        self._secrets = config.secret_keys
        self._account = account
        self._book = book
        self._views = [view.code for view in account.stores]
        self._skus: dict[str, str] = {}
        self._orphans: set[EntityRef] = set()
        self._entailed: set[EntityRef] = set()
        self._noted: set[str] = set()
        self._mapped: list[tuple[Claimed, Order, StoreView]] = []

    def entailed(self) -> set[EntityRef]:
        """Return what orders read since the last call entailed: it goes out before them."""
        found, self._entailed = self._entailed, set()
        return found

    def gather(self, rows: Iterable[Claimed]) -> list[Outcome]:
        """Return an outcome for every row, in any order. Raises :class:`Retry` and :class:`Misconfigured`."""
        held = list(rows)
        found: list[Outcome] = []
        for kind, work in (("product", self._products), ("contact", self._contacts), ("order", self._orders)):
            own = [row for row in held if row.ref.kind == kind]
            if own:
                found += work(own)
        if not self._dry:
            _keep_findings(self._account.id, found)
        return found

    def _fetch(self, refs: Sequence[EntityRef], views: Sequence[str] = ()) -> dict[EntityRef, Fetched | Broken]:
        """Read entities; one at which the shop fails stands alone, and the others are read in smaller lists."""
        self._hold()
        try:
            return dict(self._store.fetch(refs, views)) if refs else {}
        except Stumbled as error:
            self._store.now()  # Raises where it is the whole shop that does not answer.
            if len(refs) == 1:
                return {refs[0]: Broken(error.reason)}
        middle = len(refs) // 2
        return {**self._fetch(refs[:middle], views), **self._fetch(refs[middle:], views)}

    def _one(self, ask: Callable[[], Found]) -> Found:
        """Ask for one entity; raises :class:`Missing` where the shop answers but fails at it."""
        self._hold()
        try:
            return ask()
        except Stumbled as error:
            self._store.now()
            raise Missing(error.reason) from None

    def _products(self, rows: Sequence[Claimed]) -> list[Outcome]:
        entities: dict[EntityRef, Fetched | Broken] = {}
        size = max(VIEWED_MOST // max(len(self._views), 1), 10)
        for start in range(0, len(rows), size):
            entities |= self._fetch([row.ref for row in rows[start : start + size]], self._views)
        read = [entity for entity in entities.values() if isinstance(entity, Product)]
        fresh = catalog.keep_products(read)
        parents = catalog.parents_of(read, self._store)
        self._orphans = {EntityRef("product", one.id) for one in read if one.id not in parents and _pageless(one)}
        known = sent.record_ids(self._account.id, [row.ref for row in rows])
        self._again({EntityRef("product", id_) for id_ in fresh} - {row.ref for row in rows})
        wholes = self._parents({id_ for id_, _ in parents.values()}, read)
        labels = self._labels(read)

        def make(row: Claimed) -> tuple[EntityRef, Record]:
            if isinstance(labels, Missing):
                raise labels
            entity = _found(entities, row.ref)
            if not isinstance(entity, Product):
                return row.ref, self._gone(row.ref, known.get(row.ref))
            parent = parents.get(entity.id)
            beside = Beside(row.ref in known, wholes.get(parent[0]) if parent else None, labels, self._clock())
            return row.ref, product_record(with_parent(entity, parent), self._account, self._book, beside)

        return [self._outcome(row, make) for row in rows]

    def _labels(self, products: Sequence[Product]) -> Labels | Missing:
        """Return the labels that the records need; a fault at them is every row's."""
        try:
            return self._one(lambda: labels_of(products, self._account, self._book, self._store))
        except Missing as fault:
            return fault

    def _parents(self, ids: set[str], read: Sequence[Product]) -> dict[str, Product]:
        """Return the products that variants belong to: their pages are the variants'."""
        found = {product.id: product for product in read if product.id in ids}
        missing = [EntityRef("product", id_) for id_ in sorted(ids - found.keys())]
        more = self._fetch(missing, self._views).values()
        return found | {entity.id: entity for entity in more if isinstance(entity, Product)}

    def _gone(self, ref: EntityRef, record_id: str | None) -> Record:
        """Withdraw what the account was sent and the shop does not have any more, which is asked about by itself."""
        if record_id is None:
            raise Skipped("The product is not in the shop any more.")
        again = self._fetch([ref], self._views).get(ref)
        if not isinstance(again, Gone):
            raise Missing("The shop showed the product only when it was asked for alone.")
        return gone_record(record_id)

    def _again(self, variants: set[EntityRef]) -> None:
        """Owe variants that went out before their parent was known."""
        before = sent.digests(self._account.id, sorted(variants))
        self._owe([ledger.Owed(self._account.id, ref, self._account.owner) for ref in before], "live")

    def _owe(self, rows: list[ledger.Owed], lane: ledger.Lane) -> None:
        if rows and not self._dry:
            begin_write()
            ledger.add(rows, lane)
            db.session.commit()

    def _contacts(self, rows: Sequence[Claimed]) -> list[Outcome]:
        entities = self._fetch([row.ref for row in rows if row.ref.id.startswith("customer:")])
        emails = [one.email for one in entities.values() if isinstance(one, Customer) and one.email]
        self._noted = people.noted(emails, self._secrets)

        def make(row: Claimed) -> tuple[EntityRef, Record]:
            if row.ref.id.startswith("subscriber:"):
                return self._subscriber(row)
            entity = _found(entities, row.ref)
            if not isinstance(entity, Customer):
                raise Skipped("The customer is not in the shop any more.")
            return row.ref, self._customer(row, entity)

        return [self._outcome(row, make) for row in rows]

    def _customer(self, row: Claimed | None, customer: Customer) -> Record:
        view = customer_store(customer.store_id, customer.website_id, self._book)
        if row is not None:
            self._elsewhere(row, view)
        if view is None:
            return contact_record(customer, self._account, self._book)
        email = customer.email if row is None or customer.email in self._noted else None
        known = people.subscription(email, view.code, self._secrets) if email else None
        rows = self._book.settings(view.ref)["customers.mapping"]
        named = self._one(lambda: options_of_customer(customer, rows, view.code, self._store))
        return contact_record(customer, self._account, self._book, known, named)

    def _subscriber(self, row: Claimed) -> tuple[EntityRef, Record]:
        """Return the account's contact where the address has an account in that website, else the subscriber."""
        person = people.find(row.ref.id.removeprefix("subscriber:"))
        if person is None:
            raise Skipped("The subscriber is not known any more.")
        view = event_store(person.store, "", self._book)
        if view is None:
            raise Missing("The subscriber's store view is not in the store tree.")
        self._elsewhere(row, view)
        customer = self._one(lambda: self._store.customer_by_email(person.email, view.website_id))
        if customer is not None:
            return EntityRef("contact", f"customer:{customer.id}"), self._customer(None, customer)
        if person.subscription.status == 0:
            raise Missing("The new account is not in the shop.")
        record = guest_record(person.id, person.email, view, self._account, person.subscription)
        return EntityRef("contact", f"subscriber:{person.id}"), record

    def _orders(self, rows: Sequence[Claimed]) -> list[Outcome]:
        entities = self._fetch([row.ref for row in rows if not row.ref.id.startswith("number:")])
        catalog.keep_orders([one for one in entities.values() if isinstance(one, Order)])

        def make(row: Claimed) -> tuple[EntityRef, Record]:
            if row.ref.id.startswith("number:"):
                entity: Any = self._one(lambda: self._store.order_by_number(row.ref.id.removeprefix("number:")))
                catalog.keep_orders([entity] if isinstance(entity, Order) else [])
            else:
                entity = _found(entities, row.ref)
            if not isinstance(entity, Order):
                raise Missing("The order is not in the shop.")
            return self._order(row, entity)

        self._mapped = []
        found = [self._outcome(row, make) for row in rows]
        self._entail()
        return found

    def _order(self, row: Claimed, order: Order) -> tuple[EntityRef, Record]:
        view = self._book.store(id=order.store_id) if order.store_id is not None else None
        if view is None:
            raise Missing("The order's store view is not in the store tree.")
        self._elsewhere(row, view)
        chosen = self._one(lambda: options_of_order(order, view.code, self._store))
        record = order_record(order, self._account, self._book, self._skus_of(order), chosen)
        self._mapped.append((row, order, view))
        return EntityRef("order", order.id), record

    def _skus_of(self, order: Order) -> dict[str, str]:
        """Return the products' own SKUs where they are the ids: a row's may carry its variant or its options."""
        if self._account.settings["products.id_attribute"] != "sku":
            return {}
        asked = {line.product for line in order.lines if line.product} - self._skus.keys()
        if asked:
            self._skus.update(dict.fromkeys(asked, "") | self._one(lambda: catalog.skus_of(asked, self._store)))
        return self._skus

    def _entail(self) -> None:
        """Owe what the orders that were mapped entail."""
        wanted = entailed_by(self._account.id, self._mapped)
        for lane, rows in wanted.items():
            self._entailed.update(row.ref for row in rows)
            self._owe(rows, lane)

    def _elsewhere(self, row: Claimed, view: StoreView | None) -> None:
        """Owe an entity of another account's store view to that account."""
        if view is None or view in self._account.stores:
            return
        targets = [ledger.Owed(one.id, row.ref, view.ref) for one in self._book.accounts_of((view,))]
        self._owe(targets, row.lane)

    def _outcome(self, row: Claimed, make: Callable[[Claimed], tuple[EntityRef, Record]]) -> Outcome:
        try:
            ref, record = make(row)
            rules = quality.broken(record, orphan=ref in self._orphans)
            return Ready(row, ref, mapped(record), quality.judge(rules, self._account.settings))
        except (Retry, Misconfigured):
            raise
        except Skipped as error:
            return Dropped(row, error.reason)
        except quality.Blocked as error:
            return Aside(row, error.reason, error.rules)
        except Refused as error:
            return Aside(row, error.reason)
        except Missing as error:
            return _again(row, MISSING_SECONDS * 2**row.attempts, str(error))
        except Exception as error:  # noqa: BLE001 one odd record must not stop the others
            db.session.rollback()
            place = traceback.extract_tb(error.__traceback__)[-1]
            said = f"The record could not be made ({type(error).__name__} in {place.name}, line {place.lineno})."
            # The error's own text may hold a person's data: kind and place are enough to find the fault.
            log.error("record not mapped", kind=row.ref.kind, reason=said, next="tried again, then set aside")  # noqa: TRY400
            return _again(row, ODD_SECONDS, said)


def asked(account: str, ref: EntityRef, scope: str) -> Claimed:
    """Return a row that is none of the ledger's: what is only looked at is gathered as what is sent."""
    return ledger.Claimed(0, account, ref, scope, "live", generation=0, attempts=0, force=False, token="")


class Missing(Exception):
    """The shop does not show the entity yet; it is asked for some more times."""


def _found(entities: dict[EntityRef, Fetched | Broken], ref: EntityRef) -> Fetched:
    entity = entities.get(ref, Gone())
    if isinstance(entity, Broken):
        raise Missing(entity.reason)
    return entity


def _again(row: Claimed, after: float, reason: str) -> Aside | Later:
    return Aside(row, reason) if row.attempts + 1 >= ATTEMPTS_MOST else Later(row, after, reason)


def _pageless(product: Product) -> bool:
    """Return whether no store view shows a page of the product; one that holds others is no variant."""
    views = product.views.values()
    return bool(views) and not product.children and not product.parts and all(view.visibility == 1 for view in views)


def _keep_findings(account: str, outcomes: Sequence[Outcome]) -> None:
    found = [(one.ref, one.warnings, False) for one in outcomes if isinstance(one, Ready)]
    found += [(one.row.ref, one.broken, True) for one in outcomes if isinstance(one, Aside)]
    found += [(one.row.ref, (), False) for one in outcomes if isinstance(one, Dropped)]
    quality.keep(account, found)
    warned = [(one.row, quality.SAID[rule]) for one in outcomes if isinstance(one, Ready) for rule in one.warnings]
    steps.save("warned", steps.live(warned))
