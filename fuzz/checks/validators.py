"""Entity tags: marked and unmarked they are what they were; of those of others nothing changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fuzz import targets
from fuzz.messages import insist

if TYPE_CHECKING:
    from fuzz.chance import Chance

TAIL: Final = b"-" + targets.SUFFIX
OPAQUE: Final = re.compile(rb"[\x21\x23-\x7e\x80-\xff]*")


def check(data: bytes, chance: Chance) -> int:
    """Mark an entity tag, or take the marks off a list of some."""
    del chance
    kind, _, value = data.partition(b"\n")
    return _etag(value) if kind == b"etag" else _list(value)


def read_list(value: bytes) -> list[tuple[bytes, bytes]] | None:
    """Read a list of entity tags by RFC 9110 section 8.8.3, letter by letter: weakness and opaque tag of each.

    None where it is no such list.
    """
    tags: list[tuple[bytes, bytes]] = []
    at = 0
    while True:
        at = _blanks(value, at)
        weak = value[at : at + 2] if value[at : at + 2] == b"W/" else b""
        at += len(weak)
        end = value.find(b'"', at + 1)
        if value[at : at + 1] != b'"' or end < 0 or OPAQUE.fullmatch(value[at + 1 : end]) is None:
            return None
        tags.append((weak, value[at + 1 : end]))
        at = _blanks(value, end + 1)
        if at == len(value):
            return tags
        if value[at : at + 1] != b",":
            return None
        at += 1


def _blanks(value: bytes, at: int) -> int:
    while value[at : at + 1] in {b" ", b"\t"}:
        at += 1
    return at


def _etag(value: bytes) -> int:
    marked = targets.marked(value)
    tags = read_list(value)
    if tags is None or len(tags) != 1:
        insist(marked is None or read_list(marked) is None or tags is None, "marked what is no entity tag", marked)
        return 1
    opaque = tags[0][1]
    insist(marked == b'W/"' + opaque + TAIL + b'"', "marked otherwise", marked)
    unmarked, ours = targets.unmarked(marked or b"")
    insist((unmarked, set(ours)) == (b'W/"' + opaque + b'"', {opaque}), "not unmarked", (unmarked, ours))
    insist(targets.restored(b'W/"' + opaque + b'"', ours) == marked, "not marked again")
    insist(targets.restored(value, frozenset()) == value, "marked though another's")
    return 1


def _list(value: bytes) -> int:
    unmarked, ours = targets.unmarked(value)
    tags = read_list(value)
    if tags is None:
        insist(len(value) - len(unmarked) <= len(TAIL) * value.count(TAIL), "lost more than marks", unmarked)
        return 0
    expected = [(weak, opaque.removesuffix(TAIL) if weak else opaque) for weak, opaque in tags]
    insist(read_list(unmarked) == expected, "unmarked otherwise", (unmarked, expected))
    insist(ours == {opaque.removesuffix(TAIL) for weak, opaque in tags if weak and opaque.endswith(TAIL)}, "ours", ours)
    return 1
