"""``bridge config export`` and ``import``: all settings as one YAML file, the same that the dashboard gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from flask import Flask

    MakeApp = Callable[[str], Flask]


@click.command("export")
@click.option(
    "--output", "-o", type=click.File("w", encoding="utf-8"), default="-", help="File; standard output without."
)
@click.pass_obj
def export_file(make_app: MakeApp, output: TextIO) -> None:
    """Write every scope's own values as YAML; secrets are left out."""
    from bridge.settings import load_book
    from bridge.settings.exchange import as_file

    with make_app("config").app_context():
        output.write(as_file(load_book()))


@click.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--replace", is_flag=True, help="Also take away own values that the file does not have; secrets stay.")
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.pass_obj
def import_file(make_app: MakeApp, file: TextIO, replace: bool, dry_run: bool) -> None:  # noqa: FBT001 click's own call
    """Set the values of a YAML file, all of them or, when one cannot be, none; `-` reads standard input."""
    from bridge.db import db, immediate
    from bridge.errors import Misconfigured
    from bridge.settings import load_book
    from bridge.settings.exchange import carry_out, compared

    try:
        text = file.read()
    except UnicodeDecodeError:
        raise Misconfigured("The file is no UTF-8 text.") from None
    with make_app("config").app_context():
        immediate()
        steps = compared(load_book(), text, replace=replace)
        if not dry_run:
            carry_out(steps, "command line")
            db.session.commit()
    for step in steps:
        click.echo(str(step))
    count = f"{len(steps)} value{'s' * (len(steps) != 1)}"
    click.echo(f"{count} would change." if dry_run else f"{count} changed.")


COMMANDS = (export_file, import_file)
