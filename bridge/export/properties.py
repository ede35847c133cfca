"""A merchant's attribute mapping: the shop's attributes -> fields and properties of a record. Pure functions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bridge.export.names import digits
from bridge.settings import mapped_attributes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bridge.export.records import Property
    from bridge.store import AttributeInfo, Scalar

_encoder = msgspec.json.Encoder(decimal_format="number")


def mapped_values(
    values: Mapping[str, Scalar],
    rows: Sequence[str],
    fields: Collection[str],
    known: Mapping[str, AttributeInfo] | None = None,
) -> tuple[dict[str, Property], dict[str, Property]]:
    """Return what ``rows`` of a mapping give: the record's own ``fields``, and the properties, in the rows' order.

    ``known`` holds the attributes by code. An option is sent as its label, or as its id where the row says so, and
    several options as a list; an option that the shop does not know any more is left out.
    """
    own: dict[str, Property] = {}
    properties: dict[str, Property] = {}
    for row in mapped_attributes(rows):
        value = values.get(row.attribute)
        found = None if value is None else _value(value, row.form, (known or {}).get(row.attribute))
        if found is not None:
            (own if row.name in fields else properties)[row.name] = found
    return own, properties


def _value(value: Scalar, form: str, attribute: AttributeInfo | None) -> Property | None:
    if attribute is None or not attribute.options:
        return _plain(value)
    found = [
        id_ if form == "id" else attribute.options[id_]
        for id_ in option_ids(value, attribute)
        if id_ in attribute.options
    ]
    return (found or None) if attribute.input == "multiselect" else next(iter(found), None)


def option_ids(value: Scalar, attribute: AttributeInfo) -> tuple[str, ...]:
    """Return the ids of the options in a value: several come as a list or as one text, depending on the release."""
    if attribute.input == "multiselect":
        return value if isinstance(value, tuple) else tuple(part.strip() for part in str(value).split(","))
    return (str(int(value) if isinstance(value, bool) else value),)


def _plain(value: Scalar) -> Property:
    if isinstance(value, tuple):
        return list(value)
    return digits(value) or value if isinstance(value, Decimal) else value


def under(properties: Mapping[str, Property], most: int) -> dict[str, Property]:
    """Return the properties that stay below ``most`` bytes of JSON together; the first ones go first."""
    kept: dict[str, Property] = {}
    for name, value in properties.items():
        if len(_encoder.encode({**kept, name: value})) < most:
            kept[name] = value
    return kept
