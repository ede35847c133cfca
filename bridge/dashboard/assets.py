"""Style sheets, the script and the icons: our own files, and Bootstrap's from its installed package."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import flask_bootstrap
from flask import Response, abort, current_app, request, send_from_directory, url_for

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN = frozenset({"dashboard.css", "dashboard.js", "live.js"})
BOOTSTRAP = frozenset(
    {
        "css/bootstrap.min.css",
        "css/font/bootstrap-icons.min.css",
        "css/font/fonts/bootstrap-icons.woff2",
        "css/font/fonts/bootstrap-icons.woff",
    }
)
DARK = "dark.css"
"""The dark colours for a browser without scripts, which takes them by its own preference; made of the two sheets."""
_DARK_RULE = re.compile(r'[^{}/]*\[data-bs-theme="?dark"?\][^{}]*\{[^}]*\}')
_DARK_MARK = re.compile(r'\[data-bs-theme="?dark"?\]')
BOOTSTRAP_FOLDER = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"


def asset(name: str) -> Response:
    """Answer one file; for a year when its address carries the hash of what it holds, else for an hour."""
    if name == DARK:
        response = Response(_dark_sheet(), mimetype="text/css")
        response.headers["Cache-Control"] = "public, max-age=3600"
    elif name in OWN | BOOTSTRAP:
        response = send_from_directory(_path(name).parent, _path(name).name, max_age=3600)
    else:
        abort(404)
    if request.args.get("v") == _version_of(name):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def asset_url(name: str) -> str:
    """Return the address of a file with the hash of what it holds."""
    return url_for("dashboard.asset", name=name, v=_version_of(name))


def dark_rules(sheets: Iterable[str]) -> str:
    """Return the rules of the dark theme as rules for every page: whoever links to them says when they hold."""
    rules = [rule for sheet in sheets for rule in _DARK_RULE.findall(sheet)]
    return "\n".join(_DARK_MARK.sub(":root", rule).strip() for rule in rules) + "\n"


def _dark_sheet() -> str:
    return dark_rules(_path(name).read_text(encoding="utf-8") for name in ("css/bootstrap.min.css", "dashboard.css"))


def _path(name: str) -> Path:
    own: Path = current_app.extensions["bridge.dashboard"].assets
    return (own if name in OWN else BOOTSTRAP_FOLDER) / name


def _version_of(name: str) -> str:
    if name == DARK:
        return "-".join(_version_of(sheet)[:5] for sheet in ("css/bootstrap.min.css", "dashboard.css"))
    return _version(str(_path(name)), _path(name).stat().st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _version(path: str, _changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]
