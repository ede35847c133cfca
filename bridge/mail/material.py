"""What the shop's REST says about a mail: the order, the customer, the products. Fetched, not yet Ometria's.

A mail may be faster than the database that REST reads: what is not there yet is asked for again until the patience of
the settings is over, and then the shop's own mail goes out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.errors import Retry
from bridge.events import EntityRef
from bridge.mail.letter import same_address
from bridge.store import Customer, Product

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge import settings
    from bridge.mail.asked import AskedShop
    from bridge.store import OrderDetails, Shipment

ORDER_KINDS = frozenset({"order_confirmation", "order_cancellation", "order_shipping"})
REBUILT = ORDER_KINDS | {"account_creation", "password_updated", "stock_alert"}
"""Kinds whose data the shop can tell again without the mail; a reset link it cannot."""
CANCELLED = "canceled"


class NotYet(Retry):
    """The shop does not show it now, and may a moment later."""


class NotTheirs(Exception):
    """What the mail names belongs to somebody else than its recipient; the text is the reason, without a name."""


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """What a mail is about: the kind, the recipient, and what marker or structure named."""

    kind: str
    recipient: str
    order: str = ""
    shipment: str = ""
    customer: str = ""
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Links:
    """What only the mail itself knows; never logged, never stored."""

    reset: str = ""
    tracking: str = ""
    unsubscribe: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Material:
    """All that the template data of one mail are made of."""

    wanted: Wanted
    details: OrderDetails | None = None
    shipment: Shipment | None = None
    customer: Customer | None = None
    products: dict[str, Product] = field(default_factory=dict)
    links: Links = Links()
    name: str = ""

    def with_mail(self, links: Links, name: str) -> Material:
        """Return it with what the mail itself tells: its links, and the recipient's name."""
        return replace(self, links=links, name=name)


def gather(wanted: Wanted, shop: AskedShop, view: settings.Store) -> Material:
    """Return what the shop says.

    Raises :class:`NotYet` for what is not there yet, :class:`bridge.errors.Retry` when the shop does not answer,
    :class:`bridge.errors.Misconfigured` when a person must act, and :class:`NotTheirs`.
    """
    if wanted.kind in ORDER_KINDS:
        return _of_order(wanted, shop, view)
    if wanted.kind == "stock_alert":
        products = _products(shop, wanted.products, view)
        if not products:
            raise NotYet("The shop shows none of the products of the alert.", after=3)
        return Material(wanted, customer=_customer(wanted, shop, view), products=products)
    customer = _customer(wanted, shop, view)
    if customer is None:
        raise NotYet("The shop shows no customer of this address.", after=3)
    return Material(wanted, customer=customer)


def _of_order(wanted: Wanted, shop: AskedShop, view: settings.Store) -> Material:
    details = shop.order_details(wanted.order, wanted.recipient) if wanted.order else None
    if details is None:
        raise NotYet(f"The shop shows no order {wanted.order} of this recipient.", after=3)
    if details.order.store_id != view.id:
        raise NotTheirs("The order was placed in another store view than the mail names.")
    if wanted.kind == "order_cancellation" and details.order.state != CANCELLED:
        raise NotYet("The shop does not show the order as cancelled.", after=3)
    shipment = _shipment(wanted, details) if wanted.kind == "order_shipping" else None
    ids = [line.product for line in details.order.lines if line.product]
    return Material(wanted, details=details, shipment=shipment, products=_products(shop, ids, view))


def _shipment(wanted: Wanted, details: OrderDetails) -> Shipment:
    """Return the shipment that the mail names; without a number the only one there is."""
    if not wanted.shipment and len(details.shipments) == 1:
        return details.shipments[0]
    for one in details.shipments:
        if wanted.shipment and one.number == wanted.shipment:
            return one
    raise NotYet("The shop does not show the shipment.", after=3)


def _customer(wanted: Wanted, shop: AskedShop, view: settings.Store) -> Customer | None:
    if not wanted.customer:
        return shop.customer_by_email(wanted.recipient, view.website_id)
    ref = EntityRef("contact", f"customer:{wanted.customer}")
    found = shop.fetch([ref])[ref]
    if not isinstance(found, Customer):
        return None
    if not same_address(found.email or "", wanted.recipient):
        raise NotTheirs("The mail's customer has another address than its recipient.")
    return found


def _products(shop: AskedShop, ids: Iterable[str], view: settings.Store) -> dict[str, Product]:
    """Return products by id with the values of the store view; one that was deleted is left out."""
    refs = [EntityRef("product", id_) for id_ in dict.fromkeys(ids)]
    found = shop.fetch(refs, [view.code]) if refs else {}
    return {ref.id: entity for ref, entity in found.items() if isinstance(entity, Product)}
