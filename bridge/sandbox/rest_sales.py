"""The admin REST API: orders and their documents, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from bridge.sandbox.order_documents import note_document, order_document
from bridge.sandbox.rest_base import NO_ENTITY, Document, RestError, call, flat, found, key
from bridge.sandbox.sales_documents import (
    credit_memo_document,
    invoice_document,
    shipment_document,
)
from bridge.sandbox.sales_documents import (
    note_document as remark_document,
)
from bridge.sandbox.search import Criteria, Filter
from bridge.sandbox.web import shop_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.orders import Document as Paper
    from bridge.sandbox.orders import Order
    from bridge.sandbox.search import Value

blueprint = Blueprint("shop_rest_sales", __name__)

VIEW, SHIPMENT = "Magento_Sales::actions_view", "Magento_Sales::shipment"
INVOICE, CREDIT_MEMO = "Magento_Sales::sales_invoice", "Magento_Sales::sales_creditmemo"
COMMENT = "Magento_Sales::comment"
OPTIONAL_ORDER_COLUMNS = (
    "customer_id", "coupon_code", "applied_rule_ids", "shipping_description", "total_paid", "total_refunded",
    "relation_child_id", "relation_parent_id", "original_increment_id", "email_sent", "hold_before_state",
)  # fmt: skip
WRITERS: dict[str, Callable[[Paper], Document]] = {
    "invoices": invoice_document,
    "shipments": shipment_document,
    "credit_memos": credit_memo_document,
}


def order_column(order: Order, name: str) -> Value:
    """Return a filterable value of an order."""
    return key(flat(order_document(order), *OPTIONAL_ORDER_COLUMNS), name)


@call(blueprint, "orders", VIEW)
def orders() -> Document:
    """Search the orders."""
    rows = sorted(shop_state().orders.values(), key=lambda one: one.entity_id)
    return found(rows, order_column, order_document)


def the_order(id_: int) -> Order:
    """Find an order by its entity id. Raises RestError 404."""
    order = shop_state().orders.get(id_)
    if order is None:
        raise RestError(404, NO_ENTITY)
    return order


@call(blueprint, "orders/<int:id_>", VIEW)
def order(id_: int) -> Document:
    """Answer one order."""
    return order_document(the_order(id_))


@call(blueprint, "orders/<int:id_>/statuses", VIEW)
def status(id_: int) -> str:
    """Answer an order's status."""
    return the_order(id_).status


@call(blueprint, "orders/items", VIEW)
def order_items() -> Document:
    """Search the rows of all orders."""
    rows = [row for order in shop_state().orders.values() for row in order_document(order)["items"]]
    return found(rows, lambda row, name: key(flat(row, "parent_item_id"), name), _listed_row)


def _listed_row(row: Document) -> Document:
    """Leave out what the rows of a variant lack in this list."""
    if row.get("parent_item_id") and not row["row_total"]:
        return {name: value for name, value in row.items() if not name.endswith("row_total_incl_tax")}
    return row


def _notes(rows: list[Document], parent_id: int) -> Document:
    wanted = Criteria(groups=((Filter("parent_id", str(parent_id)),),))
    return found(rows, key, lambda row: row, wanted)


@call(blueprint, "orders/<int:id_>/comments", VIEW)
def order_comments(id_: int) -> Document:
    """Answer the history of an order."""
    one = the_order(id_)
    return _notes([note_document(note, one) for note in one.history], id_)


def the_document(kind: str, id_: int) -> Paper:
    """Find an invoice, shipment or credit memo. Raises RestError 404."""
    for document in shop_state().documents(kind):
        if document.id == id_:
            return document
    raise RestError(404, NO_ENTITY)


def _papers(kind: str) -> Document:
    write = WRITERS[kind]
    rows: list[Any] = shop_state().documents(kind)
    return found(rows, lambda row, name: key(flat(write(row), "email_sent", "shipping_address_id"), name), write)


@call(blueprint, "invoices", INVOICE)
def invoices() -> Document:
    """Search the invoices."""
    return _papers("invoices")


@call(blueprint, "invoices/<int:id_>", INVOICE)
def invoice(id_: int) -> Document:
    """Answer one invoice."""
    return invoice_document(the_document("invoices", id_))


@call(blueprint, "shipments", SHIPMENT)
def shipments() -> Document:
    """Search the shipments."""
    return _papers("shipments")


@call(blueprint, "shipment/<int:id_>", SHIPMENT)
def shipment(id_: int) -> Document:
    """Answer one shipment."""
    return shipment_document(the_document("shipments", id_))


@call(blueprint, "shipment/<int:id_>/comments", SHIPMENT)
def shipment_comments(id_: int) -> Document:
    """Answer the comments of a shipment."""
    document = the_document("shipments", id_)
    return _notes([remark_document(note, document) for note in document.notes], id_)


@call(blueprint, "creditmemos", CREDIT_MEMO)
def credit_memos() -> Document:
    """Search the credit memos."""
    return _papers("credit_memos")


@call(blueprint, "creditmemo/<int:id_>", CREDIT_MEMO)
def credit_memo(id_: int) -> Document:
    """Answer one credit memo."""
    return credit_memo_document(the_document("credit_memos", id_))


@call(blueprint, "transactions", "Magento_Sales::transactions_fetch")
def transactions() -> Document:
    """Search the payment transactions: offline payments have none."""
    return found([], key, lambda row: row)
