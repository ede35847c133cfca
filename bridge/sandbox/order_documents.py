"""Orders in the shape of Magento's REST API."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.cart import PAYMENT_METHODS, shipping_title
from bridge.sandbox.catalog import attribute
from bridge.sandbox.store_documents import GROUP_NAME, VIEW_NAME, WEBSITE_NAME
from bridge.sandbox.values import digest, number

if TYPE_CHECKING:
    from bridge.sandbox.state import Address, Order, OrderItem, QuoteItem

Document = dict[str, Any]


def order_document(order: Order) -> Document:
    """Return an order as ``orders/{id}`` gives it; what is empty is left out."""
    paid = order.state == "complete"
    items = [row for item in order.items for row in _rows(order, item, paid=paid)]
    return {
        **dict(sorted(_money(order, paid=paid).items())),
        **_head(order),
        "items": items,
        "billing_address": _address(order, order.billing_address, "billing", order.billing_address_id),
        "payment": _payment(order, paid=paid),
        "status_histories": [],
        "extension_attributes": {
            "shipping_assignments": [{"shipping": _shipping(order, paid=paid), "items": items}],
            "payment_additional_info": [{"key": "method_title", "value": PAYMENT_METHODS[order.payment_method]}],
            "applied_taxes": [],
            "item_applied_taxes": [],
        },
    }


def _head(order: Order) -> Document:
    head: Document = {
        "base_currency_code": "GBP",
        "base_to_global_rate": 1,
        "base_to_order_rate": 1,
        "billing_address_id": order.billing_address_id,
        "created_at": order.created_at,
        "customer_email": order.email,
        "customer_firstname": order.firstname,
        "customer_group_id": 0 if order.customer_id is None else 1,
        "customer_is_guest": 1 if order.customer_id is None else 0,
        "customer_lastname": order.lastname,
        "customer_note_notify": 1,
        "email_sent": 1,
        "entity_id": order.entity_id,
        "global_currency_code": "GBP",
        "increment_id": order.increment_id,
        "is_virtual": 0 if order.shipping_address else 1,
        "order_currency_code": "GBP",
        "protect_code": digest("protect", order.entity_id)[:32],
        "quote_id": order.quote_id,
        "remote_ip": order.remote_ip,
        "state": order.state,
        "status": order.status,
        "store_currency_code": "GBP",
        "store_id": 1,
        "store_name": f"{WEBSITE_NAME}\n{GROUP_NAME}\n{VIEW_NAME}",
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
        "total_item_count": len(order.items),
        "total_qty_ordered": order.qty,
        "updated_at": order.updated_at,
        "weight": number(sum((_row_weight(item) for item in order.items), Decimal(0))),
    }
    if order.customer_id is not None:
        head["customer_id"] = order.customer_id
    title = shipping_title(order.shipping_method)
    if title:
        head["shipping_description"] = title
    return head


def _money(order: Order, *, paid: bool) -> Document:
    total, subtotal, shipping = order.grand_total, order.subtotal, order.shipping_amount
    amounts = {
        "grand_total": total,
        "subtotal": subtotal,
        "subtotal_incl_tax": subtotal,
        "total_due": Decimal(0) if paid else total,
        "shipping_amount": shipping,
        "shipping_incl_tax": shipping,
        "discount_amount": Decimal(0),
        "discount_tax_compensation_amount": Decimal(0),
        "shipping_discount_amount": Decimal(0),
        "shipping_tax_amount": Decimal(0),
        "tax_amount": Decimal(0),
    }
    if paid:
        amounts.update(
            total_paid=total,
            total_invoiced=total,
            subtotal_invoiced=subtotal,
            shipping_invoiced=shipping,
            discount_invoiced=Decimal(0),
            tax_invoiced=Decimal(0),
            discount_tax_compensation_invoiced=Decimal(0),
        )
    document: Document = {}
    for key, value in amounts.items():
        document[key] = document[f"base_{key}"] = number(value)
    if paid:
        document["base_total_invoiced_cost"] = 0
    compensation = "shipping_discount_tax_compensation"
    document[f"{compensation}_amount"] = document[f"base_{compensation}_amnt"] = 0
    return document


def _payment(order: Order, *, paid: bool) -> Document:
    total, shipping = number(order.grand_total), number(order.shipping_amount)
    amounts: Document = {"amount_ordered": total, "shipping_amount": shipping}
    if paid:
        amounts |= {"amount_paid": total, "shipping_captured": shipping}
    return {
        **amounts,
        **{f"base_{key}": value for key, value in amounts.items()},
        "account_status": None,
        "additional_information": [PAYMENT_METHODS[order.payment_method]],
        "cc_last4": None,
        "entity_id": order.entity_id,
        "method": order.payment_method,
        "parent_id": order.entity_id,
    }


def _shipping(order: Order, *, paid: bool) -> Document:
    cost = number(order.shipping_amount)
    total: Document = {}
    for prefix in ("base_", ""):
        suffix = "amnt" if prefix else "amount"
        total |= {
            f"{prefix}shipping_amount": cost,
            f"{prefix}shipping_discount_amount": 0,
            f"{prefix}shipping_discount_tax_compensation_{suffix}": 0,
            f"{prefix}shipping_incl_tax": cost,
            f"{prefix}shipping_tax_amount": 0,
            **({f"{prefix}shipping_invoiced": cost} if paid else {}),
        }
    if order.shipping_address is None or order.shipping_address_id is None:
        return {"total": total}
    return {
        "address": _address(order, order.shipping_address, "shipping", order.shipping_address_id),
        "method": order.shipping_method,
        "total": total,
    }


def _address(order: Order, address: Address, kind: str, address_id: int) -> Document:
    document: Document = {"address_type": kind, "city": address.city}
    if address.company:
        document["company"] = address.company
    document["country_id"] = address.country_id
    if order.customer_address_id is not None:
        document["customer_address_id"] = order.customer_address_id
    return {
        **document,
        "email": order.email,
        "entity_id": address_id,
        "firstname": address.firstname,
        "lastname": address.lastname,
        "parent_id": order.entity_id,
        "postcode": address.postcode,
        "street": list(address.street),
        "telephone": address.telephone,
    }


def _rows(order: Order, item: OrderItem, *, paid: bool) -> list[Document]:
    parent = _row(order, item, paid=paid)
    if item.child_id is None:
        return [parent]
    return [parent, _child_row(order, item, parent, paid=paid)]


def _row_weight(item: OrderItem) -> Decimal:
    return (item.quote_item.sold.weight or Decimal(0)) * item.quote_item.qty


def _row(order: Order, item: OrderItem, *, paid: bool) -> Document:
    line = item.quote_item
    price, total = number(line.price), number(line.row_total)
    amounts: Document = {
        "amount_refunded": 0,
        "discount_amount": 0,
        "discount_invoiced": 0,
        "discount_tax_compensation_amount": 0,
        "original_price": number(line.sold.price),
        "price": price,
        "price_incl_tax": price,
        "row_invoiced": total if paid else 0,
        "row_total": total,
        "row_total_incl_tax": total,
        "tax_amount": 0,
        "tax_invoiced": 0,
    }
    if paid:
        amounts["discount_tax_compensation_invoiced"] = 0
    row = {
        **amounts,
        **{f"base_{key}": value for key, value in amounts.items()},
        **_row_common(order, item, paid=paid),
        "item_id": item.id,
        "name": line.product.name,
        "product_id": line.product.id,
        "product_type": line.product.type_id,
        "quote_item_id": line.id,
        "row_weight": number(_row_weight(item)),
    }
    if line.sold.weight is not None:
        row["weight"] = number(line.sold.weight)
    if paid:
        row["weee_tax_applied"] = "[]"
    if line.child is not None:
        row["product_option"] = {"extension_attributes": {"configurable_item_options": _chosen(line)}}
    return row


def _chosen(line: QuoteItem) -> list[Document]:
    codes = {axis: attribute(axis).code for axis in line.product.super_attributes}
    return [{"option_id": str(axis), "option_value": int(line.sold.options[code])} for axis, code in codes.items()]


def _child_row(order: Order, item: OrderItem, parent: Document, *, paid: bool) -> Document:
    line = item.quote_item
    zeros = dict.fromkeys(
        (
            "amount_refunded",
            "discount_amount",
            "discount_invoiced",
            "price",
            "row_invoiced",
            "row_total",
            "tax_amount",
            "tax_invoiced",
            "row_total_incl_tax",
        ),
        0,
    )
    return {
        **zeros,
        **{f"base_{key}": value for key, value in zeros.items()},
        **_row_common(order, item, paid=paid),
        "item_id": item.child_id,
        "name": line.sold.name,
        "original_price": 0,
        "parent_item_id": item.id,
        "product_id": line.sold.id,
        "product_type": "simple",
        "quote_item_id": line.id + 1,
        "row_weight": 0,
        "weight": number(line.sold.weight or Decimal(0)),
        "parent_item": parent,
    }


def _row_common(order: Order, item: OrderItem, *, paid: bool) -> Document:
    line = item.quote_item
    return {
        "created_at": order.created_at,
        "discount_percent": 0,
        "free_shipping": 0,
        "is_qty_decimal": 0,
        "is_virtual": 1 if line.product.type_id == "virtual" else 0,
        "no_discount": 0,
        "order_id": order.entity_id,
        "qty_canceled": 0,
        "qty_invoiced": line.qty if paid else 0,
        "qty_ordered": line.qty,
        "qty_refunded": 0,
        "qty_shipped": line.qty if paid and order.shipping_address else 0,
        "sku": line.sold.sku,
        "store_id": 1,
        "tax_percent": 0,
        "updated_at": order.updated_at,
    }
