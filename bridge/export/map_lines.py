"""Rows of an order -> line items: one for each thing that was sold.

A configurable line is two rows in Magento: the parent's with the money and the variant's id in a row of price 0 below
it. They become one line item. A bundle's rows become one line item too, or, by setting, one for each product in it
where the money is on those. Every other row without a parent is a line item.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import msgspec

from bridge.export.map_products import product_id
from bridge.export.names import digits
from bridge.export.records import Amounts, LineItem, LineTotals, Property, VariantOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.settings import Account, Settings
    from bridge.store import Amounts as ShopAmounts
    from bridge.store import AttributeInfo, OrderLine
    from bridge.store import Order as ShopOrder

ZERO = Decimal(0)
CENT = Decimal("0.01")
FINE = Decimal("0.0001")
"""Magento's own number of decimals."""
SPREAD = ("discount", "tax", "tax_compensation", "refunded", "refunded_discount", "refunded_tax")
"""What a bundle's own row leaves empty where the shop keeps it with the products in it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How an account wants the lines of one order.

    ``own_skus`` (product id -> SKU) is needed where the account's product ids are SKUs, since a configurable row
    carries its variant's, and those of a bundle or of custom options are made up. ``attributes`` (by id, in the words
    of the order's store view) name what was chosen of a configurable product.
    """

    account: Account
    settings: Settings
    own_skus: Mapping[str, str]
    attributes: Mapping[str, AttributeInfo]


@dataclass(frozen=True, slots=True)
class Sold:
    """One thing that was sold: the row with its money, and how many pieces of it count."""

    line: OrderLine
    count: Decimal
    variant: OrderLine | None = None
    properties: dict[str, Property] | None = None


def line_items(order: ShopOrder, terms: Terms) -> list[LineItem] | None:
    """Return the line items, or None where the order has none."""
    below: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        if line.parent:
            below.setdefault(line.parent, []).append(line)
    heads = [line for line in order.lines if not line.parent and line.product]
    sold = [one for line in heads for one in _sold(line, below.get(line.id, ()), terms)]
    if goes_on(order) and terms.settings["orders.subtract_cancelled"]:
        left = [replace(one, count=one.count - (one.line.quantity_cancelled or ZERO)) for one in sold]
        sold = [one for one in left if one.count > 0]
    return [_item(one, order, terms) for one in sold] or None


def goes_on(order: ShopOrder) -> bool:
    """Return whether the order was not cancelled as a whole; some pieces of it may have been."""
    return "canceled" not in {order.state, order.status}


def _sold(line: OrderLine, below: Sequence[OrderLine], terms: Terms) -> Iterator[Sold]:
    if line.type != "bundle" or not below:
        variant = below[0] if line.type == "configurable" and below else None
        yield Sold(line, line.quantity, variant)
    elif terms.settings["orders.bundle_lines"] == "children" and any(child.local.row for child in below):
        bundle: dict[str, Property] = {"bundle_product_id": _product(line, terms)}
        yield from (Sold(child, child.quantity, properties=bundle) for child in below if child.product)
    else:
        whole = _whole(line, below)
        yield Sold(whole, whole.quantity, properties=_contents(below, terms))


def _contents(below: Sequence[OrderLine], terms: Terms) -> dict[str, Property]:
    """Return what a bundle holds as plain texts: custom fields that hold objects cannot be used in segments."""
    known = [child for child in below if child.product]
    return {
        "bundle_product_ids": ",".join(_product(child, terms) for child in known),
        "bundle_skus": ",".join(child.sku or "" for child in known),
        "bundle_quantities": ",".join(f"{child.quantity.normalize():f}" for child in known),
    }


def _whole(line: OrderLine, below: Sequence[OrderLine]) -> OrderLine:
    """Return a bundle's row with what the shop keeps with the products in it: Magento spreads by the price type."""
    return msgspec.structs.replace(
        line,
        local=_summed(line.local, [child.local for child in below]),
        base=_summed(line.base, [child.base for child in below]),
        quantity_refunded=line.quantity_refunded or _bundles(line, below, "quantity_refunded"),
        quantity_cancelled=line.quantity_cancelled or _bundles(line, below, "quantity_cancelled"),
    )


def _summed(own: ShopAmounts, below: Sequence[ShopAmounts]) -> ShopAmounts:
    sums = {name: sum((getattr(one, name) or ZERO for one in below), ZERO) for name in SPREAD}
    return msgspec.structs.replace(own, **{name: getattr(own, name) or found for name, found in sums.items()})


