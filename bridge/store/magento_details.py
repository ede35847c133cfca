"""An order as its mails show it: Magento's JSON -> :class:`bridge.store.OrderDetails`. Values in, values out.

Magento tells the payment method's name as the first text of ``additional_information``, and again in an extension
attribute; the delivery's name is ``shipping_description``. Tracks have no address of the carrier.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bridge.store import magento_read as read
from bridge.store.entities import (
    HistoryEntry,
    OrderDetails,
    PostalAddress,
    Shipment,
    ShippedLine,
    Track,
)

Raw = dict[str, Any]


def details(raw: Raw, shipments: list[Raw]) -> OrderDetails:
    """Return an order with its shipments, both as REST gives them."""
    assignments = read.rows(read.table(raw.get("extension_attributes")).get("shipping_assignments"))
    shipping = read.table(assignments[0].get("shipping")) if assignments else {}
    return OrderDetails(
        order=read.order(raw),
        billing=postal(raw.get("billing_address")),
        shipping=postal(shipping.get("address")),
        payment=_payment(raw),
        last_four=read.text(read.table(raw.get("payment")).get("cc_last4")),
        delivery=read.text(raw.get("shipping_description")),
        history=_history(raw),
        shipments=tuple(shipment(one) for one in sorted(shipments, key=lambda one: read.whole(one["entity_id"]) or 0)),
    )


def postal(value: Any) -> PostalAddress | None:
    """Return a postal address, or None when there is none."""
    raw, plain = read.table(value), read.address(value)
    if plain is None:
        return None
    street = raw.get("street")
    lines = street if isinstance(street, list) else str(street or "").split("\n")
    return PostalAddress(
        firstname=plain.firstname,
        lastname=plain.lastname,
        city=plain.city,
        region=plain.region,
        postcode=plain.postcode,
        country=plain.country,
        street=tuple(found for line in lines if (found := read.text(line))),
        company=read.text(raw.get("company")),
        phone=read.text(raw.get("telephone")),
    )


def shipment(raw: Raw) -> Shipment:
    """Return a shipment; tracks without a number are left out."""
    return Shipment(
        id=str(raw["entity_id"]),
        number=read.text(raw.get("increment_id")) or "",
        created_at=read.moment(raw.get("created_at")),
        lines=tuple(_line(row) for row in read.rows(raw.get("items"))),
        tracks=tuple(
            Track(number=number, title=read.text(row.get("title")), carrier=read.text(row.get("carrier_code")))
            for row in read.rows(raw.get("tracks"))
            if (number := read.text(row.get("track_number")))
        ),
    )


def _line(row: Raw) -> ShippedLine:
    return ShippedLine(
        line=str(row.get("order_item_id") or ""),
        product=read.text(row.get("product_id")),
        sku=read.text(row.get("sku")),
        name=read.text(row.get("name")),
        quantity=read.money(row.get("qty")) or Decimal(0),
    )


def _payment(raw: Raw) -> str | None:
    payment = read.table(raw.get("payment"))
    information = payment.get("additional_information")
    named = [
        read.text(row.get("value"))
        for row in read.rows(read.table(raw.get("extension_attributes")).get("payment_additional_info"))
        if row.get("key") == "method_title"
    ]
    first = information[0] if isinstance(information, list) and information else None
    return next((found for found in named if found), None) or read.text(first) or read.text(payment.get("method"))


def _history(raw: Raw) -> tuple[HistoryEntry, ...]:
    rows = sorted(
        read.rows(raw.get("status_histories")), key=lambda row: read.whole(row.get("entity_id")) or 0, reverse=True
    )
    return tuple(
        HistoryEntry(
            comment=read.text(row.get("comment")),
            status=read.text(row.get("status")),
            notified=read.flag(row.get("is_customer_notified")),
            created_at=read.moment(row.get("created_at")),
        )
        for row in rows
    )
