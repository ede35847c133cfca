"""A file of settings as YAML: two levels of keys, scalars and lists of scalars.

Values are taken as they are written, so that ``0123`` or ``2026-01-01`` stays the text that somebody typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Tree = dict[str, dict[str, str | list[str]]]
"""Scope -> key -> value as text, or the texts of a list."""

NULL = "tag:yaml.org,2002:null"


def write(tree: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of values: booleans, numbers, texts and lists of texts."""
    return yaml.safe_dump(dict(tree), allow_unicode=True, default_flow_style=False, sort_keys=False, width=120)


def read(text: str) -> Tree:
    """Return what the text holds; raises :class:`Misconfigured` with the line that cannot be read."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        raise _wrong(text.count("\n", 0, error.position), "it holds a sign that no text may hold") from None
    except yaml.MarkedYAMLError as error:
        # An error of the scanner is where the piece began that it cannot read, others are where they show.
        at_start = isinstance(error, yaml.scanner.ScannerError) and error.context_mark
        mark = at_start or error.problem_mark
        raise _wrong(mark.line if mark else 0, "indent with spaces, and put texts with signs in quotes") from None
    except RecursionError:
        raise _wrong(0, "it is nested too deeply") from None
    if root is None:
        return {}
    return {
        scope: {key: _value(value) for key, value in _pairs(values, f"{scope!r} has its keys below it")}
        for scope, values in _pairs(root, "scopes were expected, each with a colon behind it")
    }


def _pairs(node: yaml.Node, expected: str) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.ScalarNode) and node.tag == NULL:
        return
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node.start_mark.line, expected)
    found = set()
    for name, value in node.value:
        key = _text(name)
        if key in found:
            raise _wrong(name.start_mark.line, "a key is there twice")
        found.add(key)
        yield key, value


def _value(node: yaml.Node) -> str | list[str]:
    return [_text(one) for one in node.value] if isinstance(node, yaml.SequenceNode) else _text(node)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in yaml.SafeLoader.yaml_constructors:
        raise _wrong(node.start_mark.line, "a text or a list of texts was expected; put texts with signs in quotes")
    if node.tag == NULL:
        return ""
    return str(node.value).rstrip("\n") if node.style in {"|", ">"} else str(node.value)


def _wrong(line: int, what: str) -> Misconfigured:
    # The line itself may hold a key of the account: it is named by its number, from 0 here, alone.
    return Misconfigured(f"Line {line + 1} of the file cannot be read: {what}.")
