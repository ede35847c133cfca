"""Product -> record: one record for the account, one listing for each of its store views that sells the product.

What belongs to the whole record (ids, merge, attributes) follows the settings of the scope that owns the account; what
a store view shows (address, picture) follows the view's own. Object-level values are those of the account's first store
view where the product can be seen, else of the first that sells it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from bridge.errors import Skipped
from bridge.export.map_attributes import mapped_entries
from bridge.export.map_prices import Prices
from bridge.export.names import digits, merge, namespaced
from bridge.export.records import Attribute, Listing, Product

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.export.records import Property
    from bridge.settings import Account, Book, Settings, Store
    from bridge.store import AttributeInfo, Image, ProductView
    from bridge.store import Product as ShopProduct

NOT_VISIBLE = 1


@dataclass(frozen=True, slots=True)
class Beside:
    """What a record needs that its product does not tell.

    ``known``: the account was sent the product before, so it is withdrawn where no store view of the account sells it
    any more. ``parent`` is the product that a variant belongs to, ``attributes`` are known by store view and code.
    """

    known: bool = False
    parent: ShopProduct | None = None
    attributes: Mapping[str, Mapping[str, AttributeInfo]] = field(default_factory=dict)
    now: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A product in one store view that sells it."""

    store: Store
    view: ProductView
    settings: Settings

    @property
    def enabled(self) -> bool:
        """Whether the product can be bought here, by itself or as a variant."""
        return self.view.enabled and self.store.active

    @property
    def hidden(self) -> bool:
        """Whether the product has no page of its own here."""
        return self.view.visibility == NOT_VISIBLE

    @property
    def open(self) -> bool:
        """Whether a shopper can come to its page."""
        return self.enabled and not self.hidden


def product_record(product: ShopProduct, account: Account, book: Book, beside: Beside | None = None) -> Product:
    """Return the record of a product; raises :class:`Skipped` where there is nothing to tell the account."""
    beside = beside or Beside()
    now = beside.now or dt.datetime.now(dt.UTC)
    sold = offers(product, account, book)
    if not sold:
        if not beside.known:
            raise Skipped("No store view of the account sells the product.")
        return _withdrawn(product, account)
    first = main_offer(sold)
    variant = product.parent is not None and all(offer.hidden for offer in sold)
    prices = Prices(product.type, first.view, first.store, now)
    attributes, properties = _attributes(sold, account, beside)
    return Product(
        id=product_id(account, product.id, product.sku),
        merge=merge(account, "product"),
        title=first.view.name,
        sku=product.sku or None,
        price=digits(prices.regular),
        special_price=digits(prices.special),
        special_price_dt_from=prices.starts,
        special_price_dt_to=prices.end(merged=merge(account, "product") is True),
        currency=prices.currency or None,
        is_variant=variant,
        parent_id=_parent_id(product, account) if variant else None,
        is_active=any(offer.enabled if variant else offer.open for offer in sold),
        is_in_stock=product.salable,
        url=_variant_url(beside.parent, first) if variant else url_of(product.id, first),
        image_url=image_url(first),
        # The list replaces the one that Ometria has, and merging would keep that where none is sent.
        attributes=attributes or ([] if merge(account, "product") else None),
        listings=None if variant else [_listing(product, offer, account, now) for offer in sold],
        properties=properties or None,
    )


def offers(product: ShopProduct, account: Account, book: Book) -> list[Offer]:
    """Return the product in each store view of the account that sells it."""
    return [
        Offer(store, view, book.settings(store.ref))
        for store in account.stores
        if store.website_id in product.website_ids and (view := product.views.get(store.code)) is not None
    ]


def main_offer(sold: Sequence[Offer]) -> Offer:
    """Return the one whose values the whole record has."""
    return next((offer for offer in sold if offer.open), sold[0])


def gone_record(record_id: str) -> Product:
    """Return the record that withdraws a product which is not in the shop any more, by the id it was sent with."""
    return Product(id=record_id, merge=True, is_active=False)


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


def _parent_id(product: ShopProduct, account: Account) -> str | None:
    if not account.settings["products.parent_id"]:
        return None
    return product_id(account, product.parent or "", product.parent_sku)


def _listing(product: ShopProduct, offer: Offer, account: Account, now: dt.datetime) -> Listing:
    prices = Prices(product.type, offer.view, offer.store, now)
    return Listing(
        store=account.store_name(offer.store),
        title=offer.view.name,
        url=url_of(product.id, offer),
        image_url=image_url(offer),
        price=digits(prices.regular),
        special_price=digits(prices.special),
        currency=prices.currency or None,
        is_active=offer.open,
    )


def _attributes(sold: Sequence[Offer], account: Account, beside: Beside) -> tuple[list[Attribute], dict[str, Property]]:
    """Return the categories of all store views, each in the words of the first that has it, and what is mapped."""
    categories = {
        category.id: Attribute(type="category", id=category.id, label=category.name)
        for offer in reversed([main_offer(sold), *sold])
        for category in offer.view.categories
        if _within(category.path, offer.store)
    }
    wanted = [category.id for offer in [main_offer(sold), *sold] for category in offer.view.categories]
    first = main_offer(sold)
    entries, properties = mapped_entries(
        first.view.values, account.settings["products.mapping"], beside.attributes.get(first.store.code, {})
    )
    return [categories[id_] for id_ in dict.fromkeys(wanted) if id_ in categories] + entries, properties


def _within(path: Sequence[str], store: Store) -> bool:
    """Return whether a category is below the root category of the store view; one of unknown place is taken to be."""
    return not path or not store.root_category or str(store.root_category) in path


def url_of(id_: str, offer: Offer) -> str | None:
    """Return the address of the page of the product with this id, in the merchant's own format where there is one.

    It is the shop's own word, else made of the URL key.
    """
    view, base = offer.view, offer.store.link_url or offer.store.base_url
    own = view.url
    if not own and view.url_key and base:
        own = f"{base}{quote(view.url_key)}{offer.settings['products.url_suffix']}"
    form = offer.settings["products.url_format"]
    if not own or not form:
        return own
    return str(form).replace("{product_id}", id_).replace("{url_path}", urlsplit(own).path.lstrip("/"))


def _variant_url(parent: ShopProduct | None, offer: Offer) -> str | None:
    """Return the address of the parent's page in the same store view: a variant has none of its own."""
    view = parent.views.get(offer.store.code) if parent is not None else None
    if parent is None or view is None or view.visibility == NOT_VISIBLE:
        return None
    return url_of(parent.id, Offer(offer.store, view, offer.settings))


def image_url(offer: Offer) -> str | None:
    """Return the picture that the settings choose: of the gallery one by its number or the last, or the thumbnail.

    A thumbnail may be left out of the gallery of the product's page; Magento shows it in lists all the same.
    """
    images = offer.view.images
    found: Image | None
    if offer.settings["products.image"] == "thumbnail":
        found = next((image for image in images if "thumbnail" in image.types), None)
    else:
        shown = [image for image in images if not image.disabled]
        number = int(offer.settings["products.image_number"])
        found = shown[min(number, len(shown)) - 1] if shown else None
    if found is None or not offer.store.media_url:
        return None
    return f"{offer.store.media_url.rstrip('/')}/catalog/product{quote(found.file)}"
