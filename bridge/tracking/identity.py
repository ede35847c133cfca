"""Who a visitor is, for tracking only: the e-mail and the basket id behind our cookie, and claims before there is one.

This is the room's one place that writes visitors. Every method brings its own application context, so that observers
may call it from a thread of the proxy; all raise ``SQLAlchemyError`` when the database is gone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from bridge.db import db, immediate
from bridge.models import IdentityClaim, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from bridge.events import Identified

CLAIM_SECONDS = 600
SEEN_EVERY = 86_400
"""How often a visit is written down, for the forgetting of visitors who stay away."""

_VISITOR_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a visitor; ``version`` stands for the e-mail, which cannot be read from it."""

    email: str | None
    version: str
    basket: str


def new_visitor_id() -> str:
    """Return an id that nobody can guess."""
    return secrets.token_hex(16)


def is_visitor_id(text: str) -> bool:
    """Return whether this could be a value of our cookie."""
    return bool(_VISITOR_ID.fullmatch(text))


class Identities:
    """Visitors and claims in the database."""

    def __init__(self, app: Flask, secret_key: str) -> None:
        self._app = app
        self._key = hashlib.sha256(b"bridge identity " + secret_key.encode()).digest()

    def identify(self, visitor: str | None, session: bytes | None, event: Identified) -> None:
        """Remember whom the shop accepted, unless something newer is known.

        Without our cookie a claim waits ten minutes for the visitor who presents this session of the shop; without
        either nothing is kept.
        """
        if visitor is not None:
            self._change(visitor, lambda row: _set_email(row, event.email, event.source, event.at))
        elif session is not None:
            key = self._claim_key(session)
            with self._app.app_context():
                db.session.merge(IdentityClaim(key=key, email=event.email, source=event.source, at=time.time()))
                db.session.execute(delete(IdentityClaim).where(IdentityClaim.at < time.time() - CLAIM_SECONDS))
                db.session.commit()

    def forget(self, visitor: str | None, session: bytes | None, at: float) -> None:
        """The visitor logged out: drop the e-mail, and what waits for the session that ended."""
        if session is not None:
            with self._app.app_context():
                db.session.execute(delete(IdentityClaim).where(IdentityClaim.key == self._claim_key(session)))
                db.session.commit()
        if visitor is not None:
            self._change(visitor, lambda row: _set_email(row, None, "", at))

    def known(self, visitor: str, session: bytes | None) -> Known:
        """Return what is known of the visitor, after taking a claim that waits for this session of the shop."""
        if session is not None:
            self._take_claim(visitor, session)
        with self._app.app_context():
            row = db.session.get(Visitor, visitor)
            email = row.email if row is not None else None
            known = Known(email, self.version(email), self._basket(visitor, row))
            seen_at = row.seen_at if row is not None else None
        if seen_at is not None and seen_at < time.time() - SEEN_EVERY:
            self._change(visitor, lambda _row: None)
        return known

    def basket(self, visitor: str) -> str:
        """Return the id of the visitor's basket: the same for the life of a cart."""
        with self._app.app_context():
            return self._basket(visitor, db.session.get(Visitor, visitor))

    def end_basket(self, visitor: str | None) -> None:
        """The cart was ordered or emptied: the next basket has another id."""
        if visitor is not None:
            self._change(visitor, _rotate_basket)

    def version(self, email: str | None) -> str:
        """Return what stands for an e-mail in the browser: the same each time, and nothing can be read from it."""
        return self._digest(b"version", email.strip().lower().encode())[:16] if email else ""

    def _take_claim(self, visitor: str, session: bytes) -> None:
        key = self._claim_key(session)
        with self._app.app_context():
            claim = db.session.get(IdentityClaim, key)
            if claim is None:
                return
            email, source, at = claim.email, claim.source, claim.at
            # Whoever deletes the row has the claim: it is given once, also to requests at the same moment.
            db.session.rollback()
            immediate()
            taken = db.session.execute(delete(IdentityClaim).where(IdentityClaim.key == key))
            db.session.commit()
            if not getattr(taken, "rowcount", 0) or at < time.time() - CLAIM_SECONDS:
                return
        self._change(visitor, lambda row: _set_email(row, email, source, at))

    def _change(self, visitor: str, change: Callable[[Visitor], None]) -> None:
        for last_try in (False, True):
            with self._app.app_context():
                immediate()
                row = db.session.get(Visitor, visitor)
                if row is None:
                    row = Visitor(id=visitor, changed_at=0.0, basket="", basket_at=0.0)
                    db.session.add(row)
                change(row)
                row.seen_at = time.time()
                try:
                    db.session.commit()
                except IntegrityError:
                    # Another request made the row at the same moment; the second try finds it.
                    db.session.rollback()
                    if last_try:
                        raise
                    continue
                return

    def _basket(self, visitor: str, row: Visitor | None) -> str:
        # The first id follows from the visitor's, so that reading a page writes nothing.
        return row.basket if row is not None and row.basket else self._digest(b"basket", visitor.encode())[:24]

    def _claim_key(self, session: bytes) -> str:
        return self._digest(b"claim", session)

    def _digest(self, purpose: bytes, value: bytes) -> str:
        return hmac.new(self._key, purpose + b"\0" + value, hashlib.sha256).hexdigest()


def _set_email(row: Visitor, email: str | None, source: str, at: float) -> None:
    if at >= (row.changed_at or 0.0):
        row.email, row.source, row.changed_at = email, source, at


def _rotate_basket(row: Visitor) -> None:
    row.basket, row.basket_at = secrets.token_hex(12), time.time()
