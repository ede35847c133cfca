"""The catalogue of the recorded shop behind its REST API, on a free port, store view by store view.

Most products were recorded in lists or singly, and are served as they were recorded. What was not recorded under REST
is put together from other recordings of the same shop, and nothing else:

* the three variants that only `configurable_children` tells get the parts that this answer leaves out (websites,
  categories, gallery) in the form of the one that was recorded singly;
* the jacket that is sold out is known by its page: it gets the form of a simple product with the page's values;
* a store view without a recording of its own shows the default values, as Magento does;
* rows of `products-render-info` that were not recorded have the prices of the recorded pages, or of the product
  itself where its page was not recorded, and the address that the store view's base URL gives.

The price of the configurable product was changed between the recordings: its row of `products-render-info` in the
default view says 51, its page and its variants say 52, which the other two views show.
"""

from __future__ import annotations

import copy
import html
import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from tests.replay.captured_shop import recorded
from tests.replay.library import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Raw = dict[str, Any]

TOKEN = "token-of-the-replay"
SOLD_OUT = 12
PAGE = CAPTURES / "pages" / "product_out_of_stock.html"
FAMILIES = {"configurable", "bundle", "grouped"}
SHOWN_PRICES = {
    # From the pages: the cheapest choice of the bundle, the cheapest watch of the set, which has no price itself.
    20: {"regular_price": 81, "final_price": 81, "minimal_price": 81, "max_price": 83, "minimal_regular_price": 81},
    19: {"regular_price": 0, "final_price": 49, "minimal_price": 49, "max_price": 49, "minimal_regular_price": None},
    17: {"regular_price": 52, "final_price": 52, "minimal_price": 52, "max_price": 52, "minimal_regular_price": 52},
    2: {"regular_price": 32, "final_price": 29, "minimal_price": 29, "max_price": 29, "minimal_regular_price": 32},
}


def body(name: str) -> Any:
    """Return what one recorded call answered."""
    return json.loads(recorded()[name].text)


def custom(raw: Raw) -> Raw:
    """Return a product's custom attributes by code."""
    return {row["attribute_code"]: row["value"] for row in raw["custom_attributes"]}


@cache
def products_of(view: str) -> dict[int, Raw]:
    """Return the products as a store view shows them, by id; lists do not tell the stock item."""
    names = [name for name in recorded() if re.fullmatch(r"products_search(_page2|_store_all|_updated_since)?", name)]
    rows = [row for name in names for row in body(name)["items"]]
    singles = {name for name in recorded() if re.fullmatch(r"product_(?!media)\w+(?<!_store_fr)", name)}
    rows += [body(name) for name in sorted(singles)]
    found = {row["id"]: row for row in rows}
    found |= {row["id"]: _whole_variant(row, found[13]) for row in body("configurable_children") if row["id"] != 13}
    found[SOLD_OUT] = _from_page(found[1])
    own = [*body("products_search_store_fr")["items"], body("product_simple_store_fr")] if view == "fr" else []
    found = copy.deepcopy(dict(sorted((found | {row["id"]: row for row in own}).items())))
    for row in found.values():
        row["extension_attributes"].pop("stock_item", None)
    return found


def _whole_variant(row: Raw, like: Raw) -> Raw:
    attributes = custom(row)
    (picture,) = like["media_gallery_entries"]
    links = [{"position": place, "category_id": id_} for place, id_ in enumerate(attributes["category_ids"])]
    return row | {
        "extension_attributes": like["extension_attributes"] | {"category_links": links},
        "media_gallery_entries": [picture | {"id": row["id"], "label": row["name"], "file": attributes["image"]}],
        "options": [],
    }


