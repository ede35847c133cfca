"""The admin REST API: what staff and scripts do with orders. Mails go out as the real shop sends them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from bridge.sandbox import mails, sales
from bridge.sandbox.rest_base import Document, RestError, body, call, inner
from bridge.sandbox.rest_sales import the_document, the_order
from bridge.sandbox.sales_documents import note_document, track_document
from bridge.sandbox.web import post_mail, shop_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.orders import Document as Paper

blueprint = Blueprint("shop_rest_actions", __name__)

ACTIONS, COMMENT = "Magento_Sales::actions", "Magento_Sales::comment"


def _wanted(asked: Document) -> sales.Wanted:
    rows = asked.get("items") or []
    pieces = {int(row["order_item_id"]): int(row["qty"]) for row in rows}
    arguments = asked.get("arguments") or {}
    shipping = arguments.get("shipping_amount")
    return sales.Wanted(pieces, None if shipping is None else Decimal(str(shipping)))


def _remark(asked: Document) -> sales.Remark | None:
    comment = asked.get("comment") or {}
    text = str(comment.get("comment") or "")
    notified = bool(asked.get("notify")) and bool(asked.get("appendComment") or asked.get("append_comment"))
    return sales.Remark(text, bool(comment.get("is_visible_on_front")), notified) if text else None


def _make(kind: str, asked: Document, make: Callable[[], Paper]) -> str:
    try:
        document = make()
    except sales.SalesError as error:
        title = {"invoices": "Invoice", "shipments": "Shipment", "credit_memos": "Creditmemo"}[kind]
        raise RestError(400, f"{title} Document Validation Error(s):\n{error}") from error
    document.emailed = bool(asked.get("notify"))
    if document.emailed:
        post_mail(mails.paper(shop_state(), kind, document))
    return str(document.id)


@call(blueprint, "order/<int:id_>/invoice", ACTIONS, "POST")
def invoice_order(id_: int) -> str:
    """Invoice an order; answer the invoice's id."""
    asked, order = body(), the_order(id_)
    return _make("invoices", asked, lambda: sales.invoice(shop_state(), order, _wanted(asked), _remark(asked)))


@call(blueprint, "order/<int:id_>/ship", ACTIONS, "POST")
def ship_order(id_: int) -> str:
    """Ship an order; answer the shipment's id."""
    asked, order = body(), the_order(id_)
    parcels = tuple(
        sales.Parcel(str(row["track_number"]), str(row["title"]), str(row["carrier_code"]))
        for row in asked.get("tracks") or []
    )
    make = lambda: sales.ship(shop_state(), order, _wanted(asked), parcels, _remark(asked))  # noqa: E731
    return _make("shipments", asked, make)


@call(blueprint, "order/<int:id_>/refund", ACTIONS, "POST")
def refund_order(id_: int) -> str:
    """Refund an order offline; answer the credit memo's id."""
    asked, order = body(), the_order(id_)
    return _make("credit_memos", asked, lambda: sales.refund(shop_state(), order, _wanted(asked), _remark(asked)))


@call(blueprint, "invoice/<int:id_>/refund", ACTIONS, "POST")
def refund_invoice(id_: int) -> str:
    """Refuse to refund an invoice: offline payments cannot."""
    the_document("invoices", id_)
    raise RestError(400, "Creditmemo Document Validation Error(s):\nThis invoice cannot get a credit memo.")


@call(blueprint, "orders/<int:id_>/cancel", ACTIONS, "POST")
def cancel_order(id_: int) -> bool:
    """Cancel an order; false, with 200, when that is impossible."""
    return sales.cancel(shop_state(), the_order(id_))


@call(blueprint, "orders/<int:id_>/hold", ACTIONS, "POST")
def hold_order(id_: int) -> bool:
    """Put an order on hold."""
    return sales.hold(shop_state(), the_order(id_))


@call(blueprint, "orders/<int:id_>/unhold", ACTIONS, "POST")
def unhold_order(id_: int) -> bool:
    """Release an order from hold."""
    return sales.unhold(shop_state(), the_order(id_))


@call(blueprint, "orders/<int:id_>/emails", ACTIONS, "POST")
def send_order_mail(id_: int) -> bool:
    """Send the confirmation of an order again."""
    post_mail(mails.order_placed(shop_state(), the_order(id_)))
    return True


def _given_remark(name: str) -> tuple[sales.Remark, Document]:
    given = inner(body(), name)
    notified, visible = bool(given.get("is_customer_notified")), bool(given.get("is_visible_on_front"))
    return sales.Remark(str(given.get("comment") or ""), visible, notified), given


@call(blueprint, "orders/<int:id_>/comments", COMMENT, "POST")
def comment_order(id_: int) -> bool:
    """Write a history entry; with notice to the customer it sends the update mail."""
    remark, given = _given_remark("status_history")
    order = the_order(id_)
    note = sales.comment(shop_state(), order, remark, str(given.get("status") or ""))
    if remark.notified:
        post_mail(mails.order_update(shop_state(), order, note))
    return True


def _comment(kind: str, id_: int | None = None) -> Document:
    remark, given = _given_remark("entity")
    document = the_document(kind, id_ or int(given.get("parent_id") or 0))
    note = sales.comment_document(shop_state(), document, remark)
    if remark.notified:
        post_mail(mails.paper_update(shop_state(), kind, document, note))
    return note_document(note, document)


@call(blueprint, "invoices/comments", COMMENT, "POST")
def comment_invoice() -> Document:
    """Comment on an invoice."""
    return _comment("invoices")


@call(blueprint, "shipment/<int:id_>/comments", COMMENT, "POST")
def comment_shipment(id_: int) -> Document:
    """Comment on a shipment."""
    return _comment("shipments", id_)


@call(blueprint, "creditmemo/<int:id_>/comments", COMMENT, "POST")
def comment_credit_memo(id_: int) -> Document:
    """Comment on a credit memo."""
    return _comment("credit_memos", id_)


@call(blueprint, "shipment/<int:id_>/emails", ACTIONS, "POST")
def send_shipment_mail(id_: int) -> bool:
    """Send the mail of a shipment again."""
    post_mail(mails.paper(shop_state(), "shipments", the_document("shipments", id_)))
    return True


@call(blueprint, "shipment/track", ACTIONS, "POST")
def add_track() -> Document:
    """Put a number on a shipment; no mail."""
    given: dict[str, Any] = inner(body(), "entity")
    document = the_document("shipments", int(given.get("parent_id") or 0))
    parcel = sales.Parcel(
        str(given.get("track_number")),
        str(given.get("title")),
        str(given.get("carrier_code")),
        given.get("weight"),
        given.get("qty"),
        given.get("description"),
    )
    return track_document(sales.add_track(shop_state(), document, parcel), document)
