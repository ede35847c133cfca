"""``bridge check --crawl URL``: walks a shop as a visitor would, and says what its pages tell of themselves.

Home, a category, a product, the cart and the checkout. For the last two a product is put into a cart of nobody, as any
visitor may. The ids that are found are compared with those that the shop's REST API, and so the export, has.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from bridge.checks.finding import Finding, fail, good, warn
from bridge.checks.shop import REDIRECTS
from bridge.checks.signals import Signals, read_signals
from bridge.errors import BridgeError, Misconfigured
from bridge.http import Page, ask
from bridge.tracking import PAGE_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bridge.checks.signals import Rules

    FindIds = Callable[[Sequence[str]], Mapping[str, str]]
    """SKUs -> product id of each that the export has."""

PAGES_MOST = 40
TRIES = 8
SHOWN = 5
HOPS = 5


class _Item(msgspec.Struct):
    product_id: str | int
    product_sku: str = ""


class _Cart(msgspec.Struct):
    items: list[_Item] = []


class _Sections(msgspec.Struct):
    cart: _Cart


class Visitor:
    """Asks pages of one host, follows its redirects and keeps its cookies. Raises :class:`BridgeError`."""

    def __init__(self, url: str, rules: Rules = ()) -> None:
        self._base = url
        self._rules = rules
        self._cookies: dict[str, str] = {"form_key": secrets.token_hex(8)}
        self._asked = 0

    def get(self, url: str, *, script: bool = False) -> tuple[Page, str]:
        """Return a page and its own address after redirects."""
        for _ in range(HOPS):
            page = self._ask(url, script=script)
            if page.status not in REDIRECTS or not page.header("location"):
                break
            url = urljoin(url, page.header("location"))
        return page, url

    def look(self, url: str) -> tuple[Page, Signals]:
        """Return a page and what it says of itself."""
        page, address = self.get(url)
        return page, read_signals(page.text, address, self._rules)

    def add(self, url: str, product: str) -> None:
        """Post a product to the cart as the shop's own form does."""
        form = {"product": product, "qty": "1", "form_key": self._cookies.setdefault("form_key", secrets.token_hex(8))}
        self._ask(url, script=True, form=form)

    def _ask(self, url: str, *, script: bool, form: dict[str, str] | None = None) -> Page:
        self._asked += 1
        if self._asked > PAGES_MOST:
            raise Misconfigured("The shop leads from page to page without end.")
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "User-Agent": "bridge-check",
            **({"X-Requested-With": "XMLHttpRequest"} if script else {}),
        }
        page = ask(url, (self._base,), headers, form)
        for line in page.header("set-cookie").splitlines():
            self._keep(line)
        return page

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(";")[0].strip().partition("=")
        if value in {"", "deleted"}:
            self._cookies.pop(name, None)
        elif name.isprintable() and value.isprintable():
            self._cookies[name] = value


