"""A shop in memory: the same protocol for tests and for looking at the pipeline without a shop."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from bridge.events import EntityRef
from bridge.store.entities import (
    AttributeInfo,
    Customer,
    Entity,
    Family,
    Gone,
    Level,
    Listed,
    Order,
    OrderDetails,
    Page,
    Paper,
    Product,
    Tree,
)
from bridge.store.memory_coupons import Promotions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bridge.events import Kind
    from bridge.store.entities import Fetched
    from bridge.store.magento_rights import Right

PAGE = 100
FAMILIES = ("configurable", "bundle", "grouped")


class Memory(Promotions):
    """Holds entities by ref; a :class:`bridge.store.Store`. ``fault``, when set, is raised by every call."""

    def __init__(self, tree: Tree, entities: Iterable[Entity] = (), *, page: int = PAGE) -> None:
        super().__init__()
        self._tree = tree
        self._page = page
        self._entities: dict[EntityRef, Customer | Product | Order] = {}
        self.clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
        self.labels: dict[tuple[Kind, str], list[AttributeInfo]] = {}
        """Attributes by kind and store view."""
        self.broken: set[EntityRef] = set()
        """Entities at which the shop fails; the walks name them."""
        self.made: list[Paper] = []
        """Documents of orders."""
        self.details: dict[str, OrderDetails] = {}
        """What mails show of orders, by the order's id."""
        self.fault: Exception | None = None
        self.calls: list[str] = []
        for entity in entities:
            self.put(entity)

    def put(self, entity: Entity) -> EntityRef:
        """Add or replace an entity; return its ref."""
        if not isinstance(entity, Customer | Product | Order):
            raise TypeError(f"a shop holds no {type(entity).__name__}")
        ref = _ref(entity)
        self._entities[ref] = entity
        return ref

    def remove(self, ref: EntityRef) -> None:
        """Forget an entity."""
        del self._entities[ref]

    def rights(self) -> list[Right]:
        """A store in memory refuses nothing."""
        return []

    def now(self) -> dt.datetime:
        """Return the clock's moment."""
        self._call("now")
        return self.clock()

    def tree(self) -> Tree:
        """Return the tree."""
        self._call("tree")
        return self._tree

    def fetch(self, refs: Iterable[EntityRef], views: Sequence[str] = ()) -> dict[EntityRef, Fetched]:
        """Return entities; a product shows each wanted view, by the values of ``""`` where it has none of its own."""
        self._call("fetch")
        return {ref: _in_views(self._entities.get(ref, Gone()), views) for ref in refs}

    def pages(self, kind: Kind, cursor: str | None = None) -> Page:
        """Return a page of entities."""
        return self._page_of(kind, cursor, lambda _: True)

    def _page_of(self, kind: Kind, cursor: str | None, wanted: Callable[[Customer | Product | Order], bool]) -> Page:
        self._call("pages")
        after = int(cursor or 0)
        own = ((ref, entity) for ref, entity in self._of(kind) if wanted(entity))
        rest = sorted((_number(ref), ref) for ref, _ in own if _number(ref) > after)
        rows = [ref for _, ref in rest[: self._page]]
        return Page(
            rows=tuple(self._entities[ref] for ref in rows if ref not in self.broken),
            cursor=str(_number(rows[-1])) if len(rest) > len(rows) else None,
            left=len(rest),
            broken=tuple(ref for ref in rows if ref in self.broken),
        )

    def ids(
        self,
        kind: Kind,
        cursor: str | None = None,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> Page:
        """Return a page of ``Listed``."""

        def wanted(entity: Customer | Product | Order) -> bool:
            made = entity.created_at
            early = since is not None and (made is None or made < since)
            return not early and not (until is not None and (made is None or made > until))

        page = self._page_of(kind, cursor, wanted)
        return msgspec.structs.replace(page, rows=tuple(_listed(entity) for entity in page.rows))

    def changed_since(self, kind: Kind, since: dt.datetime, until: dt.datetime) -> Iterator[Listed]:
        """Yield changed rows, oldest first."""
        self._call("changed_since")
        rows = [_listed(entity) for _, entity in self._of(kind)]
        kept = [row for row in rows if row.updated_at is not None and since <= row.updated_at <= until]
        yield from sorted(kept, key=lambda row: (row.updated_at, _number(row.ref)))

    def papers(self, since: dt.datetime, until: dt.datetime) -> Iterator[Paper]:
        """Yield the documents in ``made``."""
        self._call("papers")
        for paper in self.made:
            moment = paper.order.updated_at
            if moment is not None and since <= moment <= until:
                yield paper

    def stock(self, website: str, cursor: str | None = None) -> Page | None:
        """Return what a website can sell, by SKU; what no product says of itself counts as salable."""
        self._call("stock")
        site = next((one.id for one in self._tree.websites if one.code == website), None)
        products = sorted(
            (entity.sku, entity.salable is not False)
            for _, entity in self._of("product")
            if isinstance(entity, Product) and site in entity.website_ids
        )
        start = int(cursor or 0)
        rows = products[start : start + self._page]
        following = str(start + len(rows)) if start + len(rows) < len(products) else None
        levels = tuple(Level(sku=sku, salable=salable) for sku, salable in rows)
        return Page(rows=levels, cursor=following, left=len(products) - start)

    def order_by_number(self, number: str, email: str | None = None) -> Order | None:
        """Return the order with this number."""
        self._call("order_by_number")
        for _, order in self._of("order"):
            if isinstance(order, Order) and order.number == number and email in {None, order.email}:
                return order
        return None

    def order_details(self, number: str, email: str) -> OrderDetails | None:
        """Return the order with what ``details`` holds of it by its id, else by itself."""
        order = self.order_by_number(number, email)
        return None if order is None else self.details.get(order.id, OrderDetails(order=order))

    def customer_by_email(self, email: str, website_id: int) -> Customer | None:
        """Return the account with this e-mail in this website."""
        self._call("customer_by_email")
        for _, customer in self._of("contact"):
            if (
                isinstance(customer, Customer)
                and (customer.email or "").lower() == email.lower()
                and customer.website_id == website_id
            ):
                return customer
        return None

    def products_by_sku(self, skus: Iterable[str], views: Sequence[str] = ()) -> dict[str, Product]:
        """Return products by SKU."""
        self._call("products_by_sku")
        wanted = set(skus)
        found: dict[str, Product] = {}
        for _, entity in self._of("product"):
            product = _in_views(entity, views)
            if isinstance(product, Product) and product.sku in wanted:
                found[product.sku] = product
        return found

    def families(self) -> Iterator[Family]:
        """Yield products that hold others."""
        self._call("families")
        products = [entity for _, entity in self._of("product") if isinstance(entity, Product)]
        ids = {product.sku: product.id for product in products}
        for kind in FAMILIES:
            for one in products:
                held = one.children or tuple(ids[sku] for sku in one.parts if sku in ids)
                if one.type == kind and held:
                    yield Family(parent=one.id, sku=one.sku, children=held, kind=kind)

    def attributes(
        self, kind: Kind, names: Iterable[str], view: str, *, fresh: bool = False
    ) -> dict[str, AttributeInfo]:
        """Return attributes of ``labels``; nothing is kept, so all are fresh."""
        del fresh
        self._call("attributes")
        known = self.labels.get((kind, view), [])
        return {name: info for name in names for info in known if name in {info.code, info.id}}

    def attribute_codes(self, kind: Kind) -> list[str]:
        """Return the codes of ``labels``."""
        self._call("attribute_codes")
        return sorted({info.code for (of, _), known in self.labels.items() if of == kind for info in known})

    def _of(self, kind: Kind) -> list[tuple[EntityRef, Customer | Product | Order]]:
        return [(ref, entity) for ref, entity in self._entities.items() if ref.kind == kind]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fault is not None:
            raise self.fault


def _ref(entity: Customer | Product | Order) -> EntityRef:
    if isinstance(entity, Customer):
        return EntityRef("contact", f"customer:{entity.id}")
    return EntityRef("product" if isinstance(entity, Product) else "order", entity.id)


def _number(ref: EntityRef) -> int:
    return int(ref.id.removeprefix("customer:"))


def _listed(entity: Customer | Product | Order) -> Listed:
    websites = entity.website_ids if isinstance(entity, Product) else ()
    if isinstance(entity, Customer) and entity.website_id is not None:
        websites = (entity.website_id,)
    return Listed(
        ref=_ref(entity),
        created_at=entity.created_at,
        updated_at=entity.updated_at,
        store_id=None if isinstance(entity, Product) else entity.store_id,
        website_ids=websites,
    )


def _in_views(entity: Fetched, views: Sequence[str]) -> Fetched:
    if not isinstance(entity, Product) or not views:
        return entity
    plain = entity.views.get("")
    shown = {view: found for view in views if (found := entity.views.get(view, plain)) is not None}
    return msgspec.structs.replace(entity, views=shown)
