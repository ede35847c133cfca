"""What a product's mapping gives: attributes with the id and the label of each option, and properties. Pure functions.

Ometria's attribute is ``{type, id, label}``, one for each option; what has no options is its own id and label.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.export.names import digits
from bridge.export.properties import mapped_values
from bridge.export.records import Attribute
from bridge.settings import mapped_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bridge.export.records import Property
    from bridge.store import AttributeInfo, ProductView, Scalar

OPTIONS = {"select", "multiselect", "boolean", "swatch_visual", "swatch_text"}
"""Kinds of fields whose value is the id of an option."""


def mapped_entries(
    values: Mapping[str, Scalar], rows: Sequence[str], known: Mapping[str, AttributeInfo]
) -> tuple[list[Attribute], dict[str, Property]]:
    """Return attributes and properties in the rows' order; ``known`` holds attributes by code, with one view's labels.

    An option that the shop does not know any more is left out.
    """
    asked = mapped_attributes(rows)
    found = [
        Attribute(
            type=row.name,
            id=None if row.form == "label" else id_,
            label=None if row.form == "id" else label,
        )
        for row in asked
        if row.form != "property" and row.attribute in values
        for id_, label in _options(values[row.attribute], known.get(row.attribute))
    ]
    own = [f"{row.attribute}={row.name}" for row in asked if row.form == "property"]
    return found, mapped_values(values, own, (), known)[1]


def unknown_options(
    views: Iterable[ProductView], rows: Sequence[str], known: Mapping[str, AttributeInfo]
) -> set[tuple[str, str]]:
    """Return (attribute, option id) of what these views say and the shop has no label for."""
    codes = {row.attribute for row in mapped_attributes(rows)}
    return {
        (code, id_)
        for view in views
        for code in codes & view.values.keys()
        if (info := known.get(code)) is not None and info.input in OPTIONS
        for id_ in _parts(view.values[code], several=info.input == "multiselect")
        if id_ not in info.options
    }


def _options(value: Scalar, info: AttributeInfo | None) -> Iterator[tuple[str, str]]:
    if info is None or info.input not in OPTIONS:
        yield from ((part, part) for part in _parts(value, several=False))
        return
    for id_ in _parts(value, several=info.input == "multiselect"):
        if id_ in info.options:
            yield id_, info.options[id_]


def _parts(value: Scalar, *, several: bool) -> list[str]:
    """Return the single values: several options come as a list or as text with commas, depending on the release."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, bool):
        value = int(value)
    text = str(digits(value) if isinstance(value, Decimal) else value)
    parts = text.split(",") if several else [text]
    return [part.strip() for part in parts if part.strip()]