def crawl(url: str, find_ids: FindIds | None, rules: Rules = ()) -> Iterator[Finding]:
    """Yield a finding for each page of the walk; without ``find_ids`` ids are shown and not compared.

    ``rules`` are the shop's own page types.
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
        raise Misconfigured("--crawl takes the address of a shop, such as https://shop.example/")
    base = url if url.endswith("/") else f"{url}/"
    visitor = Visitor(base, rules)
    try:
        page, home = visitor.look(base)
        yield _told("home", "homepage", home, page)
        if page.status != 200:
            return
        listing = _first(visitor, [link for link in home.links if link not in home.tile_links], "listing")
        yield from _listing(listing, find_ids)
        seen = [listing, home] if listing else [home]
        links = [link for page in seen for link in page.tile_links] + [link for page in seen for link in page.links]
        product = _first(visitor, links, "product")
        yield from _product(product, find_ids)
        yield from _cart(visitor, base, _candidates([product, *seen] if product else seen), find_ids)
    except BridgeError as error:
        yield fail("crawl", str(error))


def _first(visitor: Visitor, links: Iterable[str], kind: str) -> Signals | None:
    """Return the first page of a type among the first few links."""
    for tried, link in enumerate(dict.fromkeys(links)):
        if tried >= TRIES:
            break
        page, signals = visitor.look(link)
        if page.status == 200 and signals.type == kind:
            return signals
    return None


def _told(name: str, expected: str, signals: Signals, page: Page) -> Finding:
    if page.status != 200:
        return fail(name, f"The page answers {page.status}: look at the shop's own logs.")
    tag = "bridge's tag is in it" if signals.has_tag else "bridge's tag is not in it"
    if signals.type == expected:
        return good(name, f"Signal: {signals.source}; {tag}.")
    found = f"it looks like {signals.type} by {signals.source}" if signals.type else "nothing tells its type"
    return warn(
        name,
        f"Not recognised as {expected}: {found}; {tag}. Known are {len(PAGE_TYPES)} body classes of Magento's own; "
        "name the shop's action in tracking.page_type_rules.",
    )


def _found(name: str, signals: Signals) -> str:
    tag = "bridge's tag is in it" if signals.has_tag else "bridge's tag is not in it"
    return f"Signal: {signals.source}; {tag}. {name}"


def _listing(listing: Signals | None, find_ids: FindIds | None) -> Iterator[Finding]:
    if listing is None:
        yield warn("category", "No page of a category was found behind the first links of the home page.")
        return
    ids = ", ".join(product for product, _ in listing.products[:SHOWN]) or "none"
    yield good("category", _found(f"Category id {listing.category or 'not told'}; product ids {ids}.", listing))
    yield from _compared("category", listing.products, find_ids)


def _product(product: Signals | None, find_ids: FindIds | None) -> Iterator[Finding]:
    if product is None:
        yield warn("product", "No page of a product was found behind the first links.")
        return
    sentence = _found(f"Product id {product.product or 'not told'}, SKU {product.sku or 'not told'}.", product)
    yield (
        good("product", sentence)
        if product.product or product.sku
        else fail("product", f"{sentence} Without an id the view of a product cannot be told.")
    )
    yield from _compared("product", [(product.product, product.sku)], find_ids)


def _candidates(pages: Iterable[Signals]) -> list[str]:
    """Return ids to put into a cart: some products cannot be added without a choice."""
    ids = [id_ for page in pages for id_ in (page.product, *(id_ for id_, _ in page.products))]
    return [id_ for id_ in dict.fromkeys(ids) if id_][:TRIES]


def _cart(visitor: Visitor, base: str, ids: list[str], find_ids: FindIds | None) -> Iterator[Finding]:
    items: list[_Item] = []
    for product in ids:
        visitor.add(f"{base}checkout/cart/add/product/{product}/", product)
        items = _section(visitor, base)
        if items:
            break
    page, signals = visitor.look(f"{base}checkout/cart/")
    yield _told("cart", "basket", signals, page)
    if not items:
        yield warn("cart", "No product could be put into a cart without a choice; the checkout was not looked at.")
        return
    lines = [(str(item.product_id), item.product_sku) for item in items]
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    yield good("cart", f"In it: {', '.join(f'product id {id_}, SKU {sku}' for id_, sku in lines[:SHOWN])}{more}.")
    yield from _compared("cart", lines, find_ids)
    page, signals = visitor.look(f"{base}checkout/")
    yield _told("checkout", "checkout", signals, page)


def _section(visitor: Visitor, base: str) -> list[_Item]:
    page, _ = visitor.get(f"{base}customer/section/load/?sections=cart", script=True)
    try:
        return msgspec.json.decode(page.text, type=_Sections).cart.items
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []


def _compared(name: str, found: Sequence[tuple[str, str]], find_ids: FindIds | None) -> Iterator[Finding]:
    """Say whether the ids of a page are those that the export has for the same SKUs."""
    pairs = [(id_, sku) for id_, sku in found if id_ and sku][:20]
    if find_ids is None or not pairs:
        why = "the shop's REST API is not set up" if find_ids is None else "the page has no id and SKU together"
        yield warn(name, f"Ids were not compared with the export's: {why}.")
        return
    known = find_ids([sku for _, sku in pairs])
    missing = [sku for _, sku in pairs if sku not in known]
    other = [f"{sku} is {id_} here and {known[sku]} there" for id_, sku in pairs if known.get(sku, id_) != id_]
    if other or missing:
        told = [*other, *(f"{sku} is unknown there" for sku in missing)]
        yield fail(name, f"Ids differ from the export's: {'; '.join(told)}.")
    else:
        yield good(name, f"{len(pairs)} of {len(pairs)} ids equal those of the export.")
