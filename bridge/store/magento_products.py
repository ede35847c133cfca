"""Products of Magento: the list in each store view, category names, shown prices and URLs, stock.

A product list is not limited to the store view's website; the view only decides the values. What is not essential
(shown prices, stock) is left unknown where the shop has no such route.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.errors import Retry, Stumbled
from bridge.store import magento_read as read
from bridge.store.entities import Category, Product, ProductView
from bridge.store.magento_faults import ODD_SECONDS, later
from bridge.store.magento_rest import NotTaken, NotThere
from bridge.store.magento_search import criteria, in_lists, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bridge.store.magento_rest import Answer, Rest

MOST = 100
ENABLED, HIDDEN = 1, 1
"""Magento's status of a product that is on, and its visibility where it has no page of its own."""
KEPT_SECONDS = 3600.0
SHOWN = "items[id,url,price_info[final_price,regular_price,minimal_price,minimal_regular_price]]"


class Products:
    """Reads products in bulk; keeps categories and what the store tree says for an hour."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._kept_since = time.monotonic()
        self._categories: dict[str, dict[str, Category]] = {}
        self._views: dict[str, dict[str, Any]] | None = None
        self._sites: dict[int, str] | None = None

    def by_id(self, ids: Iterable[str], views: Sequence[str]) -> dict[str, Product]:
        """Return the products with these ids."""
        return {product.id: product for product in self._read("entity_id", ids, views)}

    def by_sku(self, skus: Iterable[str], views: Sequence[str]) -> dict[str, Product]:
        """Return the products with these SKUs."""
        return {product.sku: product for product in self._read("sku", skus, views)}

    def ids_of(self, skus: Iterable[str]) -> dict[str, str]:
        """Return the ids of the products with these SKUs; no more is read."""
        found: dict[str, str] = {}
        for part in in_lists(sorted(skus), MOST):
            raws = self._list("sku", part, "", "items[id,sku],total_count")
            found |= {str(raw.get("sku")): id_ for id_, raw in raws.items()}
        return found

    def _read(self, field: str, values: Iterable[str], views: Sequence[str]) -> list[Product]:
        if time.monotonic() - self._kept_since > KEPT_SECONDS:
            self._kept_since = time.monotonic()
            self._categories, self._views, self._sites = {}, None, None
        found: dict[str, Product] = {}
        for part in in_lists(values, MOST):
            chunk: dict[str, Product] = {}
            for view in views or ("",):
                for id_, product in self._in_view(field, part, view).items():
                    before = chunk.get(id_)
                    chunk[id_] = (
                        product
                        if before is None
                        else msgspec.structs.replace(before, views={**before.views, **product.views})
                    )
            found.update(self._with_stock(chunk, views))
        return list(found.values())

    def _in_view(self, field: str, values: list[str], view: str) -> dict[str, Product]:
        raws = self._list(field, values, view)
        # What the shop does not have is gone when it says so twice.
        missing = [id_ for id_ in values if id_ not in raws] if field == "entity_id" else []
        if missing:
            raws |= self._list(field, missing, view)
        shown = self._shown(raws, view) if view else {}
        categories = self._named({id_ for raw in raws.values() for id_ in read.category_ids(raw)}, view)
        found = {}
        for id_, raw in raws.items():
            product = read.product(raw, view)
            own = tuple(categories[category] for category in read.category_ids(raw))
            whole = _dress(product.views[view], shown.get(id_, {}), own)
            found[id_] = msgspec.structs.replace(product, views={view: whole})
        return found

    def _list(self, field: str, values: list[str], view: str, fields: str = "") -> dict[str, dict[str, Any]]:
        """Return the products of a list in one store view, by id; a page of no more rows, since shops limit it."""
        query = criteria([one_of(field, values)], sort=["entity_id"], size=len(values))
        if fields:
            query.append(("fields", fields))
        try:
            data = read.table(self._rest.get("products", query, store=view or "all").data)
        except NotThere:
            raise Retry(f"The shop has no store view {view!r} now; its tree is read again soon.", after=60) from None
        except NotTaken as error:
            raise Stumbled(str(error), after=300) from None
        if read.whole(data.get("total_count")) is None:
            raise Retry("The shop answered a list without its total_count.", after=60)
        found = {str(raw["id"]): raw for raw in read.rows(data.get("items")) if raw.get("id")}
        if field == "entity_id" and not found.keys() <= set(values):
            raise later("The shop answered a list of others than were asked for", ODD_SECONDS)
        return found

    def _named(self, ids: set[str], view: str) -> dict[str, Category]:
        """Return the categories as the store view names them; those that the shop does not tell have their id only."""
        known = self._categories.setdefault(view, {})
        for part in in_lists(sorted(ids - known.keys()), MOST):
            query = criteria([one_of("entity_id", part)], sort=["entity_id"], size=len(part))
            query.append(("fields", "items[id,name,path],total_count"))
            try:
                data = read.table(self._rest.get("categories/list", query, store=view or "all").data)
            except (NotThere, NotTaken):
                data = {}
            known.update({id_: Category(id=id_) for id_ in part})
            known.update({str(row.get("id")): read.category(row) for row in read.rows(data.get("items"))})
        return known

    def _shown(self, raws: dict[str, dict[str, Any]], view: str) -> dict[str, dict[str, Any]]:
        """Return what the shop front shows; a row is missing for variants and for what is out of stock."""
        config, ids = self._configs().get(view), list(raws)
        if config is None or not ids:
            return {}
        some = any(raw.get("status") == ENABLED and raw.get("visibility") != HIDDEN for raw in raws.values())
        query = criteria([one_of("entity_id", ids)], size=len(ids))
        query += [
            ("storeId", str(config.get("id"))),
            ("currencyCode", str(config.get("default_display_currency_code"))),
        ]
        query.append(("fields", SHOWN))
        try:
            ask = partial(self._rest.get, "products-render-info", query, store=view)
            return self._about("id", ids, ask, some=some)
        except (NotThere, NotTaken):
            return {}

    def _about(
        self, key: str, asked: list[str], ask: Callable[[], Answer], *, some: bool = True
    ) -> dict[str, dict[str, Any]]:
        """Return the rows about what was asked for, by its name; `key` is compared as the database does.

        The shop may rightly tell nothing of some, or of all. But what stands between it and bridge gives another
        question's answer now and then: one with rows that nobody asked for, or without rows where there should be
        `some`, is asked for once more, and what is said twice is believed.
        """
        names = {name.casefold(): name for name in asked}
        for _ in range(2):
            rows = read.rows(read.table(ask().data).get("items"))
            told = {str(row.get(key)).casefold(): row for row in rows}
            if (told or not some) and told.keys() <= names.keys():
                break
        return {names[name]: row for name, row in told.items() if name in names}

    def _with_stock(self, products: dict[str, Product], views: Sequence[str]) -> dict[str, Product]:
        """Fill in whether any website that sells the product, of those of the views asked for, can sell it now."""
        sites = {id_ for product in products.values() for id_ in product.website_ids}
        if views:
            sites &= {read.whole(self._configs().get(view, {}).get("website_id")) or 0 for view in views}
        salable: dict[str, bool] = {}
        for id_ in sorted(sites):
            own = [product.sku for product in products.values() if id_ in product.website_ids and product.sku]
            for sku, can in self._stock_in(self._site_code(id_), own).items():
                salable[sku] = salable.get(sku, False) or can
        return {
            id_: msgspec.structs.replace(product, salable=salable.get(product.sku, product.salable))
            for id_, product in products.items()
        }

    def _stock_in(self, website: str | None, skus: list[str]) -> dict[str, bool]:
        found: dict[str, bool] = {}
        for part in in_lists(skus, MOST) if website else ():
            query = criteria([one_of("sku", part)], sort=["sku"], size=len(part))
            route = f"inventory/export-stock-salable-qty/website/{website}"
            try:
                rows = self._about("sku", part, partial(self._rest.get, route, query))
            except NotThere:
                return self._legacy_stock(skus)
            except NotTaken:
                continue
            found |= {sku: read.flag(row.get("is_salable")) for sku, row in rows.items()}
        return found

    def _legacy_stock(self, skus: list[str]) -> dict[str, bool]:
        """Ask one by one where the shop has no multi-source inventory; SKUs that do not fit a path stay unknown."""
        found = {}
        for sku in skus:
            if not any(mark in sku for mark in "/?#%"):
                try:
                    data = read.table(self._rest.get(f"stockStatuses/{sku.replace(' ', '%20')}").data)
                except (NotThere, NotTaken):
                    continue
                found[sku] = read.flag(data.get("stock_status"))
        return found

    def _configs(self) -> dict[str, dict[str, Any]]:
        if self._views is None:
            self._views = {str(row.get("code")): row for row in read.rows(self._rest.get("store/storeConfigs").data)}
        return self._views

    def _site_code(self, website_id: int) -> str | None:
        if self._sites is None:
            rows = read.rows(self._rest.get("store/websites").data)
            self._sites = {id_: str(row.get("code")) for row in rows if (id_ := read.whole(row.get("id")))}
        return self._sites.get(website_id)


def _dress(view: ProductView, shown: dict[str, Any], categories: tuple[Category, ...]) -> ProductView:
    """Add what other calls tell. A grouped product has no regular price of its own, only its cheapest part's."""
    prices = read.table(shown.get("price_info"))
    regular, final = (
        next((price for name in names if (price := read.money(prices.get(name)))), None)
        for names in (("regular_price", "minimal_regular_price"), ("final_price", "minimal_price"))
    )
    return msgspec.structs.replace(
        view,
        url=read.text(shown.get("url")),
        shown_price=regular or final,
        final_price=final,
        categories=categories,
    )
