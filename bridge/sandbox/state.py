"""Everything the sandbox shop remembers, in memory."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING

from bridge.sandbox.catalog import Catalog
from bridge.sandbox.values import masked_id, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.sandbox.catalog import Product
    from bridge.sandbox.options import ShopOptions

MOST_BLANK_SESSIONS = 5000


@dataclass(frozen=True)
class Address:
    """A postal address, as typed."""

    firstname: str = ""
    lastname: str = ""
    street: tuple[str, ...] = ()
    city: str = ""
    postcode: str = ""
    country_id: str = "GB"
    telephone: str = ""
    company: str = ""


@dataclass
class Customer:
    """A registered customer. ``password`` is kept as typed: the shop is a toy and never leaves its process."""

    id: int
    email: str
    firstname: str
    lastname: str
    password: str
    created_at: str
    updated_at: str
    addresses: dict[int, Address] = field(default_factory=dict)

    @property
    def default_address(self) -> int | None:
        """Id of the default billing and shipping address."""
        return next(iter(self.addresses), None)


@dataclass
class QuoteItem:
    """A line of a cart: the product of the page and, for a configurable, the chosen child."""

    id: int
    product: Product
    child: Product | None
    qty: int
    created_at: str
    updated_at: str

    @property
    def sold(self) -> Product:
        """The product that leaves the shelf."""
        return self.child or self.product

    @property
    def price(self) -> Decimal:
        """Price of one."""
        return self.sold.final_price

    @property
    def row_total(self) -> Decimal:
        """Price of the line."""
        return self.price * self.qty


@dataclass
class Quote:
    """A cart: a guest's (known by its masked id) or a customer's."""

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
    active: bool = True

    @property
    def masked_id(self) -> str:
        """The id that guests see."""
        return masked_id(self.id)

    @property
    def subtotal(self) -> Decimal:
        """Sum of the lines."""
        return sum((item.row_total for item in self.items), Decimal(0))

    @property
    def qty(self) -> int:
        """Number of pieces."""
        return sum(item.qty for item in self.items)

    @property
    def is_virtual(self) -> bool:
        """Whether nothing has to be sent."""
        return bool(self.items) and all(item.product.type_id == "virtual" for item in self.items)


@dataclass(frozen=True)
class OrderItem:
    """A line of an order, from the quote item of the same place."""

    id: int
    child_id: int | None
    quote_item: QuoteItem


@dataclass(frozen=True)
class Order:
    """A placed order. Addresses have ids of their own."""

    number: int
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

    @property
    def entity_id(self) -> int:
        """The database id. Far from the number, so that nobody can take one for the other."""
        return 101 + self.number

    @property
    def increment_id(self) -> str:
        """The order number that people see."""
        return f"{self.number:09d}"

    @property
    def subtotal(self) -> Decimal:
        """Sum of the lines."""
        return sum((item.quote_item.row_total for item in self.items), Decimal(0))

    @property
    def grand_total(self) -> Decimal:
        """Lines and shipping."""
        return self.subtotal + self.shipping_amount

    @property
    def qty(self) -> int:
        """Number of pieces."""
        return sum(item.quote_item.qty for item in self.items)


@dataclass
class Session:
    """A visitor's PHP session."""

    id: str
    form_key: str
    customer_id: int | None = None
    quote_id: int | None = None
    last_order_id: int | None = None
    messages: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether losing the session loses nothing; the form key lives in the browser's cookie."""
        return not (self.customer_id or self.quote_id or self.last_order_id or self.messages)


