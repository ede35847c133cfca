"""The merge fields that Ometria's template gets for each kind. Values in, values out.

Names are those of Ometria's recommended data sets, and the Postman sample's where it spells them otherwise: template
authors write them, so both go out. Texts are in the store view's ways; beside each stands the raw value with ``Raw``
behind its name. What is unknown is left out, so that a template's own default applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.mail.data_formats import Formats, both
from bridge.mail.data_order import billing, details, lines, payment, shipping, totals
from bridge.mail.data_products import alert_products
from bridge.mail.marks import Link
from bridge.mail.material import ORDER_KINDS

if TYPE_CHECKING:
    from bridge.mail.material import Material
    from bridge.settings import Settings, Store

__all__ = ["template_data"]


def template_data(material: Material, view: Store, values: Settings) -> dict[str, Any]:
    """Return the ``data`` of the call for a mail of this store view with these settings."""
    formats = Formats(view.locale, view.timezone)
    kind = material.wanted.kind
    data: dict[str, Any] = {"contact": _contact(material, view), "store": _store(view)}
    if kind in ORDER_KINDS and material.details is not None:
        data |= {
            "details": details(material, view, formats),
            "payment": payment(material.details, formats),
            "totals": totals(material.details, formats),
            "shipping": shipping(material, formats),
            "billing": billing(material.details, formats),
            "products": lines(material, view, values, formats),
        }
    elif kind == "forgot_password":
        data |= both("resetURL", "resetUrl", material.links.reset) | {"token": _token(material.links.reset)}
    elif kind == "stock_alert":
        data["products"] = alert_products(material, view, values, formats)
        data |= both("unsubscribeURL", "unsubscribeUrl", material.links.unsubscribe)
    elif kind == "account_creation" and material.links.reset:
        data |= both("setPasswordURL", "setPasswordUrl", material.links.reset)
    filled: dict[str, Any] = _filled(data)
    return filled


def _contact(material: Material, view: Store) -> dict[str, Any]:
    customer, order = material.customer, material.details.order if material.details else None
    address = (material.details.billing or material.details.shipping) if material.details else None
    first = (customer and customer.firstname) or (order and order.firstname) or (address and address.firstname)
    last = (customer and customer.lastname) or (order and order.lastname) or (address and address.lastname)
    names = [name for name in (first, last) if name]
    return {
        "email": material.wanted.recipient,
        "phone": address.phone if address else None,
        "title": customer.prefix if customer else None,
        "name": " ".join(names) or material.name,
        "firstname": first,
        "surname": last,
        "contactID": customer.id if customer else (order.customer_id if order else None),
        **both("accountURL", "accountUrl", f"{view.link_url}customer/account/"),
    }


def _store(view: Store) -> dict[str, Any]:
    return {"code": view.code, "name": view.name, "url": view.link_url, "locale": view.locale}


def _token(link: str) -> str:
    """Return the token of a reset link, which templates that build their own link need."""
    return Link("reset", link, alone=False).value("token")


def _filled(value: Any) -> Any:
    """Leave out what is None or empty, at any depth; zero and false stay."""
    if isinstance(value, dict):
        kept = {key: _filled(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if not _is_empty(inner)}
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | dict) and not value)
