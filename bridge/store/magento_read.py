"""Magento's JSON -> entities. Tolerant of everything that is absent, null, empty or of another type.

JSON numbers arrive as ``int`` or ``Decimal``; ids, flags and prices may also be strings, depending on the endpoint.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from bridge.events import EntityRef
from bridge.store.entities import (
    Address,
    Amounts,
    Category,
    Customer,
    Image,
    Listed,
    Option,
    Order,
    OrderLine,
    Product,
    ProductView,
)
from bridge.store.magento_values import customer_values, order_values, product_values

if TYPE_CHECKING:
    from bridge.events import Kind

Raw = dict[str, Any]

NO_IMAGE = "no_selection"
DIGITS, DECIMALS = 18, -18
"""An amount has fewer digits before its point, and no more behind it: Magento's own columns hold 16 and 4."""


def table(value: Any) -> Raw:
    """Return an object, or an empty one for null, lists and empty texts."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Raw]:
    """Return the objects of a list, or none for null and empty texts."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return a text, or None for null and blank."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip() or None


def whole(value: Any) -> int | None:
    """Return a whole number, or None."""
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError, ArithmeticError):
        return None


def money(value: Any) -> Decimal | None:
    """Return an amount with the digits it came with, or None; what no shop can mean (1e999) is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    exponent = amount.as_tuple().exponent
    return amount if isinstance(exponent, int) and exponent >= DECIMALS and amount.adjusted() < DIGITS else None


def flag(value: Any) -> bool:
    """Return a boolean from true, 1 or ``"1"``."""
    return value is True or str(value) == "1"


def moment(value: Any) -> dt.datetime | None:
    """Return Magento's zone-less UTC time as an aware one, or None for absent, empty and zero dates.

    Extensions write times with an offset into some fields; such a one is brought to UTC.
    """
    try:
        found = dt.datetime.fromisoformat(str(value)) if value else None
        return found and (found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):
        return None


def day(value: Any) -> dt.date | None:
    """Return the day of ``Y-m-d`` or ``Y-m-d H:i:s``, or None."""
    try:
        return dt.date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def entity_id(kind: Kind, raw: Raw) -> str | None:
    """Return the entity id of a row: orders name it ``entity_id``, customers and products ``id``."""
    return text(raw.get("entity_id" if kind == "order" else "id"))


def listed(kind: Kind, raw: Raw) -> Listed | None:
    """Return a row of a list, or None when it has no id."""
    found = entity_id(kind, raw)
    if found is None:
        return None
    websites = (
        table(raw.get("extension_attributes")).get("website_ids") if kind == "product" else [raw.get("website_id")]
    )
    return Listed(
        ref=EntityRef(kind, f"customer:{found}" if kind == "contact" else found),
        created_at=moment(raw.get("created_at")),
        updated_at=moment(raw.get("updated_at")),
        store_id=whole(raw.get("store_id")),
        website_ids=_wholes(websites),
    )


def customer(raw: Raw) -> Customer:
    """Return a customer."""
    subscribed = table(raw.get("extension_attributes")).get("is_subscribed")
    return Customer(
        id=str(raw["id"]),
        email=text(raw.get("email")),
        website_id=whole(raw.get("website_id")),
        store_id=whole(raw.get("store_id")),
        prefix=text(raw.get("prefix")),
        firstname=text(raw.get("firstname")),
        middlename=text(raw.get("middlename")),
        lastname=text(raw.get("lastname")),
        gender=whole(raw.get("gender")),
        date_of_birth=day(raw.get("dob")),
        country=_country(raw),
        subscribed=None if subscribed is None else flag(subscribed),
        values=customer_values(raw),
        created_at=moment(raw.get("created_at")),
        updated_at=moment(raw.get("updated_at")),
    )


def _country(raw: Raw) -> str | None:
    """Return the country of the default billing address, else of the default shipping address, else of any."""
    addresses = rows(raw.get("addresses"))
    addresses.sort(key=lambda row: (row.get("default_billing") is not True, row.get("default_shipping") is not True))
    return text(addresses[0].get("country_id")) if addresses else None


def product(raw: Raw, view: str) -> Product:
    """Return a product with the values of the one store view that was asked."""
    extension = table(raw.get("extension_attributes"))
    return Product(
        id=str(raw["id"]),
        sku=str(raw.get("sku") or ""),
        type=text(raw.get("type_id")) or "simple",
        website_ids=_wholes(extension.get("website_ids")),
        children=children(raw),
        parts=parts(raw),
        salable=_stock_of(extension),
        views={view: product_view(raw)},
        created_at=moment(raw.get("created_at")),
        updated_at=moment(raw.get("updated_at")),
    )


def children(raw: Raw) -> tuple[str, ...]:
    """Return the ids of a configurable product's variants."""
    links = table(raw.get("extension_attributes")).get("configurable_product_links")
    return tuple(str(id_) for id_ in links) if isinstance(links, list) else ()


