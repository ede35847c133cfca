"""Magento's ``searchCriteria``: lists of (name, value) pairs for the query. Values in, values out.

A sort field without direction sorts descending, so the direction is always sent. An ``in`` list is split so that the
URL stays below 6 kB, which web servers take with their usual buffers.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Query = list[tuple[str, str]]
Filter = tuple[str, str, str]
"""Field, condition word, value."""

IN_BYTES = 4_000
"""How long the encoded list of an ``in`` filter may be: the rest of the URL needs its part of the 6 kB."""


def criteria(
    filters: Iterable[Filter] = (), *, sort: Iterable[str] = (), size: int | None = None, page: int = 1
) -> Query:
    """Return the query of a list call; all filters must hold, rows come in ascending order of ``sort``."""
    query: Query = []
    for group, (field, condition, value) in enumerate(filters):
        name = f"searchCriteria[filter_groups][{group}][filters][0]"
        query += [(f"{name}[field]", field), (f"{name}[value]", value), (f"{name}[condition_type]", condition)]
    for place, field in enumerate(sort):
        name = f"searchCriteria[sortOrders][{place}]"
        query += [(f"{name}[field]", field), (f"{name}[direction]", "ASC")]
    if size is not None:
        query += [("searchCriteria[pageSize]", str(size)), ("searchCriteria[currentPage]", str(page))]
    return query or [("searchCriteria", "")]


def encode(query: Query) -> str:
    """Return the query as text; a space is ``%20``, since Magento refuses a signature over ``+``."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)


def in_lists(values: Iterable[str], most: int) -> Iterator[list[str]]:
    """Yield the values in lists that fit one URL, at most ``most`` each. A value with a comma goes alone."""
    part: list[str] = []
    length = 0
    for value in values:
        cost = len(quote(value, safe="")) + 3
        alone = "," in value
        if part and (alone or "," in part[0] or len(part) >= most or length + cost > IN_BYTES):
            yield part
            part, length = [], 0
        part.append(value)
        length += cost
    if part:
        yield part


def one_of(field: str, values: list[str]) -> Filter:
    """Return the filter for a list from :func:`in_lists`; a lone value is compared whole, commas included."""
    return (field, "eq", values[0]) if len(values) == 1 else (field, "in", ",".join(values))


def moment(value: dt.datetime) -> str:
    """Return a moment as filters take it: UTC and without a zone, since an offset is ignored silently."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
