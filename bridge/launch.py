"""What ``bridge run`` does before and beside the processes: database, first settings, the table of addresses."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import click
import urllib3

from bridge import processes
from bridge.config import Config, config_from_environ, require_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

SANDBOX_ACCOUNT = "0123456789abcdef"
SANDBOX_KEY = "sandbox-ometria-key-0001"
STAFF = "owner"
PATIENCE = 90.0


def launch(environ: Mapping[str, str], *, with_sandbox: bool) -> int:
    """Start every process of this machine and stay in front; return the exit code."""
    own = dict(environ)
    sandbox = Sandbox(own) if with_sandbox else None
    if sandbox:
        own.update({name: value for name, value in sandbox.environ().items() if not own.get(name)})
    config = config_from_environ(own)
    require_store(config)
    processes.require_free(config.listen, "BRIDGE_LISTEN")
    processes.require_free(config.dashboard_listen, "BRIDGE_DASHBOARD_LISTEN")
    if config.smtp_upstream:
        processes.require_free(config.smtp_listen, "BRIDGE_SMTP_LISTEN")
    password = _prepare(config, sandbox)
    plan = processes.plan_for(config)
    plan.environ.update(own)
    plan.environ["BRIDGE_DATA_DIR"] = str(config.data_dir)
    if sandbox:
        sandbox.add_to(plan)
    for note in plan.notes:
        click.echo(note)
    return processes.run_plan(plan, lambda: _welcome(config, sandbox, password))


class Sandbox:
    """The bundled shop, fake Ometria and mailbox: their addresses and what the other processes must know of them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.listen = environ.get("BRIDGE_LISTEN") or "127.0.0.1:8000"
        self.shop = processes.free_address("127.0.0.1:8002")
        self.ometria = processes.free_address("127.0.0.1:8003")
        self.mailbox = processes.free_address("127.0.0.1:8004")
        self.smtp = processes.free_address("127.0.0.1:2526")
        self.relay = environ.get("BRIDGE_SMTP_LISTEN") or processes.free_address("127.0.0.1:2525")
        self.token = secrets.token_hex(16)
        self.public_url = environ.get("BRIDGE_PUBLIC_URL") or f"http://{self.listen}"

    def environ(self) -> dict[str, str]:
        """Return the process settings that put bridge in front of the sandbox."""
        return {
            "BRIDGE_DATA_DIR": "./var/sandbox",
            "BRIDGE_STORE_URL": f"http://{self.shop}",
            "BRIDGE_PUBLIC_URL": self.public_url,
            "BRIDGE_STORE_TOKEN": self.token,
            "BRIDGE_OMETRIA_API_URL": f"http://{self.ometria}/v2",
            "BRIDGE_OMETRIA_TAG_URL": f"http://{self.ometria}/tags/{{account_id}}.js",
            "BRIDGE_SMTP_LISTEN": self.relay,
            "BRIDGE_SMTP_UPSTREAM": f"smtp://{self.smtp}",
        }

    def add_to(self, plan: processes.Plan) -> None:
        """Start the sandbox beside the others."""
        plan.environ["BRIDGE_SANDBOX_API_KEY"] = SANDBOX_KEY
        addresses = {"shop": self.shop, "ometria": self.ometria, "mailbox": self.mailbox, "smtp": self.smtp}
        addresses["shop-mail"] = self.relay
        words = [word for name, value in addresses.items() for word in (f"--{name}", value)]
        plan.add("sandbox", "sandbox", *words, "--public-url", self.public_url, "--account-id", SANDBOX_ACCOUNT)


def upgrade(app: Flask) -> None:
    """Bring the tables to this version's form."""
    from flask_migrate import upgrade as run_migrations

    with app.app_context():
        run_migrations()


def _prepare(config: Config, sandbox: Sandbox | None) -> str | None:
    """Upgrade the database, give the sandbox its settings; return a staff password when one was made."""
    from bridge.app import create_app
    from bridge.auth import add_user, list_users, one_time_password
    from bridge.db import db
    from bridge.ops import set_up_logging
    from bridge.settings import load_book, set_value

    set_up_logging("run")
    app = create_app(config)
    upgrade(app)
    with app.app_context():
        if sandbox:
            values = load_book().settings("default")
            if not values["general.account_id"]:
                set_value("default", "general.account_id", SANDBOX_ACCOUNT, "bridge run")
            if not values["general.api_key"]:
                set_value("default", "general.api_key", SANDBOX_KEY, "bridge run")
            db.session.commit()
        password = None
        if sandbox or not list_users():
            password = one_time_password()
            add_user(STAFF, password, "owner")
        db.session.remove()
        db.engine.dispose()
    return password


def _welcome(config: Config, sandbox: Sandbox | None, password: str | None) -> None:
    """Wait until everything answers, then print the table of addresses."""
    began = time.monotonic()
    while not (ready := _answers(config, sandbox)) and time.monotonic() - began < PATIENCE:
        time.sleep(0.2)
    shop_url = config.public_url or f"http://{config.listen}"
    rows = [("shop through the bridge", shop_url + "/")]
    if password:
        rows.append(("dashboard", f"http://{config.dashboard_listen}/  (user {STAFF}, password {password})"))
    else:
        rows.append(("dashboard", f"http://{config.dashboard_listen}/  (see `bridge user add` for a new password)"))
    if sandbox:
        rows += [("fake Ometria", f"http://{sandbox.ometria}/"), ("mailbox", f"http://{sandbox.mailbox}/")]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {address}" for name, address in rows]
    head = "Everything answers." if ready else "Not everything answers yet; `bridge check` says what is missing."
    click.echo("\n".join(["", head, *lines, "", "Ctrl-C stops it all.", ""]))


def _answers(config: Config, sandbox: Sandbox | None) -> bool:
    """Return whether the shop's page comes through, our own paths answer, and the sandbox page carries its tag."""
    shop = (config.public_url or f"http://{config.listen}").partition("://")[2]
    try:
        ready = urllib3.request(
            "GET", f"http://{config.dashboard_listen}{config.prefix}/readyz", timeout=5, retries=False
        )
        page = urllib3.request(
            "GET", f"http://{config.listen}/", headers={"Host": shop}, timeout=20, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError:
        return False
    if sandbox is None:
        return ready.status == 200
    neighbours = (sandbox.ometria, sandbox.mailbox, sandbox.smtp, sandbox.relay)
    others = all(processes.answers(address) for address in neighbours)
    # The tag names the store view once the worker has read the shop's tree.
    tagged = b"data-bridge" in page.data and b'data-store=""' not in page.data
    return ready.status == 200 and page.status == 200 and tagged and others


__all__ = ["Sandbox", "launch", "upgrade"]