def parts(raw: Raw) -> tuple[str, ...]:
    """Return the SKUs of what a bundle or a grouped product holds, each once, in the shop's order."""
    options = rows(table(raw.get("extension_attributes")).get("bundle_product_options"))
    bundled = [text(link.get("sku")) for option in options for link in rows(option.get("product_links"))]
    grouped = [
        text(link.get("linked_product_sku"))
        for link in rows(raw.get("product_links"))
        if link.get("link_type") == "associated"
    ]
    return tuple(dict.fromkeys(sku for sku in (*bundled, *grouped) if sku))


def product_view(raw: Raw) -> ProductView:
    """Return what one store view says of a product; URL, shown prices and category names come from other calls."""
    custom = {text(row.get("attribute_code")): row.get("value") for row in rows(raw.get("custom_attributes"))}
    return ProductView(
        name=text(raw.get("name")),
        enabled=whole(raw.get("status")) != 2,
        visibility=whole(raw.get("visibility")) or 4,
        price=money(raw.get("price")),
        special_price=money(custom.get("special_price") or None),
        special_from=day(custom.get("special_from_date")),
        special_to=day(custom.get("special_to_date")),
        url_key=text(custom.get("url_key")),
        images=tuple(_images(raw)),
        values=product_values(raw),
    )


def category(raw: Raw) -> Category:
    """Return a category; its path is ``1/2/15``."""
    return Category(
        id=str(raw.get("id")),
        name=text(raw.get("name")),
        path=tuple(part for part in (text(raw.get("path")) or "").split("/") if part),
    )


def category_ids(raw: Raw) -> tuple[str, ...]:
    """Return the ids of a product's categories in the shop's order."""
    links = rows(table(raw.get("extension_attributes")).get("category_links"))
    return tuple(id_ for id_ in (text(link.get("category_id")) for link in links) if id_)


def _images(raw: Raw) -> list[Image]:
    found = [
        Image(
            file=file if file.startswith("/") else f"/{file}",
            position=whole(row.get("position")) or 0,
            disabled=flag(row.get("disabled")),
            types=_names(row.get("types")),
        )
        for row in rows(raw.get("media_gallery_entries"))
        if (file := text(row.get("file"))) and file != NO_IMAGE and row.get("media_type", "image") == "image"
    ]
    return sorted(found, key=lambda image: image.position)


