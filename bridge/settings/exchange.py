"""All own values of all scopes as one YAML file: written, read, compared with what is set, carried out.

The dashboard and ``bridge config`` use the same file. It is written without secrets; one that is read may hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import Misconfigured
from bridge.settings import yaml_file
from bridge.settings.book import DEFAULT
from bridge.settings.clashes import GONE, clash
from bridge.settings.saved import known_scope, load_book, mask, set_value, unset_value
from bridge.settings.table import BY_KEY, SETTINGS, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.settings.book import Book

HEAD = "# Settings of bridge by scope; what is left out uses the scope above. Secrets are not in this file.\n"
MOST_SENTENCES = 10


@dataclass(frozen=True, slots=True)
class Step:
    """What the file changes: ``before`` and ``after`` are values, or ``GONE`` for none of the scope's own."""

    scope: str
    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Return the step for people; a secret is masked."""
        return f"{self.scope} {self.key}: {self._shown(self.before)} -> {self._shown(self.after)}"

    def _shown(self, value: Any) -> str:
        if value is GONE:
            return "(value above)"
        if BY_KEY[self.key].secret:
            return mask(value)
        return ", ".join(value) if isinstance(value, list) else str(value)


def as_file(book: Book) -> str:
    """Return the file of a book: keys in the table's order. Values of scopes that the shop has no more are left out."""
    scopes = [
        ref for ref in (DEFAULT, *sorted(set(book.values) - {DEFAULT})) if ref in book.values and ref in book.parents
    ]
    tree = {
        ref: {one.key: book.values[ref][one.key] for one in SETTINGS if one.key in book.values[ref] and not one.secret}
        for ref in scopes
    }
    secrets = [one.key for one in SETTINGS if one.secret]
    held = [f"# {ref} {key} is set.\n" for ref in scopes for key in secrets if key in book.values[ref]]
    body = yaml_file.write({ref: values for ref, values in tree.items() if values}) if any(tree.values()) else ""
    return HEAD + "".join(held) + body


def compared(book: Book, text: str, *, replace: bool = False) -> list[Step]:
    """Return what the file would change; ``replace`` also takes away open values that it does not have.

    Raises :class:`Misconfigured` with a sentence for each value, key or scope that cannot be, and for templates that
    clash.
    """
    wanted, wrong = _typed(yaml_file.read(text))
    if wrong:
        more = f" And {len(wrong) - MOST_SENTENCES} more." if len(wrong) > MOST_SENTENCES else ""
        raise Misconfigured(" ".join(wrong[:MOST_SENTENCES]) + more)
    steps: list[Step] = []
    for scope in dict.fromkeys([*wanted, *(ref for ref in book.values if replace and ref in book.parents)]):
        own = book.values.get(scope, {})
        new = wanted.get(scope, {})
        for one in SETTINGS:
            before = own.get(one.key, GONE)
            kept = GONE if replace and not one.secret else before
            after = new.get(one.key, kept)
            if after is not before and after != before:
                steps.append(Step(scope, one.key, before, after))
    return steps


def carry_out(steps: Sequence[Step], who: str) -> None:
    """Change the values, each with its line in the audit log. The caller commits, or takes all back on an error."""
    by_scope: dict[str, dict[str, Any]] = {}
    for step in steps:
        by_scope.setdefault(step.scope, {})[step.key] = step.after
        if step.after is GONE:
            unset_value(step.scope, step.key, who, alone=False)
        else:
            set_value(step.scope, step.key, step.after, who, alone=False)
    after = load_book()
    for scope, values in by_scope.items():
        if found := clash(after, scope, values):
            raise Misconfigured(f"{scope} {found[0]} is not usable: {found[1]}")


def secrets_in(text: str) -> list[str]:
    """Return the keys of the secrets that a file holds; raises as :func:`bridge.settings.yaml_file.read`."""
    return sorted({key for values in yaml_file.read(text).values() for key in values if _secret(key)})


def _secret(key: str) -> bool:
    return key in BY_KEY and BY_KEY[key].secret


def _typed(tree: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the typed values, and a sentence for each that cannot be."""
    wanted: dict[str, dict[str, Any]] = {}
    wrong: list[str] = []
    for scope, values in tree.items():
        try:
            known_scope(scope)
        except Misconfigured as error:
            wrong.append(error.what)
            continue
        found = wanted.setdefault(scope, {})
        for key, value in values.items():
            try:
                found[key] = parse(key, value)
            except Misconfigured as error:
                wrong.append(f"{scope}: {error.what}")
    return wanted, wrong


__all__ = ["Step", "as_file", "carry_out", "compared", "secrets_in"]
