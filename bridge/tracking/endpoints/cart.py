"""The page that a cart link opens: after load, its script puts the basket into the visitor's own cart.

Opening the address changes nothing, so that a mail scanner or a prefetch does no harm. What is in the basket is given
to the script alone; a customer's basket only where the shop has just told this very session that she is that customer.
"""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from bridge.settings.places import base_path, store_at
from bridge.tracking.cookies import MESSAGES, SESSION
from bridge.tracking.endpoints.answers import CALLS_SECONDS, METHODS, NO_STORE, Throttle, from_own_page, json_answer
from bridge.tracking.notices import cookie_value

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.settings import Books, Store
    from bridge.tracking.cart_links import Basket, CartLinks
    from bridge.tracking.identity import Identities

ADDRESS_CALLS = 300
NOTICE_SECONDS = 600
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

log = structlog.get_logger()


class CartPage:
    """``/cart/<token>``, and the script of that page."""

    def __init__(
        self, links: CartLinks, identities: Identities, books: Books, static_folder: Path, *, prefix: str, https: bool
    ) -> None:
        self._links = links
        self._identities = identities
        self._books = books
        self._prefix = prefix
        self._https = https
        self._script = (static_folder / "bridge" / "cart.js").read_bytes()
        self._version = hashlib.sha256(self._script).hexdigest()[:12]
        self._throttle = Throttle()

    def add_to(self, blueprint: Blueprint) -> None:
        """Register the paths."""
        blueprint.add_url_rule("/cart.js", view_func=self.cart_js)
        blueprint.add_url_rule("/cart/<token>", view_func=self.cart, methods=METHODS)

    def old_links(self) -> Blueprint:
        """Return the addresses of the links that the shop's old module made: their tokens cannot be verified."""
        blueprint = Blueprint("old_cart_links", __name__)
        # A folder, index.php or a store code may stand before, the old token behind.
        for number, front in enumerate(("", "/<front>", "/<front>/<more>")):
            for part, rest in enumerate(("", "/<path:rest>")):
                address = f"{front}/omcart/cartlink{rest}"
                blueprint.add_url_rule(
                    address, f"old_{number}_{part}", self.old_link, strict_slashes=False, methods=["GET", "HEAD"]
                )
        return blueprint

    def old_link(self, front: str = "", more: str = "", rest: str = "") -> Response:
        """Send the visitor to the cart page with a notice, whatever the link names."""
        del front, more, rest
        return self._refused()

    def cart_js(self) -> Response:
        """Answer the page's script."""
        response = Response(self._script, mimetype="text/javascript")
        response.headers["Cache-Control"] = "public, max-age=300"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.set_etag(self._version)
        response.make_conditional(request)
        return response

    def cart(self, token: str) -> Response:
        """Answer the page to a ``GET``, and the basket to its script's ``POST``."""
        if request.method not in {"GET", "POST", "HEAD"}:
            return json_answer({"error": "method"}, 405, Allow="GET, POST")
        if not self._throttle.allows(request.remote_addr or "", ADDRESS_CALLS):
            return json_answer({"error": "calls"}, 429, Retry_After=str(CALLS_SECONDS))
        try:
            basket = self._links.find(token)
            if request.method == "POST":
                return self._lines(basket)
        except SQLAlchemyError as error:
            log.warning("cart link not opened", error=type(error).__name__, next="the visitor sees the cart page")
            if request.method == "POST":
                return json_answer({"error": "database"}, 503)
            basket = None
        return self._page(basket) if basket is not None else self._refused()

    def _lines(self, basket: Basket | None) -> Response:
        """Answer the lines to the page's own script; a wrong token and another customer's look alike."""
        if not from_own_page() or request.headers.get("Sec-Purpose") or request.mimetype != "application/json":
            return json_answer({"error": "origin"}, 403)
        if basket is None or not self._may_open(basket):
            return json_answer({"error": "link"}, 403)
        return json_answer({"lines": msgspec.to_builtins(basket.lines)})

    def _may_open(self, basket: Basket) -> bool:
        if not basket.owner:
            return True
        session = request.cookies.get(SESSION.decode(), "").encode()
        email = self._identities.proved(session) if session else None
        return email is not None and self._identities.owner(email) == basket.owner

    def _page(self, basket: Basket) -> Response:
        book = self._books.current
        store = book.store(code=basket.store) or store_at(request.host, book)
        base = base_path(store) if store is not None else "/"
        locale = store.locale if store is not None else ""
        data = {
            "base": base,
            "prefix": self._prefix,
            "store": store.code if store is not None else "",
            "choose": str(int(store is not None and self._shares_address(store))),
            "customer": str(int(bool(basket.owner))),
            "notice": cookie_value("incomplete", locale),
        }
        marks = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in data.items())
        page = (
            f'<!doctype html><html lang="{html.escape(locale.partition("_")[0] or "en")}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
            f'<title>…</title><script src="{html.escape(self._prefix)}/cart.js?v={self._version}" {marks} defer>'
            f'</script></head><body><p><a href="{html.escape(base)}checkout/cart/">…</a></p></body></html>'
        )
        return _closed(Response(page, mimetype="text/html"))

    def _shares_address(self, store: Store) -> bool:
        """Return whether a cookie chooses between this store view and others."""
        there = (urlsplit(store.link_url or store.base_url).netloc, base_path(store))
        others = [other for other in self._books.current.stores if other.active and other != store]
        return any((urlsplit(other.link_url or other.base_url).netloc, base_path(other)) == there for other in others)

    def _refused(self) -> Response:
        """Send the visitor to the cart page, with a notice that tells nothing of the basket."""
        store = store_at(request.host, self._books.current)
        base, locale = (base_path(store), store.locale) if store is not None else ("/", "")
        response = Response("", 302, {"Location": f"{base}checkout/cart/"})
        response.set_cookie(
            MESSAGES.decode(),
            cookie_value("expired", locale),
            max_age=NOTICE_SECONDS,
            path="/",
            secure=self._https or request.is_secure,
            samesite="Lax",
        )
        return _closed(response)


def _closed(response: Response) -> Response:
    """Keep the page out of caches, frames and search engines, and its address out of the next request."""
    response.headers["Cache-Control"] = NO_STORE
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
