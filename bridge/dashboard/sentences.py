"""Sentences that other rooms make (why a value is refused, what a check found), in the language of this request.

Those rooms know no languages: they raise and keep English sentences with values in them. Here their sources are read
once, each sentence becomes a text with ``%(name)s`` where a value stands, and a made sentence is recognised by it. The
same texts are in the catalogue, so nothing has to be written down twice. Where nobody asks for another language than
English none of this is done.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.dashboard.language import SOURCE, chosen, gettext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGE = Path(__file__).resolve().parents[1]
SOURCES = (
    "settings/*.py",
    "checks/*.py",
    "auth.py",
    "coupons/alerts.py",
    "coupons/generate.py",
    "coupons/layouts.py",
    "coupons/pools.py",
    "dashboard/from_module.py",
    "dashboard/setup_facts.py",
    "export/log_search.py",
    "export/preview.py",
    "export/timeline.py",
    "mail/history.py",
    "mail/rules.py",
    "mail/setup.py",
    "mail/trial.py",
)
"""Files whose sentences are shown by the dashboard, below the package."""
TAKES = {"text", "_text", "_collection", "_wrong"}
"""Functions of the settings whose texts are parts of sentences: what a value takes, or what is wrong, in words."""
LETTERS_LEAST = 8
_PLACE = re.compile(r"%\(([a-z_0-9]+)\)s")


def said(sentence: str) -> str:
    """Return a sentence in the language of this request; one that no source holds comes back as it is."""
    if not sentence or chosen() == SOURCE:
        return sentence
    found = gettext(sentence)
    if found != sentence:
        return found
    for pattern, text in _patterns():
        if match := pattern.fullmatch(sentence):
            return gettext(text, **{name: said(value) for name, value in match.groupdict().items()})
    return sentence


@functools.cache
def sentences() -> tuple[tuple[str, str], ...]:
    """Return each sentence with ``%(name)s`` for its values, and the file below the package that it stands in."""
    files = sorted({path for source in SOURCES for path in PACKAGE.glob(source)})
    found: dict[str, str] = {}
    for path in files:
        for text in _of(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(text, path.relative_to(PACKAGE).as_posix())
    return tuple(found.items())


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return what recognises each sentence that holds values; the one with most words of its own first."""
    texts = [text for text, _file in sentences() if _PLACE.search(text)]
    texts.sort(key=lambda text: -len(_PLACE.sub("", text)))
    return [(re.compile(_expression(text), re.DOTALL), text) for text in texts]


def _expression(text: str) -> str:
    """Return the regular expression of a text: a place takes anything, as little as it may."""
    parts = _PLACE.split(text)
    return "".join(
        f"(?P<{part}>.+?)" if at % 2 else re.escape(part.replace("%%", "%")) for at, part in enumerate(parts)
    )


def _of(tree: ast.Module) -> Iterator[str]:
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in notes or id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_sentence(node.value):
            yield node.value
        elif isinstance(node, ast.JoinedStr) and _is_sentence(text := _joined(node.values)):
            yield text
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield from _takes(node)


def _takes(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in TAKES and call.args:
        last = call.args[-1]
        if isinstance(last, ast.Constant) and isinstance(last.value, str) and " " in last.value:
            yield last.value


def _joined(parts: Iterable[ast.expr]) -> str:
    """Return an f-string as a text with places, each named after what stands in it."""
    text, names = "", set[str]()
    for part in parts:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("%", "%%")
        elif isinstance(part, ast.FormattedValue):
            name = plain = _name(part.value)
            while name in names:
                name = f"{plain}{len(names) + 1}"
            names.add(name)
            text += f"%({name})s"
    return text


def _name(value: ast.expr) -> str:
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else "value"
    return name.lower().strip("_") or "value"


def _is_sentence(text: str) -> bool:
    words = _PLACE.sub("", text)
    letters = sum(letter.isalpha() for letter in words)
    return text.endswith(".") and text.count(" ") > 1 and "\n" not in text and letters >= LETTERS_LEAST