class ShopState:
    """The shop's memory. Hold ``lock`` while reading or changing it; the shop does so around each request."""

    def __init__(self, options: ShopOptions, catalog: Catalog | None = None) -> None:
        self.options = options
        self.catalog = catalog or Catalog()
        self.started = int(options.clock().timestamp())
        self.lock = threading.RLock()
        self.sessions: dict[str, Session] = {}
        self.customers: dict[int, Customer] = {}
        self.quotes: dict[int, Quote] = {}
        self.orders: dict[int, Order] = {}
        self.subscribers: set[str] = set()
        self.reserved: defaultdict[str, int] = defaultdict(int)
        self._ids: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
        self._ids.update(
            customer=count(41),
            address=count(71),
            quote=count(501),
            quote_item=count(1001),
            order=count(1),
            order_item=count(3001),
            order_address=count(2001),
        )

    def next_id(self, kind: str) -> int:
        """Give the next id of a kind; each kind counts for itself."""
        return next(self._ids[kind])

    def now(self) -> str:
        """Return the present moment as the database writes it."""
        return stamp(self.options.clock())

    def timestamp(self) -> int:
        """Return the present moment in Unix seconds."""
        return int(self.options.clock().timestamp())

    def forget_blank_sessions(self) -> None:
        """Drop sessions that hold nothing once there are many: crawlers open one with every request."""
        if len(self.sessions) >= MOST_BLANK_SESSIONS:
            self.sessions = {key: session for key, session in self.sessions.items() if not session.is_blank}

    def salable(self, product: Product) -> int:
        """Return how many pieces may still be sold: what lies on the shelf less what orders have reserved."""
        return max(0, product.quantity - self.reserved[product.sku])

    def is_salable(self, product: Product) -> bool:
        """Tell whether a product can be bought; a configurable follows its variants."""
        if product.children:
            return any(self.is_salable(child) for child in self.catalog.children(product))
        return self.salable(product) > 0

    def customer_by_email(self, email: str) -> Customer | None:
        """Find a customer; e-mail addresses compare without case."""
        wanted = email.strip().lower()
        return next((found for found in self.customers.values() if found.email.lower() == wanted), None)

    def add_customer(self, email: str, firstname: str, lastname: str, password: str, created_at: str = "") -> Customer:
        """Register a customer."""
        moment = created_at or self.now()
        customer = Customer(self.next_id("customer"), email, firstname, lastname, password, moment, moment)
        self.customers[customer.id] = customer
        return customer

    def add_address(self, customer: Customer, address: Address) -> int:
        """Put an address in a customer's book; the first one is the default."""
        address_id = self.next_id("address")
        customer.addresses[address_id] = address
        customer.updated_at = self.now()
        return address_id

    def subscribe(self, email: str) -> None:
        """Put an address on the newsletter list. No ``updated_at`` moves, as with the footer form of the real shop."""
        self.subscribers.add(email.strip().lower())

    def is_subscribed(self, email: str) -> bool:
        """Tell whether an address is on the newsletter list."""
        return email.strip().lower() in self.subscribers

    def new_quote(self, customer_id: int | None = None) -> Quote:
        """Open a cart."""
        moment = self.now()
        quote = Quote(self.next_id("quote"), moment, moment, customer_id)
        self.quotes[quote.id] = quote
        return quote

    def quote_of(self, session: Session) -> Quote | None:
        """Return the visitor's active cart, or None."""
        if session.customer_id is not None:
            owned = (q for q in self.quotes.values() if q.active and q.customer_id == session.customer_id)
            return next(owned, None)
        quote = self.quotes.get(session.quote_id or 0)
        return quote if quote is not None and quote.active else None

    def open_quote(self, session: Session) -> Quote:
        """Return the visitor's active cart; open one when there is none."""
        quote = self.quote_of(session)
        if quote is None:
            quote = self.new_quote(session.customer_id)
            session.quote_id = quote.id
        return quote

    def guest_quote(self, masked: str) -> Quote | None:
        """Find a guest's active cart by its masked id."""
        return next(
            (q for q in self.quotes.values() if q.active and q.customer_id is None and q.masked_id == masked), None
        )

    def orders_of(self, customer: Customer) -> list[Order]:
        """Return a customer's orders, newest first."""
        mine = [order for order in self.orders.values() if order.customer_id == customer.id]
        return sorted(mine, key=lambda order: order.entity_id, reverse=True)

    def set_order_state(self, order: Order, state: str, status: str) -> Order:
        """Change an order's state and status, moving its ``updated_at`` as Magento does."""
        changed = replace(order, updated_at=self.now(), state=state, status=status)
        self.orders[order.entity_id] = changed
        return changed
