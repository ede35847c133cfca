"""What all REST calls of the sandbox shop share: refusals, store codes, tokens, searches, bodies."""

from __future__ import annotations

import hmac
import json
import re
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn
from xml.sax.saxutils import escape

from flask import g

from bridge.sandbox.search import (
    BadDirectionError,
    Criteria,
    MissingCriteriaError,
    UnknownFieldError,
    parse,
    project,
    search,
)
from bridge.sandbox.values import digest
from bridge.sandbox.views import ALL, DEFAULT, VIEW_BY_CODE, StoreView
from bridge.sandbox.web import HTML, Response, request, rest_answer, shop_state, store_view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Blueprint

    from bridge.sandbox.search import Value

Document = dict[str, Any]
NO_PRODUCT = "There is no product with this SKU."
NO_ENTITY = "There is no entity with this id."


class RestError(Exception):
    """A refusal in Magento's JSON shape."""

    def __init__(self, status: int, message: str, parameters: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.document: Document = {"message": message}
        if parameters is not None:
            self.document["parameters"] = parameters


NO_ROUTE = RestError(404, "Request does not match any route.")


def not_authorised(resource: str) -> RestError:
    """Return the refusal of a caller without the right to a resource."""
    return RestError(401, "The consumer isn't authorized to access %resources.", {"resources": resource})


def no_such_entity(name: str, value: Any) -> RestError:
    """Return the refusal for an id that does not exist."""
    return RestError(404, "No such entity with %fieldName = %fieldValue", {"fieldName": name, "fieldValue": value})


def required(name: str) -> RestError:
    """Return the refusal of a call that lacks a parameter."""
    return RestError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name})


def refused(error: RestError) -> Response:
    """Answer a refusal."""
    return rest_answer(error.document, error.status)


def take_scope(code: str | None) -> None:
    """Let a path's store code decide whose values the call sees; a code that the shop does not have is no route."""
    if code is None:
        return
    if code not in VIEW_BY_CODE:
        raise NO_ROUTE
    g.view = VIEW_BY_CODE[code]


def selling_view() -> StoreView:
    """Return the view in which a call buys or registers: the scope of the admin has none, so the default one."""
    return DEFAULT if store_view() is ALL else store_view()


def call(
    blueprint: Blueprint, path: str, resource: str | None, *methods: str
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register a call, by default a GET; ``resource`` is the right that it needs, None makes it public."""

    def register(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answer(store_code: str | None = None, **values: Any) -> Response:
            accepted = request.headers.get("Accept", "")
            if "text/html" in accepted and "application/xml" not in accepted:
                g.kind = "rest"
                return Response("<!doctype html>\n<html><body><h1>An error</h1></body></html>", 500, content_type=HTML)
            take_scope(store_code)
            if resource is not None and not has_admin_token():
                raise not_authorised(resource)
            document = view(**values)
            fields = request.args.get("fields")
            return _written(project(document, fields) if fields else document)

        for prefix in ("/rest/V1/", "/rest/<store_code>/V1/"):
            blueprint.add_url_rule(
                prefix + path, endpoint=f"{view.__name__}:{prefix}", view_func=answer, methods=methods or ("GET",)
            )
        return answer

    return register


def _written(document: Any) -> Response:
    """Answer JSON; XML to a caller that asks for it before JSON, as browsers do."""
    best = request.accept_mimetypes.best_match(["application/json", "application/xml"], "application/json")
    if best == "application/xml" and "application/json" not in request.headers.get("Accept", ""):
        g.kind = "rest"
        text = f'<?xml version="1.0"?>\n<response>{_xml(document)}</response>\n'
        return Response(text, content_type="application/xml; charset=utf-8")
    return rest_answer(document)


def _xml(value: Any) -> str:
    if isinstance(value, list):
        return "".join(f"<item>{_xml(one)}</item>" for one in value)
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(one)}</{key}>" for key, one in value.items())
    return escape("" if value is None else str(value))


def bearer() -> str:
    """Return the caller's bearer token, or nothing."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def has_admin_token() -> bool:
    """Tell whether the caller has the integration's token, or one that ``integration/admin/token`` gave."""
    token, state = bearer(), shop_state()
    return hmac.compare_digest(token.encode(), state.options.rest_token.encode()) or state.tokens.get(token) == 0


def snake(name: str) -> str:
    """Write a key as the API does inside: both spellings are taken."""
    return re.sub(r"(?<=\w)(?=[A-Z])", "_", name).lower()


def body() -> Document:
    """Return the JSON body with its upper keys in snake_case. Raises RestError 400."""
    if request.mimetype != "application/json":
        raise RestError(400, f"This call takes application/json, not the media type {request.mimetype}")
    try:
        document = json.loads(request.get_data() or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise RestError(400, "Decoding error.")
    return {snake(key): value for key, value in document.items()}


def inner(document: Document, name: str) -> Document:
    """Return an object inside a body. Raises RestError 400 when it is missing."""
    value = document.get(name)
    if not isinstance(value, dict):
        raise required(name)
    return {snake(key): one for key, one in value.items()}


def criteria() -> Criteria:
    """Return the call's searchCriteria. Raises RestError 400."""
    try:
        return parse(request.args.items(multi=True))
    except MissingCriteriaError:
        raise required("searchCriteria") from None
    except BadDirectionError:
        raise RestError(400, "The sort order direction must be ASC or DESC.") from None


def found(
    rows: Sequence[Any],
    column: Callable[[Any, str], Value],
    write: Callable[[Any], Document],
    asked: Criteria | None = None,
) -> Document:
    """Answer a search over rows. An unknown field is an internal error, as in the real shop."""
    wanted = asked or criteria()
    try:
        page, total = search(rows, column, wanted)
    except UnknownFieldError as error:
        internal_error(error)
    return {"items": [write(row) for row in page], "search_criteria": wanted.document(), "total_count": total}


def internal_error(error: Exception) -> NoReturn:
    """Raise the refusal with which the real shop hides what went wrong."""
    report = f"webapi-{digest(str(error))[:13]}"
    text = f"Internal Error. Details are available in Magento log file. Report ID: {report}"
    raise RestError(500, text) from error


def key(row: Document, name: str) -> Value:
    """Return a column of a plain document."""
    if name not in row:
        raise UnknownFieldError(name)
    value: Value = row[name]
    return value


def flat(document: Document, *optional: str) -> Document:
    """Return the filterable columns of a document; ``optional`` ones may be missing in it."""
    plain = {name: value for name, value in document.items() if not isinstance(value, (list, dict))}
    return {**dict.fromkeys(optional), **plain}
