"""Which orders were told already.

One order shows itself several times: where it is placed, and on each load of its confirmation page.
Every method brings its own application context and raises ``SQLAlchemyError`` when the database is gone.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, select

from bridge.db import db, immediate
from bridge.models import SeenOrder

if TYPE_CHECKING:
    from flask import Flask

    from bridge.events import OrderPlaced

KEPT_SECONDS = 30 * 86_400
"""A confirmation page is shown as long as the shop's session lives, which is days at most."""
PAGE_SECONDS = 600
"""How long after a guest's order its confirmation page is taken for that order's."""


@dataclass(frozen=True, slots=True)
class Showing:
    """An order on a confirmation page: ``is_new`` was not told before, ``is_first`` was not shown before."""

    is_new: bool
    is_first: bool


class SeenOrders:
    """Orders by entity id and number, within one host: numbers of different store views may be equal."""

    def __init__(self, app: Flask, secret_key: str) -> None:
        self._app = app
        self._key = hashlib.sha256(b"bridge seen orders " + secret_key.encode()).digest()

    def placed(self, event: OrderPlaced, session: bytes | None) -> None:
        """Remember an order that was told when it was placed, and the session that will be shown its number."""
        keys = self._names(event)
        if event.number is None and session is not None:
            keys.append(self._digest(f"session:{session.decode('latin-1')}"))
        with self._app.app_context():
            immediate()
            self._keep(keys)
            db.session.commit()

    def is_new(self, event: OrderPlaced, session: bytes | None, *, alone: bool) -> bool:
        """Return whether an order was not told before, and remember it; see :meth:`shown`."""
        return self.shown(event, session, alone=alone).is_new

    def shown(self, event: OrderPlaced, session: bytes | None, *, alone: bool) -> Showing:
        """Remember an order that a confirmation page names.

        ``alone`` where the page names one order, which may be the one that this session placed just before.
        """
        names = self._names(event)
        number = self._names(msgspec.structs.replace(event, order=None))
        waits = self._digest(f"session:{session.decode('latin-1')}") if session is not None and alone else ""
        with self._app.app_context():
            immediate()
            db.session.execute(delete(SeenOrder).where(SeenOrder.at < time.time() - KEPT_SECONDS))
            seen = set(db.session.scalars(select(SeenOrder.key).where(SeenOrder.key.in_(names))))
            known = bool(seen)
            if waits:
                row = db.session.get(SeenOrder, waits)
                if row is not None:
                    known = known or row.at > time.time() - PAGE_SECONDS
                    db.session.delete(row)
            self._keep(names)
            db.session.commit()
        return Showing(is_new=not known, is_first=not seen.intersection(number))

    def _keep(self, keys: list[str]) -> None:
        for key in keys:
            db.session.merge(SeenOrder(key=key, at=time.time()))

    def _names(self, event: OrderPlaced) -> list[str]:
        named = [("id", event.order), ("number", event.number)]
        return [self._digest(f"{kind}:{event.host}:{name}") for kind, name in named if name]

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
