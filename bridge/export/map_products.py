"""Product -> record: one record for the account, one listing for each of its store views that sells the product.

With ``@merge`` a field that is left out keeps its value at Ometria, so leaving out a special price does not end it, and
what a null does is not documented. Its period is: a merged record always says when the special price ends, in the past
where there is none.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.errors import Skipped
from bridge.export.names import digits, merge, namespaced
from bridge.export.records import Attribute, Listing, Product

if TYPE_CHECKING:
    from bridge.settings import Account, Settings, Store
    from bridge.store import Product as ShopProduct
    from bridge.store import ProductView

NOT_VISIBLE = 1
OWN_PRICE = {"simple", "virtual", "downloadable", "giftcard"}
"""Types that have a price of their own; the others show their parts' prices."""
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
OPEN_END = dt.datetime(2099, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
"""Ends of the period of no special price, and of one that has no end."""
URL_SUFFIX = ".html"
"""Magento's usual suffix: the REST API does not tell it."""


class Prices:
    """The prices of one view at one moment."""

    def __init__(self, product: ShopProduct, view: ProductView, store: Store, now: dt.datetime) -> None:
        own = product.type in OWN_PRICE and view.price is not None
        self.currency = (store.base_currency if own else store.currency) or store.currency or store.base_currency
        self.regular = view.price if own else (view.shown_price or view.price or None)
        self.special = view.special_price if own else view.final_price
        self.starts = _midnight(view.special_from, store) if own else None
        self.ends = _midnight(view.special_to, store, days=1) if own else None
        inside = (self.starts is None or now >= self.starts) and (self.ends is None or now < self.ends)
        if self.special is None or self.regular is None or self.special >= self.regular or not inside:
            self.special = self.starts = self.ends = None


def product_record(
    product: ShopProduct, account: Account, *, now: dt.datetime | None = None, known: bool = False
) -> Product:
    """Return the record of a product.

    ``known``: the account was sent it before, so it is withdrawn where no store view of the account sells it any more;
    otherwise that raises :class:`Skipped`. Object-level values are those of the account's first store view.
    """
    now = now or dt.datetime.now(dt.UTC)
    sold = [
        (store, view)
        for store in account.stores
        if store.website_id in product.website_ids and (view := product.views.get(store.code)) is not None
    ]
    if not sold:
        if not known:
            raise Skipped("No store view of the account sells the product.")
        return _withdrawn(product, account)
    store, view = sold[0]
    variant = view.visibility == NOT_VISIBLE and product.parent is not None
    prices = Prices(product, view, store, now)
    return Product(
        id=product_id(account, product.id, product.sku),
        merge=merge(account, "product"),
        title=view.name,
        sku=product.sku or None,
        price=digits(prices.regular),
        special_price=digits(prices.special),
        special_price_dt_from=prices.starts,
        special_price_dt_to=_special_end(prices, merged=merge(account, "product") is True),
        currency=prices.currency or None,
        is_variant=variant,
        parent_id=product_id(account, product.parent or "", product.parent_sku) if variant else None,
        is_active=any(one.enabled and (variant or one.visibility != NOT_VISIBLE) for _, one in sold),
        is_in_stock=product.salable,
        url=None if variant else url_of(view, store),
        image_url=image_url(view, store, account.settings),
        attributes=_categories(view),
        listings=None if variant else [_listing(product, one, place, account, now) for place, one in sold],
    )


def _special_end(prices: Prices, *, merged: bool) -> dt.datetime | None:
    if prices.ends is not None:
        return prices.ends - dt.timedelta(seconds=1)
    if not merged:
        return None
    return LONG_AGO if prices.special is None else OPEN_END


def _withdrawn(product: ShopProduct, account: Account) -> Product:
    view = next(iter(product.views.values()), None)
    return Product(
        id=product_id(account, product.id, product.sku),
        merge=True,
        title=view.name if view else None,
        sku=product.sku or None,
        is_active=False,
    )


def product_id(account: Account, id_: str, sku: str | None) -> str:
    """Return the product id as this account knows it; the entity id where the SKU is wanted and unknown."""
    wanted = sku if account.settings["products.id_attribute"] == "sku" and sku else id_
    return namespaced(account, "product", wanted)


def _listing(product: ShopProduct, view: ProductView, store: Store, account: Account, now: dt.datetime) -> Listing:
    prices = Prices(product, view, store, now)
    return Listing(
        store=account.store_name(store),
        title=view.name,
        url=url_of(view, store),
        image_url=image_url(view, store, account.settings),
        price=digits(prices.regular),
        special_price=digits(prices.special),
        currency=prices.currency or None,
        is_active=view.enabled and view.visibility != NOT_VISIBLE,
    )


def _categories(view: ProductView) -> list[Attribute] | None:
    found = [Attribute(type="category", id=category.id, label=category.name) for category in view.categories]
    return found or None


def url_of(view: ProductView, store: Store) -> str | None:
    """Return the address of the product's page: the shop's own word, else made of the URL key."""
    if view.url:
        return view.url
    base = store.link_url or store.base_url
    return f"{base}{quote(view.url_key)}{URL_SUFFIX}" if view.url_key and base else None


def image_url(view: ProductView, store: Store, settings: Settings) -> str | None:
    """Return the picture that the settings choose; of a gallery with fewer pictures the last."""
    shown = [image for image in view.images if not image.disabled]
    if settings["products.image"] == "thumbnail":
        shown = [image for image in shown if "thumbnail" in image.types]
        number = 1
    else:
        number = int(settings["products.image_number"])
    if not shown or not store.media_url:
        return None
    image = shown[min(number, len(shown)) - 1]
    return f"{store.media_url.rstrip('/')}/catalog/product{quote(image.file)}"


def _midnight(day: dt.date | None, store: Store, *, days: int = 0) -> dt.datetime | None:
    """Return the beginning of a day (or of the one ``days`` later) in the store view's time zone, in UTC."""
    if day is None:
        return None
    try:
        zone: dt.tzinfo = ZoneInfo(store.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = dt.UTC
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), zone).astimezone(dt.UTC)
