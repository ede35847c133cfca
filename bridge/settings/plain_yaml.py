"""The part of YAML 1.2 that a file of settings needs: two levels of keys, scalars and lists of scalars.

Written text is read alike by every YAML reader. What is read beyond it: comments, plain and quoted scalars, ``[a, b]``
and ``- a`` lists, and ``|`` for text of several lines. Anchors, tags and deeper nesting are refused with their line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

Tree = dict[str, dict[str, str | list[str]]]
"""Scope -> key -> value as text, or the texts of a list."""

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS_OF_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_KEY = re.compile(r"""( *)(?:"([^"\\]+)"|'([^']+)'|([A-Za-z_][^\s#'"]*?)):(?: +(.*))?""")
_ITEM = re.compile(r" +-(?: +(.*))?")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?:#.*)?""")
_FLOW = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\[\]{}"']*)\s*(,|$)""")
_LIST = re.compile(r"""(\[(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\]"'])*\])\s*(?:#.*)?""")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
"""What JSON leaves as it is and YAML reads as a line's end, or not at all."""
_REFUSED = tuple("&*!{}|>%@`")


def write(tree: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of values: booleans, numbers, texts and lists of texts."""
    lines: list[str] = []
    for scope, values in tree.items():
        lines.append(f"{scope}:" if _PLAIN.fullmatch(scope) else f"{_quoted(scope)}:")
        lines += [f"  {key}: {_written(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def read(text: str) -> Tree:
    """Return what the text holds; raises :class:`Misconfigured` with the line that cannot be read."""
    return _Reader(text).read()


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_written(item) for item in value)}]"
    if isinstance(value, bool | int):
        return str(value).lower()
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(text).decode())


class _Reader:
    """Goes through the lines once; ``_at`` is the line in hand, from 0."""

    def __init__(self, text: str) -> None:
        self._lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        self._at = 0

    def read(self) -> Tree:
        found: Tree = {}
        inside: dict[str, str | list[str]] | None = None
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not _COMMENT.sub("", line).strip() or line.strip() == "---":
                self._at += 1
                continue
            match = _KEY.fullmatch(line.rstrip())
            if match is None:
                raise self._wrong("a key with a colon behind it was expected; indent with spaces")
            key, rest = match[2] or match[3] or match[4], _bare(match[5] or "")
            if not match[1]:
                if rest not in {"", "{}"} or key in found:
                    raise self._wrong(f"{key!r} is there twice" if key in found else "a scope has its keys below it")
                inside = found[key] = {}
                self._at += 1
            elif inside is None or key in inside:
                raise self._wrong("a scope must come first" if inside is None else f"{key!r} is there twice")
            else:
                inside[key] = self._value(rest, len(match[1]))
        return found

    def _value(self, rest: str, indent: int) -> str | list[str]:
        if rest in {"|", "|-"}:
            return self._block(indent)
        if not rest:
            return self._items()
        value = self._flow(rest[1:-1]) if rest[0] == "[" and rest[-1] == "]" else self._scalar(rest)
        self._at += 1
        return value

    def _items(self) -> list[str]:
        found: list[str] = []
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            match = _ITEM.fullmatch(line.rstrip())
            if match is not None:
                found.append(self._scalar(_bare(match[1] or "")))
            elif _COMMENT.sub("", line).strip():
                break
            self._at += 1
        return found

    def _block(self, indent: int) -> str:
        held: list[str] = []
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            held.append(line)
            self._at += 1
        margin = min((len(line) - len(line.lstrip(" ")) for line in held if line.strip()), default=0)
        return "\n".join(line[margin:].rstrip() for line in held).strip("\n")

    def _flow(self, text: str) -> list[str]:
        found: list[str] = []
        place = 0
        while text[place:].strip():
            match = _FLOW.match(text, place)
            if match is None:
                raise self._wrong("a list in brackets holds texts parted by commas")
            found.append(self._scalar(match[1].strip()))
            place = match.end()
        return found

    def _scalar(self, text: str) -> str:
        if text.startswith('"'):
            try:
                return msgspec.json.decode(text, type=str)
            except msgspec.DecodeError:
                raise self._wrong("a text in double quotes does not end, or has an unknown escape") from None
        if text.startswith("'"):
            if len(text) < len("''") or not text.endswith("'"):
                raise self._wrong("a text in single quotes does not end")
            return text[1:-1].replace("''", "'")
        if text.startswith(_REFUSED) or text.startswith("[") or ": " in text:
            raise self._wrong("put this value in quotes")
        return "" if text in {"~", "null"} else text

    def _wrong(self, what: str) -> Misconfigured:
        # The line itself may hold a key of the account: it is named by its number alone.
        return Misconfigured(f"Line {self._at + 1} of the file cannot be read: {what}.")


def _bare(rest: str) -> str:
    """Return the value without a comment behind it; a ``#`` in quotes is none."""
    text = rest.strip()
    if text.startswith(('"', "'")):
        match = _QUOTED.fullmatch(text)
        return match[1] if match else text
    if match := _LIST.fullmatch(text):
        return match[1]
    return _COMMENT.sub("", text).strip()
