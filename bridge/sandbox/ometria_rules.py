"""What Ometria checks after it has answered: every record on its own, field by field.

The fields are those that its documentation and public clients name. A field that nobody documents is not refused, only
listed by `unknown_fields`, because nobody documents that it would be. Null is taken for "not given".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bridge.sandbox.ometria_checks import (
    Check,
    is_collection,
    is_contact_properties,
    is_country,
    is_currency,
    is_date,
    is_email,
    is_event_properties,
    is_filled,
    is_flag,
    is_id,
    is_list_id,
    is_number,
    is_phone,
    is_properties,
    is_text,
    is_time,
    is_url,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOT_VALID: Final = "not a valid value"


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that Ometria does not take: its path, as `root > lineitems > 0 > quantity`, and what is said of it."""

    path: str
    message: str = NOT_VALID


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: its fields, those that must be there, and what no single field can say."""

    fields: Mapping[str, Spec]
    required: frozenset[str] = frozenset()
    also: Callable[[dict[str, Any]], Iterator[str]] = field(default=lambda _: iter(()))


@dataclass(frozen=True, slots=True)
class Each:
    """A list whose every element follows one specification."""

    element: Spec


Spec = Check | Shape | Each


def faults_of(record: dict[str, Any]) -> list[Fault]:
    """Every fault of one record, in the order of its specification; none means that it is stored."""
    shape = SHAPES[record["@type"]]
    return [Fault(" > ".join(path)) for path in _walk(record, shape, ("root",))]


def unknown_fields(record: dict[str, Any]) -> list[str]:
    """Names at the top of the record that no source documents."""
    return [name for name in record if name not in SHAPES[record["@type"]].fields]


def _walk(value: Any, spec: Spec, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(spec, Shape):
        yield from _walk_object(value, spec, path)
    elif isinstance(spec, Each):
        if not isinstance(value, list):
            yield path
            return
        for index, element in enumerate(value):
            yield from _walk(element, spec.element, (*path, str(index)))
    elif not spec(value):
        yield path


def _walk_object(value: Any, shape: Shape, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, dict):
        yield path
        return
    for name, spec in shape.fields.items():
        if value.get(name) is not None:
            yield from _walk(value[name], spec, (*path, name))
        elif name in shape.required:
            yield (*path, name)
    for name in shape.also(value):
        yield (*path, name)


def _contact_also(contact: dict[str, Any]) -> Iterator[str]:
    if contact.get("email") is None and contact.get("phone_number") is None:
        yield "email"
    if contact.get("@force_optin") is not None and contact.get("marketing_optin") is None:
        yield "marketing_optin"
    if contact.get("channels") is not None and contact.get("phone_number") is None:
        yield "phone_number"


def _item_also(item: dict[str, Any]) -> Iterator[str]:
    if item.get("unit_price") is None and item.get("subtotal") is None:
        yield "unit_price"


def _attribute_also(attribute: dict[str, Any]) -> Iterator[str]:
    if attribute.get("id") is None and attribute.get("value") is None:
        yield "id"


def _event_also(event: dict[str, Any]) -> Iterator[str]:
    if not any(event.get(name) for name in ("identity_email", "identity_account_id", "profile_id")):
        yield "identity_email"


_COMMON: Final[dict[str, Spec]] = {"@type": is_text, "id": is_id}

_SMS = Shape(
    {
        "allow_marketing": is_flag,
        "allow_transactional": is_flag,
        "dt_updated_marketing": is_time,
        "dt_updated_transactional": is_time,
    }
)

CONTACT = Shape(
    {
        **_COMMON,
        "@collection": is_collection,
        "@merge": is_flag,
        "@force_optin": is_flag,
        "@add_to_lists": Each(is_list_id),
        "@remove_from_lists": Each(is_list_id),
        "@profile_id": is_text,
        "email": is_email,
        "phone_number": is_phone,
        "customer_id": is_id,
        "marketing_optin": one_of("EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT", "NOT_SPECIFIED"),
        "prefix": is_text,
        "firstname": is_text,
        "middlename": is_text,
        "lastname": is_text,
        "gender": one_of("m", "f", "o"),
        "date_of_birth": is_date,
        "country_id": is_country,
        "store_ids": Each(is_filled),
        "timezone": is_text,
        "timestamp_acquired": is_time,
        "timestamp_subscribed": is_time,
        "timestamp_unsubscribed": is_time,
        "channels": Shape({"sms": _SMS}),
        "properties": is_contact_properties,
    },
    frozenset({"id"}),
    _contact_also,
)

_LISTING = Shape(
    {
        "store": is_filled,
        "title": is_text,
        "url": is_url,
        "image_url": is_url,
        "price": is_number,
        "special_price": is_number,
        "currency": is_currency,
        "is_active": is_flag,
    },
    frozenset({"store"}),
)

_ATTRIBUTE = Shape(
    {"type": is_filled, "id": is_filled, "value": is_text, "label": is_text}, frozenset({"type"}), _attribute_also
)

PRODUCT = Shape(
    {
        **_COMMON,
        "@merge": is_flag,
        "title": is_filled,
        "sku": is_filled,
        "price": is_number,
        "special_price": is_number,
        "special_price_dt_from": is_time,
        "special_price_dt_to": is_time,
        "currency": is_currency,
        "is_variant": is_flag,
        "parent_id": is_id,
        "is_active": is_flag,
        "is_in_stock": is_flag,
        "url": is_url,
        "image_url": is_url,
        "attributes": Each(_ATTRIBUTE),
        "listings": Each(_LISTING),
        "properties": is_properties,
    },
    frozenset({"id", "title"}),
)

_AMOUNTS: Final[dict[str, Spec]] = {
    "subtotal": is_number,
    "discount": is_number,
    "shipping": is_number,
    "tax": is_number,
    "grand_total": is_number,
}
_ITEM_AMOUNTS: Final[dict[str, Spec]] = {
    "unit_price": is_number,
    "subtotal": is_number,
    "discount": is_number,
    "refunded": is_number,
    "tax": is_number,
    "total": is_number,
}


def _totals(amounts: Mapping[str, Spec]) -> Shape:
    side = Shape({"currency": is_currency, **amounts}, frozenset({"currency"}))
    return Shape({"base": side, "local": side})


_ADDRESS = Shape(
    {
        "firstname": is_text,
        "lastname": is_text,
        "city": is_text,
        "state": is_text,
        "postcode": is_text,
        "country_code": is_country,
    }
)

_LINE_ITEM = Shape(
    {
        "product_id": is_id,
        "variant_id": is_id,
        "sku": is_filled,
        "quantity": is_number,
        "quantity_refunded": is_number,
        **_ITEM_AMOUNTS,
        "is_on_sale": is_flag,
        "variant_options": Each(
            Shape({"type": is_filled, "id": is_filled, "label": is_filled}, frozenset({"type", "id", "label"}))
        ),
        "totals": _totals(_ITEM_AMOUNTS),
        "properties": is_properties,
    },
    frozenset({"product_id", "quantity"}),
    _item_also,
)

ORDER = Shape(
    {
        **_COMMON,
        "@merge": is_flag,
        "timestamp": is_time,
        **_AMOUNTS,
        "currency": is_currency,
        "totals": _totals(_AMOUNTS),
        "web_id": is_text,
        "status": is_filled,
        "is_valid": is_flag,
        "customer": Shape({"id": is_id, "email": is_email, "firstname": is_text, "lastname": is_text}),
        "ip_address": is_text,
        "channel": is_text,
        "store": is_filled,
        "payment_method": is_text,
        "shipping_method": is_text,
        "shipping_address": _ADDRESS,
        "billing_address": _ADDRESS,
        "coupon_code": is_text,
        "lineitems": Each(_LINE_ITEM),
        "properties": is_properties,
    },
    frozenset({"id", "timestamp", "grand_total", "currency"}),
)

CUSTOM_EVENT = Shape(
    {
        **_COMMON,
        "event_type": is_filled,
        "timestamp": is_time,
        "identity_email": is_email,
        "identity_account_id": is_id,
        "profile_id": is_filled,
        "properties": is_event_properties,
    },
    frozenset({"id", "event_type", "timestamp"}),
    _event_also,
)

SHAPES: Final[dict[str, Shape]] = {
    "contact": CONTACT,
    "product": PRODUCT,
    "order": ORDER,
    "custom_event": CUSTOM_EVENT,
}
