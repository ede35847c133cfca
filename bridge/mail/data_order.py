"""An order as a mail shows it: Ometria's data sets details, payment, totals, shipping, billing and the lines."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.mail.data_formats import both, utc
from bridge.mail.data_products import known

if TYPE_CHECKING:
    from bridge.mail.data_formats import Formats
    from bridge.mail.material import Material
    from bridge.settings import Settings, Store
    from bridge.store import OrderDetails, OrderLine, PostalAddress

STREET_LINES = 3


def details(material: Material, view: Store, formats: Formats) -> dict[str, Any]:
    """Return number, moment, status and page of an order; of a cancellation what the shop wrote to the customer."""
    found = material.details
    if found is None:
        return {}
    order = found.order
    page = f"sales/order/view/order_id/{order.id}/" if order.customer_id else "sales/guest/form/"
    notified = next((entry for entry in found.history if entry.notified), None)
    return {
        "orderID": order.number,
        "creationDate": formats.moment(order.created_at),
        "creationDateRaw": utc(order.created_at),
        "status": order.status,
        "state": order.state,
        **both("orderDetailsURL", "orderDetailsUrl", f"{view.link_url}{page}"),
        "coupons": [order.coupon] if order.coupon else [],
        "email": order.email,
        "currency": order.local.currency,
        "comment": notified.comment if notified and material.wanted.kind == "order_cancellation" else None,
    }


def payment(found: OrderDetails, formats: Formats) -> dict[str, Any]:
    """Return how the order was paid."""
    total = found.order.local.grand_total
    return {
        "paymentMethod": found.payment,
        "paymentMethodCode": found.order.payment_method,
        "lastFour": found.last_four,
        "amount": formats.money(total, found.order.local.currency or ""),
        "amountRaw": total,
    }


def totals(found: OrderDetails, formats: Formats) -> dict[str, Any]:
    """Return the order's sums in its own currency."""
    sums = found.order.local
    currency = sums.currency or ""
    named = {
        "totalShippingCost": sums.shipping,
        "totalTax": sums.tax,
        "totalDiscount": sums.discount,
        "grandTotal": sums.grand_total,
    }
    return {
        **both("subTotal", "subtotal", formats.money(sums.subtotal, currency)),
        "subTotalRaw": sums.subtotal,
        **{name: formats.money(amount, currency) for name, amount in named.items()},
        **{f"{name}Raw": amount for name, amount in named.items()},
    }


def shipping(material: Material, formats: Formats) -> dict[str, Any]:
    """Return where and how the order travels; of a shipment with its numbers."""
    found = material.details
    if found is None:
        return {}
    data: dict[str, Any] = {"shippingMethod": found.delivery, **_address(found.shipping, formats)}
    shipment = material.shipment
    if shipment is None:
        return data
    first = shipment.tracks[0] if shipment.tracks else None
    return data | {
        "shipmentID": shipment.number,
        "shippedDate": formats.moment(shipment.created_at),
        "shippedDateRaw": utc(shipment.created_at),
        "carrier": first.title if first else None,
        "trackingID": first.number if first else None,
        **both("trackingURL", "trackingUrl", material.links.tracking),
        "tracks": [
            {"carrier": track.title, "carrierCode": track.carrier, "trackingID": track.number}
            for track in shipment.tracks
        ],
    }


def billing(found: OrderDetails, formats: Formats) -> dict[str, Any]:
    """Return the billing address."""
    return _address(found.billing, formats)


def _address(address: PostalAddress | None, formats: Formats) -> dict[str, Any]:
    if address is None:
        return {}
    street = [*address.street[: STREET_LINES - 1], ", ".join(address.street[STREET_LINES - 1 :])]
    return {
        "firstname": address.firstname,
        "surname": address.lastname,
        "company": address.company,
        **{f"address{place}": line for place, line in enumerate(street, 1)},
        "city": address.city,
        "county": address.region,
        "postcode": address.postcode,
        "countrycode": address.country,
        "country": formats.country(address.country),
        "phone": address.phone,
    }


def lines(material: Material, view: Store, values: Settings, formats: Formats) -> list[dict[str, Any]]:
    """Return the order's rows as the shopper sees them; of a shipment those that are in it, with its quantities."""
    found = material.details
    if found is None:
        return []
    shown = [line for line in found.order.lines if line.parent is None]
    if material.shipment is None:
        return [_amounts(line, line.quantity, found, formats) | _about(line, material, view, values) for line in shown]
    pieces = {row.line: row.quantity for row in material.shipment.lines}
    children = {line.id: line.parent for line in found.order.lines if line.parent}
    pieces |= {children[row]: quantity for row, quantity in pieces.items() if row in children}
    return [
        _amounts(line, pieces[line.id], found, formats) | _about(line, material, view, values)
        for line in shown
        if line.id in pieces
    ]


def _about(line: OrderLine, material: Material, view: Store, values: Settings) -> dict[str, Any]:
    product = material.products.get(line.product or "")
    by_sku = values["products.id_attribute"] == "sku"
    about = known(product, view, values) if product else {"id": line.sku if by_sku else line.product}
    return {**about, "sku": line.sku, "title": line.name, "options": _parts(line, material)}


def _amounts(line: OrderLine, quantity: Decimal, found: OrderDetails, formats: Formats) -> dict[str, Any]:
    currency = found.order.local.currency or ""
    price = line.local.price_with_tax if line.local.price_with_tax is not None else line.local.price
    row = None if line.local.row is None else line.local.row + (line.local.tax or Decimal(0))
    return {
        "quantity": formats.number(quantity),
        "quantityRaw": quantity,
        "price": formats.money(price, currency),
        "priceRaw": price,
        "rowTotal": formats.money(row, currency),
        "rowTotalRaw": row,
    }


def _parts(line: OrderLine, material: Material) -> list[dict[str, Any]]:
    """Return what was chosen: the names of a bundle's parts, or of the variant."""
    if material.details is None:
        return []
    return [
        {"sku": child.sku, "title": child.name}
        for child in material.details.order.lines
        if child.parent == line.id and child.name
    ]
