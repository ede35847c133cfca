"""Invoices, shipments and credit memos in the shapes of Magento's REST API."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.order_documents import currencies
from bridge.sandbox.values import number, with_base

if TYPE_CHECKING:
    from bridge.sandbox.orders import Document, Note, OrderItem, Track

Rest = dict[str, Any]
ADJUSTMENTS = ("adjustment_negative", "adjustment_positive", "base_adjustment_negative", "base_adjustment_positive")


def _head(document: Document) -> Rest:
    order = document.order
    head: Rest = {
        "billing_address_id": order.billing_address_id,
        "created_at": document.created_at,
        "entity_id": document.id,
        "increment_id": document.increment_id,
        "order_id": order.entity_id,
        "store_id": order.view.id,
        "updated_at": document.updated_at,
    }
    if order.shipping_address_id is not None:
        head["shipping_address_id"] = order.shipping_address_id
    if document.emailed:
        head["email_sent"] = 1
    return head


def _money(document: Document, *, with_compensation: bool) -> Rest:
    amounts = {
        "grand_total": document.grand_total,
        "subtotal": document.subtotal,
        "subtotal_incl_tax": document.subtotal,
        "shipping_amount": document.shipping_amount,
        "shipping_incl_tax": document.shipping_amount,
        "shipping_tax_amount": Decimal(0),
        "discount_amount": -document.discount,
        "discount_tax_compensation_amount": Decimal(0),
        "tax_amount": Decimal(0),
    }
    money = with_base({key: number(value) for key, value in amounts.items()}, document.order.view)
    if with_compensation:
        compensation = "shipping_discount_tax_compensation"
        money |= {f"{compensation}_amount": 0, f"base_{compensation}_amnt": 0}
    return money


def _row(document: Document, id_: int, line: OrderItem, qty: int) -> Rest:
    item = line.quote_item
    amounts: Rest = {
        "discount_tax_compensation_amount": 0,
        "price": number(item.price),
        "price_incl_tax": number(item.price),
        "row_total": number(item.price * qty),
        "row_total_incl_tax": number(item.price * qty),
        "tax_amount": 0,
    }
    if line.discount:
        amounts["discount_amount"] = number((line.discount * qty / line.qty).quantize(Decimal("0.01")))
    return {
        **with_base(amounts, document.order.view),
        "entity_id": id_,
        "name": item.product.name,
        "order_item_id": line.id,
        "parent_id": document.id,
        "product_id": item.product.id,
        "qty": qty,
        "sku": item.sku,
    }


def note_document(note: Note, document: Document) -> Rest:
    """Return a comment of an invoice, a shipment or a credit memo."""
    return {
        "comment": note.text,
        "created_at": note.created_at,
        "entity_id": note.id,
        "is_customer_notified": int(note.notified),
        "is_visible_on_front": int(note.visible),
        "parent_id": document.id,
    }


def invoice_document(document: Document) -> Rest:
    """Return an invoice as ``invoices/{id}`` gives it; state 2 is paid."""
    return {
        **_money(document, with_compensation=True),
        **currencies(document.order),
        **_head(document),
        "can_void_flag": 0,
        "state": 2,
        "total_qty": document.qty,
        "items": [_row(document, *row) for row in document.rows],
        "comments": [note_document(note, document) for note in document.notes],
    }


def credit_memo_document(document: Document) -> Rest:
    """Return a credit memo as ``creditmemo/{id}`` gives it; state 2 is refunded."""
    weee = {
        "base_cost": None,
        "base_weee_tax_row_disposition": 0,
        "weee_tax_applied": "[]",
        "weee_tax_applied_row_amount": 0,
        "weee_tax_row_disposition": 0,
    }
    return {
        **_money(document, with_compensation=False),
        **currencies(document.order),
        **_head(document),
        "adjustment": 0,
        "base_adjustment": 0,
        **(dict.fromkeys(ADJUSTMENTS, 0) if document.adjusted else {}),
        "state": 2,
        "items": [{**_row(document, *row), **weee} for row in document.rows],
        "comments": [note_document(note, document) for note in reversed(document.notes)],
    }


def shipment_document(document: Document) -> Rest:
    """Return a shipment as ``shipment/{id}`` gives it."""
    return {
        **_head(document),
        "packages": [],
        "total_qty": document.qty,
        "items": [
            {
                "entity_id": id_,
                "name": line.quote_item.product.name,
                "parent_id": document.id,
                "price": number(line.quote_item.price),
                "product_id": line.quote_item.product.id,
                "sku": line.quote_item.sku,
                "weight": number(line.quote_item.weight or Decimal(0)),
                "order_item_id": line.id,
                "qty": qty,
            }
            for id_, line, qty in document.rows
        ],
        "tracks": [track_document(track, document) for track in document.tracks],
        "comments": [note_document(note, document) for note in document.notes],
        "extension_attributes": {"source_code": "default"},
    }


def track_document(track: Track, document: Document) -> Rest:
    """Return a track, inside a shipment or alone."""
    return {
        "order_id": document.order.entity_id,
        "created_at": track.created_at,
        "entity_id": track.id,
        "parent_id": document.id,
        "updated_at": track.created_at,
        "weight": track.weight,
        "qty": track.qty,
        "description": track.description,
        "track_number": track.number,
        "title": track.title,
        "carrier_code": track.carrier,
    }
