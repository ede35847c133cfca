"""Order -> record. Its lines are made in :mod:`bridge.export.map_lines`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bridge.errors import Refused, Skipped
from bridge.export.map_lines import Terms, goes_on, line_items
from bridge.export.names import digits, merge, namespaced, seconds
from bridge.export.properties import mapped_values
from bridge.export.records import Order, OrderAddress, OrderCustomer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from bridge.settings import Account, Book, Settings, Store
    from bridge.store import Address, AttributeInfo
    from bridge.store import Amounts as ShopAmounts
    from bridge.store import Order as ShopOrder

ZERO = Decimal(0)
FIELDS = {"ip_address", "web_id"}
"""Fields of Ometria's order that only a merchant's mapping fills."""


def order_record(
    order: ShopOrder,
    account: Account,
    book: Book,
    own_skus: Mapping[str, str] | None = None,
    attributes: Mapping[str, AttributeInfo] | None = None,
) -> Order:
    """Return the record of an order; for ``own_skus`` and ``attributes`` see :class:`bridge.export.map_lines.Terms`.

    Raises :class:`Refused` for what Ometria cannot take without: number, time, total, currency.
    """
    store = _store(order, account, book)
    settings = book.settings(store.ref)
    totals = _totals(order, settings)
    timestamp, total, currency = _required(order, totals)
    record = Order(
        id=namespaced(account, "order", order.number),
        merge=merge(account, "order"),
        timestamp=timestamp,
        grand_total=total,
        subtotal=digits(totals.subtotal),
        discount=digits(totals.discount),
        shipping=digits(totals.shipping),
        tax=digits(totals.tax),
        currency=currency,
        status=order.status,
        is_valid=order.status in settings["orders.valid_statuses"] and not order.replaced,
        customer=_customer(order, account),
        channel="online",
        store=account.store_name(store),
        payment_method=order.payment_method,
        shipping_method=order.shipping_method,
        shipping_address=_address(order.shipping),
        billing_address=_address(order.billing),
        coupon_code=order.coupon,
        lineitems=line_items(order, Terms(account, settings, own_skus or {}, attributes or {})),
    )
    own, properties = mapped_values(order.values, settings["orders.mapping"], FIELDS)
    fields = {name: str(value) for name, value in own.items()}
    return msgspec.structs.replace(record, properties=properties or None, **fields)


def _store(order: ShopOrder, account: Account, book: Book) -> Store:
    store = book.store(id=order.store_id) if order.store_id is not None else None
    if store is None:
        raise Refused("The order's store view is not in the store tree.")
    if store not in account.stores:
        raise Skipped("The order belongs to a store view of another account.")
    return store


def _required(order: ShopOrder, totals: ShopAmounts) -> tuple[dt.datetime, Decimal, str]:
    """Return time, total and currency."""
    timestamp, total = seconds(order.created_at or order.updated_at), digits(totals.grand_total)
    if not order.number or timestamp is None or total is None or totals.currency is None:
        raise Refused("The order has no number, no time, no total or no currency.")
    return timestamp, total, totals.currency


def _totals(order: ShopOrder, settings: Settings) -> ShopAmounts:
    """Return the totals in the order's currency, without what was cancelled of an order that goes on."""
    local, gone = order.local, order.cancelled
    if not (settings["orders.subtract_cancelled"] and goes_on(order) and gone.grand_total and local.grand_total):
        return local
    return msgspec.structs.replace(
        local,
        grand_total=local.grand_total - gone.grand_total,
        subtotal=_less(local.subtotal, gone.subtotal),
        shipping=_less(local.shipping, gone.shipping),
        tax=_less(local.tax, gone.tax),
        # The shop's discount has a minus sign, the cancelled part of it none.
        discount=_less(local.discount, -(gone.discount or ZERO)),
    )


def _less(amount: Decimal | None, gone: Decimal | None) -> Decimal | None:
    return None if amount is None else amount - (gone or ZERO)


def _customer(order: ShopOrder, account: Account) -> OrderCustomer | None:
    """Return who ordered, with the billing address's name where the order has none."""
    billing = order.billing
    id_ = namespaced(account, "contact", order.customer_id) if order.customer_id else None
    if id_ is None and order.email is None:
        return None
    return OrderCustomer(
        id=id_,
        email=order.email,
        firstname=order.firstname or (billing.firstname if billing else None),
        lastname=order.lastname or (billing.lastname if billing else None),
    )


def _address(address: Address | None) -> OrderAddress | None:
    if address is None:
        return None
    return OrderAddress(
        city=address.city, state=address.region, postcode=address.postcode, country_code=address.country
    )
