"""``bridge mail confusion``: what mails, and copies of them changed by chance, are taken for.

Needs no application, no database and no shop: only the recognition is tried.
"""

from __future__ import annotations

from pathlib import Path

import click

from bridge.errors import BridgeError


class ConfusedError(BridgeError):
    """The table shows a mail that was taken for a wrong kind, or too few that were taken for their own."""


@click.command("confusion")
@click.option("--seed", type=int, default=1, show_default=True, help="Names the changed copies for good.")
@click.option("--copies", type=click.IntRange(0, 10_000), default=20, show_default=True, help="Changed copies of each.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Mails to try, as NUMBER_MAIL_LANGUAGE.eml; without it the built-in ones.",
)
@click.option(
    "--cancelled", multiple=True, help="Number of an order of the folder that was cancelled; may be repeated."
)
def confusion(seed: int, copies: int, folder: Path | None, cancelled: tuple[str, ...]) -> None:
    """Print what mails are taken for; ends with 1 when a kind is wrong or a plain one is not recognised."""
    from bridge.mail import confusion as room  # noqa: PLC0415 the keepers and --help stay quick

    table = room.confusion(room.samples(folder, cancelled), seed, copies)
    for line in room.shown(table):
        click.echo(line)
    if not table.holds:
        raise ConfusedError("The recognition does not hold: see the table.")
