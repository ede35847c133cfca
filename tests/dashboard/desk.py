"""An application with the dashboard alone, and what a browser does with it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from bridge.auth import Throttle, init_auth
from bridge.config import Config
from bridge.dashboard import init_dashboard
from bridge.db import db, engine_options, vault
from bridge.models import Scope

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ROOT = Path(__file__).resolve().parents[2]
KEY = "a test key of more than sixteen characters"
PASSWORD = "correct-horse-battery"
API_KEY = "om_live_1234567890abcd"
BASE = "/_bridge/dashboard"
ROLES = ("viewer", "editor", "owner")


class FakeRedis:
    """The calls that the home page, the live page and the set-up page make."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self.values = values
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self._asked: list[str] = []

    def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    def smembers(self, key: str) -> set[bytes]:
        return {name for name in self.values.get(key, b"").split(b" ") if name}

    def exists(self, key: bytes) -> int:
        return int(key.decode() in self.values)

    def pipeline(self, *, transaction: bool) -> FakeRedis:
        self._asked = []
        return self

    def hgetall(self, key: str) -> None:
        self._asked.append(key)

    def execute(self) -> list[dict[bytes, bytes]]:
        return [self.hashes.get(key, {}) for key in self._asked]


def make_dashboard_app(
    folder: Path, connection: object = None, translations: Path | None = None, **values: object
) -> Flask:
    """Return the application; its database is ``bridge.db`` in ``folder``, its throttle lives in memory."""
    config = Config(data_dir=folder, kill_file=folder / "no-injection", secret_keys=(KEY,), **values)
    app = Flask("bridge", static_folder=None, template_folder=str(ROOT / "templates"))
    url = f"sqlite:///{folder / 'bridge.db'}"
    app.config.update(
        SECRET_KEY=KEY,
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        PROPAGATE_EXCEPTIONS=False,
        TESTING=True,
    )
    vault.use(config.secret_keys)
    db.init_app(app)
    init_auth(app, config, Throttle())
    init_dashboard(app, config, connection, ROOT / "static", translations)
    return app


def add_tree() -> None:
    """Two websites; the first has two store views, the second one."""
    rows = [
        Scope(ref="default", level="default", name="Default"),
        Scope(ref="website:base", level="website", code="base", magento_id=1, name="Main Website", parent="default"),
        Scope(ref="website:outlet", level="website", code="outlet", magento_id=2, name="Outlet", parent="default"),
        Scope(ref="store:default", level="store", code="default", magento_id=1, name="English", parent="website:base"),
        Scope(ref="store:de", level="store", code="de", magento_id=2, name="Deutsch", parent="website:base"),
        Scope(ref="store:out", level="store", code="out", magento_id=3, name="Outlet", parent="website:outlet"),
    ]
    for row in rows:
        db.session.add(row)
        db.session.flush()
    db.session.commit()


def read_form(page: str) -> dict[str, str]:
    """Return what a browser without scripts would send back unchanged: each control of the page with its value."""
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        box = attributes.get("type") == "checkbox"
        if "name" in attributes and " disabled" not in tag and (not box or re.search(r" checked\b", tag)):
            sent[html.unescape(attributes["name"])] = html.unescape(attributes.get("value", ""))
    for tag, options in re.findall(r"<select ([^>]*)>(.*?)</select>", page, re.DOTALL):
        name = re.search(r'name="([^"]+)"', tag).group(1)
        if " disabled" not in tag:
            chosen = re.search(r'value="([^"]*)" selected', options)
            sent[name] = html.unescape(chosen.group(1)) if chosen else ""
    return sent


def token(client: FlaskClient, path: str = f"{BASE}/sign-in") -> str:
    """Return the CSRF token that a page carries."""
    return read_form(client.get(path).get_data(as_text=True))["csrf_token"]


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, query: str = "") -> TestResponse:
    """Fill in and send the sign-in form."""
    path = f"{BASE}/sign-in{query}"
    return client.post(path, data={"csrf_token": token(client), "name": name, "password": password})


def save(
    client: FlaskClient, section: str, scope: str = "default", /, drop: tuple[str, ...] = (), **changes: str
) -> TestResponse:
    """Open a section, change what is named (``general__api_key=…``; ``drop`` unticks boxes) and save it."""
    path = f"{BASE}/settings/{section}?scope={scope}"
    form = read_form(client.get(path).get_data(as_text=True))
    return client.post(path, data=changed(form, drop, changes))


def changed(form: dict[str, str], drop: tuple[str, ...], changes: dict[str, str]) -> dict[str, str]:
    """Return a form with some boxes unticked and some controls filled in."""
    kept = {name: value for name, value in form.items() if name not in drop}
    return kept | {name.replace("__", "."): value for name, value in changes.items()}


def beside(page: str, name: str) -> str:
    """Return the sentence beside a control that was refused; the control must say itself that it is wrong, and why."""
    found = re.search(rf'<p class="wrong" role="alert" id="wrong-{name}">(.*?)</p>', page, re.DOTALL)
    assert found, f"nothing is said beside {name}"
    control = re.search(rf'<(?:input|select|textarea)\b(?=[^>]* name="{name}")[^>]*aria-invalid="true"[^>]*>', page)
    assert control, f"{name} is not marked"
    assert f"wrong-{name}" in control.group(0)
    return html.unescape(re.sub(r"<[^>]+>", "", found.group(1)))
