"""A coupon room for tests: its shop is the sandbox's, behind a wire that loses, cuts and changes answers on demand."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.coupons.pools import make_pool
from bridge.db import db
from bridge.models_coupons import CouponCode
from bridge.sandbox.promotions import CouponBook
from bridge.sandbox.web import EXTENSION as SHOP
from bridge.store import CodeFormat
from bridge.store.magento import Magento
from bridge.store.magento_rest import Rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from bridge.store import Turns

TOKEN = "token-of-the-sandbox"
SECRET = "a-secret-key-for-tests-0123456789"
AUTO, OWN_CODE, OFF = 2, 1, 3


@dataclasses.dataclass
class Wakes:
    """What was woken."""

    woken: list[str] = dataclasses.field(default_factory=list)

    def try_wake(self, name: str, *_: str) -> bool:
        self.woken.append(name)
        return True

    def awake(self, *_: str) -> None:
        return None


class Wire:
    """Passes calls on to the shop. ``faults`` hold, by the end of a path, what to do to the next calls of it, in turn.

    ``lose`` lets the shop do its work and answers 504; ``away`` answers 503 without asking it; ``fewer`` leaves all but
    one of the codes out of the shop and the answer; ``lie`` leaves them out of the answer alone; ``pass`` is no fault.
    """

    def __init__(self, shop: Flask, book: CouponBook) -> None:
        self.shop = shop
        self.book = book
        self.faults: dict[str, list[str]] = {}
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str], None] = lambda _: None
        self.now = 0
        self.most = 0
        self._lock = threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        with self._lock:
            self.calls.append((method, path.rpartition("/V1/")[2]))
            self.now += 1
            self.most = max(self.most, self.now)
            planned = next((found for end, found in self.faults.items() if path.endswith(end) and found), [])
            fault = planned.pop(0) if planned and method != "GET" else "pass"
        # Read whole first: who asked may be dead before its body is.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        self.before(path)
        try:
            return self._answer(fault, environ)(environ, start_response)
        finally:
            with self._lock:
                self.now -= 1

    def _answer(self, fault: str, environ: Any) -> Response:
        if fault == "away":
            return Response("busy", 503)
        body, status, headers = run_wsgi_app(self.shop, environ, buffered=True)
        data = b"".join(body)
        if fault == "lose":
            return Response("<h1>Gateway time-out</h1>", 504, mimetype="text/html")
        if fault in {"fewer", "lie"}:
            codes = json.loads(data)
            if fault == "fewer":
                self.book.delete(codes[1:], ignore_invalid=True)
            data = json.dumps(codes[:1]).encode()
            return Response(data, 200, mimetype="application/json")
        return Response(data, status, headers)

    def count(self, method: str, end: str) -> int:
        return sum(1 for found in self.calls if found[0] == method and found[1].endswith(end))


class Till:
    """The room, its shop and the wire between them."""

    def __init__(self, app: Flask, shop: Flask) -> None:
        self.app = app
        self.shop = shop
        shop.extensions[SHOP].book = CouponBook()
        self.wire = Wire(shop, self.book)

    @property
    def book(self) -> CouponBook:
        """The sandbox's rules and coupons."""
        found: CouponBook = self.shop.extensions[SHOP].book
        return found

    def store(self, address: str, turns: Turns | None = None) -> Magento:
        config = Config(store_url=address, public_url="http://shop.test", store_token=TOKEN)
        self.address = address
        return Magento(config, Rest(config, total=10.0, turns=turns))

    def codes(self, rule_id: int = AUTO) -> set[str]:
        """The codes that the shop has under a rule, but for the rule's own."""
        return {one.code for one in self.book.coupons.values() if one.rule_id == rule_id and one.type == 1}

    def pool(self, name: str = "Welcome", *, stock: int = 0, expiry_days: int = 0, **look: Any) -> Any:
        return make_pool(name, AUTO, CodeFormat(**look), stock=stock, expiry_days=expiry_days, who="test")


def later(monkeypatch: Any, seconds: float) -> None:
    """Let the room's clock be so much later from now on."""
    moment = time.time() + seconds
    for name in ("requests", "ledger", "generate", "stock", "endings", "usage", "alerts", "insert", "pools", "room"):
        module = importlib.import_module(f"bridge.coupons.{name}")
        if hasattr(module, "now"):
            monkeypatch.setattr(module, "now", lambda: moment)


def states() -> dict[str, str]:
    """Each code of the ledger with its state."""
    return {row.code: row.state for row in db.session.scalars(select(CouponCode))}
