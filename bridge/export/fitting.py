"""What Ometria refuses a whole record for is left out of it where the record can do without.

A country, a currency or an address in a form that cannot be one is worth less than the record around it. What a record
cannot do without is its mapping's matter, which refuses with the reason. A contact's own e-mail address is a rule of
:mod:`bridge.export.quality`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import msgspec

from bridge.errors import Refused
from bridge.export.quality import valid_email
from bridge.export.records import Contact, Order, Product

if TYPE_CHECKING:
    from bridge.export.records import Listing, OrderAddress, OrderCustomer, Record

COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
Fields = TypeVar("Fields", bound=msgspec.Struct)


def fitted(record: Record) -> Record:
    """Return the record without what Ometria would not take; raises :class:`Refused` for an order's currency."""
    if isinstance(record, Contact):
        return _with(record, country_id=_form(COUNTRY, record.country_id))
    if isinstance(record, Product):
        listings = record.listings and [_listing(one) for one in record.listings]
        return _with(_listing(record), listings=listings)
    if not CURRENCY.fullmatch(record.currency):
        raise Refused("The order's currency is not of three capital letters.")
    return _order(record)


def _with(record: Fields, **values: object) -> Fields:
    """Return the record with these values; the same one where they are its own."""
    changed = {name: value for name, value in values.items() if getattr(record, name) != value}
    return msgspec.structs.replace(record, **changed) if changed else record


def _form(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and pattern.fullmatch(text) else None


Placed = TypeVar("Placed", Product, "Listing")


def _listing(one: Placed) -> Placed:
    return _with(one, currency=_form(CURRENCY, one.currency), url=_address(one.url), image_url=_address(one.image_url))


def _address(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _order(order: Order) -> Order:
    return _with(
        order,
        customer=_person(order.customer),
        shipping_address=_place(order.shipping_address),
        billing_address=_place(order.billing_address),
    )


def _person(customer: OrderCustomer | None) -> OrderCustomer | None:
    """Return who ordered; without an address that can be one, and nobody where nothing else is known."""
    if customer is None or customer.email is None or valid_email(customer.email):
        return customer
    left = _with(customer, email=None)
    return left if left.id else None


def _place(address: OrderAddress | None) -> OrderAddress | None:
    return address and _with(address, country_code=_form(COUNTRY, address.country_code))
