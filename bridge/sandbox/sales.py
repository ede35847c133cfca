"""What happens to an order after it was placed, with the moves of ``updated_at`` that a running 2.4.6 showed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.sandbox import placing
from bridge.sandbox.orders import Document, Note, Order, OrderItem, Track
from bridge.sandbox.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.state import ShopState

FINAL = {"complete", "closed", "canceled"}


class SalesError(Exception):
    """The order's state does not allow it."""


@dataclass(frozen=True)
class Remark:
    """A comment given with a document."""

    text: str = ""
    visible: bool = False
    notified: bool = False


@dataclass(frozen=True)
class Parcel:
    """A track to be given with a shipment."""

    number: str
    title: str
    carrier: str
    weight: float | None = None
    qty: float | None = None
    description: str | None = None


@dataclass(frozen=True)
class Wanted:
    """Pieces by order item id; empty: all that is left. With ``shipping`` a refund gives the shipping back too."""

    pieces: dict[int, int] = field(default_factory=dict)
    shipping: Decimal | None = None


def _document(state: ShopState, order: Order, kind: str, wanted: Wanted, left: Callable[[OrderItem], int]) -> Document:
    if order.state in {"holded", "canceled", "closed", "payment_review"}:
        raise SalesError("An order in this state cannot get this document.")
    chosen = [(line, wanted.pieces.get(line.id, 0) if wanted.pieces else left(line)) for line in order.items]
    if any(qty > left(line) for line, qty in chosen) or not any(qty for _, qty in chosen):
        raise SalesError("There is nothing left for this document.")
    moment = state.now()
    return Document(
        state.next_id(kind),
        state.next_number(kind, order.view),
        order,
        moment,
        moment,
        [(state.next_id(f"{kind} row"), line, qty) for line, qty in chosen if qty],
    )


def _remark(state: ShopState, document: Document, remark: Remark | None) -> None:
    if remark is not None and remark.text:
        comment_document(state, document, remark)


def invoice(state: ShopState, order: Order, wanted: Wanted | None = None, remark: Remark | None = None) -> Document:
    """Invoice and capture; moves ``updated_at``. Raises SalesError."""
    document = _document(state, order, "invoice", wanted or Wanted(), OrderItem.to_invoice)
    document.shipping_amount = Decimal(0) if order.invoices else order.shipping_amount
    order.invoices.append(document)
    for _, line, qty in document.rows:
        line.invoiced += qty
    _remark(state, document, remark)
    _settle(state, order)
    order.updated_at = state.now()
    return document


def ship(
    state: ShopState,
    order: Order,
    wanted: Wanted | None = None,
    tracks: tuple[Parcel, ...] = (),
    remark: Remark | None = None,
) -> Document:
    """Send; ``updated_at`` moves only when the order's state does. Stock leaves the shelf now. Raises SalesError."""
    document = _document(state, order, "shipment", wanted or Wanted(), OrderItem.to_ship)
    order.shipments.append(document)
    for _, line, qty in document.rows:
        line.shipped += qty
        for product, pieces in replace(line.quote_item, qty=qty).leaving:
            state.reserved[product.sku] -= pieces
            state.quantities[product.sku] -= pieces
    for parcel in tracks:
        add_track(state, document, parcel)
    _remark(state, document, remark)
    _settle(state, order)
    return document


def add_track(state: ShopState, document: Document, parcel: Parcel) -> Track:
    """Put a number on a shipment. Neither shipment nor order moves its ``updated_at``."""
    track = Track(
        state.next_id("track"),
        parcel.number,
        parcel.title,
        parcel.carrier,
        state.now(),
        parcel.weight,
        parcel.qty,
        parcel.description,
    )
    document.tracks.append(track)
    return track


def refund(state: ShopState, order: Order, wanted: Wanted | None = None, remark: Remark | None = None) -> Document:
    """Give money back offline; moves ``updated_at``. Without a shipping amount the shipping too. Raises SalesError."""
    asked = wanted or Wanted()
    document = _document(state, order, "credit_memo", asked, OrderItem.to_refund)
    given = sum((memo.shipping_amount for memo in order.credit_memos), Decimal(0))
    paid = order.shipping_amount if order.invoices else Decimal(0)
    document.shipping_amount = paid - given if asked.shipping is None else asked.shipping
    document.adjusted = asked.shipping is not None
    order.credit_memos.append(document)
    for _, line, qty in document.rows:
        line.refunded += qty
    _remark(state, document, remark)
    if all(line.refunded == line.qty for line in order.items):
        order.state = order.status = "closed"
    text = f"We refunded {shown(document.grand_total, order.view.money)} offline."
    order.history.insert(0, _note(state, Remark(text, notified=True), about="creditmemo", status=order.status))
    order.updated_at = state.now()
    return document


def _settle(state: ShopState, order: Order) -> None:
    """Give the order the state that its documents amount to."""
    done = all(not line.to_invoice() and not line.to_ship() for line in order.items)
    became = "complete" if done else "processing"
    if order.state != became and order.state not in FINAL:
        state.set_order_state(order, became, became)


def cancel(state: ShopState, order: Order) -> bool:
    """Cancel what has not been invoiced; no mail, no history. False when there is nothing to cancel."""
    if order.state in FINAL | {"holded", "payment_review"} or any(line.invoiced for line in order.items):
        return False
    for line in order.items:
        line.canceled = line.qty
        for product, qty in line.quote_item.leaving:
            state.reserved[product.sku] -= qty
    state.set_order_state(order, "canceled", "canceled")
    return True


def hold(state: ShopState, order: Order) -> bool:
    """Put on hold. False when that is impossible."""
    if order.state in FINAL | {"holded", "payment_review"}:
        return False
    order.held = (order.state, order.status)
    state.set_order_state(order, "holded", "holded")
    return True


def unhold(state: ShopState, order: Order) -> bool:
    """Release from hold. False when it was not on hold."""
    if order.held is None:
        return False
    state.set_order_state(order, *order.held)
    order.held = None
    return True


def _note(state: ShopState, remark: Remark, *, about: str, status: str = "") -> Note:
    return Note(
        state.next_id(f"{about} note"), remark.text, state.now(), remark.notified, remark.visible, about, status
    )


def comment(state: ShopState, order: Order, remark: Remark, status: str = "") -> Note:
    """Write a history entry, newest first. ``updated_at`` stays."""
    order.status = status or order.status
    note = _note(state, remark, about="order", status=order.status)
    order.history.insert(0, note)
    return note


def comment_document(state: ShopState, document: Document, remark: Remark) -> Note:
    """Write a comment on an invoice, shipment or credit memo."""
    note = _note(state, remark, about="document")
    document.notes.append(note)
    return note


def edit(state: ShopState, order: Order) -> Order:
    """Do what *Edit* in the admin does: cancel the order and place it anew with ``-1`` behind its number."""
    cancel(state, order)
    moment = state.now()
    new = replace(
        order,
        entity_id=state.next_id("order"),
        increment_id=f"{order.increment_id}-1",
        quote_id=state.next_id("quote"),
        created_at=moment,
        updated_at=moment,
        state="new",
        status="pending",
        items=tuple(
            OrderItem(
                state.next_id("order_item"),
                tuple(state.next_id("order_item") for _ in line.child_ids),
                line.quote_item,
                line.discount,
            )
            for line in order.items
        ),
        billing_address_id=state.next_id("order_address"),
        shipping_address_id=state.next_id("order_address") if order.shipping_address else None,
        history=[],
        invoices=[],
        shipments=[],
        credit_memos=[],
        parent=order,
        child=None,
    )
    order.child = new
    placing.keep(state, new)
    return new
