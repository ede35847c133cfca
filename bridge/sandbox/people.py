"""Visitors, customers and newsletter subscribers of the sandbox shop."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.sandbox.views import DEFAULT, StoreView

SUBSCRIBED, NOT_ACTIVE, UNSUBSCRIBED, UNCONFIRMED = 1, 2, 3, 4


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
    """A registered customer of one website. ``password`` is kept as typed: the shop is a toy in one process.

    ``reset_token`` is in the links of mails; ``confirmation`` holds the key of an account that is not confirmed yet.
    """

    id: int
    email: str
    firstname: str
    lastname: str
    password: str
    created_at: str
    updated_at: str
    addresses: dict[int, Address] = field(default_factory=dict)
    view: StoreView = DEFAULT
    reset_token: str = ""
    confirmation: str = ""
    wishlist: list[WishlistItem] = field(default_factory=list)

    @property
    def default_address(self) -> int | None:
        """Id of the default billing and shipping address."""
        return next(iter(self.addresses), None)

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.firstname} {self.lastname}"


@dataclass
class WishlistItem:
    """A line of a wish list."""

    id: int
    product_id: int
    added_at: str
    qty: int = 1


@dataclass
class Subscriber:
    """A row of the newsletter list: one address in one website."""

    id: int
    email: str
    view: StoreView
    status: int
    code: str
    customer_id: int = 0


@dataclass
class Session:
    """A visitor's PHP session. ``multishipping`` holds pieces by address id and line of the cart.

    ``is_declined`` when the payment service will not pay; ``currency`` is the visitor's choice, empty for none.
    """

    id: str
    form_key: str
    customer_id: int | None = None
    quote_id: int | None = None
    last_order_id: int | None = None
    messages: list[dict[str, str]] = field(default_factory=list)
    reset: tuple[int, str] | None = None
    multishipping: dict[int, dict[int, int]] = field(default_factory=dict)
    multishipping_methods: dict[int, str] = field(default_factory=dict)
    currency: str = ""
    multishipping_payment: str = ""
    multishipping_orders: tuple[int, ...] = ()
    compared: list[int] = field(default_factory=list)
    is_declined: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether losing the session loses nothing; the form key lives in the browser's cookie."""
        kept = (self.customer_id, self.quote_id, self.last_order_id, self.messages, self.reset, self.compared)
        return not any(kept) and not self.multishipping_orders
