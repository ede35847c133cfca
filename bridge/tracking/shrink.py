"""Makes a script of ours shorter: no comments, no spare white space, short local names. What it does stays.

It reads the plain style of ``static/bridge/tag`` (statements end with a semicolon, no templates) and nothing else. It
is no minifier for scripts at large; the browser tests run what it makes.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from string import ascii_letters
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKEN = re.compile(
    r"(?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+)"
    r"|(?P<text>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<word>[A-Za-z_$][\w$]*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<mark>=>|\.\.\.|\?\.|[-+*&|=!<>]{1,3}|.)",
    re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX = frozenset(["(", ",", "=", ":", "[", "!", "&", "|", "?", "{", "}", ";", "=>", "&&", "||", "return"])
_TOUCHING = re.compile(r"[\w$]{2}|\+\+|--|//")
_BEFORE_OBJECT = frozenset(["(", ",", "=", ":", "[", "?", "...", "&&", "||", "return", "const", "let"])
_DECLARES = frozenset({"const", "let", "function"})
_RESERVED = frozenset({"do", "if", "in", "of"})
_SHORTEST = 3


def shrink(source: str) -> str:
    """Return the shorter script."""
    tokens = list(_tokens(source))
    roles = list(_roles(tokens))
    names = _short_names(tokens, roles)
    parts: list[str] = []
    for token, role in zip(tokens, roles, strict=True):
        word = token if role == "property" else names.get(token, token)
        if role == "both" and word != token:
            word = f"{token}:{word}"
        if parts and _TOUCHING.fullmatch(parts[-1][-1] + word[0]):
            parts.append(" ")
        if word == "}" and parts[-1] == ";":
            parts.pop()
        parts.append(word)
    return "".join(parts)


def _tokens(source: str) -> Iterator[str]:
    place, last = 0, "("
    while place < len(source):
        found = (_REGEX if last in _BEFORE_REGEX else _TOKEN).match(source, place)
        if found is None or source.startswith(("//", "/*"), place):
            found = _TOKEN.match(source, place)
        assert found is not None  # noqa: S101 - the last alternative takes any character
        place = found.end()
        if found.re is _REGEX or found.lastgroup != "space":
            last = found[0]
            yield last


def _parameters(tokens: Sequence[str]) -> Iterator[str]:
    """Yield the plain parameters of arrow functions and of declared ones."""
    opened: list[int] = []
    for place, mark in enumerate(tokens):
        if mark == "(":
            opened.append(place)
        elif mark == ")":
            start = opened.pop()
            arrow = tokens[place + 1 : place + 2] == ["=>"]
            if arrow or "function" in tokens[max(0, start - 2) : start]:
                yield from (
                    word
                    for before, word in itertools.pairwise(tokens[start:place])
                    if before in {"(", ",", "...", "["} and word[0].isalpha()
                )


def _roles(tokens: Sequence[str]) -> Iterator[str]:
    """Yield what each token names: a ``property``, ``both`` a property and a variable, or else nothing in particular.

    Braces after an operator, a bracket or a declaration are those of an object or of its pattern.
    """
    ends = _ends(tokens)
    opened = [""]
    for place, mark in enumerate(tokens):
        before = tokens[place - 1] if place else ""
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        starts = opened[-1] == "object" and before in {"{", ","}
        method = after == "(" and tokens[ends[place + 1] + 1 : ends[place + 1] + 2] == ["{"]
        if mark in {"(", "[", "{"}:
            opened.append("object" if mark == "{" and before in _BEFORE_OBJECT else mark)
        elif mark in {")", "]", "}"}:
            opened.pop()
        if before in {".", "?."} or (starts and (after == ":" or method)):
            yield "property"
        else:
            yield "both" if starts and after in {",", "}", "="} else ""


def _ends(tokens: Sequence[str]) -> dict[int, int]:
    """Return where each round bracket that is opened is closed, by place."""
    opened: list[int] = []
    ends: dict[int, int] = {}
    for place, mark in enumerate(tokens):
        if mark == "(":
            opened.append(place)
        elif mark == ")":
            ends[opened.pop()] = place
    return ends


def _short_names(tokens: Sequence[str], roles: Sequence[str]) -> dict[str, str]:
    """Return a short name for each local one. Two that never meet in an outermost statement may have the same."""
    counted = Counter(token for token, role in zip(tokens, roles, strict=True) if role != "property")
    meetings = {name: met for name, met in _meetings(tokens, roles).items() if len(name) >= _SHORTEST}
    fixed = _RESERVED | (set(counted) - set(meetings))
    taken: dict[int, set[str]] = defaultdict(set)
    names = {}
    for name in sorted(meetings, key=lambda name: (-counted[name], name)):
        used = fixed.union(*(taken[statement] for statement in meetings[name]))
        names[name] = next(word for word in _fresh() if word not in used)
        for statement in meetings[name]:
            taken[statement].add(names[name])
    return names


def _meetings(tokens: Sequence[str], roles: Sequence[str]) -> dict[str, set[int]]:
    """Return the outermost statements that each local name stands in, by number; all outermost names meet in -1."""
    outside = 2 if tokens[:2] == ["(", "function"] else 0
    declared, unpacked = set(_parameters(tokens)), set(_unpacked(tokens, roles))
    found: dict[str, set[int]] = defaultdict(set)
    depth = statement = 0
    for place, token in enumerate(tokens):
        depth += (token in {"(", "[", "{"}) - (token in {")", "]", "}"})
        statement += depth == outside and token in {";", "}"}
        if place and tokens[place - 1] in _DECLARES and token[0].isalpha():
            declared.add(token)
        if roles[place] != "property":
            found[token].add(statement)
            if depth <= outside or (depth == outside + 1 and token in unpacked):
                found[token].add(-1)
    return {name: found[name] for name in declared | unpacked}


def _fresh() -> Iterator[str]:
    yield from itertools.chain(ascii_letters, map("".join, itertools.product(ascii_letters, repeat=2)))


def _unpacked(tokens: Sequence[str], roles: Sequence[str]) -> Iterator[str]:
    """Yield the names that a declaration takes out of an object or a list: ``const { first, second } = object``."""
    inside = ""
    for place, token in enumerate(tokens):
        if token in {"{", "["} and place and tokens[place - 1] in _DECLARES:
            inside = token
        elif inside and (roles[place] == "both" or (inside == "[" and token[0].isalpha())):
            yield token
        elif token in {"}", "]"}:
            inside = ""
