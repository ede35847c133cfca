"""Parameters of a request as PHP reads them, and the JSON that it makes of them: what Ometria's signature covers.

A value is text, or an array: a dict whose keys are numbers and names in the order in which they came. What PHP would
take with a warning or cut off (too deep, too many) is refused here, since it cannot be what was signed.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Array = dict[int | str, "Value"]
Value = str | int | Array  # a number only where one was cast to it, such as the time

PAIRS_MOST: Final = 10_000
"""Parameters of one request; PHP's own limit is 1,000 unless the shop raised it."""
DEPTH_MOST: Final = 64

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NUMERIC: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\r\v\f]*")
_SPECIAL: Final = re.compile(r'["\\/\x00-\x1f]|[^\x00-\x7f]')
_SHORT: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


class _Growing(dict[int | str, "Value"]):
    """An array being read: it knows the number that the next appended value has, however many there are."""

    __slots__ = ("following",)

    def __init__(self) -> None:
        super().__init__()
        self.following = 0


class UnreadableError(Exception):
    """The parameters cannot be read; the text says why and repeats nothing of them."""


def form_pairs(data: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a query or of a urlencoded body. Raises :class:`UnreadableError`."""
    if data.count(b"&") >= PAIRS_MOST:
        raise UnreadableError("too many parameters")
    pairs = []
    for part in data.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((_decoded(name), _decoded(value)))
    return pairs


def path_pairs(segments: Iterable[str]) -> list[tuple[str, str]]:
    """Return what Magento reads from the segments of a path behind the action: names and values in turn."""
    rest = list(segments)
    return [(name, rest[at + 1] if at + 1 < len(rest) else "") for at, name in enumerate(rest) if at % 2 == 0 and name]


def parsed(pairs: Iterable[tuple[str, str]]) -> Array:
    """Return the array that PHP makes: ``a[]=1&a[]=2`` is a list, the last of equal names stays."""
    found = _Growing()
    for name, value in pairs:
        keys = _keys(name)
        if keys:
            _put(found, keys, value)
    return found


def united(*arrays: Array) -> Array:
    """Return one array of several; of equal names the first array's stays."""
    found: Array = {}
    for array in arrays:
        for key, value in array.items():
            found.setdefault(key, value)
    return found


def canonical(parameters: Mapping[int | str, Value]) -> str:
    """Return the JSON of parameters without what PHP holds for false, by sorted names: the signed text.

    ``signature`` is the caller's to leave out, the time the caller's to cast.
    """
    kept = {key: value for key, value in parameters.items() if value and value != "0"}
    return php_json({key: kept[key] for key in sorted(kept, key=functools.cmp_to_key(_compare))})


def php_json(value: Value) -> str:
    """Return what ``json_encode`` gives without options: a slash is escaped, so is all that is not ASCII."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if list(value) == list(range(len(value))):
        return f"[{','.join(php_json(item) for item in value.values())}]"
    return f"{{{','.join(f'{_quoted(str(key))}:{php_json(item)}' for key, item in value.items())}}}"


def _decoded(part: bytes) -> str:
    try:
        text = unquote_to_bytes(part.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise UnreadableError("a parameter is not UTF-8") from None
    return text


def _keys(name: str) -> list[int | str | None]:
    """Return the keys that a name leads through, None for a key to append; empty for a name that PHP ignores."""
    name = name.partition("\0")[0].lstrip(" ")
    base, opened, rest = name.partition("[")
    if opened and base and "]" not in rest:
        base, opened, rest = f"{base}_{rest.replace('[', '_')}", "", ""
    base = base.replace(" ", "_").replace(".", "_")
    if not base:
        return []
    keys: list[int | str | None] = [_key(base)]
    while opened:
        key, closed, rest = rest.partition("]")
        if not closed:
            break
        keys.append(_key(key) if key.strip() else None)
        if len(keys) > DEPTH_MOST:
            raise UnreadableError("a parameter is too deep")
        opened, rest = rest[:1], rest[1:]
        if opened != "[":
            break
    return keys


def _key(text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) else text


def _put(array: _Growing, keys: list[int | str | None], value: str) -> None:
    for at, named in enumerate(keys):
        key = array.following if named is None else named
        if isinstance(key, int):
            array.following = max(array.following, key + 1)
        if at == len(keys) - 1:
            array[key] = value
            return
        inner = array.get(key)
        if not isinstance(inner, _Growing):
            inner = array[key] = _Growing()
        array = inner


def _compare(one: int | str, other: int | str) -> int:
    """Compare two keys as PHP 8 does: numbers as numbers, all else by its bytes."""
    first, second = str(one), str(other)
    if _NUMERIC.fullmatch(first) and _NUMERIC.fullmatch(second):
        numbers = float(first), float(second)
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    raw = first.encode(), second.encode()
    return (raw[0] > raw[1]) - (raw[0] < raw[1])


def _quoted(text: str) -> str:
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    mark = match[0]
    if mark in _SHORT:
        return _SHORT[mark]
    units = mark.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
