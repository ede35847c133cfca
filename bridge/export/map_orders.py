"""Order -> record.

A configurable line is two rows in Magento: the parent's with the money and the variant's id in a row of price 0 below
it. They become one line item. Every other row without a parent is a line item; rows below a bundle are part of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.errors import Refused, Skipped
from bridge.export.map_products import product_id
from bridge.export.names import digits, merge, namespaced, seconds
from bridge.export.records import Amounts, LineItem, LineTotals, Order, OrderAddress, OrderCustomer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.settings import Account, Book
    from bridge.store import Address, OrderLine
    from bridge.store import Amounts as ShopAmounts
    from bridge.store import Order as ShopOrder

ZERO = Decimal(0)


def order_record(order: ShopOrder, account: Account, book: Book, own_skus: Mapping[str, str] | None = None) -> Order:
    """Return the record of an order.

    ``own_skus`` (product id -> SKU) is needed where the account's product ids are SKUs, since a configurable row
    carries its variant's, and those of a bundle or of custom options are made up. Raises :class:`Refused` for what
    Ometria cannot take without: number, time, total, currency.
    """
    store = book.store(id=order.store_id) if order.store_id is not None else None
    if store is None:
        raise Refused("The order's store view is not in the store tree.")
    if store not in account.stores:
        raise Skipped("The order belongs to a store view of another account.")
    settings = book.settings(store.ref)
    timestamp = order.created_at or order.updated_at
    total, currency = order.local.grand_total, order.local.currency
    if not order.number or timestamp is None or total is None or currency is None:
        raise Refused("The order has no number, no time, no total or no currency.")
    return Order(
        id=namespaced(account, "order", order.number),
        merge=merge(account, "order"),
        timestamp=seconds(timestamp) or timestamp,
        grand_total=digits(total) or ZERO,
        subtotal=digits(order.local.subtotal),
        discount=digits(order.local.discount),
        shipping=digits(order.local.shipping),
        tax=digits(order.local.tax),
        currency=currency,
        status=order.status,
        is_valid=order.status in settings["orders.valid_statuses"],
        customer=_customer(order, account),
        channel="online",
        store=account.store_name(store),
        payment_method=order.payment_method,
        shipping_method=order.shipping_method,
        shipping_address=_address(order.shipping),
        billing_address=_address(order.billing),
        coupon_code=order.coupon,
        lineitems=_lines(order, account, settings["orders.currency"], own_skus or {}),
    )


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


def _lines(order: ShopOrder, account: Account, currency: str, own_skus: Mapping[str, str]) -> list[LineItem] | None:
    children: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        if line.parent:
            children.setdefault(line.parent, []).append(line)
    items = [
        _item(line, children.get(line.id, []), account, (currency, order), own_skus)
        for line in order.lines
        if not line.parent and line.product
    ]
    return items or None


def _item(
    line: OrderLine,
    below: list[OrderLine],
    account: Account,
    money: tuple[str, ShopOrder],
    own_skus: Mapping[str, str],
) -> LineItem:
    currency, order = money
    variant = below[0] if line.type == "configurable" and below else None
    sku = own_skus.get(line.product or "") or (None if line.type == "configurable" else line.sku)
    base = _amounts(line.base, line.quantity, order.base.currency)
    local = _amounts(line.local, line.quantity, order.local.currency)
    plain = base if currency == "base" and base else local
    totals = {
        "local": None,
        "base": LineTotals(base=base),
        "both": LineTotals(base=base, local=local),
    }[currency]
    return LineItem(
        product_id=product_id(account, line.product or "", sku),
        variant_id=_variant_id(variant, account, own_skus),
        sku=line.sku,
        quantity=digits(line.quantity) or ZERO,
        quantity_refunded=digits(line.quantity_refunded or None),
        unit_price=plain.unit_price if plain else None,
        subtotal=plain.subtotal if plain else None,
        discount=plain.discount if plain else None,
        tax=plain.tax if plain else None,
        total=plain.total if plain else None,
        refunded=plain.refunded if plain else None,
        is_on_sale=_on_sale(line.local),
        totals=totals,
    )


def _variant_id(variant: OrderLine | None, account: Account, own_skus: Mapping[str, str]) -> str | None:
    if variant is None or not variant.product:
        return None
    return product_id(account, variant.product, own_skus.get(variant.product) or variant.sku)


def _amounts(row: ShopAmounts, quantity: Decimal, currency: str | None) -> Amounts | None:
    if currency is None:
        return None
    subtotal = _subtotal(row, quantity)
    total = None
    if subtotal is not None:
        total = subtotal - (row.discount or ZERO) + (row.tax or ZERO) + (row.tax_compensation or ZERO)
    return Amounts(
        currency=currency,
        unit_price=digits(row.price),
        subtotal=digits(subtotal),
        discount=digits(row.discount),
        tax=digits(row.tax),
        total=digits(total),
        refunded=digits(row.refunded or None),
    )


def _subtotal(row: ShopAmounts, quantity: Decimal) -> Decimal | None:
    """Return the row's price before discount and tax.

    Shops exist whose row total is after the discount; price times quantity tells which, but is itself subject to
    rounding, so the nearer of the two row totals is taken.
    """
    if row.price is None:
        return row.row
    product = row.price * quantity
    if row.row is None:
        return product
    before = row.row + (row.discount or ZERO)
    return before if abs(before - product) < abs(row.row - product) else row.row


def _on_sale(row: ShopAmounts) -> bool | None:
    """Return whether the line was cheaper than usual, where that is sure whichever of the prices hold tax."""
    if row.original_price is None or row.price is None:
        return None
    if (row.price_with_tax or row.price) < row.original_price:
        return True
    return False if row.price >= row.original_price else None
