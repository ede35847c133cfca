"""Style sheets, the script and the icons: our own files, and Bootstrap's from its installed package."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import flask_bootstrap
from flask import abort, current_app, request, send_from_directory, url_for

if TYPE_CHECKING:
    from flask import Response

OWN = frozenset({"dashboard.css", "dashboard.js", "live.js"})
BOOTSTRAP = frozenset(
    {
        "css/bootstrap.min.css",
        "css/font/bootstrap-icons.min.css",
        "css/font/fonts/bootstrap-icons.woff2",
        "css/font/fonts/bootstrap-icons.woff",
    }
)
BOOTSTRAP_FOLDER = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"


def asset(name: str) -> Response:
    """Answer one file; for a year when its address carries the hash of what it holds, else for an hour."""
    if name not in OWN | BOOTSTRAP:
        abort(404)
    folder = _own_folder() if name in OWN else BOOTSTRAP_FOLDER
    response = send_from_directory(folder, name, max_age=3600)
    if request.args.get("v") == _version(str(folder / name), (folder / name).stat().st_mtime_ns):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def asset_url(name: str) -> str:
    """Return the address of a file with the hash of what it holds."""
    path = (_own_folder() if name in OWN else BOOTSTRAP_FOLDER) / name
    return url_for("dashboard.asset", name=name, v=_version(str(path), path.stat().st_mtime_ns))


def _own_folder() -> Path:
    folder: Path = current_app.extensions["bridge.dashboard"].assets
    return folder


@functools.lru_cache(maxsize=32)
def _version(path: str, _changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]
