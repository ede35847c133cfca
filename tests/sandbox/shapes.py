"""Comparing documents by key path and JSON type, and the captures that they are compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento"


def captured(name: str):
    """Return a captured document."""
    return json.loads((CAPTURES / name).read_text())


def kind(value: object) -> str:
    """Return the JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", list: "array", dict: "object", type(None): "null"}[type(value)]


def paths(document: object, path: str = "$") -> dict[str, set[str]]:
    """Return every key path with the JSON types seen there; attribute lists are read as objects."""
    seen: dict[str, set[str]] = {path: {kind(document)}}
    if isinstance(document, list):
        if document and all(isinstance(row, dict) and set(row) == {"attribute_code", "value"} for row in document):
            document = {row["attribute_code"]: row["value"] for row in document}
            parts = [(f"{path}.{key}", value) for key, value in document.items()]
        else:
            parts = [(f"{path}[]", value) for value in document]
    elif isinstance(document, dict):
        parts = [(f"{path}.{key}", value) for key, value in document.items()]
    else:
        parts = []
    for inner, value in parts:
        for found, kinds in paths(value, inner).items():
            seen.setdefault(found, set()).update(kinds)
    return seen


def differences(ours: object, theirs: object) -> dict[str, str]:
    """Return what differs, by key path."""
    mine, real = paths(ours), paths(theirs)
    found = dict.fromkeys(real.keys() - mine.keys(), "missing")
    found |= dict.fromkeys(mine.keys() - real.keys(), "added")
    found |= {
        path: f"{sorted(mine[path])} instead of {sorted(real[path])}"
        for path in mine.keys() & real.keys()
        if not mine[path] <= real[path]
    }
    return found


def assert_same_shape(ours: object, theirs: object, allowed: Iterable[str] = ()) -> None:
    """Fail on each difference that is not allowed, and on each allowance that is not needed."""
    found = differences(ours, theirs)
    unexpected = {path: what for path, what in sorted(found.items()) if path not in allowed}
    assert not unexpected, json.dumps(unexpected, indent=1)
    unused = {path for path in allowed if path not in found}
    assert not unused, f"these differences are gone, take them off the list: {sorted(unused)}"
