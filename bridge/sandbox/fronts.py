"""Fronts of the sandbox beside Luma's: Hyvä's way of pages, and a single page that asks for everything by GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader

from bridge.sandbox.folders import sandbox_folder
from bridge.sandbox.web import HTML, Response

if TYPE_CHECKING:
    from flask import Flask

NO_PAGES = ("/static/", "/media/", "/rest/", "/graphql", "/customer/section/")


def dress(shop: Flask, front: str) -> None:
    """Let the shop show this front; ``luma`` is what it shows anyway."""
    if front == "hyva":
        own = FileSystemLoader(str(sandbox_folder("templates") / "hyva"))
        loaders = [own, shop.jinja_loader] if shop.jinja_loader is not None else [own]
        shop.jinja_loader = ChoiceLoader(loaders)
        shop.after_request(_built)
    if front == "graphql":
        shop.before_request(_shell)


def _built(response: Response) -> Response:
    """Say what a Hyvä shop says of itself."""
    if response.mimetype == "text/html":
        response.headers["x-built-with"] = "Hyva Themes"
    return response


def _shell() -> Response | None:
    """Answer every page with the same document, whose script shows what the address is of."""
    if request.method != "GET" or request.path.startswith(NO_PAGES):
        return None
    return Response(render_template("front_graphql.html"), content_type=HTML)
