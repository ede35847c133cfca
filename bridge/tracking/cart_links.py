"""Baskets that a link in a mail rebuilds: a random token each, kept for some days, gone with the order.

Every method brings its own application context and raises ``SQLAlchemyError`` when the database is gone.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from bridge.db import db, immediate
from bridge.models import CartLink

if TYPE_CHECKING:
    from flask import Flask

    from bridge.settings import Books

LINES_MOST = 100
NEW_LINKS = 50
NEW_LINKS_SECONDS = 10
"""Rows for visitors without one that a process makes in so many seconds: anybody can say that he has a basket."""
FRESH_SECONDS = 86_400
"""How often a basket that stays as it is is written down, so that its link does not expire."""

_TOKEN = re.compile(r"[0-9a-f]{48}")
_ID_LENGTH = 16
_NEVER = "0" * 32

Id = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")]


class Line(msgspec.Struct, frozen=True):
    """A line of a basket as the shop's own form names it.

    ``product`` is the id that the form posts, the parent's for a configurable product; ``sku`` is the cart section's.
    ``options`` is attribute id -> option id; None where the choices cannot be told from outside (bundles, own texts),
    so that the visitor must choose again.
    """

    product: Id
    quantity: Annotated[float, msgspec.Meta(gt=0, le=10_000_000)]
    sku: Annotated[str, msgspec.Meta(max_length=64)] = ""
    options: Annotated[dict[Id, Id], msgspec.Meta(max_length=20)] | None = {}


@dataclass(frozen=True, slots=True)
class Basket:
    """What a valid token opens; ``owner`` stands for the customer who must be logged in, empty for a guest's basket."""

    owner: str
    store: str
    lines: list[Line]


class CartLinks:
    """Links in the database, one for each visitor."""

    def __init__(self, app: Flask, books: Books) -> None:
        self._app = app
        self._books = books
        self._window = 0
        self._made = 0

    def keep(self, visitor: str, basket: str, lines: list[Line], owner: str, store: str) -> str | None:
        """Write a visitor's basket down and return its token: the same for the life of the basket.

        None where links are switched off, and while too many are being made.
        """
        if not self._days(store):
            return None
        with self._app.app_context():
            immediate()
            row = db.session.get(CartLink, visitor)
            if row is None:
                if not self._may_make():
                    return None
                self._clean()
                row = CartLink(visitor=visitor, basket="", changed_at=0.0)
                db.session.add(row)
            if row.basket != basket:
                row.id, row.secret, row.basket = secrets.token_hex(_ID_LENGTH // 2), secrets.token_hex(16), basket
            plain = msgspec.to_builtins(lines)
            if (row.lines, row.owner, row.store) != (
                plain,
                owner,
                store,
            ) or time.time() > row.changed_at + FRESH_SECONDS:
                row.lines, row.owner, row.store, row.changed_at = plain, owner, store, time.time()
            token = row.id + row.secret
            try:
                db.session.commit()
            except IntegrityError:
                # Another request made the row at the same moment; the page's next question finds it.
                db.session.rollback()
                return None
            return token

    def find(self, token: str) -> Basket | None:
        """Return the basket of a token; None for a wrong, expired or ended one, which look alike."""
        well_formed = bool(_TOKEN.fullmatch(token))
        with self._app.app_context():
            found = (
                db.session.scalars(select(CartLink).where(CartLink.id == token[:_ID_LENGTH])) if well_formed else None
            )
            row = found.first() if found is not None else None
            secret = row.secret if row is not None else _NEVER
            fits = secrets.compare_digest(secret.encode(), token[_ID_LENGTH:].encode("utf-8", "replace"))
            if row is None or not fits or time.time() > row.changed_at + self._days(row.store) * 86_400:
                return None
            try:
                return Basket(row.owner, row.store, msgspec.convert(row.lines, list[Line]))
            except msgspec.ValidationError:
                # Written by another version of bridge, which knew lines by other words.
                return None

    def end(self, visitor: str | None) -> None:
        """The basket was ordered or emptied: its link opens nothing any more."""
        if visitor is not None:
            with self._app.app_context():
                db.session.execute(delete(CartLink).where(CartLink.visitor == visitor))
                db.session.commit()

    def _days(self, store: str) -> int:
        book = self._books.current
        found = book.store(code=store) or book.default_store
        return int(book.settings(found.ref if found else "default")["tracking.cart_link_days"])

    def _may_make(self) -> bool:
        window = int(time.monotonic() // NEW_LINKS_SECONDS)
        if window != self._window:
            self._window, self._made = window, 0
        self._made += 1
        return self._made <= NEW_LINKS

    def _clean(self) -> None:
        book = self._books.current
        days = max(int(book.settings(ref)["tracking.cart_link_days"]) for ref in book.parents)
        db.session.execute(delete(CartLink).where(CartLink.changed_at < time.time() - days * 86_400))
