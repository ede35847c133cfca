"""``/graphql``: POST for all, GET for queries; the header ``Store`` chooses the view."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Blueprint, g
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from bridge.sandbox.graphql_resolvers import MUTATIONS, QUERIES
from bridge.sandbox.graphql_schema import SCHEMA
from bridge.sandbox.values import digest
from bridge.sandbox.views import ALL, VIEW_BY_CODE
from bridge.sandbox.web import Response, ajax_answer, request, store_view

blueprint = Blueprint("shop_graphql", __name__)


@cache
def schema() -> GraphQLSchema:
    """Return the schema with its resolvers; built once."""
    built = build_schema(SCHEMA)
    for name, resolvers in (("Query", QUERIES), ("Mutation", MUTATIONS)):
        type_ = built.type_map[name]
        if isinstance(type_, GraphQLObjectType):
            for field, resolve in resolvers.items():
                type_.fields[field].resolve = resolve
    return built


def _asked() -> tuple[str, dict[str, Any], str | None]:
    """Return query, variables and operation name of the request."""
    if request.method == "GET":
        given: Any = {**request.args, "variables": json.loads(request.args.get("variables") or "{}")}
    else:
        given = request.get_json(silent=True, force=True)
    if not isinstance(given, dict):
        raise GraphQLError("Unable to parse the request.")
    return str(given.get("query") or ""), given.get("variables") or {}, given.get("operationName") or None


@blueprint.route("/graphql", methods=["GET", "POST"])
@blueprint.route("/graphql/", methods=["GET", "POST"])
def graphql() -> Response:
    """Answer a GraphQL call; a syntax error is 500, every other error 200, as in 2.4.6."""
    wanted = VIEW_BY_CODE.get(request.headers.get("Store", ""))
    if wanted is not None and wanted is not ALL:
        g.view = wanted
    try:
        query, variables, operation = _asked()
        document = parse(query)
    except (GraphQLError, ValueError) as error:
        plain = error if isinstance(error, GraphQLError) else GraphQLError("Unable to parse the request.")
        return ajax_answer({"errors": [dict(plain.formatted)]}, 500)
    errors = validate(schema(), document)
    if request.method == "GET" and _changes(document.definitions):
        errors = [GraphQLError("Mutation requests allowed only for POST requests")]
    if errors:
        return ajax_answer({"errors": [dict(error.formatted) for error in errors]})
    result = execute_sync(schema(), document, variable_values=variables, operation_name=operation)
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [dict(error.formatted) for error in result.errors]
    answer["data"] = result.data
    response = ajax_answer(answer)
    response.headers["X-Magento-Cache-Id"] = digest("graphql", store_view().code)
    return response


def _changes(definitions: tuple[Any, ...]) -> bool:
    return any(
        isinstance(one, OperationDefinitionNode) and one.operation is OperationType.MUTATION for one in definitions
    )
