"""``bridge coupons check``, ``pool``, ``generate``, ``list`` and ``revoke``: what staff and scripts do with codes.

Each command is given the function that makes the application, so that the rooms are imported only when one runs.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import click
import msgspec

from bridge.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Flask

    from bridge.coupons.room import Generated
    from bridge.models_coupons import CouponPool

KINDS = ("alphanum", "alpha", "num", "clear")
STATES = ("stock", "given", "expired", "revoked", "gone", "sending")
JSON = click.option("--json", "as_json", is_flag=True, help="Machine readable.")
PAUSE_SECONDS = 2.0
CODES_PAGE = 1000


def _look(command: Any) -> Any:
    """Add the options that say what codes look like."""
    options = (
        click.option(
            "--format",
            "kind",
            type=click.Choice(KINDS),
            default="alphanum",
            show_default=True,
            help="clear: letters and digits without those that look alike.",
        ),
        click.option("--length", default=12, show_default=True, help="Without prefix, suffix and dashes."),
        click.option("--prefix", default=""),
        click.option("--suffix", default=""),
        click.option("--dash-every", "every", default=0, show_default=True, help="0: no dashes."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("check")
@click.argument("rule", required=False, type=int)
@JSON
@click.pass_obj
def check(make_app: Callable[[str], Flask], /, rule: int | None, *, as_json: bool) -> None:
    """Say of cart price rule RULE, or of every rule and pool, whether codes can be made, and if not, why.

    Ends with 1 when the rule, or the rule of a pool, cannot be used.
    """
    from bridge.coupons import alerts
    from bridge.coupons.room import room, verdict

    rows: list[dict[str, Any]] = []
    with make_app("coupons").app_context():
        named = {} if rule is not None else {found.id: found.name for found in room().shop.rules()}
        for id_ in [rule] if rule is not None else named:
            found = verdict(id_)
            told = {"faults": found.faults, "cautions": found.cautions, "uses": found.uses}
            rows.append({"rule": id_, "name": named.get(id_, ""), **told})
        pools = alerts.watch(fresh=True) if rule is None else []
        stopped = [{"pool": pool.name, "rule": pool.rule_id, "problem": pool.problem} for pool in pools]
    if as_json:
        click.echo(msgspec.json.encode({"rules": rows, "stopped": stopped}).decode())
    else:
        for row in rows:
            click.echo(f"rule {row['rule']} {row['name']}: {'cannot be used' if row['faults'] else 'usable'}")
            for line in (*row["faults"], *row["cautions"], *([row["uses"]] if row["uses"] else [])):
                click.echo(f"  {line}")
        for line in stopped:
            click.echo(f"pool {line['pool']} (rule {line['rule']}) cannot be used: {line['problem']}")
    if stopped or (rule is not None and rows[0]["faults"]):
        sys.exit(1)


@click.command("pool")
@click.argument("name")
@click.option("--rule", type=int, required=True, help="Id of the cart price rule.")
@click.option("--stock", default=0, show_default=True, help="Codes kept ready.")
@click.option("--expiry-days", default=0, show_default=True, help="0: as long as the rule.")
@_look
@click.pass_obj
def pool(make_app: Callable[[str], Flask], /, name: str, rule: int, stock: int, expiry_days: int, **look: Any) -> None:
    """Make a pool NAME of codes of one rule."""
    from bridge.coupons import alerts, pools
    from bridge.coupons.room import room
    from bridge.store import CodeFormat

    with make_app("coupons").app_context():
        layout = CodeFormat(**look)
        made = pools.make_pool(name, rule, layout, stock=stock, expiry_days=expiry_days, who="command line")
        click.echo(f"{made.name} is made.")
        for line in alerts.look_at(made).faults:
            click.echo(f"  {line}", err=True)
        room().wakes.try_wake("coupons")


@click.command("generate")
@click.option("--pool", "pool_name", help="Codes of this pool: its stock first.")
@click.option("--rule", type=int, help="Codes of this cart price rule, of no pool.")
@click.option("--quantity", type=int, required=True)
@click.option("--request-id", default="", help="Makes it repeatable: the same id gives the same codes.")
@click.option("--expiry-days", type=click.IntRange(0, 3650), default=0, help="0: the pool's, or as long as the rule.")
@_look
@JSON
@click.pass_obj
def generate(
    make_app: Callable[[str], Flask], /, pool_name: str | None, rule: int | None, *, as_json: bool, **asked: Any
) -> None:
    """Print new codes, one a line. With --rule the options from --format on say how they look."""
    if (pool_name is None) == (rule is None):
        raise Misconfigured("Name either --pool or --rule.")
    request_id = asked.pop("request_id") or f"cli-{uuid.uuid4().hex}"
    click.echo(f"request {request_id}", err=True)
    with make_app("coupons").app_context():
        made = _generate(pool_name, rule, request_id, asked)
    click.echo(msgspec.json.encode(made).decode() if as_json else "\n".join(made.codes))


def _generate(pool_name: str | None, rule: int | None, request_id: str, asked: dict[str, Any]) -> Generated:
    """Ask until the request is done; a large one takes several rounds."""
    from bridge.coupons import generate as room
    from bridge.coupons.pools import pool_named
    from bridge.store import CodeFormat

    quantity, days = asked.pop("quantity"), asked.pop("expiry_days")
    own: CouponPool | None = pool_named(pool_name) if pool_name is not None else None
    rule_id = own.rule_id if own is not None else rule or 0
    layout = CodeFormat(**asked) if own is None else None
    ends = time.time() + days * 86_400 if days else 0.0
    while True:
        made = room.generate(
            rule_id, quantity, request_id, layout=layout, pool=own, expires_at=ends, who="command line"
        )
        if not made.open:
            return made
        click.echo(f"{len(made.codes)} of {made.wanted}", err=True)
        time.sleep(PAUSE_SECONDS)


@click.command("list")
@click.option("--codes", "pool_name", metavar="POOL", help="The codes of this pool, as CSV.")
@click.option("--state", type=click.Choice(STATES), multiple=True, help="With --codes: only in this state.")
@JSON
@click.pass_obj
def list_(make_app: Callable[[str], Flask], /, pool_name: str | None, state: tuple[str, ...], *, as_json: bool) -> None:
    """Print the pools with their figures, or the codes of one."""
    from bridge.coupons import pools, sheet

    with make_app("coupons").app_context():
        if pool_name is not None:
            own, last = pools.pool_named(pool_name), 0
            head = True
            while (rows := pools.codes(own.id, states=state, after=last, limit=CODES_PAGE)) or head:
                lines = sheet.lines(rows)
                click.echo("".join(lines if head else list(lines)[1:]), nl=False)
                head, last = False, rows[-1].id if rows else sys.maxsize
            return
        figures = pools.figures()
        found = [_row(one, figures) for one in pools.all_pools()]
        found += [
            {"pool": "", "rule": rule, **msgspec.structs.asdict(one)}
            for (rule, own_pool), one in figures.items()
            if own_pool is None
        ]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for row in found:
        figures_shown = ", ".join(f"{row[name]} {name}" for name in ("stock", "given", "used", "expiring", "expired"))
        click.echo(f"{row['pool'] or '(inserted)'}  rule {row['rule']}: {figures_shown}")
        if row.get("problem"):
            click.echo(f"  cannot be used since {_time(row['problem_at'])}: {row['problem']}")
    if not found:
        click.echo("There is no pool; `bridge coupons pool NAME --rule ID` makes one.")


def _row(own: CouponPool, figures: Any) -> dict[str, Any]:
    from bridge.coupons.pools import Figures

    found = msgspec.structs.asdict(figures.get((own.rule_id, own.id), Figures()))
    told = {"problem": own.problem, "problem_at": own.problem_at, "caution": own.caution, "wanted": own.stock}
    return {"pool": own.name, "rule": own.rule_id, **found, **told}


@click.command("revoke")
@click.argument("codes", nargs=-1)
@click.option("--request-id", help="All live codes of this request.")
@click.pass_obj
def revoke(make_app: Callable[[str], Flask], /, codes: Sequence[str], request_id: str | None) -> None:
    """Delete codes in the shop that bridge made or inserted."""
    from bridge.coupons import endings

    if bool(codes) == bool(request_id):
        raise Misconfigured("Name either codes or --request-id.")
    with make_app("coupons").app_context():
        if request_id:
            ended = endings.revoke_where(request=request_id, who="command line")
        else:
            ended = endings.revoke(list(codes), who="command line")
    click.echo(f"{len(ended.deleted) + len(ended.missing)} revoked")
    for code, reason in ended.kept.items():
        click.echo(f"{code}: {reason}", err=True)
    if ended.kept:
        raise Refused(f"{len(ended.kept)} codes were left.")


def _time(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, tz=dt.UTC).strftime("%Y-%m-%d %H:%M")


COMMANDS = (check, pool, generate, list_, revoke)
