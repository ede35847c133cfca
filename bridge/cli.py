"""The ``bridge`` command."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge import (
    __version__,
    cli_alerts,
    cli_config_file,
    cli_confusion,
    cli_coupons,
    cli_explain,
    cli_export,
    cli_mail,
    processes,
)
from bridge.config import Config, config_from_environ
from bridge.errors import BridgeError, Misconfigured

if TYPE_CHECKING:
    from flask import Flask


class Commands(click.Group):
    """Turns the errors of bridge into one sentence and an exit code that is not 0."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a wrong configuration ends with 78 (EX_CONFIG), any other fault of ours with 1."""
        try:
            return super().invoke(ctx)
        except Misconfigured as error:
            click.echo(f"bridge: {error}", err=True)
            ctx.exit(processes.EX_CONFIG)
        except BridgeError as error:
            click.echo(f"bridge: {error}", err=True)
            ctx.exit(1)
        except Exception as error:
            sentence = _neighbour_fault(error)
            if sentence is None:
                raise
            click.echo(f"bridge: {sentence}", err=True)
            ctx.exit(1)


def _neighbour_fault(error: Exception) -> str | None:
    """Return what to change about the database or Redis, or None for every other error."""
    import redis
    from sqlalchemy.exc import OperationalError, ProgrammingError

    if isinstance(error, redis.RedisError):
        return "Redis does not answer: see BRIDGE_REDIS_URL, or start it with `bridge run`."
    if not isinstance(error, OperationalError | ProgrammingError):
        return None
    said = str(error.orig)
    if "no such table" in said or "no such column" in said or "does not exist" in said:
        return "The database has not this version's tables: run `bridge db upgrade`."
    return "The database does not answer: see BRIDGE_DATABASE_URL." if isinstance(error, OperationalError) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Connect a Magento 2 shop to Ometria, from outside the shop."""


def read_config() -> Config:
    """Return the process settings of this command."""
    return config_from_environ(os.environ)


def make_app(process: str, config: Config | None = None) -> Flask:
    """Return the application for one process, with its logging; the rooms are imported only here."""
    from bridge.app import create_app
    from bridge.ops import set_up_logging

    config = config or read_config()
    set_up_logging(process, config.data_dir / "log")
    return create_app(config)


@main.command()
def web() -> None:
    """Serve the shop through the proxy, and the dashboard."""
    config = read_config()
    if config.workers > 1:
        # Read when the metrics library is first imported: counters of several processes meet in this folder.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(processes.fresh_folder(config.data_dir / "metrics"))
    from bridge.web import run_web

    run_web(config)


@main.command()
def worker() -> None:
    """Work the queues: events, exports, upkeep."""
    from bridge.alerts.jobs import Reminder
    from bridge.app import services
    from bridge.queues import connect, run_worker

    app = make_app("worker")
    wired = services(app)
    reminder = Reminder(connect(wired.config.redis_url))
    run_worker(app, wired.redis, reminder.start)


@main.command()
def clock() -> None:
    """Wake what is due, once a minute; any number may run."""
    from bridge.app import services
    from bridge.clock import run_clock

    app = make_app("clock")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    wired = services(app)
    run_clock(app, wired.redis, wired.wakes, stop.wait)


@main.command()
def smtp() -> None:
    """Take the shop's mails: keep each on the disk, answer, and wake the worker."""
    from bridge.mail.relay import run_relay
    from bridge.mail.reminder import Reminder
    from bridge.mail.spool import MailSpool
    from bridge.ops import set_up_logging
    from bridge.queues import Wakes, connect

    config, stop = read_config(), threading.Event()
    processes.require_upstream(config)
    set_up_logging("smtp", config.data_dir / "log")
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    wakes, spool = Wakes(connect(config.redis_url)), MailSpool(config.smtp_spool)
    reminder = Reminder(spool, lambda: wakes.wake("mail"))
    reminder.start()
    try:
        run_relay(config, spool, lambda: wakes.wake("mail"), stop)
    finally:
        reminder.stop()


@main.command()
@click.option("--sandbox", "with_sandbox", is_flag=True, help="In front of the bundled shop, with a fake Ometria.")
def run(*, with_sandbox: bool) -> None:
    """Run everything on this machine: one command, stays in front, Ctrl-C stops it all."""
    from bridge.launch import launch

    sys.exit(launch(os.environ, with_sandbox=with_sandbox))


