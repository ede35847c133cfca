"""``bridge export history``, ``replay``, ``subscribers`` and ``what-if``: what staff do to the export by hand.

Each command is given the function that makes the application, so that the rooms are imported only when one runs.
"""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from bridge.cli_drift import drift
from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from bridge.events import Kind
    from bridge.export.history import Progress

KINDS: tuple[Kind, ...] = ("product", "contact", "order")
"""In the order in which they are best exported: what an order names is there before the order."""
ENTITY = click.argument("entity", required=False, type=click.Choice(KINDS))
SCOPE = click.option("--scope", default="default", show_default=True, help="default, website:CODE or store:CODE.")
BAR = 24
FOLLOW_SECONDS = 2.0
SHOWN_MOST = 20


@click.group()
def history() -> None:
    """The historical export: everything that the shop has, page by page."""


@history.command("start")
@ENTITY
@SCOPE
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Only what was made on this day or later.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Only what was made on this day or before.")
@click.option("--force", is_flag=True, help="Send also what did not change since it was sent.")
@click.option("--again", is_flag=True, help="Begin anew where one is under way.")
@click.pass_obj
def start(make_app: Callable[[str], Flask], /, entity: str | None, scope: str, **how: Any) -> None:
    """Begin an export of ENTITY (product, contact, order), or of all three."""
    from bridge.export import history as walks
    from bridge.export.jobs import exporter
    from bridge.settings import known_scope

    days = {name: how[name].date() if how[name] else None for name in ("since", "until")}
    if days["since"] and days["until"] and days["since"] > days["until"]:
        raise Misconfigured("--from must not be after --to.")
    with make_app("export").app_context():
        known_scope(scope)
        for kind in _kinds(entity):
            begun = walks.begin(kind, scope, force=how["force"], again=how["again"], **days)
            exporter().wakes.try_wake("history", kind, scope)
            click.echo(f"{kind} {scope}: {'begun' if begun else 'runs already; --again begins anew'}")


@history.command("pause")
@ENTITY
@SCOPE
@click.pass_obj
def pause(make_app: Callable[[str], Flask], entity: str | None, scope: str) -> None:
    """Stop where it is; resume goes on from there."""
    _turn(make_app, entity, scope, "paused")


@history.command("resume")
@ENTITY
@SCOPE
@click.pass_obj
def resume(make_app: Callable[[str], Flask], entity: str | None, scope: str) -> None:
    """Go on with what was paused."""
    _turn(make_app, entity, scope, "running")


@history.command("cancel")
@ENTITY
@SCOPE
@click.pass_obj
def cancel(make_app: Callable[[str], Flask], entity: str | None, scope: str) -> None:
    """End it, and take back what waits because of it."""
    _turn(make_app, entity, scope, "cancelled")


def _turn(make_app: Callable[[str], Flask], entity: str | None, scope: str, state: str) -> None:
    from bridge.export import history as walks
    from bridge.export.jobs import exporter
    from bridge.settings import known_scope, load_book

    with make_app("export").app_context():
        known_scope(scope)
        for kind in _kinds(entity):
            there = walks.set_state(kind, scope, state, load_book())
            if there and state == "running":
                exporter().wakes.try_wake("history", kind, scope)
            click.echo(f"{kind} {scope}: {state if there else 'none is under way'}")


@history.command("status")
@ENTITY
@click.option("--scope", default=None, help="Only the walks of this scope.")
@click.option("--follow", is_flag=True, help="Look again every two seconds until none runs.")
@click.pass_obj
def status(make_app: Callable[[str], Flask], entity: str | None, scope: str | None, *, follow: bool) -> None:
    """Show how far each export has come, how fast it goes and when it will end."""
    from bridge.export import history as walks
    from bridge.export import ledger

    with make_app("export").app_context():
        while True:
            rows = [row for row in walks.progress() if entity in {None, row.kind} and scope in {None, row.scope}]
            waiting = sum(row.count for row in ledger.counts() if (row.lane, row.state) == ("history", "waiting"))
            for line in _lines(rows, waiting):
                click.echo(line)
            if not follow or not any(row.state == "running" for row in rows):
                return
            time.sleep(FOLLOW_SECONDS)
            # The next round must see what others committed meanwhile.
            _forget()


def _forget() -> None:
    from bridge.db import db

    db.session.rollback()


def _lines(rows: Iterable[Progress], waiting: int) -> Iterable[str]:
    there = False
    for row in rows:
        there = True
        yield f"{row.kind:8} {row.scope:20} {row.state:10} {bar(row.seen, row.total)} {_told(row)}"
    yield f"{waiting} records wait to be sent." if there else "No export was begun yet."


