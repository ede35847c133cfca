"""The rows of the pull endpoints, made of an entity and of the record that would be pushed of it.

Names and kinds of values are the old module's. What neither the entity nor the record has is null.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bridge.export.map_products import product_id
from bridge.export.names import digits

if TYPE_CHECKING:
    import datetime as dt

    from bridge.settings import Account
    from bridge.settings import Store as StoreView
    from bridge.store import Amounts, Customer, Order, OrderLine, Product

GENDERS: Final = {1: "Male", 2: "Female", 3: "Not Specified"}
OPTED_IN: Final = "EXPLICITLY_OPTEDIN"
SUBSCRIBED, UNSUBSCRIBED = 1, 3
NAMES: Final = ("prefix", "firstname", "middlename", "lastname")


def contact_row(customer: Customer, record: dict[str, Any], view: StoreView | None) -> dict[str, Any]:
    """Return a customer account."""
    return {
        "@type": "contact",
        "id": record["id"],
        "email": record.get("email"),
        **{name: record.get(name) for name in NAMES},
        "gender": GENDERS.get(customer.gender or 0),
        "date_of_birth": record.get("date_of_birth"),
        "marketing_optin": record.get("marketing_optin") == OPTED_IN,
        "country_id": record.get("country_id") or False,
        "store_id": view.id if view else None,
    }


def subscriber_row(id_: str, email: str, status: int, view: StoreView) -> dict[str, Any]:
    """Return a newsletter subscriber; an opt-in that was neither given nor taken back is null."""
    return {
        "@type": "contact",
        "id": id_,
        "email": email,
        "marketing_optin": {SUBSCRIBED: True, UNSUBSCRIBED: False}.get(status),
        "store_id": view.id,
    }


def product_row(
    product: Product, record: dict[str, Any], account: Account, *, listing: bool, final: bool
) -> dict[str, Any]:
    """Return a product; ``listing`` and ``final`` add what the old module gave on request."""
    shown = [store for store in account.stores if store.code in product.views]
    first = product.views[shown[0].code] if shown else None
    row: dict[str, Any] = {
        "@type": "product",
        "id": record["id"],
        "title": record.get("title"),
        "sku": product.sku,
        "url": record.get("url"),
        "image_url": record.get("image_url"),
        "is_active": record.get("is_active", False),
        "stores": [store.id for store in shown if store.website_id in product.website_ids],
        "parent_id": record.get("parent_id"),
        "is_variant": record.get("is_variant", False),
        "is_in_stock": record.get("is_in_stock"),
        "qty": None,
        "price": record.get("price"),
        "special_price": record.get("special_price"),
        "attributes": [
            *record.get("attributes", []),
            {"type": "magento_product_type", "value": product.type, "label": product.type},
        ],
    }
    if final:
        row["final_price"] = digits(first.final_price) if first else None
    if listing:
        row["store_listings"] = [_listing(product, store, record, account) for store in shown]
    return row


def _listing(product: Product, store: StoreView, record: dict[str, Any], account: Account) -> dict[str, Any]:
    view = product.views[store.code]
    name = account.store_name(store)
    told: dict[str, Any] = next((one for one in record.get("listings", []) if one["store"] == name), {})
    return {
        "store_id": store.id,
        "title": told.get("title", view.name),
        "url": told.get("url"),
        "store_currency": told.get("currency"),
        "visibility": view.visibility,
        "status": 1 if view.enabled else 2,
        "image_url": told.get("image_url"),
        "price": told.get("price"),
        "special_price": told.get("special_price"),
        "final_price": digits(view.final_price),
    }


def order_row(order: Order, record: dict[str, Any], account: Account) -> dict[str, Any]:
    """Return an order with its money in the shop's base currency and in its own; amounts as the shop keeps them."""
    billing, shipping = record.get("billing_address"), record.get("shipping_address")
    customer: dict[str, Any] = record.get("customer") or {}
    return {
        "@type": "order",
        "id": record["id"],
        "increment_id": order.number,
        "status": order.status,
        "state": order.state,
        "is_valid": record["is_valid"],
        "timestamp": _plain(order.created_at),
        "channel": "online",
        "store": order.store_id,
        **{f"base_{name}": value for name, value in _totals(order.base).items()},
        **_totals(order.local),
        "coupon_code": order.coupon,
        "payment_method": order.payment_method,
        "shipping_method": order.shipping_method,
        "ip_address": record.get("ip_address"),
        "x_forwarded_for": None,
        "customer": {name: customer.get(name) for name in ("id", "firstname", "lastname", "email")},
        "shipping_address": _address(order.shipping, shipping),
        "billing_address": _address(order.billing, billing),
        "lineitems": [_line(line, order, account) for line in order.lines if not line.parent],
    }


def _totals(amounts: Amounts) -> dict[str, Any]:
    return {
        "currency": amounts.currency,
        "subtotal": digits(amounts.subtotal),
        "discount": digits(amounts.discount),
        "shipping": digits(amounts.shipping),
        "tax": digits(amounts.tax),
        "grand_total": digits(amounts.grand_total),
        "total_refunded": digits(amounts.refunded),
    }


def _address(address: Any, told: dict[str, Any] | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"firstname": address.firstname, "lastname": address.lastname, **(told or {})}


def _line(line: OrderLine, order: Order, account: Account) -> dict[str, Any]:
    """Return a row of an order; the ids of what is below it are joined with commas, as those of a bundle are."""
    below = [one for one in order.lines if one.parent == line.id]
    base, local = _money(line.base), _money(line.local)
    return {
        "product": {
            "id": product_id(account, line.product or "", line.sku) if line.product else None,
            "sku": line.sku,
            "title": line.name,
            "base_price": base["unit_price"],
            "price": local["unit_price"],
        },
        "variant_id": ",".join(product_id(account, one.product, one.sku) for one in below if one.product) or None,
        "variant_sku": ",".join(one.sku for one in below if one.sku) or None,
        "sku": line.sku,
        "quantity": digits(line.quantity),
        **local,
        **{f"base_{name}": value for name, value in base.items()},
    }


def _money(amounts: Amounts) -> dict[str, Decimal | None]:
    """Return the money of a row: its discount is negative, its total is what was paid for it."""
    zero = Decimal(0)
    discount, tax, row = amounts.discount or zero, amounts.tax or zero, amounts.row
    paid = None if row is None else row - discount + tax + (amounts.tax_compensation or zero)
    return {
        "unit_price": digits(amounts.price),
        "subtotal": digits(row),
        "tax": digits(tax),
        "discount": digits(-discount if discount else discount),
        "total": digits(paid),
    }


def _plain(moment: dt.datetime | None) -> str | None:
    """Return a moment in UTC as the shop's database writes it."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else None
