"""What one page of a shop says of itself: its type, and the ids in it. Values in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from bridge.tracking.pages import META_TYPES, PAGE_TYPES, PATH_TYPES, fits, page_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from selectolax.lexbor import LexborNode

    Rules = Sequence[tuple[str, str | None]]
    """Body class, or path from ``/``, with ``*`` at its end for more, and page type."""

MENU_PLACES = ("nav a[href], .navigation a[href]", "main a[href], a[href]")
TILE_PLACES = (".product-item a[href], a.product[href]",)

_CATEGORY = re.compile(r"catalog_category_view_id_(\d+)")
_SKU_PLACES = ("#product_addtocart_form[data-product-sku]", ".product-info-main [itemprop=sku]", "[itemprop=sku]")


@dataclass(frozen=True, slots=True)
class Signals:
    """``type`` is Ometria's page type or None; ``source`` says in words what told it. Ids are as the page has them."""

    type: str | None
    source: str
    product: str = ""
    sku: str = ""
    category: str = ""
    products: tuple[tuple[str, str], ...] = ()
    """Of a listing or the home page: product id and SKU, or an empty text, of each tile."""
    has_tag: bool = False
    links: tuple[str, ...] = field(default=(), repr=False)
    """Addresses on the same host, those of the menu first."""
    tile_links: tuple[str, ...] = field(default=(), repr=False)
    """Addresses behind the tiles of products."""


def read_signals(html: str, url: str, rules: Rules = ()) -> Signals:
    """Return what a page says of itself; ``url`` is its own address.

    ``rules`` are the shop's own, of ``tracking.page_type_rules``: they come before Magento's names.
    """
    tree = LexborHTMLParser(html)
    body = tree.css_first("body")
    classes = ((body.attributes.get("class") or "") if body is not None else "").split()
    kind, source = _ruled(rules, classes, urlsplit(url).path) or _type_of(tree, classes, url)
    category = _CATEGORY.search(html)
    return Signals(
        kind,
        source,
        product=_product(tree) if kind == "product" else "",
        sku=_sku(tree) if kind == "product" else "",
        category=category.group(1) if category and kind == "listing" else "",
        products=tuple(_tiles(tree)) if kind in {"listing", "homepage"} else (),
        has_tag=tree.css_first("script[data-bridge]") is not None,
        links=tuple(_links(tree, url, MENU_PLACES)),
        tile_links=tuple(_links(tree, url, TILE_PLACES)),
    )


def _ruled(rules: Rules, classes: list[str], path: str) -> tuple[str | None, str] | None:
    for pattern, kind in rules:
        names = [path.rstrip("/") or "/"] if pattern.startswith("/") else classes
        if any(fits(pattern, name) for name in names):
            return kind, f"rule {pattern}"
    return None


def _type_of(tree: LexborHTMLParser, classes: list[str], url: str) -> tuple[str | None, str]:
    kind = page_type(classes)
    named = next((name for name in classes if any(fits(pattern, name) for pattern, _ in PAGE_TYPES)), "")
    if named:
        return kind, f"body class {named}"
    meta = tree.css_first('meta[property="og:type"]')
    said = "og:" + (meta.attributes.get("content") or "").replace("og:", "", 1) if meta is not None else ""
    for name, found in META_TYPES:
        if said == name:
            return found, "og:type"
    path = urlsplit(url).path
    for pattern, found in PATH_TYPES:
        # A store view's own path may stand before it.
        if path.rstrip("/").endswith(pattern) or path.rstrip("/") + "/" == pattern:
            return found, f"path {path or '/'}"
    return None, ""


def _product(tree: LexborHTMLParser) -> str:
    field_ = tree.css_first("#product_addtocart_form input[name=product]")
    box = tree.css_first(".product-info-main [data-product-id], [data-role=priceBox][data-product-id]")
    value = _attribute(field_, "value") or _attribute(box, "data-product-id")
    return value if value.isdigit() else ""


def _sku(tree: LexborHTMLParser) -> str:
    for place in _SKU_PLACES:
        node = tree.css_first(place)
        if node is not None:
            return _attribute(node, "data-product-sku") or _attribute(node, "content") or node.text(strip=True)
    return ""


def _tiles(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    seen = set()
    for tile in tree.css(".products .product-item, form.product-item"):
        form = tile if tile.tag == "form" else tile.css_first("form[data-product-sku]")
        found = tile.css_first("[data-product-id]")
        field_ = tile.css_first("input[name=product]")
        product = _attribute(found, "data-product-id") or _attribute(field_, "value")
        if product.isdigit() and product not in seen:
            seen.add(product)
            yield product, _attribute(form, "data-product-sku")


def _attribute(node: LexborNode | None, name: str) -> str:
    return (node.attributes.get(name) or "").strip() if node is not None else ""


def _links(tree: LexborHTMLParser, url: str, places: tuple[str, ...]) -> Iterable[str]:
    """Return the addresses on the same host, place after place, without queries."""
    found: dict[str, None] = {}
    for place in places:
        for node in tree.css(place):
            address = urljoin(url, node.attributes.get("href") or "")
            parts = urlsplit(address)
            if parts.netloc == urlsplit(url).netloc and not parts.query and parts.scheme in {"http", "https"}:
                found.setdefault(address.partition("#")[0])
    return found