@main.command(hidden=True, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--runner", type=int, help="The process with which this one ends.")
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def keep(runner: int | None, name: str, command: tuple[str, ...]) -> None:
    """Keep one process alive; `bridge run` puts it around each of its processes."""
    folder = Path(os.environ.get("BRIDGE_DATA_DIR", "var")) / "run"
    folder.mkdir(parents=True, exist_ok=True)
    sys.exit(processes.keep(command, folder / f"{name}.pid", lambda text: click.echo(text, err=True), runner))


@main.command(hidden=True)
def valkey() -> None:
    """Become the embedded Valkey."""
    command = processes.valkey_command(read_config())
    os.execv(command[0], command)  # noqa: S606 the command is our own


@main.command(hidden=True)
@click.option("--shop", required=True)
@click.option("--ometria", required=True)
@click.option("--mailbox", required=True)
@click.option("--smtp", required=True)
@click.option("--shop-mail")
@click.option("--public-url", required=True)
@click.option("--rest-token", envvar="BRIDGE_STORE_TOKEN", required=True)
@click.option("--api-key", envvar="BRIDGE_SANDBOX_API_KEY", required=True)
@click.option("--account-id", required=True)
def sandbox(**options: Any) -> None:
    """Serve the bundled shop, fake Ometria and mailbox."""
    from bridge.sandbox.serve import serve

    serve(**options)


MARKS = {"ok": ("ok  ", "green"), "warn": ("look", "yellow"), "fail": ("FAIL", "red")}


@main.command()
@click.option(
    "--crawl", metavar="URL", help="Walk the pages of this shop instead; a product is put into a cart of nobody."
)
def check(crawl: str | None) -> None:
    """Ask every neighbour and say what is wrong and what to change."""
    from bridge.checks import run_checks, run_crawl

    app, failed = make_app("check"), False
    with app.app_context():
        for finding in run_crawl(app, crawl) if crawl else run_checks(app):
            failed = failed or finding.level == "fail"
            mark, colour = MARKS[finding.level]
            click.echo(f"{click.style(mark, fg=colour)} {finding.name}: {finding.sentence}")
    sys.exit(1 if failed else 0)


@main.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables to this version's form."""
    from bridge.launch import upgrade

    upgrade(make_app("db"))
    click.echo("The database is up to date.")


@main.group(context_settings={"obj": make_app})
def config() -> None:
    """Read and change shop settings by scope."""


SCOPE = click.option("--scope", default="default", show_default=True, help="default, website:CODE or store:CODE")


@config.command("get")
@click.argument("key")
@SCOPE
def config_get(key: str, scope: str) -> None:
    """Print the value in force, and which scope supplied it; a secret is masked."""
    from bridge.settings import known_scope, load_book, mask, setting

    definition = setting(key)
    with make_app("config").app_context():
        known_scope(scope)
        values = load_book().settings(scope)
        shown = (mask(values[key]) if values[key] else "") if definition.secret else values[key]
        source = values.source(key) or "built in"
    click.echo(f"{_text(shown)}  ({source})")


@config.command("set")
@click.argument("key")
@click.argument("value", required=False)
@SCOPE
def config_set(key: str, value: str | None, scope: str) -> None:
    """Set one value; a secret left out on the command line is asked for, so that no shell history keeps it."""
    from bridge.db import db as database
    from bridge.settings import caution, set_value, setting

    if value is None:
        value = click.prompt(setting(key).label, hide_input=setting(key).secret)
    with make_app("config").app_context():
        typed = set_value(scope, key, value, "command line")
        database.session.commit()
    click.echo(f"{key} is set at {scope}.")
    if told := caution(key, typed):
        click.echo(f"Look: {told}", err=True)


@config.command("unset")
@click.argument("key")
@SCOPE
def config_unset(key: str, scope: str) -> None:
    """Use the value of the scope above again."""
    from bridge.db import db as database
    from bridge.settings import unset_value

    with make_app("config").app_context():
        had = unset_value(scope, key, "command line")
        database.session.commit()
    click.echo(f"{key} {'now uses the value above' if had else 'had no value of its own'} at {scope}.")


@config.command("list")
@SCOPE
def config_list(scope: str) -> None:
    """Print every setting with its value in force and its source."""
    from bridge.settings import SETTINGS, known_scope, load_book, mask

    with make_app("config").app_context():
        known_scope(scope)
        values = load_book().settings(scope)
        for definition in SETTINGS:
            value = values[definition.key]
            shown = (mask(value) if value else "") if definition.secret else _text(value)
            click.echo(f"{definition.key:36} {shown:32} {values.source(definition.key) or 'built in'}")


for _command in cli_config_file.COMMANDS:
    config.add_command(_command)


@main.group()
def user() -> None:
    """Staff who may sign in to the dashboard."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "editor", "owner"]), default="viewer", show_default=True)
def user_add(name: str, role: str) -> None:
    """Add a member of staff, or give a new password to one; it is printed once."""
    from bridge.auth import add_user, one_time_password

    password = one_time_password()
    with make_app("user").app_context():
        add_user(name, password, role)
    click.echo(f"{name} ({role}) signs in with: {password}")


@user.command("list")
def user_list() -> None:
    """Print who may sign in."""
    from bridge.auth import list_users

    with make_app("user").app_context():
        for row in list_users():
            click.echo(f"{row.name:30} {row.role}")


@user.command("remove")
@click.argument("name")
def user_remove(name: str) -> None:
    """Remove a member of staff; open sessions end."""
    from bridge.auth import remove_user

    with make_app("user").app_context():
        if not remove_user(name):
            raise Misconfigured(f"There is no user {name!r}: see `bridge user list`.")
    click.echo(f"{name} is removed.")


@main.group(context_settings={"obj": make_app})
def export() -> None:
    """See what is owed to Ometria, and what a record looks like."""


@export.command("status")
def export_status() -> None:
    """Print how many records wait, by account and entity."""
    from bridge.export import ledger

    with make_app("export").app_context():
        rows = ledger.counts()
    for row in rows:
        click.echo(f"{row.account:18} {row.kind:8} {row.lane:8} {row.state:8} {row.count:8}")
    if not rows:
        click.echo("Nothing waits.")


for _command in (*cli_explain.COMMANDS, *cli_export.COMMANDS):
    export.add_command(_command)


@main.group(context_settings={"obj": make_app})
def mail() -> None:
    """Look after transactional mail."""


for _command in (*cli_mail.COMMANDS, cli_confusion.confusion):
    mail.add_command(_command)


@main.group(context_settings={"obj": make_app})
def coupons() -> None:
    """Make, list and revoke coupon codes."""


for _command in cli_coupons.COMMANDS:
    coupons.add_command(_command)


main.add_command(cli_alerts.command(make_app))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
