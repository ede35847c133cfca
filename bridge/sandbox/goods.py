"""The types of the catalogue: attributes, categories, products of every kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

COLOUR = 93
SIZE = 137


@dataclass(frozen=True)
class Option:
    """One value of a select attribute: Magento's option id and its label."""

    id: int
    label: str


@dataclass(frozen=True)
class Attribute:
    """A product attribute; ``options`` is empty for free text and numbers."""

    id: int
    code: str
    label: str
    frontend_input: str
    backend_type: str
    options: tuple[Option, ...] = ()
    is_user_defined: bool = False
    scope: str = "store"

    def option_label(self, option_id: int) -> str:
        """Return the label of an option id; KeyError when the attribute has no such option."""
        return {option.id: option.label for option in self.options}[option_id]


@dataclass(frozen=True)
class Category:
    """A category below the root category 2, or below another one. ``views`` holds other values by store view code."""

    id: int
    name: str
    url_key: str
    blurb: str
    position: int
    parent_id: int = 2
    views: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Ids from the root down."""
        return f"1/2/{self.id}" if self.parent_id == 2 else f"1/2/{self.parent_id}/{self.id}"

    @property
    def level(self) -> int:
        """Depth in the tree; the root category is at 1."""
        return self.path.count("/")


@dataclass(frozen=True)
class Selection:
    """One choice of a bundle option. ``price`` counts in bundles of fixed price only."""

    id: int
    product_id: int
    qty: int = 1
    price: Decimal = Decimal(0)
    is_default: bool = False


@dataclass(frozen=True)
class BundleOption:
    """What a visitor chooses in a bundle. ``type`` is Magento's: select, radio, checkbox or multi."""

    id: int
    title: str
    type: str
    selections: tuple[Selection, ...]
    required: bool = True


@dataclass(frozen=True)
class Product:
    """A product as the shop keeps it, or as one store view sees it; tax is included and not shown apart.

    ``price`` and ``special_price`` are in GBP; the website ``europe`` has ``eur`` and ``special_eur``, or GBP times
    1.2.
    ``special_is_on`` says whether the shop was started between the special price's dates. ``views`` holds other values
    (name, url_key, status, blurb) by store view code.
    """

    id: int
    sku: str
    name: str
    url_key: str
    price: Decimal
    art: str
    blurb: str = ""
    type_id: str = "simple"
    special_price: Decimal | None = None
    quantity: int = 100
    categories: tuple[int, ...] = ()
    weight: Decimal | None = Decimal(1)
    visibility: int = 4
    options: dict[str, str] = field(default_factory=dict)
    children: tuple[int, ...] = ()
    super_attributes: tuple[int, ...] = ()
    bundle: tuple[BundleOption, ...] = ()
    has_fixed_price: bool = False
    associated: tuple[int, ...] = ()
    websites: tuple[int, ...] = (1, 2)
    status: int = 1
    special_from: str = "2025-05-01 00:00:00"
    special_to: str | None = None
    special_is_on: bool = True
    eur: Decimal | None = None
    special_eur: Decimal | None = None
    has_swatches: bool = False
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    created_at: str = "2025-05-01 08:00:00"
    updated_at: str = "2025-06-01 09:30:00"

    @property
    def final_price(self) -> Decimal:
        """What a visitor pays for one."""
        if self.special_price is None or not self.special_is_on:
            return self.price
        return min(self.price, self.special_price)

    @property
    def regular_price(self) -> Decimal | None:
        """The price that is struck through; None unless a special price is on."""
        return self.price if self.final_price < self.price else None

    @property
    def is_composite(self) -> bool:
        """Whether stock and price are those of other products."""
        return bool(self.children or self.bundle or self.associated)

    def is_shown_in(self, website_id: int) -> bool:
        """Tell whether the product has a page in a website."""
        return self.status == 1 and self.visibility != 1 and website_id in self.websites

    @property
    def image_file(self) -> str:
        """Path below ``media/catalog/product``, with Magento's two directory letters."""
        name = re.sub(r"[^a-z0-9-]+", "_", self.sku.lower())
        return f"/{name[0]}/{name[1]}/{name}.svg"
