"""Everything the sandbox shop remembers, in memory."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from bridge.sandbox.catalog import Catalog
from bridge.sandbox.people import SUBSCRIBED, UNCONFIRMED, UNSUBSCRIBED, Address, Customer, Session, Subscriber
from bridge.sandbox.promotions import CouponBook
from bridge.sandbox.quotes import Part, Quote, QuoteItem
from bridge.sandbox.values import stamp
from bridge.sandbox.views import DEFAULT, SHELVES, StoreView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.sandbox.goods import Product
    from bridge.sandbox.options import ShopOptions
    from bridge.sandbox.orders import Document, Order

__all__ = ["Address", "Customer", "Quote", "QuoteItem", "Session", "ShopState", "Subscriber"]

MOST_BLANK_SESSIONS = 5000
FIRST_IDS = {
    "customer": 41,
    "address": 71,
    "quote": 501,
    "quote_item": 1001,
    "order": 102,
    "order_item": 3001,
    "order_address": 2001,
    "invoice": 401,
    "shipment": 601,
    "credit_memo": 801,
    "subscriber": 11,
}


class ShopState:
    """The shop's memory. Hold ``lock`` while reading or changing it; the shop does so around each request.

    ``maintenance`` closes the whole shop (503). ``moment`` stops the shop's clock, for what happened before it started.
    """

    def __init__(self, options: ShopOptions) -> None:
        self.options = options
        self.started = int(options.clock().timestamp())
        today = stamp(options.clock())[:10]
        self.catalogs = {view.shelf: Catalog(view=view, today=today) for view in SHELVES}
        self.lock = threading.RLock()
        self.maintenance = False
        self.moment: str | None = None
        self.sessions: dict[str, Session] = {}
        self.tokens: dict[str, int] = {}
        self.customers: dict[int, Customer] = {}
        self.quotes: dict[int, Quote] = {}
        self.orders: dict[int, Order] = {}
        self.subscribers: list[Subscriber] = []
        self.alerts: list[tuple[str, int, int, StoreView]] = []
        self.book = CouponBook()
        self.quantities = {product.sku: product.quantity for product in self.catalog.products}
        self.reserved: defaultdict[str, int] = defaultdict(int)
        self._ids: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
        self._ids.update({kind: count(first) for kind, first in FIRST_IDS.items()})

    @property
    def catalog(self) -> Catalog:
        """The catalogue as the default store view sees it."""
        return self.catalogs["default"]

    def next_id(self, kind: str) -> int:
        """Give the next id of a kind; each kind counts for itself."""
        return next(self._ids[kind])

    def next_number(self, kind: str, view: StoreView) -> str:
        """Give the next number that people see: each store view counts for itself, later ones with a prefix."""
        prefix = "" if view.id == 1 else str(view.id)
        return f"{prefix}{self.next_id(f'{kind} number of {view.code}'):09d}"

    def now(self) -> str:
        """Return the present moment as the database writes it."""
        return self.moment or stamp(self.options.clock())

    def timestamp(self) -> int:
        """Return the present moment in Unix seconds."""
        return int(self.options.clock().timestamp())

    def base_url(self, view: StoreView) -> str:
        """Return the public address of a view's website."""
        return self.options.eu_url if view.website.id == 2 else self.options.base_url

    # Sessions

    def forget_blank_sessions(self) -> None:
        """Drop sessions that hold nothing once there are many: crawlers open one with every request."""
        if len(self.sessions) >= MOST_BLANK_SESSIONS:
            self.sessions = {key: session for key, session in self.sessions.items() if not session.is_blank}

    # Stock

    def quantity(self, product: Product) -> int:
        """Return how many pieces lie on the shelf."""
        return self.quantities[product.sku]

    def salable(self, product: Product) -> int:
        """Return how many pieces may still be sold: what lies on the shelf less what orders have reserved."""
        return max(0, self.quantity(product) - self.reserved[product.sku])

    def is_salable(self, product: Product) -> bool:
        """Tell whether a product can be bought; one made of others follows them."""
        if product.children:
            return any(self.is_salable(child) for child in self.catalog.children(product))
        if product.associated:
            return any(self.is_salable(member) for member in self.catalog.associated(product))
        if product.bundle:
            return all(
                any(self.is_salable(self.catalog.by_id[one.product_id]) for one in option.selections)
                for option in product.bundle
                if option.required
            )
        return self.salable(product) > 0

    # People

    def customer_by_email(self, email: str, website_id: int = 1) -> Customer | None:
        """Find a customer of a website; e-mail addresses compare without case."""
        wanted = email.strip().lower()
        return next(
            (
                found
                for found in self.customers.values()
                if found.email.lower() == wanted and found.view.website.id == website_id
            ),
            None,
        )

    def add_customer(
        self, email: str, firstname: str, lastname: str, password: str, *, view: StoreView = DEFAULT
    ) -> Customer:
        """Register a customer."""
        moment = self.now()
        customer = Customer(
            self.next_id("customer"), email, firstname, lastname, password, moment, moment, view=view
        )  # fmt: skip
        customer.reset_token = secrets.token_hex(16)
        self.customers[customer.id] = customer
        return customer

    def add_address(self, customer: Customer, address: Address) -> int:
        """Put an address in a customer's book; the first one is the default."""
        address_id = self.next_id("address")
        customer.addresses[address_id] = address
        customer.updated_at = self.now()
        return address_id

    def subscriber(self, email: str, website_id: int = 1) -> Subscriber | None:
        """Find the row of an address in a website's newsletter list."""
        wanted = email.strip().lower()
        rows = (row for row in self.subscribers if row.email == wanted and row.view.website.id == website_id)
        return next(rows, None)

    def subscribe(self, email: str, view: StoreView = DEFAULT, *, confirmed: bool = True) -> Subscriber:
        """Put an address on the newsletter list. No ``updated_at`` moves, as with the footer form of the real shop."""
        row = self.subscriber(email, view.website.id)
        if row is None:
            row = Subscriber(self.next_id("subscriber"), email.strip().lower(), view, 0, secrets.token_hex(16))
            self.subscribers.append(row)
        customer = self.customer_by_email(email, view.website.id)
        row.customer_id = customer.id if customer else 0
        row.status = SUBSCRIBED if confirmed else UNCONFIRMED
        return row

    def unsubscribe(self, email: str, view: StoreView = DEFAULT) -> None:
        """Take an address off the newsletter list; the row stays."""
        row = self.subscriber(email, view.website.id)
        if row is not None:
            row.status = UNSUBSCRIBED

    def is_subscribed(self, email: str, website_id: int = 1) -> bool:
        """Tell whether an address is on a website's newsletter list."""
        row = self.subscriber(email, website_id)
        return row is not None and row.status == SUBSCRIBED

    def is_listed_subscribed(self, email: str) -> bool:
        """Tell what lists of customers say of an address: the lowest row of all websites, Magento's mistake."""
        wanted = email.strip().lower()
        row = next((row for row in self.subscribers if row.email == wanted), None)
        return row is not None and row.status == SUBSCRIBED

    # Carts

    def new_quote(self, customer_id: int | None = None, view: StoreView = DEFAULT) -> Quote:
        """Open a cart."""
        moment = self.now()
        quote = Quote(self.next_id("quote"), moment, moment, customer_id, view=view)
        self.quotes[quote.id] = quote
        return quote

    def quote_of(self, session: Session) -> Quote | None:
        """Return the visitor's active cart, or None."""
        if session.customer_id is not None:
            return self.quote_of_customer(session.customer_id)
        quote = self.quotes.get(session.quote_id or 0)
        return quote if quote is not None and quote.active else None

    def quote_of_customer(self, customer_id: int) -> Quote | None:
        """Return a customer's active cart, or None."""
        return next((q for q in self.quotes.values() if q.active and q.customer_id == customer_id), None)

    def open_quote(self, session: Session, view: StoreView = DEFAULT) -> Quote:
        """Return the visitor's active cart; open one when there is none."""
        quote = self.quote_of(session)
        if quote is None:
            quote = self.new_quote(session.customer_id, view)
            session.quote_id = quote.id
        return quote

    def move_quote(self, quote: Quote, view: StoreView) -> None:
        """Show a cart in another view of its website: names, addresses and prices change with it."""
        catalog = self.catalogs[view.shelf]
        quote.view = view
        quote.items = [
            replace(
                item,
                product=catalog.by_id[item.product.id],
                child=catalog.by_id[item.child.id] if item.child else None,
                parts=tuple(_moved(part, item, catalog) for part in item.parts),
            )
            for item in quote.items
        ]

    def guest_quote(self, masked: str) -> Quote | None:
        """Find a guest's active cart by its masked id."""
        return next(
            (q for q in self.quotes.values() if q.active and q.customer_id is None and q.masked_id == masked), None
        )

    # Orders

    def orders_of(self, customer: Customer) -> list[Order]:
        """Return a customer's orders, newest first."""
        mine = [order for order in self.orders.values() if order.customer_id == customer.id]
        return sorted(mine, key=lambda order: order.entity_id, reverse=True)

    def documents(self, kind: str) -> list[Document]:
        """Return all ``invoices``, ``shipments`` or ``credit_memos``, oldest first."""
        rows: list[Any] = [document for order in self.orders.values() for document in getattr(order, kind)]
        return sorted(rows, key=lambda document: document.id)

    def set_order_state(self, order: Order, state: str, status: str) -> Order:
        """Change an order's state and status, moving its ``updated_at`` as Magento does."""
        order.state, order.status, order.updated_at = state, status, self.now()
        return order


def _moved(part: Part, item: QuoteItem, catalog: Catalog) -> Part:
    """Return the part of a bundle as another catalogue has it."""
    bundle = catalog.by_id[item.product.id]
    chosen = next(one for option in bundle.bundle for one in option.selections if one.id == part.selection_id)
    return replace(part, product=catalog.by_id[part.product.id], price=catalog.selection_price(bundle, chosen))
