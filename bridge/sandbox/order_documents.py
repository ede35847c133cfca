"""Orders in the shape of Magento's REST API."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.cart import PAYMENT_TITLES, shipping_title
from bridge.sandbox.order_rows import row_weight, rows_of
from bridge.sandbox.values import digest, number, with_base

if TYPE_CHECKING:
    from bridge.sandbox.orders import Note, Order
    from bridge.sandbox.people import Address

Rest = dict[str, Any]
ZERO = Decimal(0)


def order_document(order: Order) -> Rest:
    """Return an order as ``orders/{id}`` gives it; what is empty is left out."""
    items = [row for item in order.items for row in rows_of(order, item)]
    return {
        **dict(sorted(_money(order).items())),
        **_head(order),
        **_relations(order),
        "items": items,
        "billing_address": _address(order, order.billing_address, "billing", order.billing_address_id),
        "payment": _payment(order),
        "status_histories": [note_document(note, order) for note in order.history],
        "extension_attributes": {
            "shipping_assignments": [{"shipping": _shipping(order), "items": items}],
            "payment_additional_info": [{"key": "method_title", "value": PAYMENT_TITLES[order.payment_method]}],
            "applied_taxes": [],
            "item_applied_taxes": [],
        },
    }


def note_document(note: Note, order: Order) -> Rest:
    """Return a history entry."""
    return {
        "comment": note.text,
        "created_at": note.created_at,
        "entity_id": note.id,
        "entity_name": note.about,
        "is_customer_notified": int(note.notified),
        "is_visible_on_front": int(note.visible),
        "parent_id": order.entity_id,
        "status": note.status,
    }


def currencies(order: Order) -> Rest:
    """Return the currency columns that an order shares with its documents."""
    code = order.view.website.currency
    return {
        "base_currency_code": code,
        # Rates are missing where the global currency is another: the real shop writes 0 or 1 all the same.
        "base_to_global_rate": 1,
        "base_to_order_rate": number(order.view.rate),
        "global_currency_code": "GBP",
        "order_currency_code": order.view.currency,
        "store_currency_code": code,
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
    }


def _head(order: Order) -> Rest:
    head: Rest = {
        **currencies(order),
        "billing_address_id": order.billing_address_id,
        "created_at": order.created_at,
        "customer_email": order.email,
        "customer_firstname": order.firstname,
        "customer_group_id": 0 if order.customer_id is None else 1,
        "customer_is_guest": 1 if order.customer_id is None else 0,
        "customer_lastname": order.lastname,
        "customer_note_notify": 1,
        "entity_id": order.entity_id,
        "increment_id": order.increment_id,
        "is_virtual": 1 if order.is_virtual else 0,
        "protect_code": digest("protect", order.entity_id)[:32],
        "quote_id": order.quote_id,
        "remote_ip": order.remote_ip,
        "state": order.state,
        "status": order.status,
        "store_id": order.view.id,
        "store_name": order.view.long_name,
        "total_item_count": len(order.items),
        "total_qty_ordered": order.qty,
        "updated_at": order.updated_at,
        "weight": number(sum((row_weight(item) for item in order.items), ZERO)),
    }
    if order.emailed:
        head["email_sent"] = 1
    if order.customer_id is not None:
        head["customer_id"] = order.customer_id
    title = shipping_title(order.shipping_method)
    if title:
        head["shipping_description"] = title
    head |= _discount(order)
    if order.held is not None:
        head["hold_before_state"], head["hold_before_status"] = order.held
    return head


def _discount(order: Order) -> Rest:
    if order.rule_id is None:
        return {}
    return {
        "applied_rule_ids": str(order.rule_id),
        "coupon_code": order.coupon_code,
        "discount_description": order.discount_label,
    }


def _relations(order: Order) -> Rest:
    """Return the links between an edited order and the one that took its place."""
    relations: Rest = {}
    if order.child is not None:
        relations |= {
            "relation_child_id": str(order.child.entity_id),
            "relation_child_real_id": order.child.increment_id,
        }
    if order.parent is not None:
        relations |= {
            "edit_increment": 1,
            "original_increment_id": order.parent.increment_id,
            "relation_parent_id": str(order.parent.entity_id),
            "relation_parent_real_id": order.parent.increment_id,
        }
    return relations


def _money(order: Order) -> Rest:
    total, subtotal, shipping = order.grand_total, order.subtotal, order.shipping_amount
    paid = sum((one.grand_total for one in order.invoices), ZERO)
    amounts: dict[str, Decimal] = {
        "grand_total": total,
        "subtotal": subtotal,
        "subtotal_incl_tax": subtotal,
        "total_due": total - paid,
        "shipping_amount": shipping,
        "shipping_incl_tax": shipping,
        "discount_amount": -order.discount,
        "discount_tax_compensation_amount": ZERO,
        "shipping_discount_amount": ZERO,
        "shipping_tax_amount": ZERO,
        "tax_amount": ZERO,
        **_invoiced(order, paid),
        **_refunded(order),
        **_canceled(order),
    }
    document = with_base({key: number(value) for key, value in amounts.items()}, order.view)
    if order.invoices:
        document["base_total_invoiced_cost"] = 0
    compensation = "shipping_discount_tax_compensation"
    document[f"{compensation}_amount"] = document[f"base_{compensation}_amnt"] = 0
    return document


def _invoiced(order: Order, paid: Decimal) -> dict[str, Decimal]:
    if not order.invoices:
        return {}
    return {
        "total_paid": paid,
        "total_invoiced": paid,
        "subtotal_invoiced": sum((one.subtotal for one in order.invoices), ZERO),
        "shipping_invoiced": sum((one.shipping_amount for one in order.invoices), ZERO),
        "discount_invoiced": -sum((one.discount for one in order.invoices), ZERO),
        "tax_invoiced": ZERO,
        "discount_tax_compensation_invoiced": ZERO,
    }


def _refunded(order: Order) -> dict[str, Decimal]:
    if not order.credit_memos:
        return {}
    total = sum((one.grand_total for one in order.credit_memos), ZERO)
    return {
        "adjustment_negative": ZERO,
        "adjustment_positive": ZERO,
        "discount_refunded": -sum((one.discount for one in order.credit_memos), ZERO),
        "discount_tax_compensation_refunded": ZERO,
        "shipping_refunded": sum((one.shipping_amount for one in order.credit_memos), ZERO),
        "shipping_tax_refunded": ZERO,
        "subtotal_refunded": sum((one.subtotal for one in order.credit_memos), ZERO),
        "tax_refunded": ZERO,
        "total_offline_refunded": total,
        "total_refunded": total,
    }


def _canceled(order: Order) -> dict[str, Decimal]:
    if order.state != "canceled":
        return {}
    return {
        "discount_canceled": order.discount,
        "shipping_canceled": order.shipping_amount,
        "subtotal_canceled": order.subtotal,
        "tax_canceled": ZERO,
        "total_canceled": order.grand_total,
    }


def _payment(order: Order) -> Rest:
    amounts: Rest = {"amount_ordered": order.grand_total, "shipping_amount": order.shipping_amount}
    if order.invoices:
        amounts["amount_paid"] = sum((one.grand_total for one in order.invoices), ZERO)
        amounts["shipping_captured"] = sum((one.shipping_amount for one in order.invoices), ZERO)
    if order.credit_memos:
        amounts["amount_refunded"] = sum((one.grand_total for one in order.credit_memos), ZERO)
        amounts["shipping_refunded"] = sum((one.shipping_amount for one in order.credit_memos), ZERO)
    return {
        **with_base({key: number(value) for key, value in amounts.items()}, order.view),
        "account_status": None,
        "additional_information": [PAYMENT_TITLES[order.payment_method]],
        "cc_last4": None,
        "entity_id": order.entity_id,
        "method": order.payment_method,
        "parent_id": order.entity_id,
    }


def _shipping(order: Order) -> Rest:
    known = _money(order)
    wanted = {"incl_tax", "tax_amount", "discount_amount", "amount", "invoiced", "refunded", "tax_refunded", "canceled"}
    total = {
        key: value
        for key, value in known.items()
        if key.removeprefix("base_").removeprefix("shipping_") in wanted and "shipping_" in key
    }
    compensation = "shipping_discount_tax_compensation"
    total |= {f"{compensation}_amount": 0, f"base_{compensation}_amnt": 0}
    if order.shipping_address is None or order.shipping_address_id is None:
        return {"total": total}
    return {
        "address": _address(order, order.shipping_address, "shipping", order.shipping_address_id),
        "method": order.shipping_method,
        "total": total,
    }


def _address(order: Order, address: Address, kind: str, address_id: int) -> Rest:
    document: Rest = {"address_type": kind, "city": address.city}
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
