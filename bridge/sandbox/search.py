"""Magento's ``searchCriteria`` and ``fields`` over plain documents, with the quirks of a running 2.4.6."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Document = dict[str, Any]
Value: TypeAlias = "str | int | float | bool | list[str] | None"


class MissingCriteriaError(Exception):
    """The list was asked for without ``searchCriteria``."""


class UnknownFieldError(Exception):
    """A filter or sort order names a column that is not there: the shop answers 500 with a report id."""


class BadDirectionError(Exception):
    """A sort order has a direction that is neither ASC nor DESC."""


@dataclass(frozen=True)
class Filter:
    """One condition."""

    field: str
    value: str
    condition_type: str = "eq"


@dataclass(frozen=True)
class Criteria:
    """A parsed search: groups are ANDed, the filters in a group ORed."""

    groups: tuple[tuple[Filter, ...], ...] = ()
    sort_orders: tuple[tuple[str, str], ...] = ()
    page_size: int | None = None
    current_page: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> Document:
        """Return the criteria as the answer repeats them."""
        document: Document = {
            "filter_groups": [
                {"filters": [{"field": f.field, "value": f.value, "condition_type": f.condition_type} for f in group]}
                for group in self.groups
            ]
        }
        if self.sort_orders:
            document["sort_orders"] = [{"field": name, "direction": way} for name, way in self.sort_orders]
        if self.page_size is not None:
            document["page_size"] = self.page_size
        if self.current_page is not None:
            document["current_page"] = self.current_page
        return document


def parse(arguments: Iterable[tuple[str, str]]) -> Criteria:
    """Read the criteria of a query string, in camelCase or snake_case.

    Raises MissingCriteriaError when there is no searchCriteria at all, BadDirectionError for a bad sort direction.
    """
    tree: dict[str, Any] = {}
    found = False
    for key, value in arguments:
        name, *path = [_snake(part) for part in re.findall(r"[^\[\]]+", key)] or [""]
        if name != "search_criteria":
            continue
        found = True
        if path:
            _plant(tree, path, value)
    if not found:
        raise MissingCriteriaError
    return Criteria(
        groups=tuple(
            tuple(_filter(entry) for entry in _entries(group.get("filters")))
            for group in _entries(tree.get("filter_groups"))
        ),
        sort_orders=tuple(_sort_order(entry) for entry in _entries(tree.get("sort_orders"))),
        page_size=_whole(tree.get("page_size")),
        current_page=_whole(tree.get("current_page")),
    )


def _snake(name: str) -> str:
    return re.sub(r"(?<=\w)(?=[A-Z])", "_", name).lower()


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        branch = tree.setdefault(part, {})
        if not isinstance(branch, dict):
            return
        tree = branch
    tree[path[-1]] = value


def _entries(branch: Any) -> list[dict[str, Any]]:
    return [entry for entry in branch.values() if isinstance(entry, dict)] if isinstance(branch, dict) else []


def _filter(entry: dict[str, Any]) -> Filter:
    return Filter(str(entry.get("field", "")), str(entry.get("value", "")), str(entry.get("condition_type") or "eq"))


def _sort_order(entry: dict[str, Any]) -> tuple[str, str]:
    way = str(entry.get("direction") or "DESC").upper()
    if way not in {"ASC", "DESC"}:
        raise BadDirectionError(way)
    return str(entry.get("field", "")), way


def _whole(text: Any) -> int | None:
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def search(rows: Sequence[Any], column: Callable[[Any, str], Value], criteria: Criteria) -> tuple[list[Any], int]:
    """Filter, sort and cut rows; return the page and how many rows matched.

    ``column(row, name)`` gives a value, a list for a column with several values, None for NULL, and raises
    UnknownFieldError for a name it does not know. A page past the end is empty.
    """
    matched = list(rows)
    for group in criteria.groups:
        matched = [row for row in matched if any(_matches(column(row, f.field), f) for f in group)]
    if not rows:
        return [], 0
    for name, way in reversed(criteria.sort_orders):
        column(rows[0], name)
        matched.sort(key=cmp_to_key(_comparer(column, name)), reverse=way == "DESC")
    size = criteria.page_size or 0
    if size <= 0:
        return matched, len(matched)
    start = (max(criteria.current_page or 1, 1) - 1) * size
    return matched[start : start + size], len(matched)


def _comparer(column: Callable[[Any, str], Value], name: str) -> Callable[[Any, Any], int]:
    def compare(left: Any, right: Any) -> int:
        a, b = column(left, name), column(right, name)
        if a is None or b is None:
            return (a is not None) - (b is not None)
        return _compare(_text(a), _text(b))

    return compare


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def _compare(left: str, right: str) -> int:
    try:
        a, b = Decimal(left), Decimal(right)
    except InvalidOperation:
        x, y = left.lower(), right.lower()
        return (x > y) - (x < y)
    return (a > b) - (a < b)


_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d))?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")


def _plain_time(text: str) -> str:
    """Write any accepted time form as the database does; a zone offset is ignored, as the shop does."""
    found = _TIME.fullmatch(text.strip())
    return f"{found[1]} {found[2] or '00:00:00'}" if found else text


def _like(pattern: str, text: str) -> bool:
    expression = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None


def _matches(value: Value, wanted: Filter) -> bool:
    condition = wanted.condition_type
    if condition in {"null", "notnull"}:
        return (value is None) is (condition == "null")
    if value is None:
        return False
    asked = _plain_time(wanted.value)
    if isinstance(value, list):
        hit = any(part.strip() in map(str, value) for part in asked.split(","))
        return not hit if condition in {"neq", "nin", "nfinset"} else hit
    return _CONDITIONS.get(condition, _equal)(_text(value), asked)


def _equal(text: str, asked: str) -> bool:
    return _compare(text, asked) == 0


def _in(text: str, asked: str) -> bool:
    return any(_equal(text, part.strip()) for part in asked.split(","))


_CONDITIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": _equal,
    "neq": lambda text, asked: not _equal(text, asked),
    "gt": lambda text, asked: _compare(text, asked) > 0,
    "gteq": lambda text, asked: _compare(text, asked) >= 0,
    "moreq": lambda text, asked: _compare(text, asked) >= 0,
    "from": lambda text, asked: _compare(text, asked) >= 0,
    "lt": lambda text, asked: _compare(text, asked) < 0,
    "lteq": lambda text, asked: _compare(text, asked) <= 0,
    "to": lambda text, asked: _compare(text, asked) <= 0,
    "in": _in,
    "nin": lambda text, asked: not _in(text, asked),
    "like": lambda text, asked: _like(asked, text),
    "nlike": lambda text, asked: not _like(asked, text),
    "finset": lambda text, asked: asked in text.split(","),
    "nfinset": lambda text, asked: asked not in text.split(","),
}


def project(document: Any, fields: str) -> Any:
    """Cut an answer down to ``fields``: unbalanced brackets give ``[]``, unknown names leave an empty array."""
    wanted = _parse_fields(fields)
    return [] if wanted is None else _apply(document, wanted)


def _parse_fields(text: str) -> dict[str, Any] | None:
    if text.count("[") != text.count("]"):
        return None
    root: dict[str, Any] = {}
    stack = [root]
    last = ""
    for piece in re.findall(r"[^\[\],\s]+|[\[\]]", text):
        if piece == "[":
            inner: dict[str, Any] = {}
            stack[-1][last] = inner
            stack.append(inner)
        elif piece == "]":
            if len(stack) == 1:
                return None
            stack.pop()
        else:
            stack[-1][piece] = None
            last = piece
    return root


def _apply(document: Any, wanted: dict[str, Any]) -> Any:
    if isinstance(document, list):
        return [_apply(entry, wanted) for entry in document]
    if not isinstance(document, dict):
        return document
    kept = {
        key: value if wanted[key] is None else _apply(value, wanted[key])
        for key, value in document.items()
        if key in wanted
    }
    return kept or []
