"""The JSON that Ometria reads. A field that is None is left out; false and zero are sent.

Money keeps the digits the shop gave and leaves as a JSON number; times leave as ``YYYY-MM-DDTHH:MM:SSZ``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import datetime as dt

MARKS = {"collection": "@collection", "merge": "@merge"}
"""Fields that begin with an at sign at Ometria."""

Property = str | int | Decimal | bool | list[str]
"""The value of a custom field."""


class Attribute(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One attribute of a product, such as a category with its id and label; the merchant may leave one of them out."""

    type: str
    id: str | None = None
    label: str | None = None


class Listing(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A product in one store."""

    store: str
    title: str | None = None
    url: str | None = None
    image_url: str | None = None
    price: Decimal | None = None
    special_price: Decimal | None = None
    currency: str | None = None
    is_active: bool | None = None


class Contact(msgspec.Struct, omit_defaults=True, kw_only=True, rename=MARKS, tag_field="@type", tag="contact"):
    """A person on one list; ``collection`` and ``id`` together are its identity."""

    collection: str
    id: str
    merge: bool | None = None
    email: str | None = None
    phone_number: str | None = None
    customer_id: str | None = None
    marketing_optin: str | None = None
    prefix: str | None = None
    firstname: str | None = None
    middlename: str | None = None
    lastname: str | None = None
    gender: str | None = None
    date_of_birth: dt.date | None = None
    country_id: str | None = None
    store_ids: list[str] | None = None
    timezone: str | None = None
    timestamp_acquired: dt.datetime | None = None
    timestamp_subscribed: dt.datetime | None = None
    timestamp_unsubscribed: dt.datetime | None = None
    properties: dict[str, Property] | None = None


class Product(msgspec.Struct, omit_defaults=True, kw_only=True, rename=MARKS, tag_field="@type", tag="product"):
    """A product or, with ``is_variant`` and ``parent_id``, a variant of one."""

    id: str
    merge: bool | None = None
    title: str | None = None
    sku: str | None = None
    price: Decimal | None = None
    special_price: Decimal | None = None
    special_price_dt_from: dt.datetime | None = None
    special_price_dt_to: dt.datetime | None = None
    currency: str | None = None
    is_variant: bool | None = None
    parent_id: str | None = None
    is_active: bool | None = None
    is_in_stock: bool | None = None
    url: str | None = None
    image_url: str | None = None
    attributes: list[Attribute] | None = None
    listings: list[Listing] | None = None
    properties: dict[str, Property] | None = None


class Amounts(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The prices of a line in one named currency."""

    currency: str
    unit_price: Decimal | None = None
    subtotal: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    refunded: Decimal | None = None


class LineTotals(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The prices of a line in the account's currency (base) and in that of the sale (local)."""

    base: Amounts | None = None
    local: Amounts | None = None


class VariantOption(msgspec.Struct, kw_only=True):
    """What was chosen of a variant, such as its size: attribute code, option id and the option's label."""

    type: str
    id: str
    label: str


class LineItem(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What was bought: the product whose page was seen, and the variant that was chosen."""

    product_id: str
    variant_id: str | None = None
    sku: str | None = None
    quantity: Decimal
    quantity_refunded: Decimal | None = None
    unit_price: Decimal | None = None
    subtotal: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    refunded: Decimal | None = None
    is_on_sale: bool | None = None
    variant_options: list[VariantOption] | None = None
    totals: LineTotals | None = None
    properties: dict[str, Property] | None = None


class OrderCustomer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Who ordered; ``id`` equals the ``customer_id`` of the contact, and is left out for guests."""

    id: str | None = None
    email: str | None = None
    firstname: str | None = None
    lastname: str | None = None


class OrderAddress(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Where to; streets and telephone numbers are not sent."""

    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country_code: str | None = None


class Order(msgspec.Struct, omit_defaults=True, kw_only=True, rename=MARKS, tag_field="@type", tag="order"):
    """An order; ``id`` is the number that the shopper sees and that the page sends."""

    id: str
    merge: bool | None = None
    timestamp: dt.datetime
    grand_total: Decimal
    subtotal: Decimal | None = None
    discount: Decimal | None = None
    shipping: Decimal | None = None
    tax: Decimal | None = None
    currency: str
    status: str | None = None
    is_valid: bool
    customer: OrderCustomer | None = None
    web_id: str | None = None
    ip_address: str | None = None
    channel: str = ""
    store: str
    payment_method: str | None = None
    shipping_method: str | None = None
    shipping_address: OrderAddress | None = None
    billing_address: OrderAddress | None = None
    coupon_code: str | None = None
    lineitems: list[LineItem] | None = None
    properties: dict[str, Property] | None = None


Record = Contact | Product | Order

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(record: Record) -> bytes:
    """Return the record as the JSON that travels; equal records give equal bytes."""
    return _encoder.encode(record)
