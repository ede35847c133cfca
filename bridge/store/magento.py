"""Magento 2 over REST: entities in bulk, lists (:mod:`magento_lists`), and what the sweeps ask."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from bridge.errors import Stumbled
from bridge.store import magento_read as read
from bridge.store.entities import (
    AttributeInfo,
    Customer,
    Family,
    Gone,
    Listed,
    Order,
    OrderDetails,
    Page,
    Paper,
    Product,
    StoreView,
    Tree,
    Website,
)
from bridge.store.magento_attributes import Attributes
from bridge.store.magento_coupons import Coupons
from bridge.store.magento_details import details
from bridge.store.magento_faults import Barred, NotThere, later, smaller
from bridge.store.magento_lists import LIGHT, ROUTES, SIZES, Lists, advance, every_route
from bridge.store.magento_products import Products
from bridge.store.magento_rest import Answer, Rest
from bridge.store.magento_rights import Right, check_rights
from bridge.store.magento_search import Filter, Query, in_lists, moment, one_of
from bridge.store.magento_sweeps import papers, stock_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.config import Config
    from bridge.errors import Retry
    from bridge.events import EntityRef, Kind
    from bridge.store.entities import Fetched
    from bridge.store.promotions import CodeFormat, Coupon, Deleted, Rule

FAMILIES = {
    "configurable": "extension_attributes[configurable_product_links]",
    "bundle": "extension_attributes[bundle_product_options[product_links[sku]]]",
    "grouped": "product_links[link_type,linked_product_sku]",
}
"""Type of a product that holds others -> the fields that say which."""
FETCH_MOST = 100
ODD_SECONDS = 60.0


class Magento:
    """The adaptor; a :class:`bridge.store.Store`. Not shared between threads."""

    def __init__(self, config: Config, rest: Rest | None = None) -> None:
        self._rest = rest or Rest(config)
        self._products = Products(self._rest)
        self._attributes = Attributes(self._rest)
        self._lists = Lists(self._get, self.now)
        self._coupons = Coupons(self._rest, self._lists)
        self._date: dt.datetime | None = None
        self._websites: int | None = None

    def now(self) -> dt.datetime:
        """Return the shop's clock from the ``Date`` of a small call; our own where the shop sends none."""
        return self._get("store/websites").date or dt.datetime.now(dt.UTC)

    def tree(self) -> Tree:
        """Return websites and store views, joined from four calls."""
        number = read.whole
        websites = _numbered(self._sites(), "id")
        groups = {number(row.get("id")): row for row in read.rows(self._get("store/storeGroups").data)}
        configs = {read.text(row.get("code")): row for row in read.rows(self._get("store/storeConfigs").data)}
        views = read.rows(self._get("store/storeViews").data)
        if not groups or not configs or not views:
            raise _no_tree()
        return Tree(
            websites=tuple(
                Website(id=row["id"], code=row["code"], name=str(row.get("name") or "")) for row in websites
            ),
            views=tuple(
                _view(row, groups.get(number(row.get("store_group_id")), {}), configs.get(row["code"], {}), websites)
                for row in _numbered(views, "id", "website_id")
            ),
        )

    def rights(self) -> list[Right]:
        """Return each right that bridge needs, granted or not; one cheap call a right."""
        return list(check_rights(self._rest.get))

    def fetch(self, refs: Iterable[EntityRef], views: Sequence[str] = ()) -> dict[EntityRef, Fetched]:
        """Return each entity or ``Gone``; an id that is no number cannot be one of Magento's."""
        found: dict[EntityRef, Fetched] = {ref: Gone() for ref in refs}
        wanted: dict[Kind, dict[str, EntityRef]] = {"contact": {}, "product": {}, "order": {}}
        for ref in found:
            id_ = ref.id.removeprefix("customer:") if ref.kind == "contact" else ref.id
            if id_.isdecimal():
                wanted[ref.kind][id_] = ref
        for id_, customer in self._customers(wanted["contact"]).items():
            found[wanted["contact"][id_]] = customer
        with every_route():
            products = self._products.by_id(wanted["product"], views)
        for id_, product in products.items():
            found[wanted["product"][id_]] = product
        for raw in self._rows_in("order", wanted["order"]):
            order = read.order(raw)
            found[wanted["order"][order.id]] = order
        return found

    def pages(self, kind: Kind, cursor: str | None = None) -> Page:
        """Return a page of whole entities; contacts' newsletter status is the list's (it errs on several websites)."""
        make: Any = {"contact": read.customer, "order": read.order, "product": lambda raw: read.product(raw, "")}[kind]
        return self._lists.walk(kind, cursor, None, make)

    def ids(
        self,
        kind: Kind,
        cursor: str | None = None,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> Page:
        """Return a page of ``Listed``."""
        only: list[Filter] = [("created_at", "gteq", moment(since))] if since else []
        only += [("created_at", "lteq", moment(until))] if until else []
        return self._lists.walk(kind, cursor, LIGHT[kind], lambda raw: read.listed(kind, raw), only)

    def changed_since(self, kind: Kind, since: dt.datetime, until: dt.datetime) -> Iterator[Listed]:
        """Yield changed rows, oldest first; what the shop cannot list is left to the sweeps."""
        return self._lists.changes(kind, since, until)

    def papers(self, since: dt.datetime, until: dt.datetime) -> Iterator[Paper]:
        """Yield the shipments, invoices and credit memos made within the two moments."""
        return papers(self._lists, since, until)

    def stock(self, website: str, cursor: str | None = None) -> Page | None:
        """Return a page of ``Level``, or None where the shop has no such list."""
        return stock_page(self._rest, website, cursor)

    def order_by_number(self, number: str, email: str | None = None) -> Order | None:
        """Return the order with this increment id. Two shops' websites may share a number: the newest is meant."""
        filters: list[Filter] = [("increment_id", "eq", number)]
        if email:
            filters.append(("customer_email", "eq", email))
        raws = self._by_value("order", filters)
        return read.order(raws[-1]) if raws else None

    def order_details(self, number: str, email: str) -> OrderDetails | None:
        """Return the newest order with this increment id and e-mail, with its shipments."""
        raws = self._by_value("order", [("increment_id", "eq", number), ("customer_email", "eq", email)])
        if not raws:
            return None
        filters: list[Filter] = [("order_id", "eq", str(raws[-1]["entity_id"]))]
        with every_route():
            shipments, _ = self._lists.page("shipments", filters, ("entity_id",), SIZES["order"], None)
        return details(raws[-1], shipments)

    def customer_by_email(self, email: str, website_id: int) -> Customer | None:
        """Return the account of this website: another website's is, by Magento's default, another person's matter."""
        raws = self._by_value("contact", [("email", "eq", email)])
        own = [raw for raw in raws if read.whole(raw.get("website_id")) == website_id]
        if not own:
            return None
        return self._sure(read.customer(own[0]))

    def products_by_sku(self, skus: Iterable[str], views: Sequence[str] = ()) -> dict[str, Product]:
        """Return products by SKU."""
        with every_route():
            return self._products.by_sku(skus, views)

    def families(self) -> Iterator[Family]:
        """Yield products that hold others, by keyset."""
        for kind, held in FAMILIES.items():
            last = "0"
            while True:
                filters: list[Filter] = [("type_id", "eq", kind), ("entity_id", "gt", last)]
                raws, total = self._lists.page(
                    "products",
                    filters,
                    ("entity_id",),
                    SIZES["product"],
                    f"items[id,sku,{held}],total_count",
                    less_on=Stumbled,
                )
                yield from self._families_of(kind, raws)
                if len(raws) >= total or not raws:
                    break
                last = advance("product", raws, last)

    def _families_of(self, kind: str, raws: list[dict[str, Any]]) -> Iterator[Family]:
        """Find the ids of the parts of bundles and grouped products: the shop tells their SKUs."""
        with every_route():
            ids = self._products.ids_of({sku for raw in raws for sku in read.parts(raw)})
        for raw in raws:
            held = read.children(raw) or tuple(ids[sku] for sku in read.parts(raw) if sku in ids)
            yield Family(parent=str(raw["id"]), sku=str(raw.get("sku") or ""), children=held, kind=kind)

    def attributes(
        self, kind: Kind, names: Iterable[str], view: str, *, fresh: bool = False
    ) -> dict[str, AttributeInfo]:
        """Return attributes with the labels of a store view, kept for an hour."""
        return self._attributes.read(kind, names, view, fresh=fresh)

    def attribute_codes(self, kind: Kind) -> list[str]:
        """Return the codes of all attributes of a kind."""
        return self._attributes.codes(kind)

    def rule(self, id_: int) -> Rule | None:
        """Return the cart price rule, or None where there is none."""
        return self._coupons.rule(id_)

    def rules(self) -> list[Rule]:
        """Return all cart price rules."""
        return self._coupons.rules()

    def make_coupons(self, rule_id: int, quantity: int, layout: CodeFormat) -> list[str]:
        """Let the shop make codes."""
        return self._coupons.make(rule_id, quantity, layout)

    def insert_coupon(self, rule_id: int, code: str, expires_at: dt.datetime | None = None) -> Coupon:
        """Put a code into the shop."""
        return self._coupons.insert(rule_id, code, expires_at)

    def find_coupons(
        self,
        rule_id: int | None = None,
        *,
        codes: Iterable[str] | None = None,
        beginning: str = "",
        after: int = 0,
    ) -> Iterator[Coupon]:
        """Yield coupons by id."""
        return self._coupons.find(rule_id, codes, beginning, after)

    def coupon_page(self, rule_id: int | None, number: int, size: int) -> tuple[list[Coupon], int]:
        """Return a page of coupons by offset and the count of all."""
        return self._coupons.page(rule_id, number, size)

    def delete_coupons(self, codes: Iterable[str]) -> Deleted:
        """Delete codes."""
        return self._coupons.delete(codes)

    def _customers(self, ids: Iterable[str]) -> dict[str, Customer]:
        found = (self._sure(read.customer(raw)) for raw in self._rows_in("contact", ids))
        return {customer.id: customer for customer in found if customer}

    def _sure(self, customer: Customer) -> Customer | None:
        """Read the customer singly where websites differ, since lists match the newsletter status by e-mail only.

        None where the shop has lost the customer meanwhile.
        """
        if self._websites is None:
            self._websites = sum(1 for row in self._sites() if read.whole(row.get("id")))
        if self._websites < 2:
            return customer
        try:
            raw = read.table(self._rest.get(f"customers/{customer.id}").data)
        except NotThere:
            return None
        if read.entity_id("contact", raw) != customer.id:
            raise later("The shop answered another thing than the customer that was asked for", ODD_SECONDS)
        return read.customer(raw)

    def _sites(self) -> list[dict[str, Any]]:
        """Return the websites; a shop has at least the one of the administration."""
        found = read.rows(self._get("store/websites").data)
        if not found:
            raise _no_tree()
        return found

    def _by_value(self, kind: Kind, filters: list[Filter]) -> list[dict[str, Any]]:
        """Return the few rows with a value that came from outside, which a firewall may dislike.

        Where it passes a harmless question for the same rows, the value is to blame, not the set-up.
        """
        try:
            return self._lists.page(ROUTES[kind], filters, ("entity_id",), SIZES[kind], None)[0]
        except Barred:
            self._lists.page(ROUTES[kind], [], ("entity_id",), 1, LIGHT[kind])
            raise smaller("Something in front of the shop refuses a value of this question") from None

    def _rows_in(self, kind: Kind, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows with these ids; what the shop does not have is gone when it says so twice."""
        missing = set(ids)
        for raw in self._rows_of(kind, sorted(missing)):
            missing.discard(read.entity_id(kind, raw))
            yield raw
        if missing:
            yield from self._rows_of(kind, sorted(missing))

    def _rows_of(self, kind: Kind, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        for part in in_lists(ids, FETCH_MOST):
            raws, total = self._lists.page(ROUTES[kind], [one_of("entity_id", part)], ("entity_id",), len(part), None)
            if len(raws) < total and len(part) > 1:
                # The shop's page limit is lower than the list: what is missing is not gone.
                yield from self._rows_of(kind, part[: len(part) // 2])
                yield from self._rows_of(kind, part[len(part) // 2 :])
                continue
            if any(read.entity_id(kind, raw) not in part for raw in raws):
                raise later("The shop answered a list of others than were asked for", ODD_SECONDS)
            yield from raws

    def _get(self, route: str, query: Query | None = None) -> Answer:
        with every_route():
            return self._rest.get(route, query)


def _no_tree() -> Retry:
    return later("The shop answered its store tree with an empty list", ODD_SECONDS)


def _numbered(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Return the rows with these fields as numbers, less those of the administration, which have a 0.

    Raises Retry where one has no number or no code: left out, its visitors and records would be nobody's.
    """
    found = []
    for row in rows:
        ids = {name: read.whole(row.get(name)) for name in names}
        code = read.text(row.get("code"))
        if code is None or None in ids.values():
            raise later("The shop answered a website or store view without id or code", ODD_SECONDS)
        if all(ids.values()):
            found.append({**row, **ids, "code": code})
    return found


def _view(row: dict[str, Any], group: dict[str, Any], config: dict[str, Any], websites: list[Any]) -> StoreView:
    website: dict[str, Any] = next((site for site in websites if site["id"] == row["website_id"]), {})
    number = read.whole
    is_default = group.get("id") is not None and (
        number(group["id"]) == number(website.get("default_group_id"))
        and number(group.get("default_store_id")) == row["id"]
    )
    return StoreView(
        id=row["id"],
        code=row["code"],
        name=str(row.get("name") or ""),
        website_id=row["website_id"],
        group_id=read.whole(row.get("store_group_id")) or 0,
        active=read.flag(row.get("is_active", 1)),
        is_default=is_default,
        root_category=read.whole(group.get("root_category_id")) or 0,
        base_url=str(config.get("base_url") or ""),
        link_url=str(config.get("base_link_url") or ""),
        media_url=str(config.get("base_media_url") or ""),
        secure_base_url=str(config.get("secure_base_url") or ""),
        secure_link_url=str(config.get("secure_base_link_url") or ""),
        secure_media_url=str(config.get("secure_base_media_url") or ""),
        currency=str(config.get("default_display_currency_code") or ""),
        base_currency=str(config.get("base_currency_code") or ""),
        locale=str(config.get("locale") or ""),
        timezone=str(config.get("timezone") or "UTC"),
    )
