"""The part of ``bridge export`` that explains records: preview, timeline, logs, data quality.

Each command gets the function that makes the application as the context's object, and imports what it needs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    MakeApp = Callable[[str], Flask]

KIND = click.argument("kind", type=click.Choice(["contact", "product", "order"]))
IDENTIFIER = click.argument("identifier")
JSON = click.option("--json", "as_json", is_flag=True, help="Machine readable.")
OUTCOMES = ("accepted", "partial", "refused", "retry", "stopped", "dry run")
MOST = 200


@click.command("preview")
@KIND
@IDENTIFIER
@click.option("--scope", default=None, help="Only the accounts of this scope.")
@JSON
@click.option("--why", "with_why", is_flag=True, help="With --json: also differences and reasons.")
@click.pass_obj
def preview(make_app: MakeApp, kind: Any, identifier: str, scope: str | None, *, as_json: bool, with_why: bool) -> None:
    """Print the exact records for each account, beside what was sent last and why; nothing is sent."""
    from bridge.export import preview as room

    with make_app("export").app_context():
        plain = as_json and not with_why
        rows = (room.preview if plain else room.explain)(kind, identifier, scope)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        for line in _explained(row):
            click.echo(line)


def _explained(row: dict[str, Any]) -> Iterable[str]:
    """Yield the lines that people read of one account."""
    kind = "global account" if row["global"] else "account"
    yield f"{kind} {row['account']} (key of {row['owner']})"
    if "reason" in row:
        yield f"  nothing to send: {row['reason']}"
        return
    yield msgspec.json.format(msgspec.json.encode(row["record"]), indent=2).decode()
    yield from (f"  data quality: {said}" for said in row["warnings"])
    for path, reasons in row["why"].items():
        yield f"  {path} follows {_reasons(reasons)}"
    if row["sent_at"] is None:
        yield "  never sent before"
    elif row["changes"] is None:
        yield f"  last sent {_time(row['sent_at'])}, {row['state']}; its content was not kept"
    else:
        yield f"  last sent {_time(row['sent_at'])}, request {row['request_id']}, {row['state']}"
        yield from (_change(change) for change in row["changes"])
        if not row["changes"]:
            yield "  nothing has changed since"


def _change(change: dict[str, Any]) -> str:
    sides = [_json(change[name]) if name in change else "(absent)" for name in ("was", "now")]
    reason = f"  <- {_reasons(change['why'])}" if change["why"] else ""
    return f"  changed: {change['field']}: {sides[0]} -> {sides[1]}{reason}"


def _reasons(reasons: list[dict[str, Any]]) -> str:
    return ", ".join(f"{one['setting']} = {_json(one['value'])} ({one['scope']})" for one in reasons)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _time(moment: float) -> str:
    from bridge.export.log_search import stamp

    return stamp(moment)


@click.command("timeline")
@KIND
@IDENTIFIER
@JSON
@click.pass_obj
def timeline(make_app: MakeApp, kind: Any, identifier: str, *, as_json: bool) -> None:
    """Print what happened to one record: seen, queued, sent, answered, refused, and what comes next."""
    from bridge.export import timeline as room

    with make_app("export").app_context():
        rows = room.timeline(kind, identifier)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        click.echo(f"{_time(row.at)}  {row.account:16}  {row.step:10}  {row.detail}".rstrip())
    if not rows:
        click.echo("Nothing is known of it.")


@click.command("log")
@click.option("--errors", is_flag=True, help="The error log: what was not accepted, and records set aside.")
@click.option("--account", default="")
@click.option("--kind", type=click.Choice(["contact", "product", "order"]), default=None)
@click.option("--outcome", type=click.Choice(OUTCOMES), default=None)
@click.option("--request-id", default="")
@click.option("--text", default="", help="A part of the message.")
@click.option("--since", default=None, help="30m, 24h or 7d ago, or a day or time in UTC.")
@click.option("--until", default=None, help="As --since.")
@click.option("--most", type=click.IntRange(1), default=None, help=f"Lines at most; {MOST} for the screen, else all.")
@click.option("--format", "form", type=click.Choice(["text", "csv", "jsonl"]), default="text", show_default=True)
@click.pass_obj
def log(make_app: MakeApp, /, *, form: str, most: int | None, **given: Any) -> None:
    """Print the log of requests to Ometria, or write it as CSV or JSON; it is masked as it is kept."""
    from bridge.export import log_search as room

    times = {name: room.moment(given[name]) if given[name] else None for name in ("since", "until")}
    wanted = room.Wanted(**{**given, **times, "kind": given["kind"] or "", "outcome": given["outcome"] or ""})
    with make_app("export").app_context():
        if form == "text":
            for line in _log_lines(room, wanted, most or MOST):
                click.echo(line)
            return
        found = room.lines(wanted, most)
        for part in room.as_csv(found) if form == "csv" else room.as_json(found):
            sys.stdout.write(part)


def _log_lines(room: Any, wanted: Any, most: int) -> Iterable[str]:
    for row in room.lines(wanted, most):
        yield (
            f"{row['time']}  {row['account']:16}  {row['kind']:8} {row['records']:4}  {row['status']:3} "
            f"{row['outcome']:8} {row['milliseconds']:6} ms  {row['request_id']}  {row['message']}"
        ).rstrip()
    for row in room.set_aside(wanted, most) if wanted.errors else ():
        yield f"{row['time']}  {row['account']:16}  {row['kind']:8} set aside {row['entity']}: {row['message']}"


@click.command("quality")
@click.option("--account", default=None)
@click.option("--rule", default=None, help="Only one rule, such as price.")
@click.option("--most", type=click.IntRange(1), default=MOST, show_default=True)
@JSON
@click.pass_obj
def quality(make_app: MakeApp, account: str | None, rule: str | None, most: int, *, as_json: bool) -> None:
    """Print the records that break a rule of data quality."""
    from bridge.export import quality as room

    with make_app("export").app_context():
        rows = [
            {"time": _time(row.at), "account": row.account, "kind": row.kind, "entity": row.entity, "rule": row.rule}
            | {"blocked": row.blocked, "said": room.SAID.get(row.rule, "")}
            for row in room.findings(account, rule, most)
        ]
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        mark = "held back" if row["blocked"] else "sent"
        click.echo(f"{row['time']}  {row['account']:16}  {row['kind']} {row['entity']}  {mark}: {row['said']}")
    if not rows:
        click.echo("No record breaks a rule.")


COMMANDS: tuple[click.Command, ...] = (preview, timeline, log, quality)
