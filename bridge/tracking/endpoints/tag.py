"""What the tag asks for on the shop's host: the script itself, who the visitor is, and variant ids.

Paths match exactly. Every answer but the script is JSON and never stored; a fault of ours is a status that the tag can
live with, never an HTML page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from bridge.db import db
from bridge.tracking.cart_links import LINES_MOST, Line
from bridge.tracking.consent import is_given
from bridge.tracking.cookies import CONSENT, SESSION, visitor_cookie
from bridge.tracking.endpoints.answers import (
    CALLS_SECONDS,
    METHODS,
    NO_STORE,
    Throttle,
    failed,
    from_own_page,
    json_answer,
    posted,
    with_visitor,
)
from bridge.tracking.identity import is_visitor_id, new_visitor_id
from bridge.tracking.places import settings_at
from bridge.tracking.proofs import bearer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.settings import Books, Settings
    from bridge.tracking.cart_links import CartLinks
    from bridge.tracking.identity import Identities
    from bridge.tracking.page_views import PageViews
    from bridge.tracking.tags import Tags
    from bridge.tracking.variants import Variants

YEAR = 31_536_000
ASKED_MOST = 50
VISITOR_CALLS = 60
VIEW_CALLS = 500
TYPE_LIMIT = 32
SKU_CALLS = 500
PRODUCTS_MOST = 200
ADDRESS_CALLS = 2000
"""High, since all visitors have one address where a server in front of the bridge is not among the trusted proxies."""

log = structlog.get_logger()


class BasketQuestion(msgspec.Struct):
    """What the tag tells of a cart.

    ``skus`` are those whose ids it wants, ``products`` the ids whose SKUs it wants; ``empty`` when the cart was
    emptied, so that the next basket gets another id.
    ``lines`` are the cart's, for the link that rebuilds it: None where the page does not know them all. ``customer``
    when the shop shows a customer who is logged in; ``store`` is the store view's code.
    """

    skus: list[str] = []
    products: list[str] = []
    empty: bool = False
    lines: Annotated[list[Line], msgspec.Meta(max_length=LINES_MOST)] | None = None
    customer: bool = False
    store: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_]{0,64}$")] = ""

    def __post_init__(self) -> None:
        """Refuse what no cart needs."""
        asked = [*self.skus, *self.products]
        if max(len(self.skus), len(self.products)) > ASKED_MOST or any(not name or len(name) > 64 for name in asked):
            raise ValueError("too much")


ProductId = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")]


class SkuQuestion(msgspec.Struct):
    """The products of a page that does not tell their SKUs, by their ids."""

    products: Annotated[list[ProductId], msgspec.Meta(min_length=1, max_length=PRODUCTS_MOST)]


class Endpoints:
    """The views, bound to the parts of the room that answer them."""

    def __init__(
        self,
        tags: Tags,
        identities: Identities,
        variants: Variants,
        links: CartLinks,
        books: Books,
        *,
        views: PageViews | None = None,
        prefix: str,
        https: bool = False,
    ) -> None:
        """Take the parts; ``https`` when the shop is public over https, whatever a server in between tells."""
        self._https = https
        self._prefix = prefix
        self._tags = tags
        self._identities = identities
        self._variants = variants
        self._links = links
        self._books = books
        self._views = views
        self._throttle = Throttle()

    def blueprint(self) -> Blueprint:
        """Return ``/tag.js``, ``/me``, ``/basket``, ``/skus`` and ``/seen``."""
        blueprint = Blueprint("tracking", __name__)
        blueprint.add_url_rule("/tag.js", view_func=self.tag_js)
        blueprint.add_url_rule("/me", view_func=self.me, methods=METHODS)
        blueprint.add_url_rule("/basket", view_func=self.basket, methods=METHODS)
        blueprint.add_url_rule("/skus", view_func=self.skus, methods=METHODS)
        blueprint.add_url_rule("/seen", view_func=self.seen, methods=METHODS)
        blueprint.register_error_handler(Exception, failed)
        return blueprint

    def tag_js(self) -> Response:
        """The script; a version that is not the current one gets the current script for five minutes."""
        asked = {name: request.args.get(name, "") for name in ("view", "part")}
        script = self._tags.script_of(asked["view"], request.host, asked["part"])
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

        A ``GET``; the header ``Bridge-Seen`` is the ``seen`` of the last answer. A front end that logs in by token may
        send it as ``Authorization``. Without consent the visitor is forgotten, and the cookie goes.
        """
        return self._answer("GET", self._known)

    def basket(self) -> Response:
        """The basket's id and link, and product and parent ids of SKUs: a ``POST`` of a :class:`BasketQuestion`."""
        return self._answer("POST", self._basket)

    def skus(self) -> Response:
        """The SKUs of products that the catalogue table holds: a ``POST`` of a :class:`SkuQuestion`.

        They stand in the shop's public pages. No cookie is read and none is set.
        """
        refusal = _refusal("POST")
        if refusal is not None:
            return refusal
        if not self._throttle.allows(f"{request.remote_addr} skus", SKU_CALLS):
            return json_answer({"error": "calls"}, 429, Retry_After=str(CALLS_SECONDS))
        try:
            question: SkuQuestion = posted(SkuQuestion)
            found = self._variants.skus_of(question.products)
            db.session.rollback()
        except (ValueError, msgspec.DecodeError):
            return json_answer({"error": "body"}, 400)
        except SQLAlchemyError as error:
            return _unanswered(error)
        return json_answer({"products": found})

    def seen(self) -> Response:
        """Count a view of a page: a ``POST`` of its type, from one view in ten. No cookie is read and none is set."""
        refusal = _refusal("POST")
        if refusal is not None:
            return refusal
        if not self._throttle.allows(f"{request.remote_addr} seen", VIEW_CALLS):
            return json_answer({"error": "calls"}, 429, Retry_After=str(CALLS_SECONDS))
        if self._views is not None:
            self._views.count(request.stream.read(TYPE_LIMIT).decode("latin-1"))
        return Response(status=204, headers={"Cache-Control": NO_STORE})

    def _answer(self, method: str, answer: Callable[[str], tuple[dict[str, Any], str]]) -> Response:
        refusal = _refusal(method)
        if refusal is not None:
            return refusal
        https = self._https or request.is_secure
        presented = request.cookies.get(visitor_cookie(https=https), "")
        visitor = presented if is_visitor_id(presented) else new_visitor_id()
        address = request.remote_addr or ""
        # The address first: a refused call leaves no trace of the visitor that it names.
        if not (self._throttle.allows(address, ADDRESS_CALLS) and self._throttle.allows(visitor, VISITOR_CALLS)):
            return json_answer({"error": "calls"}, 429, Retry_After=str(CALLS_SECONDS))
        try:
            settings = self._settings()
            if not is_given(settings, request.cookies.get(CONSENT)):
                return self._withdrawn(visitor if visitor == presented else None, https=https)
            data, visitor = answer(visitor)
        except (ValueError, msgspec.DecodeError):
            return json_answer({"error": "body"}, 400)
        except SQLAlchemyError as error:
            return _unanswered(error)
        return with_visitor(json_answer(data), visitor, int(settings["privacy.identity_days"]), https=https)

    def _withdrawn(self, visitor: str | None, *, https: bool) -> Response:
        response = json_answer({"error": "consent"}, 403)
        if visitor is None:
            return response
        self._identities.drop(visitor)
        self._links.end(visitor)
        return with_visitor(response, "", 0, https=https)

    def _settings(self) -> Settings:
        """Return the settings of the page that asks; its path tells store views apart that share a host."""
        path = request.headers.get("Referer", "").partition("://")[2].partition("/")[2]
        return settings_at(self._books.current, request.host, path=f"/{path}")

    def _known(self, visitor: str) -> tuple[dict[str, Any], str]:
        session = request.cookies.get(SESSION.decode(), "").encode() or None
        token = bearer_of(request.headers.get("Authorization", "").encode("latin-1", "replace"))
        known = self._identities.known(visitor, session, token)
        told: dict[str, Any] = {"seen": known.version, "basket": known.basket}
        if known.email and known.version != request.headers.get("Bridge-Seen", ""):
            told["email"] = known.email
        return told, visitor

    def _basket(self, visitor: str) -> tuple[dict[str, Any], str]:
        question: BasketQuestion = posted(BasketQuestion)
        if question.empty:
            self._links.end(visitor)
            visitor = self._identities.empty_basket(visitor)
        found = self._variants.look_up(question.skus) if question.skus else {}
        variants = {
            sku: {"product": variant.product, "parent": variant.parent, "parent_sku": variant.parent_sku}
            for sku, variant in found.items()
        }
        products = self._variants.skus_of(question.products) if question.products else {}
        db.session.rollback()
        told: dict[str, Any] = {"id": self._identities.basket(visitor), "variants": variants}
        if products:
            told["products"] = products
        if question.lines and not question.empty:
            token = self._link(visitor, told["id"], question)
            if token is not None:
                told["link"] = f"{self._prefix}/cart/{token}"
        return told, visitor

    def _link(self, visitor: str, basket: str, question: BasketQuestion) -> str | None:
        owner = self._identities.customer(visitor) if question.customer else ""
        if owner is None or not question.lines:
            # A customer's basket of whom nothing is known: the link could be opened by nobody.
            return None
        return self._links.keep(visitor, basket, question.lines, owner, question.store)


def _unanswered(error: SQLAlchemyError) -> Response:
    log.warning("tag not answered", error=type(error).__name__, next="the tag carries on without")
    return json_answer({"error": "database"}, 503)


def _refusal(method: str) -> Response | None:
    if request.method != method:
        return json_answer({"error": "method"}, 405, Allow=method)
    return None if from_own_page() else json_answer({"error": "origin"}, 403)
