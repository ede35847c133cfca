"""What the sandbox shop sells, with its look-ups, as the admin or one store view sees it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from itertools import product as combinations

from bridge.sandbox.assortment import FIRST_PRODUCTS
from bridge.sandbox.assortment_more import MORE_PRODUCTS
from bridge.sandbox.attributes import ATTRIBUTES, CATEGORIES, attribute
from bridge.sandbox.goods import COLOUR, SIZE, BundleOption, Category, Product, Selection
from bridge.sandbox.views import DEFAULT, StoreView

__all__ = ["ATTRIBUTES", "CATEGORIES", "COLOUR", "PRODUCTS", "SIZE", "Catalog", "attribute", "category"]

PRODUCTS: tuple[Product, ...] = (*FIRST_PRODUCTS, *MORE_PRODUCTS)
EURO_RATE = Decimal("1.2")


class Catalog:
    """The products and categories with the values of a store view. ``today`` decides which special prices are on."""

    def __init__(
        self, products: tuple[Product, ...] = PRODUCTS, view: StoreView = DEFAULT, today: str = "2026-01-01"
    ) -> None:
        self.view = view
        self.products = tuple(_seen(product, view, today) for product in products)
        self.categories = tuple(replace(found, **found.views.get(view.code, {})) for found in CATEGORIES)
        self.by_id = {product.id: product for product in self.products}
        self.by_sku = {product.sku: product for product in self.products}
        self.parent_of = {child: product.id for product in self.products for child in product.children}

    @cached_property
    def by_url_key(self) -> dict[str, Product]:
        """Products that have a page of their own in this view."""
        shown = (product for product in self.products if product.is_shown_in(self.view.website.id))
        return {product.url_key: product for product in shown}

    def children(self, product: Product) -> list[Product]:
        """Return the variants of a configurable product."""
        return [self.by_id[child] for child in product.children]

    def associated(self, product: Product) -> list[Product]:
        """Return the members of a grouped product."""
        return [self.by_id[member] for member in product.associated]

    def variant(self, product: Product, chosen: dict[int, str]) -> Product | None:
        """Return the child that has exactly the chosen option ids, by attribute id; None when incomplete or unknown."""
        codes = {attribute.id: attribute.code for attribute in ATTRIBUTES}
        for child in self.children(product):
            if all(child.options.get(codes[axis]) == chosen.get(axis) for axis in product.super_attributes):
                return child
        return None

    def selections(self, product: Product, chosen: dict[int, list[int]]) -> list[tuple[BundleOption, Selection]] | None:
        """Return the chosen selections of a bundle; None when a required option is open or a selection unknown."""
        found = []
        for option in product.bundle:
            wanted = chosen.get(option.id, [])
            known = {selection.id: selection for selection in option.selections}
            if (option.required and not wanted) or not set(wanted) <= set(known):
                return None
            found += [(option, known[id_]) for id_ in wanted]
        return found

    def selection_price(self, product: Product, selection: Selection) -> Decimal:
        """Return what one piece of a selection adds to a bundle."""
        return selection.price if product.has_fixed_price else self.by_id[selection.product_id].final_price

    def lowest_price(self, product: Product) -> Decimal:
        """Return the price shown for a product: one made of others shows its cheapest form."""
        if product.children:
            return min(child.final_price for child in self.children(product))
        if product.associated:
            return min(member.final_price for member in self.associated(product))
        if product.bundle:
            return self.bundle_prices(product)[0]
        return product.final_price

    def bundle_prices(self, product: Product) -> tuple[Decimal, Decimal]:
        """Return the lowest and the highest price of a bundle."""
        start = product.final_price if product.has_fixed_price else Decimal(0)
        ways = [
            [self.selection_price(product, selection) * selection.qty for selection in option.selections]
            for option in product.bundle
            if option.required
        ]
        totals = [start + sum(way, Decimal(0)) for way in combinations(*ways)]
        extra = [
            self.selection_price(product, selection) * selection.qty
            for option in product.bundle
            if not option.required
            for selection in option.selections
        ]
        return min(totals), max(totals) + sum(extra, Decimal(0))


def _seen(product: Product, view: StoreView, today: str) -> Product:
    """Return a product with the values of a view: own words, prices of the website, whether the special price is on."""
    if view.currency == "EUR":
        euros = _converted(product, EURO_RATE)
        price = product.eur if product.eur is not None else euros.price
        product = replace(euros, price=price, special_price=product.special_eur or euros.special_price)
    if view.shown_in:
        product = _converted(product, view.rate)
    is_on = product.special_from[:10] <= today <= (product.special_to or "9999")[:10]
    return replace(product, special_is_on=is_on, **product.views.get(view.code, {}))


def _converted(product: Product, rate: Decimal) -> Product:
    def shown(amount: Decimal) -> Decimal:
        return (amount * rate).quantize(Decimal("0.01"))

    return replace(
        product,
        price=shown(product.price),
        special_price=product.special_price and shown(product.special_price),
        bundle=tuple(
            replace(option, selections=tuple(replace(one, price=shown(one.price)) for one in option.selections))
            for option in product.bundle
        ),
    )


def category(id_: int) -> Category:
    """Return a category by its id."""
    return next(found for found in CATEGORIES if found.id == id_)
