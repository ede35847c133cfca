"""``bridge export drift``: what the shop has, what was sent and what Ometria holds, and only the difference again.

The command is given the function that makes the application, so that the rooms are imported only when it runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

KINDS = ("product", "contact", "order")
FOLLOW_SECONDS = 1.0
ITEMS = 200
HEAD = ("shop", "sent", "held", "missing", "stale", "extra", "repaired")


@click.command("drift")
@click.argument("entity", required=False, type=click.Choice(KINDS))
@click.option("--now", is_flag=True, help="Begin a comparison; without it the last report is shown.")
@click.option("--repair/--report", default=True, help="Send what is missing or differs, or only show it.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Only what was made on this day or later.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Only what was made on this day or before.")
@click.option("--follow", is_flag=True, help="Wait until the comparison has ended, then show the report.")
@click.option("--every", is_flag=True, help="Also the days on which nothing differs.")
@click.option("--items", is_flag=True, help=f"Also the single differences, at most {ITEMS} of a kind.")
@click.option("--json", "as_json", is_flag=True, help="Machine readable, with the single differences.")
@click.pass_obj
def drift(make_app: Callable[[str], Flask], /, entity: str | None, **how: Any) -> None:
    """Compare shop, ledger and Ometria by store view and day: ENTITY (product, contact, order) or all three."""
    kinds: Any = (entity,) if entity else KINDS
    with make_app("export").app_context():
        if how["now"]:
            _begin(kinds, how)
        if how["follow"]:
            _wait(kinds)
        _show(kinds, how)


def _begin(kinds: Iterable[Any], how: dict[str, Any]) -> None:
    from bridge.export import drift as room
    from bridge.export.jobs import exporter

    days = {name: how[name].date() if how[name] else None for name in ("since", "until")}
    if days["since"] and days["until"] and days["since"] > days["until"]:
        raise Misconfigured("--from must not be after --to.")
    for kind in kinds:
        begun = room.begin(kind, repair=how["repair"], asked=True, **days)
        click.echo(f"{kind}: {'begun' if begun else 'a comparison is under way'}", err=True)
    exporter().wakes.try_wake("drift")


def _wait(kinds: Iterable[Any]) -> None:
    from bridge.db import db
    from bridge.export import drift as room

    while any(room.report(kind, most=1)["state"] == "running" for kind in kinds):
        # The next round must see what the worker committed meanwhile.
        db.session.rollback()
        time.sleep(FOLLOW_SECONDS)
    db.session.rollback()


def _show(kinds: Iterable[Any], how: dict[str, Any]) -> None:
    from bridge.export import drift as room
    from bridge.export import drift_report

    found = [room.report(kind, every=how["every"]) for kind in kinds]
    for report in found:
        done = report["done"]
        wanted = done and (how["items"] or how["as_json"])
        report["items"] = drift_report.items(report["kind"], done["run"], most=ITEMS) if wanted else []
    if how["as_json"]:
        click.echo(msgspec.json.encode(found).decode())
        return
    for report in found:
        for line in _lines(report):
            click.echo(line)


def _lines(report: dict[str, Any]) -> Iterable[str]:
    """Yield the lines that people read of one kind."""
    kind, done = report["kind"], report["done"]
    if report["state"] == "running":
        yield f"{kind}: a comparison is under way ({report['phase']})."
    if report["state"] == "failed":
        yield f"{kind}: the last comparison was given up: {report['reason']}"
    if not done:
        yield f"{kind}: not compared yet; --now begins."
        return
    sums = {name: sum(row[name] for row in report["totals"]) for name in HEAD}
    yield f"{kind}: compared {_time(done['ended'])}; " + ", ".join(f"{count} {name}" for name, count in sums.items())
    for account, known in sorted(done["accounts"].items()):
        if not known["read"]:
            yield f"  account {account}: the key may not read Ometria's list, so only shop and ledger were compared."
        elif known["doubt"]:
            yield f"  account {account}: Ometria's list lacks most of what was sent; --now repairs all the same."
    if report["days"]:
        yield "  " + " ".join(f"{name:>8}" for name in HEAD) + "  day         store view"
    for row in report["days"]:
        counts = " ".join(f"{row[name]:8}" for name in HEAD)
        yield f"  {counts}  {row['day'] or '-':10}  {row['store'] or '-'} ({row['account']})"
    for row in report["items"]:
        mark = ", sent again" if row["repaired"] else ""
        yield f"  {row['state']:8} {row['entity'] or row['record_id']} ({row['account']}): {row['detail']}{mark}"


def _time(moment: float) -> str:
    from bridge.export.log_search import stamp

    return stamp(moment)