def _told(row: Progress) -> str:
    told = f"{row.seen} of {row.total if row.total is not None else '?'}"
    if row.state == "running":
        told += f", {row.rate:.1f}/s"
    if row.ends is not None:
        told += f", until {dt.datetime.fromtimestamp(row.ends, tz=dt.UTC):%Y-%m-%d %H:%M} UTC"
    if row.since or row.until:
        told += f", made {row.since or 'ever'} to {row.until or 'now'}"
    return told + (f", {row.broken} set aside" if row.broken else "")


def bar(seen: int, total: int | None) -> str:
    """Return a progress bar of fixed width; empty while the total is unknown."""
    part = min(seen / total, 1.0) if total else 0.0
    full = int(part * BAR)
    return f"[{'#' * full}{'-' * (BAR - full)}] {part:4.0%}"


@click.command("replay")
@click.option("--account", default=None, help="Only this account id (see `bridge export status`).")
@click.option("--entity", type=click.Choice(KINDS), default=None, help="Only this kind.")
@click.option("--id", "id_", default=None, help="Only this one: the shop's id.")
@click.option("--reason", default=None, help="Only rows whose reason contains this text.")
@click.option("--list", "only_list", is_flag=True, help="Show them; try nothing.")
@click.pass_obj
def replay(make_app: Callable[[str], Flask], /, **which: Any) -> None:
    """Try again what was set aside."""
    from bridge.export import refusals
    from bridge.export.jobs import exporter

    chosen = refusals.Which(which["account"], which["entity"], which["id_"], which["reason"])
    with make_app("export").app_context():
        if which["only_list"]:
            for row in refusals.found(chosen):
                click.echo(f"{row.account:18} {row.ref.kind:8} {row.ref.id:16} {row.reason}")
            return
        count, accounts = refusals.replay(chosen)
        for account in sorted(accounts):
            exporter().wakes.try_wake("session", account, "live")
            exporter().wakes.try_wake("backlog", account)
    click.echo(f"{count} records are tried again.")


@click.command("subscribers")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The day for subscriptions whose time is not told.")
@click.pass_obj
def subscribers(make_app: Callable[[str], Flask], file: Path, since: dt.datetime | None) -> None:
    """Take in the shop's newsletter subscribers: the CSV that its grid exports. Repeatable."""
    from bridge.export import subscribers as grid
    from bridge.export.jobs import exporter
    from bridge.settings import load_book

    with make_app("export").app_context():
        own = exporter()
        taken = grid.take(file, load_book(), own.config.secret_keys, since.date() if since else None)
        for account in sorted(taken.accounts):
            own.wakes.try_wake("backlog", account)
    click.echo(f"{taken.lines} lines: {taken.kept} known or kept, {taken.owed} to be sent, {len(taken.odd)} not read.")
    for number, reason in taken.odd[:SHOWN_MOST]:
        click.echo(f"line {number}: {reason}", err=True)


@click.command("what-if")
@click.argument("key")
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Use the value of the scope above.")
@SCOPE
@click.pass_obj
def what_if(make_app: Callable[[str], Flask], key: str, value: str | None, scope: str, *, unset: bool) -> None:
    """Tell what a change of a setting, such as an API key or a namespace, would do; change nothing."""
    from bridge.export.whatif import what_if as effects
    from bridge.settings import known_scope, load_book, setting

    definition = setting(key)
    if value is None and not unset:
        value = click.prompt(definition.label, hide_input=definition.secret)
    with make_app("export").app_context():
        known_scope(scope)
        rows = effects(load_book(), scope, key, None if unset else definition.parse(value))
    for row in rows:
        click.echo(f"{row.account:18} {row.owner:20} {row.fate:5} {row.sent} sent, {row.waiting} waiting")
        for kind, count in row.renamed.items():
            click.echo(f"    {count} {kind} ids change: the old ones stay at Ometria beside the new ones.")
        if row.fate == "gone" and row.waiting:
            click.echo(f"    what waits goes to {', '.join(row.heirs) or 'nobody and stays'}.")
        if row.fate == "new":
            click.echo("    nothing was ever sent to it: begin its history.")


def _kinds(entity: str | None) -> tuple[Kind, ...]:
    return (cast("Kind", entity),) if entity else KINDS


COMMANDS: tuple[click.Command, ...] = (drift, history, replay, subscribers, what_if)
"""What ``bridge export`` has besides ``status`` and ``preview``."""