def _bundles(line: OrderLine, below: Sequence[OrderLine], name: str) -> Decimal:
    """Return how many whole bundles a number of pieces of each product in it makes."""
    shares = [(getattr(child, name) or ZERO) * line.quantity / child.quantity for child in below if child.quantity]
    return min(shares, default=ZERO) // 1


def _item(sold: Sold, order: ShopOrder, terms: Terms) -> LineItem:
    line, wanted = sold.line, terms.settings["orders.currency"]
    base = _amounts(line.base, sold, order.base.currency, terms)
    local = _amounts(line.local, sold, order.local.currency, terms)
    plain = base if wanted == "base" and base else local
    totals = {
        "local": None,
        "base": LineTotals(base=base) if base else None,
        "both": LineTotals(base=base, local=local) if base or local else None,
    }[wanted]
    return LineItem(
        product_id=_product(line, terms),
        variant_id=_product(sold.variant, terms) if sold.variant and sold.variant.product else None,
        sku=line.sku,
        quantity=digits(sold.count) or ZERO,
        quantity_refunded=digits(line.quantity_refunded or None),
        unit_price=plain.unit_price if plain else None,
        subtotal=plain.subtotal if plain else None,
        discount=plain.discount if plain else None,
        tax=plain.tax if plain else None,
        total=plain.total if plain else None,
        refunded=plain.refunded if plain else None,
        is_on_sale=_on_sale(line.local),
        variant_options=_options(line, terms) or None,
        totals=totals,
        properties=sold.properties,
    )


def _product(line: OrderLine, terms: Terms) -> str:
    """Return the id of a row's product. The row's SKU is not its own where a variant or options were chosen."""
    id_ = line.product or ""
    sku = terms.own_skus.get(id_) or (None if line.type == "configurable" else line.sku)
    return product_id(terms.account, id_, sku)


def _options(line: OrderLine, terms: Terms) -> list[VariantOption]:
    """Return what was chosen, as far as it has names: Ometria needs all three fields."""
    found = ((terms.attributes.get(one.attribute), one.option) for one in line.options)
    return [
        VariantOption(type=attribute.code, id=option, label=attribute.options[option])
        for attribute, option in found
        if attribute and option in attribute.options
    ]


def _amounts(row: ShopAmounts, sold: Sold, currency: str | None, terms: Terms) -> Amounts | None:
    if currency is None:
        return None
    whole = sold.line.quantity
    subtotal = _share(_subtotal(row, whole), sold.count, whole)
    discount = _share(row.discount, sold.count, whole)
    tax = _share(row.tax, sold.count, whole)
    total = None
    if subtotal is not None:
        compensation = _share(row.tax_compensation, sold.count, whole) or ZERO
        total = subtotal - (discount or ZERO) + (tax or ZERO) + compensation
    return Amounts(
        currency=currency,
        unit_price=digits(row.price),
        subtotal=digits(subtotal),
        discount=digits(discount),
        tax=digits(tax),
        total=digits(total),
        refunded=digits(_refunded(row, terms.settings["orders.refunded"]) or None),
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


def _share(amount: Decimal | None, count: Decimal, whole: Decimal) -> Decimal | None:
    """Return the part of a row's amount that falls to ``count`` of its pieces, to the cent where it does not divide."""
    if amount is None or count == whole or not whole:
        return amount
    part = (amount * count / whole).quantize(FINE, ROUND_HALF_UP)
    exact = part if part * whole == amount * count else part.quantize(CENT, ROUND_HALF_UP)
    return exact.normalize()


def _refunded(row: ShopAmounts, kind: str) -> Decimal:
    """Return what credit memos gave back for a row, by ``kind``: ``paid`` is less its discount and with its tax."""
    if row.refunded is None or kind == "row":
        return row.refunded or ZERO
    tax = (row.refunded_tax or ZERO) + (row.refunded_tax_compensation or ZERO)
    return row.refunded - (row.refunded_discount or ZERO) + tax


def _on_sale(row: ShopAmounts) -> bool | None:
    """Return whether the line was cheaper than usual, where that is sure whichever of the prices hold tax."""
    if row.original_price is None or row.price is None:
        return None
    if (row.price_with_tax or row.price) < row.original_price:
        return True
    return False if row.price >= row.original_price else None
