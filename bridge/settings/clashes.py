"""Settings that must not be alike in one scope: two kinds of mail cannot share a template. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import Misconfigured
from bridge.settings.book import Book
from bridge.settings.mail import MAIL_KINDS, shared_template

if TYPE_CHECKING:
    from collections.abc import Mapping

GONE = object()
"""In place of a value: the scope has none of its own any more."""


def changed(book: Book, scope: str, values: Mapping[str, Any]) -> Book:
    """Return the book as it would be with these values at one scope."""
    own = {**book.values.get(scope, {}), **values}
    kept = {key: value for key, value in own.items() if value is not GONE}
    return Book(book.parents, book.stores, {**book.values, scope: kept})


def template_key(kind: str) -> str:
    """Return the key of a kind's template id."""
    return f"mail.{kind}.template_id"


def clash(book: Book, scope: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the key that would give two kinds one template, and the sentence about it; None when none would.

    Every scope that the change reaches is looked at.
    """
    kinds = [kind for kind in MAIL_KINDS if template_key(kind) in values]
    after = changed(book, scope, values)
    for ref in after.parents if kinds else ():
        if scope not in after.lineage(ref):
            continue
        resolved = after.settings(ref)
        for kind in kinds:
            if other := shared_template(resolved, kind):
                key = template_key(kind)
                return key, (
                    f"template {resolved[key]} is already that of “{MAIL_KINDS[other]}” at {ref}: each mail needs a "
                    "template of its own."
                )
    return None


def refuse_clash(book: Book, scope: str, key: str, value: Any) -> None:
    """Raise the sentence when one value would give two kinds one template."""
    if found := clash(book, scope, {key: value}):
        raise Misconfigured(f"{key} is not usable: {found[1]}")