def _names(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, or a lone text."""
    found = value if isinstance(value, list) else [value]
    return tuple(one for one in found if isinstance(one, str) and one)


def _stock_of(extension: Raw) -> bool | None:
    stock = table(extension.get("stock_item")).get("is_in_stock")
    return None if stock is None else flag(stock)


def _wholes(values: Any) -> tuple[int, ...]:
    found = [whole(value) for value in values] if isinstance(values, list) else []
    return tuple(value for value in found if value is not None)


def order(raw: Raw) -> Order:
    """Return an order; null names, missing addresses and deleted products leave their fields None."""
    extension = table(raw.get("extension_attributes"))
    assignments = rows(extension.get("shipping_assignments"))
    shipping = table(assignments[0].get("shipping")) if assignments else {}
    return Order(
        id=str(raw["entity_id"]),
        number=text(raw.get("increment_id")) or "",
        store_id=whole(raw.get("store_id")),
        status=text(raw.get("status")),
        state=text(raw.get("state")),
        customer_id=text(raw.get("customer_id")),
        email=text(raw.get("customer_email")),
        firstname=text(raw.get("customer_firstname")),
        lastname=text(raw.get("customer_lastname")),
        local=_totals(raw, "", raw.get("order_currency_code")),
        base=_totals(raw, "base_", raw.get("base_currency_code")),
        cancelled=_cancelled(raw),
        replaced=text(raw.get("relation_child_id")) is not None,
        coupon=text(raw.get("coupon_code")),
        payment_method=text(table(raw.get("payment")).get("method")),
        shipping_method=text(shipping.get("method")),
        billing=address(raw.get("billing_address")),
        shipping=address(shipping.get("address")),
        lines=tuple(_line(row) for row in rows(raw.get("items"))),
        values=order_values(raw),
        created_at=moment(raw.get("created_at")),
        updated_at=moment(raw.get("updated_at")),
    )


def _totals(raw: Raw, prefix: str, currency: Any) -> Amounts:
    return Amounts(
        currency=text(currency),
        tax=money(raw.get(f"{prefix}tax_amount")),
        discount=money(raw.get(f"{prefix}discount_amount")),
        refunded=money(raw.get(f"{prefix}total_refunded")),
        shipping=money(raw.get(f"{prefix}shipping_amount")),
        subtotal=money(raw.get(f"{prefix}subtotal")),
        grand_total=money(raw.get(f"{prefix}grand_total")),
    )


def _cancelled(raw: Raw) -> Amounts:
    return Amounts(
        currency=text(raw.get("order_currency_code")),
        tax=money(raw.get("tax_canceled")),
        discount=money(raw.get("discount_canceled")),
        shipping=money(raw.get("shipping_canceled")),
        subtotal=money(raw.get("subtotal_canceled")),
        grand_total=money(raw.get("total_canceled")),
    )


def _line(raw: Raw) -> OrderLine:
    return OrderLine(
        id=str(raw.get("item_id") or ""),
        parent=text(raw.get("parent_item_id")),
        product=text(raw.get("product_id")),
        type=text(raw.get("product_type")) or "simple",
        sku=text(raw.get("sku")),
        name=text(raw.get("name")),
        quantity=money(raw.get("qty_ordered")) or Decimal(0),
        quantity_refunded=money(raw.get("qty_refunded")),
        quantity_cancelled=money(raw.get("qty_canceled")),
        options=tuple(_options(raw)),
        local=_row_amounts(raw, ""),
        base=_row_amounts(raw, "base_"),
    )


def _options(raw: Raw) -> list[Option]:
    extension = table(table(raw.get("product_option")).get("extension_attributes"))
    chosen = rows(extension.get("configurable_item_options"))
    pairs = ((text(row.get("option_id")), text(row.get("option_value"))) for row in chosen)
    return [Option(attribute=attribute, option=option) for attribute, option in pairs if attribute and option]


def _row_amounts(raw: Raw, prefix: str) -> Amounts:
    return Amounts(
        price=money(raw.get(f"{prefix}price")),
        price_with_tax=money(raw.get(f"{prefix}price_incl_tax")),
        original_price=money(raw.get(f"{prefix}original_price")),
        row=money(raw.get(f"{prefix}row_total")),
        tax=money(raw.get(f"{prefix}tax_amount")),
        tax_compensation=money(raw.get(f"{prefix}discount_tax_compensation_amount")),
        discount=money(raw.get(f"{prefix}discount_amount")),
        refunded=money(raw.get(f"{prefix}amount_refunded")),
        refunded_discount=money(raw.get(f"{prefix}discount_refunded")),
        refunded_tax=money(raw.get(f"{prefix}tax_refunded")),
        refunded_tax_compensation=money(raw.get(f"{prefix}discount_tax_compensation_refunded")),
    )


def address(value: Any) -> Address | None:
    """Return an address, or None when there is none."""
    raw = table(value)
    if not raw:
        return None
    region = raw.get("region")
    return Address(
        firstname=text(raw.get("firstname")),
        lastname=text(raw.get("lastname")),
        city=text(raw.get("city")),
        region=text(region if not isinstance(region, dict) else region.get("region")),
        postcode=text(raw.get("postcode")),
        country=text(raw.get("country_id")),
    )
