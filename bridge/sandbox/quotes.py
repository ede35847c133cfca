"""Carts and their lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.sandbox.values import masked_id
from bridge.sandbox.views import DEFAULT, StoreView

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product
    from bridge.sandbox.people import Address
    from bridge.sandbox.promotions import Rule

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Part:
    """A chosen part of a bundle: ``qty`` pieces in each bundle, each for ``price``."""

    option_id: int
    option_title: str
    selection_id: int
    product: Product
    qty: int
    price: Decimal


@dataclass
class QuoteItem:
    """A line of a cart: the product of the page and, for a configurable, the chosen child; for a bundle its parts."""

    id: int
    product: Product
    child: Product | None
    qty: int
    created_at: str
    updated_at: str
    parts: tuple[Part, ...] = ()

    @property
    def sold(self) -> Product:
        """The product whose number and price the line has."""
        return self.child or self.product

    @property
    def leaving(self) -> list[tuple[Product, int]]:
        """The products that leave the shelf, with their pieces in one line."""
        if self.parts:
            return [(part.product, part.qty * self.qty) for part in self.parts]
        return [(self.sold, self.qty)]

    @property
    def sku(self) -> str:
        """Number of the line: a bundle's is followed by those of its parts."""
        return "-".join([self.sold.sku, *(part.product.sku for part in self.parts)])

    @property
    def weight(self) -> Decimal | None:
        """Weight of one; None for what has none."""
        if self.parts and not self.product.has_fixed_price:
            return sum((part.product.weight or Decimal(0)) * part.qty for part in self.parts) or Decimal(0)
        return self.sold.weight

    @property
    def price(self) -> Decimal:
        """Price of one."""
        if not self.parts:
            return self.sold.final_price
        start = self.product.final_price if self.product.has_fixed_price else Decimal(0)
        return start + sum((part.price * part.qty for part in self.parts), Decimal(0))

    @property
    def row_total(self) -> Decimal:
        """Price of the line."""
        return self.price * self.qty

    def is_same(self, product: Product, child: Product | None, parts: tuple[Part, ...]) -> bool:
        """Tell whether a choice belongs on this line."""
        same_child = (self.child.id if self.child else None) == (child.id if child else None)
        chosen = [part.selection_id for part in self.parts] == [part.selection_id for part in parts]
        return self.product.id == product.id and same_child and chosen


@dataclass
class Quote:
    """A cart: a guest's (known by its masked id) or a customer's, in one store view."""

    id: int
    created_at: str
    updated_at: str
    customer_id: int | None = None
    items: list[QuoteItem] = field(default_factory=list)
    email: str | None = None
    validated_email: str | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    shipping_method: str | None = None
    payment_method: str | None = None
    active: bool = True
    view: StoreView = DEFAULT
    coupon_code: str | None = None
    rule: Rule | None = None

    @property
    def masked_id(self) -> str:
        """The id that guests see."""
        return masked_id(self.id)

    @property
    def subtotal(self) -> Decimal:
        """Sum of the lines."""
        return sum((item.row_total for item in self.items), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """What the coupon takes off, as a positive amount."""
        return sum((self.discount_of(item) for item in self.items), Decimal(0))

    def discount_of(self, item: QuoteItem) -> Decimal:
        """Return what the coupon takes off a line."""
        if self.rule is None:
            return Decimal(0)
        return (item.row_total * self.rule.percent / 100).quantize(CENT)

    @property
    def qty(self) -> int:
        """Number of pieces."""
        return sum(item.qty for item in self.items)

    @property
    def is_virtual(self) -> bool:
        """Whether nothing has to be sent."""
        return bool(self.items) and all(item.product.type_id == "virtual" for item in self.items)
