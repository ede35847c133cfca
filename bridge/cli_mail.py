"""``bridge mail log``, ``resend`` and ``test``: what staff see and do about transactional mail.

Each command is given the function that makes the application, so that the rooms are imported only when one runs.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click
import msgspec

from bridge.errors import BridgeError, Misconfigured
from bridge.mail.natives import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

STATES = ("new", "waiting", "sending", "sent", "refused", "uncertain", "void")
JSON = click.option("--json", "as_json", is_flag=True, help="Machine readable.")


@click.command("log")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
@click.option("--state", type=click.Choice(STATES), help="Only deliveries in this state.")
@click.option("--store", help="Only this store view's code.")
@click.option("--recipient", metavar="EMAIL", help="Only mails to this address.")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@JSON
@click.pass_obj
def mail_log(make_app: Callable[[str], Flask], /, limit: int, *, as_json: bool, **only: str | None) -> None:
    """Print what came, which way it went and why, newest first; addresses are masked."""
    from bridge.mail import history
    from bridge.mail.mailer import mailer

    with make_app("mail").app_context():
        own, recipient = mailer(), only.pop("recipient")
        wanted = {name: value for name, value in only.items() if value is not None}
        if recipient:
            wanted["recipient_key"] = own.keys.recipient(recipient)
        found = history.entries(limit, only=wanted)
        places = own.spool.place_ids()
        elsewhere = history.waiting_elsewhere(places)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for entry in found:
        moment = dt.datetime.fromtimestamp(entry.at, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        way = f"{entry.route or '-'}{' (sandbox)' if entry.twin else ''}"
        kind, copies = entry.kind or "other", f" x{entry.copies}" if entry.copies > 1 else ""
        click.echo(
            f"{entry.id:8} {moment} {kind:18} {entry.store:10} {way:18} {entry.state:9} {entry.recipient}{copies}"
        )
        waits = f"waits for a worker that sees spool place {entry.place}" if entry.place not in {"", *places} else ""
        click.echo(f"{'':8} {'; '.join(filter(None, (entry.why, entry.reason, waits)))}")
    if not found:
        click.echo("No mails.")
    for place, count in elsewhere.items():
        named = f"spool place {place}" if place else "a spool place that is not known yet"
        click.echo(f"{count} wait for a worker on another host, which sees {named}.")


@click.command("resend")
@click.argument("id_", metavar="ID", type=int)
@click.option("--by", "route", type=click.Choice(["ometria", "relay"]), help="Another way than it went before.")
@click.pass_obj
def mail_resend(make_app: Callable[[str], Flask], id_: int, route: str | None) -> None:
    """Send mail ID of the log again; its recipient may get it a second time."""
    from bridge.mail import history
    from bridge.mail.mailer import mailer

    with make_app("mail").app_context():
        way = history.resend(id_, route)
        mailer().wakes.try_wake("mail")
    click.echo(f"Mail {id_} is sent again by {way}.")


@click.command("test")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("email")
@click.option("--scope", default="default", show_default=True, help="default or store:CODE.")
@click.option("--order", default="", help="Number of a real order of this e-mail; without it an invented one is sent.")
@click.option("--sandbox", is_flag=True, help="Only to Ometria's sandbox: nothing is delivered.")
@click.pass_obj
def mail_test(make_app: Callable[[str], Flask], /, kind: str, email: str, **how: Any) -> None:
    """Send a mail of KIND with invented data to EMAIL, through Ometria, whatever the mode is."""
    from bridge.mail.mailer import mailer
    from bridge.mail.trial import send_test
    from bridge.settings import known_scope, load_book

    if "@" not in email:
        raise Misconfigured("EMAIL is not an e-mail address.")
    with make_app("mail").app_context():
        known_scope(how["scope"])
        answer = send_test(mailer(), load_book(), kind, email, **how)
    if answer.outcome != "accepted":
        raise BridgeError(f"Ometria did not take it: {answer.reason}")
    click.echo(f"Ometria took it{f' (request {answer.request_id})' if answer.request_id else ''}.")


COMMANDS = (mail_log, mail_resend, mail_test)
