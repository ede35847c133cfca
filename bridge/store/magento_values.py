"""What a merchant may map: the single values of Magento's JSON under the names that Magento gives them.

A part of something is named with a dot: ``billing_address.company``. Payment data, the key that shows an order to
anybody who has it, and lists of objects are left out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.store.entities import Scalar

    Raw = dict[str, Any]

KEPT_BACK = {"protect_code"}


def customer_values(raw: Raw) -> dict[str, Scalar]:
    """Return a customer's attributes; those of the default billing address begin with ``billing_address.``."""
    found = _own(raw) | _extension(raw)
    for row in _objects(raw.get("custom_attributes")):
        _keep(found, str(row.get("attribute_code") or ""), row.get("value"))
    addresses = _objects(raw.get("addresses"))
    for name, mark in (("billing_address", "default_billing"), ("shipping_address", "default_shipping")):
        found |= _part(name, next((row for row in addresses if row.get(mark) is True), None))
    return found


def product_values(raw: Raw) -> dict[str, Scalar]:
    """Return a product's attributes in one store view; of an option its id."""
    found = _own(raw)
    for row in _objects(raw.get("custom_attributes")):
        _keep(found, str(row.get("attribute_code") or ""), row.get("value"))
    return found


def order_values(raw: Raw) -> dict[str, Scalar]:
    """Return an order's own fields and those of its two addresses."""
    found = _own(raw) | _extension(raw)
    assignments = _objects(_object(raw.get("extension_attributes")).get("shipping_assignments"))
    shipping = _object(assignments[0].get("shipping")) if assignments else {}
    return (
        found
        | _part("billing_address", raw.get("billing_address"))
        | _part("shipping_address", shipping.get("address"))
        | _part("shipping", {"method": shipping.get("method")})
        | _part("payment", {name: _object(raw.get("payment")).get(name) for name in ("method", "po_number")})
    )


def _own(raw: Raw) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, value in raw.items():
        if name not in KEPT_BACK:
            _keep(found, name, value)
    return found


def _extension(raw: Raw) -> dict[str, Scalar]:
    return _own(_object(raw.get("extension_attributes")))


def _part(name: str, value: Any) -> dict[str, Scalar]:
    own = _object(value)
    region = own.get("region")
    if isinstance(region, dict):
        own = own | {"region": region.get("region")}
    return {f"{name}.{key}": one for key, one in _own(own).items()}


def _keep(found: dict[str, Scalar], name: str, value: Any) -> None:
    """Keep one value under its name, unless it is empty or no single value."""
    if not name:
        return
    if isinstance(value, list):
        parts = tuple(str(part).strip() for part in value if isinstance(part, str | int) and str(part).strip())
        if parts and len(parts) == len(value):
            found[name] = parts
    elif isinstance(value, bool | int | Decimal):
        found[name] = value
    elif isinstance(value, str) and value.strip():
        found[name] = value.strip()


def _object(value: Any) -> Raw:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Raw]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
