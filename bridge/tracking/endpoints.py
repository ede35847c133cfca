"""What the tag asks for on the shop's host: the script itself, who the visitor is, and variant ids.

Paths match exactly. Every answer but the script is JSON and never stored; a fault of ours is a status that the tag can
live with, never an HTML page.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from bridge.db import db
from bridge.settings import DEFAULT
from bridge.tracking.cookies import SESSION, visitor_cookie
from bridge.tracking.identity import is_visitor_id, new_visitor_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.settings import Books
    from bridge.tracking.identity import Identities
    from bridge.tracking.tags import Tags
    from bridge.tracking.variants import Variants

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
YEAR = 31_536_000
BODY_LIMIT = 16_384
VISITOR_CALLS = 60
ADDRESS_CALLS = 2000
"""High, since all visitors have one address where a server in front of the bridge is not among the trusted proxies."""
CALLS_SECONDS = 10
CALLERS = 10_000

log = structlog.get_logger()


class BasketQuestion(msgspec.Struct):
    """SKUs whose ids the tag wants; ``empty`` when the cart was emptied, so that the next basket gets another id."""

    skus: list[str] = []
    empty: bool = False

    def __post_init__(self) -> None:
        """Refuse what no cart needs."""
        if len(self.skus) > 50 or any(not sku or len(sku) > 64 for sku in self.skus):
            raise ValueError("too much")


class Throttle:
    """At most so many calls by one caller in ten seconds; counts in this process only."""

    def __init__(self) -> None:
        self._window = 0
        self._calls: dict[str, int] = {}

    def allows(self, caller: str, most: int) -> bool:
        """Count a call and return whether it may go on."""
        window = int(time.monotonic() // CALLS_SECONDS)
        if window != self._window or len(self._calls) > CALLERS:
            self._window, self._calls = window, {}
        self._calls[caller] = self._calls.get(caller, 0) + 1
        return self._calls[caller] <= most


class Endpoints:
    """The three views, bound to the parts of the room that answer them."""

    def __init__(
        self, tags: Tags, identities: Identities, variants: Variants, books: Books, *, https: bool = False
    ) -> None:
        """Take the parts; ``https`` when the shop is public over https, whatever a server in between tells."""
        self._https = https
        self._tags = tags
        self._identities = identities
        self._variants = variants
        self._books = books
        self._throttle = Throttle()

    def blueprint(self) -> Blueprint:
        """Return ``/tag.js``, ``/me`` and ``/basket``."""
        blueprint = Blueprint("tracking", __name__)
        blueprint.add_url_rule("/tag.js", view_func=self.tag_js)
        blueprint.add_url_rule("/me", view_func=self.me, methods=METHODS)
        blueprint.add_url_rule("/basket", view_func=self.basket, methods=METHODS)
        blueprint.register_error_handler(Exception, _failed)
        return blueprint

    def tag_js(self) -> Response:
        """The script; a version that is not the current one gets the current script for five minutes."""
        script = self._tags.script
        zipped = request.accept_encodings["gzip"] > 0
        response = Response(script.gzipped if zipped else script.plain, mimetype="text/javascript")
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        lasting = request.args.get("v") == script.version
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if lasting else "public, max-age=300"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.set_etag(f"{script.version}{'-gzip' if zipped else ''}")
        response.make_conditional(request)
        return response

    def me(self) -> Response:
        """The visitor's e-mail when it is not the one that the page has seen, and the id of the basket.

        A ``GET``; the header ``Bridge-Seen`` is the ``seen`` of the last answer.
        """
        return self._answer("GET", self._known)

    def basket(self) -> Response:
        """The basket's id, and product and parent ids of SKUs: a ``POST`` of a :class:`BasketQuestion`."""
        return self._answer("POST", self._basket)

    def _answer(self, method: str, answer: Callable[[str], dict[str, Any]]) -> Response:
        if request.method != method:
            return _json({"error": "method"}, 405, Allow=method)
        if not _from_own_page():
            return _json({"error": "origin"}, 403)
        https = self._https or request.is_secure
        presented = request.cookies.get(visitor_cookie(https=https), "")
        visitor = presented if is_visitor_id(presented) else new_visitor_id()
        address = request.remote_addr or ""
        # The address first: a refused call leaves no trace of the visitor that it names.
        if not (self._throttle.allows(address, ADDRESS_CALLS) and self._throttle.allows(visitor, VISITOR_CALLS)):
            return _json({"error": "calls"}, 429, Retry_After=str(CALLS_SECONDS))
        try:
            response = _json(answer(visitor))
        except (ValueError, msgspec.DecodeError):
            return _json({"error": "body"}, 400)
        except SQLAlchemyError as error:
            log.warning("tag not answered", error=type(error).__name__, next="the tag carries on without")
            return _json({"error": "database"}, 503)
        days = int(self._books.current.settings(DEFAULT)["privacy.identity_days"])
        return _with_visitor(response, visitor, days, https=https)

    def _known(self, visitor: str) -> dict[str, Any]:
        session = request.cookies.get(SESSION.decode(), "").encode() or None
        known = self._identities.known(visitor, session)
        told: dict[str, Any] = {"seen": known.version, "basket": known.basket}
        if known.email and known.version != request.headers.get("Bridge-Seen", ""):
            told["email"] = known.email
        return told

    def _basket(self, visitor: str) -> dict[str, Any]:
        question = _question()
        if question.empty:
            self._identities.end_basket(visitor)
        found = self._variants.look_up(question.skus) if question.skus else {}
        variants = {
            sku: {"product": variant.product, "parent": variant.parent, "parent_sku": variant.parent_sku}
            for sku, variant in found.items()
        }
        db.session.rollback()
        return {"id": self._identities.basket(visitor), "variants": variants}


def _failed(error: Exception) -> Response:
    """Answer a fault of ours: the shop's page must not see more of it than a status."""
    log.error("tag endpoint failed", error=type(error).__name__, next="report it with the lines before this one")
    return _json({"error": "fault"}, 500)


def _question() -> BasketQuestion:
    if request.mimetype != "application/json" or (request.content_length or 0) > BODY_LIMIT:
        # A page of another site can post forms and plain text unasked, but not JSON.
        raise ValueError("not JSON")
    return msgspec.json.decode(request.stream.read(BODY_LIMIT), type=BasketQuestion)


def _from_own_page() -> bool:
    """Return whether a script of the shop's own pages asks, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.host.lower()


def _json(data: dict[str, Any], status: int = 200, **headers: str) -> Response:
    response = Response(msgspec.json.encode(data), status, mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Vary"] = "Cookie"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def _with_visitor(response: Response, visitor: str, days: int, *, https: bool) -> Response:
    response.set_cookie(
        visitor_cookie(https=https),
        visitor,
        max_age=days * 86_400,
        path="/",
        secure=https,
        httponly=True,
        samesite="Lax",
    )
    return response
