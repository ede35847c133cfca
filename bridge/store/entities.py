"""What the shop says, normalised, and not yet Ometria's.

Ids are strings, money is the ``Decimal`` that the shop gave, moments are aware datetimes in UTC. None means that the
shop said nothing; it is never the text of a value.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import datetime as dt

    from bridge.events import EntityRef


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all entities; equal values are equal entities."""


class Gone(Entity, frozen=True, kw_only=True):
    """The shop answered, and has no such entity."""


class Listed(Entity, frozen=True, kw_only=True):
    """A row of a list: which entity was made and changed when, and the store views or websites it belongs to."""

    ref: EntityRef
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    store_id: int | None = None
    website_ids: tuple[int, ...] = ()


class Page(Entity, frozen=True, kw_only=True):
    """A page of a walk: ``cursor`` asks for the next, None after the last; ``left`` counts this page's rows too.

    ``broken`` are entities at which the shop fails though it can list others; such a page may be without rows, and 0
    in ``left`` then tells nothing.
    """

    rows: tuple[Any, ...]
    cursor: str | None
    left: int
    broken: tuple[EntityRef, ...] = ()


class Level(Entity, frozen=True, kw_only=True):
    """Whether a website can sell a product now."""

    sku: str
    salable: bool


class Paper(Entity, frozen=True, kw_only=True):
    """A document of an order, such as a shipment; ``order`` is listed with the time at which the document was made."""

    id: str
    order: Listed


class Address(Entity, frozen=True, kw_only=True):
    """A postal address; ``country`` is ISO 3166-1 alpha-2."""

    firstname: str | None = None
    lastname: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None


Scalar = str | int | Decimal | bool | tuple[str, ...]
"""A value that a merchant may map: as the shop gave it, a list as its parts."""


class Customer(Entity, frozen=True, kw_only=True):
    """A customer account.

    ``gender`` is Magento's number: 1 male, 2 female, 3 not specified. ``subscribed`` says whether the newsletter goes
    to this address now; false does not say that anybody ever unsubscribed. ``values`` holds every attribute under the
    shop's own code, for the merchant's mapping.
    """

    id: str
    email: str | None = None
    website_id: int | None = None
    store_id: int | None = None
    prefix: str | None = None
    firstname: str | None = None
    middlename: str | None = None
    lastname: str | None = None
    gender: int | None = None
    date_of_birth: dt.date | None = None
    country: str | None = None
    subscribed: bool | None = None
    values: dict[str, Scalar] = {}
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


class Image(Entity, frozen=True, kw_only=True):
    """An entry of the gallery; ``file`` begins with a slash, below ``catalog/product`` of the media URL."""

    file: str
    position: int = 0
    disabled: bool = False
    types: tuple[str, ...] = ()


class Category(Entity, frozen=True, kw_only=True):
    """A category with its name in one store view; ``path`` names the categories above it, from the root down."""

    id: str
    name: str | None = None
    path: tuple[str, ...] = ()


class AttributeInfo(Entity, frozen=True, kw_only=True):
    """An attribute of products or customers as one store view names it.

    ``input`` is Magento's word for the kind of its field, such as ``text``, ``select``, ``multiselect`` and
    ``boolean``; ``options`` are the labels of its options by their ids.
    """

    id: str
    code: str
    input: str = "text"
    options: dict[str, str] = {}


class ProductView(Entity, frozen=True, kw_only=True):
    """A product as one store view shows it.

    ``price`` and ``special_price`` are in the view's base currency; ``shown_price`` and ``final_price`` are what the
    shop front shows, in the view's own currency: the only prices of configurable, grouped and bundle products.
    ``special_from`` and ``special_to`` are days in the store view's time zone, both included. ``visibility`` is
    Magento's: 1 not visible individually. ``values`` holds every attribute under the shop's own code, for the
    merchant's mapping: of an option its id.
    """

    name: str | None = None
    enabled: bool = True
    visibility: int = 4
    price: Decimal | None = None
    special_price: Decimal | None = None
    special_from: dt.date | None = None
    special_to: dt.date | None = None
    shown_price: Decimal | None = None
    final_price: Decimal | None = None
    url: str | None = None
    url_key: str | None = None
    images: tuple[Image, ...] = ()
    categories: tuple[Category, ...] = ()
    values: dict[str, Scalar] = {}


class Product(Entity, frozen=True, kw_only=True):
    """A product of any type, with its values by store view code (``""`` when no view was asked for).

    ``children`` are the ids of a configurable product's variants, ``parts`` the SKUs of what a bundle or a grouped
    product holds; ``parent`` and ``parent_sku`` are known only where the caller filled them in, since Magento's
    children do not name their parent. ``salable`` is None when unknown.
    """

    id: str
    sku: str
    type: str = "simple"
    website_ids: tuple[int, ...] = ()
    children: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    parent: str | None = None
    parent_sku: str | None = None
    salable: bool | None = None
    views: dict[str, ProductView] = {}
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


class Family(Entity, frozen=True, kw_only=True):
    """A product that holds others, with the ids of those: ``kind`` is ``configurable``, ``bundle`` or ``grouped``."""

    parent: str
    sku: str
    children: tuple[str, ...]
    kind: str = "configurable"