def _from_page(like: Raw) -> Raw:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())

    def said(pattern: str) -> str:
        return html.unescape(re.search(pattern, page)[1])

    short, long = said(r'og:description" content="([^"]*)"'), said(r'<meta name="description" content="([^"]*)"')
    name, file = said(r'<meta name="title" content="([^"]*)"'), said(r'og:image" content="[^"]*/cache/\w+(/[^"]*)"')
    changed = {
        **dict.fromkeys(("image", "small_image", "thumbnail"), file),
        **dict.fromkeys(("image_label", "small_image_label", "thumbnail_label"), name),
        "url_key": said(r'og:url" content="http://store\.test/([^"]*)\.html"'),
        "short_description": f"<p>{short}</p>",
        "description": f"<p>{long}</p>",
        "category_ids": ["4", "7"],
    }
    links = [{"position": place, "category_id": id_} for place, id_ in enumerate(changed["category_ids"])]
    (picture,) = like["media_gallery_entries"]
    return like | {
        "id": int(said(r'data-product-id="(\d+)"')),
        "sku": said(r'itemprop="sku">([^<]*)'),
        "name": name,
        "price": int(said(r'product:price:amount" content="(\d+)"')),
        "extension_attributes": {"website_ids": [1, 2], "category_links": links},
        "media_gallery_entries": [picture | {"id": SOLD_OUT, "label": name, "file": file}],
        "custom_attributes": [
            {"attribute_code": code, "value": changed.get(code, value)} for code, value in custom(like).items()
        ],
    }


@cache
def categories() -> dict[int, Raw]:
    """Return the categories by id; the deeper ones were recorded in the tree only, without their path."""
    found = {row["id"]: row for row in body("categories_list")["items"]}

    def add(node: Raw, path: str) -> None:
        own = f"{path}/{node['id']}"
        found.setdefault(node["id"], node | {"path": own})
        for child in node["children_data"]:
            add(child, own)

    add(body("categories_tree"), "1")
    return found


@cache
def attributes() -> dict[str, Raw]:
    """Return the attributes by code: the recorded one, the size of the GraphQL answer, and one without options."""
    color = body("attribute_color")
    answer = json.loads((CAPTURES / "graphql" / "product_configurable.json").read_text(encoding="utf-8"))
    axes = {one["attribute_code"]: one for one in answer["data"]["products"]["items"][0]["configurable_options"]}
    ids = [str(value["value_index"]) for value in body("configurable_options")[1]["values"]]
    labels = [value["label"] for value in axes["size"]["values"]]
    options = [{"label": " ", "value": ""}]
    options += [{"label": label, "value": id_} for label, id_ in zip(labels, ids, strict=True)]
    return {
        "color": color,
        "size": color | {"attribute_id": 137, "attribute_code": "size", "options": options},
        "short_description": color
        | {"attribute_id": 76, "attribute_code": "short_description", "frontend_input": "textarea", "options": []},
    }


def shown_rows(view: Raw, documents: Iterable[Raw], sold_out: set[str]) -> list[Raw]:
    """Return the rows of `products-render-info`: of what a shopper can see in this store view and buy."""
    taken = {}
    if view["id"] == 1:
        for name in ("products_render_info", "products_render_info_configurable"):
            taken |= {row["id"]: row for row in body(name)["items"]}
    found = []
    for raw in documents:
        seen = raw["status"] == 1 and raw["visibility"] != 1
        if not seen or raw["sku"] in sold_out or view["website_id"] not in raw["extension_attributes"]["website_ids"]:
            continue
        price = raw.get("price")
        plain = dict.fromkeys(("regular_price", "final_price", "minimal_price", "minimal_regular_price"), price)
        row = {
            "id": raw["id"],
            "name": raw["name"],
            "type": raw["type_id"],
            "is_salable": "1",
            "url": f"{view['base_url']}{custom(raw)['url_key']}.html",
            "store_id": view["id"],
            "price_info": SHOWN_PRICES.get(raw["id"], plain),
        }
        found.append(taken.get(raw["id"], row))
    return found


