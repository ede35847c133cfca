"""For shops without the proxy in front: the snippet that they put into their pages, and the beacon that it calls.

The beacon takes no cookies and names ids only. What they stand for is read from the shop over REST, so that a made-up
call changes nothing: it creates no contact and no opt-in.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec
import structlog
from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import BridgeError
from bridge.events import OrderPlaced
from bridge.settings.places import store_at
from bridge.tracking.endpoints.answers import CALLS_SECONDS, METHODS, NO_STORE, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint

    from bridge.settings import Book, Books, Store
    from bridge.stream import EventStream
    from bridge.tracking.seen_orders import SeenOrders

ADDRESS_CALLS = 20
ALL_CALLS = 200
"""Anybody can call the beacon, and each order that it names costs the shop a question."""
BODY_LIMIT = 4096
ORDERS_MOST = 10

log = structlog.get_logger()

Number = Annotated[str, msgspec.Meta(pattern=r"^[^\s<>\"'&\\]{1,50}$")]
Code = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_]{0,64}$")]


class Beacon(msgspec.Struct, forbid_unknown_fields=True):
    """What an embedded tag tells: the numbers of the orders on the confirmation page, and the store view's code."""

    orders: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=ORDERS_MOST)]
    store: Code = ""


class Embedding:
    """``/snippet/<store code>`` and ``/beacon``."""

    def __init__(
        self,
        books: Books,
        stream: Callable[[], EventStream],
        orders: SeenOrders,
        *,
        prefix: str,
        public_url: str | None,
    ) -> None:
        self._books = books
        self._stream = stream
        self._orders = orders
        self._prefix = prefix
        self._public_url = public_url
        self._throttle = Throttle()

    def add_to(self, blueprint: Blueprint) -> None:
        """Register the paths."""
        blueprint.add_url_rule("/snippet/<code>", view_func=self.snippet)
        blueprint.add_url_rule("/beacon", view_func=self.beacon, methods=METHODS)

    def snippet(self, code: str) -> Response:
        """Answer the element to put into the pages of a store view, right after ``<head>``."""
        book = self._books.current
        store = book.store(code=code)
        if store is None:
            return _plain(f"There is no store view {code}. Its code is in Stores > All Stores of Magento.\n", 404)
        account = book.settings(store.ref)["general.account_id"]
        if not account:
            return _plain("No site identifier is set for this store view: set general.account_id first.\n", 409)
        public = self._public_url or f"{request.scheme}://{request.host}"
        source = html.escape(f"{public.rstrip('/')}{self._prefix}/tag.js?view={store.code}")
        element = (
            f'<script src="{source}" data-bridge data-account="{html.escape(account)}" '
            f'data-store="{html.escape(_site(book, store))}" async></script>\n'
        )
        return _plain(element)

    def beacon(self) -> Response:
        """Take what an embedded tag tells, from pages of the shop's own hosts only."""
        origin = request.headers.get("Origin", "")
        if origin.lower() not in self._origins():
            return _plain("", 403)
        if request.method == "OPTIONS":
            return _shared(_plain("", 204), origin)
        if request.method != "POST":
            return _shared(_plain("", 405, Allow="POST"), origin)
        address = request.remote_addr or ""
        if not (self._throttle.allows(address, ADDRESS_CALLS) and self._throttle.allows("", ALL_CALLS)):
            return _shared(_plain("", 429, Retry_After=str(CALLS_SECONDS)), origin)
        try:
            told = _told()
        except (ValueError, msgspec.DecodeError):
            return _shared(_plain("", 400), origin)
        self._take(told, urlsplit(origin).netloc)
        return _shared(_plain("", 204), origin)

    def _take(self, told: Beacon, host: str) -> None:
        store = self._books.current.store(code=told.store) or store_at(host, self._books.current)
        if store is None or not self._books.current.settings(store.ref)["general.enabled"]:
            return
        events = [OrderPlaced(number=number, store=store.code, host=host) for number in dict.fromkeys(told.orders)]
        new = [event for event in events if self._is_new(event)]
        if new:
            self._stream().put_urgent(new)

    def _is_new(self, event: OrderPlaced) -> bool:
        try:
            return self._orders.is_new(event, None, alone=False)
        except (SQLAlchemyError, BridgeError) as error:
            log.warning("order not remembered", error=type(error).__name__, next="its event may come twice")
            return True

    def _origins(self) -> set[str]:
        """Return the origins of the shop's own pages, by the store tree."""
        found = set()
        for store in self._books.current.stores:
            for url in (store.base_url, store.link_url):
                netloc = urlsplit(url).netloc.lower()
                if store.active and netloc:
                    found |= {f"https://{netloc}", f"{urlsplit(url).scheme}://{netloc}"}
        return found


def _told() -> Beacon:
    """Return the body, whatever type it claims: a page sends beacons as text, to be spared a question before each."""
    if (request.content_length or 0) > BODY_LIMIT:
        raise ValueError("too long")
    return msgspec.json.decode(request.stream.read(BODY_LIMIT), type=Beacon)


def _site(book: Book, store: Store) -> str:
    """Return what names the store view at Ometria, by the settings of the scope that owns the account."""
    own = next((account for account in book.accounts() if not account.is_global and store in account.stores), None)
    if own is not None:
        return own.store_name(store)
    settings = book.settings(book.settings(store.ref).source("general.account_id") or store.ref)
    return store.code if settings["general.store_id_kind"] == "code" else str(store.id)


def _plain(body: str, status: int = 200, **headers: str) -> Response:
    response = Response(body, status, mimetype="text/plain")
    response.headers["Cache-Control"] = NO_STORE
    response.headers["X-Content-Type-Options"] = "nosniff"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def _shared(response: Response, origin: str) -> Response:
    """Let the page of a host that was checked read the answer; cookies are neither taken nor set."""
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = "600"
    response.headers["Vary"] = "Origin"
    return response
