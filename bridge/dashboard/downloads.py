"""Files that are written while they are read."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

LINES_AT_ONCE = 500


def in_steps(lines: Iterator[str]) -> Iterator[str]:
    """Return the lines in pieces, each made in an application context of its own.

    A slow client's answer goes on in another thread, where ``stream_with_context`` fails; and while a piece waits to be
    sent no connection to the database is held. What makes the lines must not ask for the request, and must load what
    it needs of a row at once.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 Flask's documented way
    return _steps(app, lines)


def _steps(app: Flask, lines: Iterator[str]) -> Iterator[str]:
    while True:
        with app.app_context():
            piece = "".join(itertools.islice(lines, LINES_AT_ONCE))
        if not piece:
            return
        yield piece
