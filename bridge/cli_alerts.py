"""``bridge alerts``: what is wrong right now, what was, and who was told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from bridge.alerts.standing import Shown


def command(make_app: Callable[[str], Flask]) -> click.Command:
    """Return the command, given the function that makes the application: rooms are imported only when it runs."""

    @click.command("alerts")
    @click.option("--past", is_flag=True, help="Also those of the last 30 days that are over.")
    @click.option("--json", "as_json", is_flag=True, help="Machine readable.")
    def alerts(*, past: bool, as_json: bool) -> None:
        """Print what is wrong right now, since when, and who was told. Ends with 1 when something is."""
        from bridge.alerts import standing

        with make_app("alerts").app_context():
            current = standing.shown(over=False)
            rows = current + (standing.shown(over=True) if past else [])
            if as_json:
                click.echo(msgspec.json.encode([_data(row) for row in rows]).decode())
            else:
                for row in rows:
                    _print(row)
                if not rows:
                    click.echo("Nothing is wrong.")
        click.get_current_context().exit(1 if current else 0)

    return alerts


def _print(row: Shown) -> None:
    alert = row.alert
    over = f", over at {_time(alert.ended_at)}" if alert.ended_at else ""
    click.echo(f"{alert.kind}: {alert.sentence}")
    click.echo(f"  since {_time(alert.began_at)}{over}")
    for one in row.notices:
        at = f" at {_time(one.told_at)}" if one.state == "told" else f" after {one.tries} tries"
        click.echo(f"  {one.channel}, {one.event}: {one.state}{at}{f' ({one.reason})' if one.reason else ''}")


def _data(row: Shown) -> dict[str, Any]:
    alert = row.alert
    return {
        "kind": alert.kind,
        "subject": alert.subject,
        "sentence": alert.sentence,
        "began": _time(alert.began_at),
        "over": _time(alert.ended_at) if alert.ended_at else None,
        "told": [
            {
                "channel": one.channel,
                "event": one.event,
                "state": one.state,
                "at": _time(one.told_at) if one.told_at else None,
                "tries": one.tries,
                "reason": one.reason,
            }
            for one in row.notices
        ],
    }


def _time(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
