"""A record above Ometria's limit, made smaller by rule: what only adds to it goes first, its substance never.

In this order, until it fits: custom properties; of an order the properties, the chosen options and the amounts in other
currencies of its lines; of a product the attributes from the last to the first (mapped ones stand behind the
categories). What is then still too large is set aside with its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from bridge.export.records import Order, Product, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.export.records import Attribute, Record

LINE_EXTRAS = ("properties", "variant_options", "totals")

log = structlog.get_logger()


def reduced(record: Record, most: int) -> Record:
    """Return the largest of the record's smaller forms that has at most ``most`` bytes, else the smallest there is."""
    size = len(encode(record))
    for smaller in _forms(record, most):
        record = smaller
        if len(encode(record)) <= most:
            break
    log.warning("record reduced", record=record.id, bytes=size, now=len(encode(record)), limit=most)
    return record


def _forms(record: Record, most: int) -> Iterator[Record]:
    """Yield the record without ever more of what only adds to it."""
    record = msgspec.structs.replace(record, properties=None)
    yield record
    if isinstance(record, Order):
        for name in LINE_EXTRAS:
            lines = [msgspec.structs.replace(line, **{name: None}) for line in record.lineitems or ()]
            record = msgspec.structs.replace(record, lineitems=lines or None)
            yield record
    if isinstance(record, Product) and record.attributes:
        yield msgspec.structs.replace(record, attributes=_fitting(record, most) or None)


def _fitting(record: Product, most: int) -> list[Attribute]:
    """Return the attributes from the first on that fit beside the rest of the record."""
    attributes = record.attributes or []
    low, high = 0, len(attributes)
    # By halves: the sizes only grow, and thousands of attributes must not mean thousands of encodings.
    while low < high:
        middle = (low + high + 1) // 2
        if len(encode(msgspec.structs.replace(record, attributes=attributes[:middle]))) <= most:
            low = middle
        else:
            high = middle - 1
    return attributes[:low]
