"""The seam to the shop platform: one protocol, one adaptor a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.store.entities import (
    Address,
    Amounts,
    AttributeInfo,
    Category,
    Customer,
    Family,
    Fetched,
    Gone,
    HistoryEntry,
    Image,
    Level,
    Listed,
    Option,
    Order,
    OrderDetails,
    OrderLine,
    Page,
    Paper,
    PostalAddress,
    Product,
    ProductView,
    Scalar,
    Shipment,
    ShippedLine,
    StoreView,
    Track,
    Tree,
    Website,
)
from bridge.store.magento import Magento
from bridge.store.magento_rest import Rest
from bridge.store.magento_rights import Right
from bridge.store.promotions import CodeFormat, Coupon, Deleted, Rule, Unsure
from bridge.store.tree import keep_tree, refresh_tree, scopes_of
from bridge.store.turns import Turns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bridge.config import Config
    from bridge.events import EntityRef, Kind

__all__ = [
    "STORES",
    "Address",
    "Amounts",
    "AttributeInfo",
    "Category",
    "CodeFormat",
    "Coupon",
    "Customer",
    "Deleted",
    "Family",
    "Fetched",
    "Gone",
    "HistoryEntry",
    "Image",
    "Level",
    "Listed",
    "Option",
    "Order",
    "OrderDetails",
    "OrderLine",
    "Page",
    "Paper",
    "PostalAddress",
    "Product",
    "ProductView",
    "Right",
    "Rule",
    "Scalar",
    "Shipment",
    "ShippedLine",
    "Store",
    "StoreView",
    "Track",
    "Tree",
    "Turns",
    "Unsure",
    "Website",
    "keep_tree",
    "make_store",
    "refresh_tree",
    "scopes_of",
]


class Store(Protocol):
    """A shop to read from.

    Every method raises :class:`bridge.errors.Retry` when the shop cannot answer now and
    :class:`bridge.errors.Misconfigured` when a person must change something; neither is ever an empty result. Contacts
    are customers, with refs ``customer:ID``; subscribers without an account cannot be read.
    """

    def now(self) -> dt.datetime:
        """Return the shop's own clock."""

    def tree(self) -> Tree:
        """Return websites and store views."""

    def rights(self) -> Sequence[Right]:
        """Return each right that bridge needs, granted or not."""

    def fetch(self, refs: Iterable[EntityRef], views: Sequence[str] = ()) -> dict[EntityRef, Fetched]:
        """Return each entity, or ``Gone``, in bulk; products carry the values of each store view code in ``views``."""

    def pages(self, kind: Kind, cursor: str | None = None) -> Page:
        """Return a page of whole entities, by ascending id; each row once, none missing, whatever changes meanwhile."""

    def ids(
        self,
        kind: Kind,
        cursor: str | None = None,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> Page:
        """As :meth:`pages`, but rows are ``Listed``; with moments only what was made within them, both included."""

    def changed_since(self, kind: Kind, since: dt.datetime, until: dt.datetime) -> Iterator[Listed]:
        """Yield every row changed within the two moments, both included, each once."""

    def papers(self, since: dt.datetime, until: dt.datetime) -> Iterator[Paper]:
        """Yield the documents of orders (shipments, invoices, credit memos) made within the two moments."""

    def stock(self, website: str, cursor: str | None = None) -> Page | None:
        """Return a page of ``Level`` of everything a website sells, or None where the shop cannot list it."""

    def order_by_number(self, number: str, email: str | None = None) -> Order | None:
        """Return the order with this increment id, and e-mail where one is given."""

    def order_details(self, number: str, email: str) -> OrderDetails | None:
        """Return the newest order with this increment id and e-mail, with all that its mails show."""

    def customer_by_email(self, email: str, website_id: int) -> Customer | None:
        """Return the account with this e-mail in this website."""

    def products_by_sku(self, skus: Iterable[str], views: Sequence[str] = ()) -> dict[str, Product]:
        """Return the products that have these SKUs; an unknown SKU is left out."""

    def families(self) -> Iterator[Family]:
        """Yield every product that holds others: configurable ones with their variants first, bundles, grouped ones."""

    def attributes(
        self, kind: Kind, names: Iterable[str], view: str, *, fresh: bool = False
    ) -> dict[str, AttributeInfo]:
        """Return the attributes with these codes (of products: or ids), with the labels of a store view.

        Keys are the names asked for; what the shop does not have is left out. ``fresh`` asks the shop again for what
        it was not asked for within the last minute.
        """

    def attribute_codes(self, kind: Kind) -> list[str]:
        """Return the codes of all attributes that the shop has for a kind; none where it does not tell."""

    def rule(self, id_: int) -> Rule | None:
        """Return the cart price rule, or None where there is none."""

    def rules(self) -> list[Rule]:
        """Return all cart price rules, by id."""

    def make_coupons(self, rule_id: int, quantity: int, layout: CodeFormat) -> list[str]:
        """Let the shop make codes under a rule; return those it says it made, which may be fewer than asked for.

        Raises :class:`Unsure` where it may have made them, all or some, and its answer was lost;
        :class:`bridge.errors.Refused` where it refuses, which may also leave some.
        """

    def insert_coupon(self, rule_id: int, code: str, expires_at: dt.datetime | None = None) -> Coupon:
        """Put a code into the shop; limits are the rule's. Raises as :meth:`make_coupons`."""

    def find_coupons(
        self,
        rule_id: int | None = None,
        *,
        codes: Iterable[str] | None = None,
        beginning: str = "",
        after: int = 0,
    ) -> Iterator[Coupon]:
        """Yield coupons by ascending id: of a rule, with one of these codes or a code that begins so (without case).

        ``after`` is an id: what comes behind it. With ``codes`` the order is theirs, in parts.
        """

    def coupon_page(self, rule_id: int | None, number: int, size: int) -> tuple[list[Coupon], int]:
        """Return a page of coupons by offset, from 1, and the count of all; past the end it is empty."""

    def delete_coupons(self, codes: Iterable[str]) -> Deleted:
        """Delete codes, whatever rule they are of; what there is not is told."""


STORES: Mapping[str, Callable[[Config, Turns | None], Store]] = {
    "magento": lambda config, turns: Magento(config, Rest(config, turns=turns)),
}
"""Platform -> adaptor."""


def make_store(config: Config, turns: Turns | None = None) -> Store:
    """Return the adaptor of the shop's platform; with ``turns`` its requests wait for one another."""
    return STORES["magento"](config, turns)
