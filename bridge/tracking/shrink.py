"""Makes a script of ours shorter: no comments, no spare white space, short local names. What it does stays.

It reads the plain style of ``static/bridge/tag`` (statements end with a semicolon, no templates) and nothing else. It
is no minifier for scripts at large; the browser tests run what it makes.
"""

from __future__ import annotations

import itertools
import re
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
_DECLARES = frozenset({"const", "let", "function"})
_SHORTEST = 3


def shrink(source: str) -> str:
    """Return the shorter script."""
    tokens = list(_tokens(source))
    names = _short_names(tokens)
    parts: list[str] = []
    for token in tokens:
        word = names.get(token, token)
        if parts and _TOUCHING.fullmatch(parts[-1][-1] + word[0]):
            parts.append(" ")
        parts.append(word)
        if word == "}":
            # A function that was declared needs no semicolon; a line's end keeps it apart from what follows.
            parts.append("\n")
    return re.sub(r"\n(?=[),;.\]}=])", "", "".join(parts)).strip()


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
                    if before in {"(", ",", "..."} and word[0].isalpha()
                )


def _short_names(tokens: Sequence[str]) -> dict[str, str]:
    """Return a short name for each local one that is never a property's too."""
    declared = {word for before, word in itertools.pairwise(tokens) if before in _DECLARES and word[0].isalpha()}
    declared |= set(_parameters(tokens))
    taken = set(tokens)
    fixed, open_ = set(), [""]
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else ""
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token in {"(", "[", "{"}:
            open_.append(token)
        elif token in {")", "]", "}"}:
            open_.pop()
        shorthand = open_[-1] == "{" and before in {"{", ","} and after in {",", "}", "="}
        if before in {".", "?."} or after == ":" or shorthand:
            fixed.add(token)
    fresh = (name for name in itertools.chain(ascii_letters, map("".join, itertools.product(ascii_letters, repeat=2))))
    short = (name for name in fresh if name not in taken)
    counted = sorted(declared - fixed, key=lambda name: (-tokens.count(name), name))
    return {name: next(short) for name in counted if len(name) >= _SHORTEST}
