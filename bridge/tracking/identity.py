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
    from collections.abc import Callable, Sequence

    from flask import Flask

    from bridge.events import Identified

CLAIM_SECONDS = 600
LOGGED_IN = frozenset({"login", "registration", "account"})
"""Sources that come with an account of the shop; a newsletter form takes any address."""
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

    def identify(
        self, visitor: str | None, session: bytes | None, event: Identified, token: bytes | None = None
    ) -> None:
        """Remember whom the shop accepted, unless something newer is known.

        Without our cookie a claim waits ten minutes for the visitor who presents this session of the shop or this
        bearer token; without any of them nothing is kept.
        """
        if visitor is not None:
            self._change(visitor, lambda row: _set_email(row, event.email, event.source, event.at))
            return
        self._keep_claims([self._claim_key(proof) for proof in (session, token) if proof], event)

    def prove(self, session: bytes, event: Identified) -> None:
        """Keep for ten minutes that the shop's answer to this session named this customer.

        This is the shop's own word, where the visitor's identity may be what somebody typed into a form.
        """
        self._keep_claims([self._proof_key(session)], event)

    def proved(self, session: bytes) -> str | None:
        """Return the e-mail that the shop has named to this session in the last ten minutes."""
        with self._app.app_context():
            claim = db.session.get(IdentityClaim, self._proof_key(session))
            return claim.email if claim is not None and claim.at > time.time() - CLAIM_SECONDS else None

    def knows(self, visitor: str | None, proofs: Sequence[bytes], email: str) -> bool:
        """Return whether this is the e-mail that is known of the visitor, or that waits for a session or token."""
        with self._app.app_context():
            if visitor is not None:
                row = db.session.get(Visitor, visitor)
                known = [row.email] if row is not None else []
            else:
                claims = [db.session.get(IdentityClaim, self._claim_key(proof)) for proof in proofs]
                fresh = time.time() - CLAIM_SECONDS / 2
                known = [claim.email if claim is not None and claim.at > fresh else None for claim in claims]
            return bool(known) and all(
                found is not None and self.version(found) == self.version(email) for found in known
            )

    def forget(self, visitor: str | None, proofs: Sequence[bytes], at: float) -> None:
        """The visitor logged out: drop the e-mail, and what waits for the session or token that ended."""
        if proofs:
            keys = [key(proof) for proof in proofs for key in (self._claim_key, self._proof_key)]
            with self._app.app_context():
                db.session.execute(delete(IdentityClaim).where(IdentityClaim.key.in_(keys)))
                db.session.commit()
        if visitor is not None:
            self._change(visitor, lambda row: _set_email(row, None, "", at))

    def known(self, visitor: str, session: bytes | None, token: bytes | None = None) -> Known:
        """Return what is known of the visitor, after taking a claim that waits for this session or token."""
        for proof in (session, token):
            if proof:
                self._take_claim(visitor, proof)
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
        """The cart was ordered: the next basket has another id."""
        if visitor is not None:
            self._change(visitor, _rotate_basket)

    def empty_basket(self, visitor: str) -> str:
        """The page says that the cart was emptied: return the visitor's id, whose next basket has another id.

        Of a visitor of whom nothing is kept the id itself is changed. So nobody makes rows by saying so.
        """
        with self._app.app_context():
            if db.session.get(Visitor, visitor) is None:
                return new_visitor_id()
        self._change(visitor, _rotate_basket)
        return visitor

    def drop(self, visitor: str) -> None:
        """The visitor withdrew consent: forget all that is kept of her."""
        with self._app.app_context():
            db.session.execute(delete(Visitor).where(Visitor.id == visitor))
            db.session.commit()

    def customer(self, visitor: str) -> str | None:
        """Return what stands for the customer whom the shop has logged in as this visitor; None when it has not."""
        with self._app.app_context():
            row = db.session.get(Visitor, visitor)
            return self.owner(row.email) if row is not None and row.email and row.source in LOGGED_IN else None

    def owner(self, email: str) -> str:
        """Return what stands for a customer where a basket is kept; the e-mail cannot be read from it."""
        return self._digest(b"owner", email.strip().lower().encode())

    def version(self, email: str | None) -> str:
        """Return what stands for an e-mail in the browser: the same each time, and nothing can be read from it."""
        return self._digest(b"version", email.strip().lower().encode())[:16] if email else ""

    def _keep_claims(self, keys: list[str], event: Identified) -> None:
        if not keys:
            return
        with self._app.app_context():
            for key in keys:
                db.session.merge(IdentityClaim(key=key, email=event.email, source=event.source, at=time.time()))
            db.session.execute(delete(IdentityClaim).where(IdentityClaim.at < time.time() - CLAIM_SECONDS))
            db.session.commit()

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

    def _proof_key(self, session: bytes) -> str:
        return self._digest(b"proof", session)

    def _digest(self, purpose: bytes, value: bytes) -> str:
        return hmac.new(self._key, purpose + b"\0" + value, hashlib.sha256).hexdigest()


def _set_email(row: Visitor, email: str | None, source: str, at: float) -> None:
    if at >= (row.changed_at or 0.0):
        row.email, row.source, row.changed_at = email, source, at


def _rotate_basket(row: Visitor) -> None:
    row.basket, row.basket_at = secrets.token_hex(12), time.time()
