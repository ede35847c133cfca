"""The store tree as the scope switcher shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.db import db
from bridge.models import Scope
from bridge.settings import DEFAULT

if TYPE_CHECKING:
    from bridge.settings import Book

DEFAULT_LABEL = mark("Default Config")


@dataclass(frozen=True, slots=True)
class Node:
    """One scope: ``overrides`` counts the settings that do not use the value of the scope above."""

    ref: str
    level: str
    label: str
    code: str
    active: bool
    overrides: int

    @property
    def depth(self) -> int:
        """How far below ``default``."""
        return {"default": 0, "website": 1, "store": 2}.get(self.level, 0)


def scope_labels() -> dict[str, str]:
    """Return what people call each scope."""
    rows = db.session.execute(select(Scope.ref, Scope.name, Scope.code))
    return {DEFAULT: _(DEFAULT_LABEL)} | {ref: name or code for ref, name, code in rows if ref != DEFAULT}


def scope_tree(book: Book) -> list[Node]:
    """Return every scope, each website followed by its store views."""
    rows = db.session.scalars(select(Scope).where(Scope.ref != DEFAULT).order_by(Scope.magento_id)).all()
    nodes = [Node(DEFAULT, "default", _(DEFAULT_LABEL), "", active=True, overrides=_count(book, DEFAULT))]
    for website in (row for row in rows if row.level == "website"):
        nodes.append(_node(website, book))
        nodes.extend(_node(row, book) for row in rows if row.level == "store" and row.parent == website.ref)
    return nodes


def _node(row: Scope, book: Book) -> Node:
    return Node(row.ref, row.level, row.name or row.code, row.code, row.active, _count(book, row.ref))


def _count(book: Book, ref: str) -> int:
    return len(book.values.get(ref, {}))
