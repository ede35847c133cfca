"""The lines of an order in the shape of Magento's REST API: one row, or a parent with rows for its variant or parts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.catalog import attribute
from bridge.sandbox.values import number, with_base

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product
    from bridge.sandbox.orders import Order, OrderItem
    from bridge.sandbox.quotes import QuoteItem

Rest = dict[str, Any]
ZERO = Decimal(0)
CENT = Decimal("0.01")


def rows_of(order: Order, item: OrderItem) -> list[Rest]:
    """Return the rows of a line, the parent first."""
    parent = _row(order, item)
    line = item.quote_item
    if line.child is not None:
        return [parent, _variant_row(order, item, parent)]
    return [parent, *(_part_row(order, item, place, parent) for place in range(len(line.parts)))]


def row_weight(item: OrderItem) -> Decimal:
    """Return the weight of a line."""
    return (item.quote_item.weight or ZERO) * item.quote_item.qty


def _share(item: OrderItem, qty: int) -> Decimal:
    return (item.discount * qty / item.qty).quantize(CENT)


def _amounts(order: Order, item: OrderItem, price: Decimal, original: Decimal, pieces: int = 1) -> Rest:
    """Return the money columns of a row with ``pieces`` to each piece of the line."""
    share = _share if pieces == 1 and price == item.quote_item.price else lambda _item, _qty: ZERO
    amounts: Rest = {
        "amount_refunded": number(price * item.refunded * pieces),
        "discount_amount": number(share(item, item.qty)),
        "discount_invoiced": number(share(item, item.invoiced)),
        "discount_tax_compensation_amount": 0,
        "original_price": number(original),
        "price": number(price),
        "price_incl_tax": number(price),
        "row_invoiced": number(price * item.invoiced * pieces),
        "row_total": number(price * item.qty * pieces),
        "row_total_incl_tax": number(price * item.qty * pieces),
        "tax_amount": 0,
        "tax_invoiced": 0,
        **_document_columns(item, share(item, item.refunded)),
    }
    return with_base(amounts, order.view)


def _document_columns(item: OrderItem, refunded_discount: Decimal) -> Rest:
    columns: Rest = {}
    if item.invoiced:
        columns["discount_tax_compensation_invoiced"] = 0
    if item.refunded:
        columns |= {
            "discount_refunded": number(refunded_discount),
            "discount_tax_compensation_refunded": 0,
            "tax_refunded": 0,
        }
    return columns


def _row(order: Order, item: OrderItem) -> Rest:
    line = item.quote_item
    row = {
        **_amounts(order, item, line.price, line.sold.price if not line.parts else line.price),
        **_common(order, item, 1),
        "is_virtual": int(item.is_virtual),
        "item_id": item.id,
        "name": line.product.name,
        "product_id": line.product.id,
        "product_type": line.product.type_id,
        "quote_item_id": line.id,
        "row_weight": number(row_weight(item)),
        "sku": line.sku,
    }
    if line.weight is not None:
        row["weight"] = number(line.weight)
    if line.child is not None:
        row["product_option"] = {"extension_attributes": {"configurable_item_options": _chosen_options(line)}}
    if line.parts:
        row["product_option"] = {"extension_attributes": {"bundle_options": _chosen_parts(line)}}
        for key in ("discount_tax_compensation_amount", "base_discount_tax_compensation_amount", "tax_percent"):
            row.pop(key)
    return row


def _chosen_options(line: QuoteItem) -> list[Rest]:
    codes = {axis: attribute(axis).code for axis in line.product.super_attributes}
    return [{"option_id": str(axis), "option_value": int(line.sold.options[code])} for axis, code in codes.items()]


def _chosen_parts(line: QuoteItem) -> list[Rest]:
    options: dict[int, Rest] = {}
    for part in line.parts:
        row = options.setdefault(
            part.option_id, {"option_id": part.option_id, "option_qty": part.qty, "option_selections": []}
        )
        row["option_selections"].append(part.selection_id)
    return list(options.values())


def _part_row(order: Order, item: OrderItem, place: int, parent: Rest) -> Rest:
    """Return the row of a bundle's part; where the bundle has one price, the part's is 0."""
    line = item.quote_item
    part = line.parts[place]
    price = ZERO if line.product.has_fixed_price else part.price
    return {
        **_amounts(order, item, price, price, part.qty),
        **_child_columns(order, item, part.product, part.qty),
        "item_id": item.child_ids[place],
        "quote_item_id": line.id + 1 + place,
        "parent_item": parent,
    }


def _variant_row(order: Order, item: OrderItem, parent: Rest) -> Rest:
    names = (
        "amount_refunded", "discount_amount", "discount_invoiced", "price", "row_invoiced", "row_total", "tax_amount",
        "tax_invoiced", "row_total_incl_tax",
    )  # fmt: skip
    return {
        **with_base(dict.fromkeys(names, 0) | _document_columns(item, ZERO), order.view),
        **_child_columns(order, item, item.quote_item.sold, 1),
        "item_id": item.child_ids[0],
        "original_price": 0,
        "quote_item_id": item.quote_item.id + 1,
        "parent_item": parent,
    }


def _child_columns(order: Order, item: OrderItem, product: Product, pieces: int) -> Rest:
    return {
        **_common(order, item, pieces),
        "is_virtual": int(product.type_id == "virtual"),
        "name": product.name,
        "parent_item_id": item.id,
        "product_id": product.id,
        "product_type": product.type_id,
        "row_weight": 0,
        "sku": product.sku,
        "weight": number(product.weight or ZERO),
    }


def _common(order: Order, item: OrderItem, pieces: int) -> Rest:
    common: Rest = {
        "created_at": order.created_at,
        "discount_percent": number(item.discount * 100 / item.quote_item.row_total) if item.discount else 0,
        "free_shipping": 0,
        "is_qty_decimal": 0,
        "no_discount": 0,
        "order_id": order.entity_id,
        "qty_canceled": item.canceled * pieces,
        "qty_invoiced": item.invoiced * pieces,
        "qty_ordered": item.qty * pieces,
        "qty_refunded": item.refunded * pieces,
        "qty_shipped": item.shipped * pieces,
        "store_id": order.view.id,
        "tax_percent": 0,
        "updated_at": order.updated_at,
    }
    if item.canceled:
        common |= {"discount_tax_compensation_canceled": 0, "tax_canceled": 0}
    if item.invoiced:
        common["weee_tax_applied"] = "[]"
    if order.rule_id is not None:
        common["applied_rule_ids"] = str(order.rule_id)
    return common
