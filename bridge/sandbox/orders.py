"""Orders and the documents that follow them: invoices, shipments, credit memos, history."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.sandbox.people import Address
    from bridge.sandbox.quotes import QuoteItem
    from bridge.sandbox.views import StoreView


@dataclass
class OrderItem:
    """A line of an order, from the quote item of the same place; ``child_ids`` are the rows of its variant or parts."""

    id: int
    child_ids: tuple[int, ...]
    quote_item: QuoteItem
    discount: Decimal = Decimal(0)
    invoiced: int = 0
    shipped: int = 0
    refunded: int = 0
    canceled: int = 0

    @property
    def is_virtual(self) -> bool:
        """Whether nothing of it is sent."""
        return self.quote_item.product.type_id == "virtual"

    @property
    def qty(self) -> int:
        """Pieces ordered."""
        return self.quote_item.qty

    def to_invoice(self) -> int:
        """Return how many pieces wait for an invoice."""
        return self.qty - self.invoiced - self.canceled

    def to_ship(self) -> int:
        """Return how many pieces wait for a parcel."""
        return 0 if self.is_virtual else self.qty - self.shipped - self.canceled - self.refunded

    def to_refund(self) -> int:
        """Return how many pieces can be given back."""
        return self.invoiced - self.refunded


@dataclass(frozen=True)
class Note:
    """A comment on an order or on one of its documents; ``about`` is Magento's ``entity_name``."""

    id: int
    text: str
    created_at: str
    notified: bool
    visible: bool
    about: str = "order"
    status: str = ""


@dataclass(frozen=True)
class Track:
    """A parcel's number."""

    id: int
    number: str
    title: str
    carrier: str
    created_at: str
    weight: float | None = None
    qty: float | None = None
    description: str | None = None


@dataclass
class Document:
    """An invoice, shipment or credit memo: ``rows`` are (id, order line, pieces).

    ``adjusted`` says that the refund was asked with amounts, which leaves columns of their own.
    """

    id: int
    increment_id: str
    order: Order
    created_at: str
    updated_at: str
    rows: list[tuple[int, OrderItem, int]]
    notes: list[Note] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    shipping_amount: Decimal = Decimal(0)
    emailed: bool = True
    adjusted: bool = False

    @property
    def qty(self) -> int:
        """Pieces in the document."""
        return sum(qty for _, _, qty in self.rows)

    @property
    def subtotal(self) -> Decimal:
        """Sum of the rows, without discount."""
        return sum((line.quote_item.price * qty for _, line, qty in self.rows), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """Share of the discount, as a positive amount."""
        return sum((line.discount * qty / line.qty for _, line, qty in self.rows), Decimal(0)).quantize(Decimal("0.01"))

    @property
    def grand_total(self) -> Decimal:
        """Rows less discount, and shipping."""
        return self.subtotal - self.discount + self.shipping_amount


@dataclass
class Order:
    """A placed order. Addresses have ids of their own."""

    entity_id: int
    increment_id: str
    view: StoreView
    quote_id: int
    created_at: str
    updated_at: str
    email: str
    firstname: str
    lastname: str
    customer_id: int | None
    items: tuple[OrderItem, ...]
    billing_address: Address
    billing_address_id: int
    shipping_address: Address | None
    shipping_address_id: int | None
    customer_address_id: int | None
    shipping_method: str | None
    shipping_amount: Decimal
    payment_method: str
    remote_ip: str
    state: str = "new"
    status: str = "pending"
    coupon_code: str | None = None
    rule_id: int | None = None
    discount_label: str | None = None
    emailed: bool = True
    history: list[Note] = field(default_factory=list)
    invoices: list[Document] = field(default_factory=list)
    shipments: list[Document] = field(default_factory=list)
    credit_memos: list[Document] = field(default_factory=list)
    held: tuple[str, str] | None = None
    parent: Order | None = None
    child: Order | None = None

    @property
    def subtotal(self) -> Decimal:
        """Sum of the lines."""
        return sum((item.quote_item.row_total for item in self.items), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """What the coupon took off, as a positive amount."""
        return sum((item.discount for item in self.items), Decimal(0))

    @property
    def grand_total(self) -> Decimal:
        """Lines less discount, and shipping."""
        return self.subtotal - self.discount + self.shipping_amount

    @property
    def qty(self) -> int:
        """Number of pieces."""
        return sum(item.quote_item.qty for item in self.items)

    @property
    def is_virtual(self) -> bool:
        """Whether nothing is sent."""
        return self.shipping_address is None