class Amounts(Entity, frozen=True, kw_only=True):
    """The money of an order or of one of its lines, in one currency.

    ``discount`` carries the shop's sign: negative for an order, positive for a line. ``row`` is the line's total
    before tax; ``tax_compensation`` is the part of the discount that was taken off the tax. ``refunded`` of a line is
    the row total of its credit memos, before their discount and tax, which stand in the other ``refunded_`` fields.
    """

    currency: str | None = None
    price: Decimal | None = None
    price_with_tax: Decimal | None = None
    original_price: Decimal | None = None
    row: Decimal | None = None
    tax: Decimal | None = None
    tax_compensation: Decimal | None = None
    discount: Decimal | None = None
    refunded: Decimal | None = None
    refunded_discount: Decimal | None = None
    refunded_tax: Decimal | None = None
    refunded_tax_compensation: Decimal | None = None
    shipping: Decimal | None = None
    subtotal: Decimal | None = None
    grand_total: Decimal | None = None


class Option(Entity, frozen=True, kw_only=True):
    """What was chosen of a configurable product: the attribute's id and the option's; the shop names neither here."""

    attribute: str
    option: str


class OrderLine(Entity, frozen=True, kw_only=True):
    """A row of an order as Magento keeps it: the variant of a configurable line is a row of its own below ``parent``.

    ``sku`` of a configurable row is its variant's. ``quantity`` is what was ordered, cancelled pieces included.
    """

    id: str
    parent: str | None = None
    product: str | None = None
    type: str = "simple"
    sku: str | None = None
    name: str | None = None
    quantity: Decimal = Decimal(0)
    quantity_refunded: Decimal | None = None
    quantity_cancelled: Decimal | None = None
    options: tuple[Option, ...] = ()
    local: Amounts = Amounts()
    base: Amounts = Amounts()


class Order(Entity, frozen=True, kw_only=True):
    """An order; ``number`` is the increment id that the shopper sees.

    ``cancelled`` is the part of ``local`` that was cancelled, all amounts without sign. ``replaced`` tells that another
    order stands in this one's place since it was edited. ``values`` holds the order's own fields under the shop's
    names, for the merchant's mapping.
    """

    id: str
    number: str
    store_id: int | None = None
    status: str | None = None
    state: str | None = None
    customer_id: str | None = None
    email: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    local: Amounts = Amounts()
    base: Amounts = Amounts()
    cancelled: Amounts = Amounts()
    replaced: bool = False
    coupon: str | None = None
    payment_method: str | None = None
    shipping_method: str | None = None
    billing: Address | None = None
    shipping: Address | None = None
    lines: tuple[OrderLine, ...] = ()
    values: dict[str, Scalar] = {}
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


class PostalAddress(Address, frozen=True, kw_only=True):
    """An address as a parcel needs it; ``street`` is its lines."""

    street: tuple[str, ...] = ()
    company: str | None = None
    phone: str | None = None


class HistoryEntry(Entity, frozen=True, kw_only=True):
    """A line of an order's history; ``notified`` says that the customer was sent a mail about it."""

    comment: str | None = None
    status: str | None = None
    notified: bool = False
    created_at: dt.datetime | None = None


class Track(Entity, frozen=True, kw_only=True):
    """A number by which a parcel is followed; ``title`` names the carrier to people, ``carrier`` is its code."""

    number: str
    title: str | None = None
    carrier: str | None = None


class ShippedLine(Entity, frozen=True, kw_only=True):
    """A row of a shipment; ``line`` is the id of the order's row."""

    line: str
    product: str | None = None
    sku: str | None = None
    name: str | None = None
    quantity: Decimal = Decimal(0)


class Shipment(Entity, frozen=True, kw_only=True):
    """A shipment of an order; ``number`` is its own increment id."""

    id: str
    number: str
    created_at: dt.datetime | None = None
    lines: tuple[ShippedLine, ...] = ()
    tracks: tuple[Track, ...] = ()


class OrderDetails(Entity, frozen=True, kw_only=True):
    """An order with all that a mail about it shows.

    ``payment`` and ``delivery`` are the methods' names for people, ``last_four`` the end of a card's number where the
    shop tells it. ``history`` is the newest first, ``shipments`` the oldest first.
    """

    order: Order
    billing: PostalAddress | None = None
    shipping: PostalAddress | None = None
    payment: str | None = None
    last_four: str | None = None
    delivery: str | None = None
    history: tuple[HistoryEntry, ...] = ()
    shipments: tuple[Shipment, ...] = ()


class Website(Entity, frozen=True, kw_only=True):
    """A website of the tree."""

    id: int
    code: str
    name: str = ""


class StoreView(Entity, frozen=True, kw_only=True):
    """A store view of the tree; the ``secure_`` URLs are those under https."""

    id: int
    code: str
    name: str = ""
    website_id: int
    group_id: int = 0
    active: bool = True
    is_default: bool = False
    root_category: int = 0
    base_url: str = ""
    link_url: str = ""
    media_url: str = ""
    secure_base_url: str = ""
    secure_link_url: str = ""
    secure_media_url: str = ""
    currency: str = ""
    base_currency: str = ""
    locale: str = ""
    timezone: str = "UTC"


class Tree(Entity, frozen=True, kw_only=True):
    """Websites and store views, the administration's own left out."""

    websites: tuple[Website, ...]
    views: tuple[StoreView, ...]


Fetched = Customer | Product | Order | Gone