@dataclass
class CapturedCatalog:
    """A WSGI application. ``changes`` are made to the products of every store view before they are shown."""

    changes: dict[int, Callable[[Raw], Any]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sold_out: set[str] = field(default_factory=lambda: {"MJ04"})

    def restore(self) -> None:
        """Show again what was recorded."""
        self.changes.clear()
        self.gone.clear()
        self.asked.clear()
        self.unknown.clear()
        self.sold_out = {"MJ04"}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one call, as the shop's own host name sees it."""
        request = Request(environ)
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        found = re.fullmatch(r"/rest/(?:(\w+)/)?V1/(.+)", request.path)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" or request.host != "store.test" or found is None:
            return Response(recorded()["error_401_bad_token"].text, 401, mimetype="application/json")(
                environ, start_response
            )
        self.asked.append(request.path)
        data = self._answer(found[1] or "default", found[2], query)
        if data is None:
            self.unknown.append(request.path)
            answer = Response(recorded()["error_404_route"].text, 404, mimetype="application/json")
        else:
            answer = Response(json.dumps(data), mimetype="application/json")
        return answer(environ, start_response)

    def _answer(self, view: str, route: str, query: dict[str, str]) -> Any:
        head, _, name = route.rpartition("/")
        lists = {
            "products": lambda: listed(self._products(view), query, "id"),
            "categories/list": lambda: listed(categories().values(), query, "id"),
            "products-render-info": lambda: self._shown(query),
            "inventory/export-stock-salable-qty/website": lambda: listed(self._stock(), query, "sku"),
        }
        if route in lists or head in lists:
            return lists.get(route, lists.get(head))()
        if head == "store" and f"store_{name}" in recorded():
            return body(f"store_{name}")
        if head == "products/attributes":
            known = {
                name_: one
                for one in attributes().values()
                for name_ in (one["attribute_code"], str(one["attribute_id"]))
            }
            return known.get(name)
        return None

    def _products(self, view: str) -> list[Raw]:
        found = [copy.deepcopy(raw) for id_, raw in products_of(view).items() if id_ not in self.gone]
        for raw in found:
            self.changes.get(raw["id"], lambda _: None)(raw)
        return found

    def _shown(self, query: dict[str, str]) -> Raw:
        view = next(row for row in body("store_storeConfigs") if str(row["id"]) == query["storeId"])
        assert query["currencyCode"] == view["default_display_currency_code"]
        rows = shown_rows(view, self._products(view["code"]), self.sold_out)
        return {name: value for name, value in listed(rows, query, "id").items() if name == "items"}

    def _stock(self) -> list[Raw]:
        """Return the salable quantities: those that were recorded, else those of products that were in stock."""
        taken = {row["sku"]: row for row in body("inventory_export_stock_salable_qty")["items"]}
        found = []
        for raw in self._products("default"):
            can = raw["sku"] not in self.sold_out
            row = {"sku": raw["sku"], "qty": 100 if can and raw["type_id"] not in FAMILIES else 0, "is_salable": can}
            found.append(taken.get(raw["sku"], row))
        return found


def listed(rows: Iterable[Raw], query: dict[str, str], key: str) -> Raw:
    """Return a page of a list as the shop's search does: filters, order, size, and the fields that were asked for."""
    found = list(rows)
    for group in range(9):
        name = f"searchCriteria[filter_groups][{group}][filters][0]"
        if f"{name}[field]" not in query:
            break
        asked, value = query[f"{name}[field]"], query[f"{name}[value]"]
        matches = MATCHES[query[f"{name}[condition_type]"]]
        column = key if asked == "entity_id" else asked
        found = [row for row in found if matches(row[column], value)]
    total = len(found)
    found.sort(key=lambda row: row[key])
    size = int(query.get("searchCriteria[pageSize]", total or 1))
    data = {"items": found[:size], "search_criteria": {}, "total_count": total}
    return projected(data, query["fields"]) if "fields" in query else data


MATCHES: dict[str, Callable[[Any, str], bool]] = {
    "eq": lambda own, value: str(own) == value,
    "in": lambda own, value: str(own) in value.split(","),
    "gt": lambda own, value: own > int(value),
}


def projected(data: Any, fields: str) -> Any:
    """Return only the fields that were asked for, as `items[id,price_info[final_price]],total_count`."""
    asked: list[tuple[str, str]] = []
    depth, name, inner = 0, "", ""
    for mark in f"{fields},":
        if mark == "," and depth == 0:
            asked.append((name, inner))
            name = inner = ""
            continue
        depth -= mark == "]"
        if depth == 0 and mark not in "[]":
            name += mark
        elif depth > 0:
            inner += mark
        depth += mark == "["
    assert depth == 0, f"the brackets of {fields} do not match"

    def cut(one: Raw) -> Raw:
        return {name: projected(one[name], inner) if inner else one[name] for name, inner in asked if name in one}

    return [cut(one) for one in data] if isinstance(data, list) else cut(data)
