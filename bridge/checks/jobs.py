"""What a worker runs when somebody asks on the dashboard for a check: one group, within a minute, its findings kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import current_app

from bridge.app import services
from bridge.checks import GROUPS, run_group
from bridge.checks.finding import Finding, fail, warn
from bridge.dashboard import check_notes
from bridge.db import db
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from flask import Flask

SECONDS = 60.0
"""After so long no further step of a check is begun."""
CUT = (
    "The check took more than a minute and was cut here: what it asked last answers slowly. `bridge check` asks it all."
)
BROKEN = "The check did not come to its end: the log of `bridge worker` says why."


def check(group: str) -> None:
    """Make the checks of a group and keep what they find."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 Flask's documented way
    services(app).wakes.awake("check", group)
    if group not in GROUPS:
        return
    check_notes.begin(group)
    found: list[Finding] = []
    whole = False
    try:
        _make(app, group, found)
        whole = True
    finally:
        # Whatever failed, the page must not go on saying that a check is under way.
        db.session.rollback()
        if not whole:
            found.append(fail("check", BROKEN))
        check_notes.end(group, [check_notes.Kept(one.name, one.level, one.sentence, one.about) for one in found])


def _make(app: Flask, group: str, found: list[Finding]) -> None:
    until = time.monotonic() + SECONDS
    try:
        for finding in run_group(app, group):
            found.append(finding)
            if time.monotonic() > until:
                found.append(warn("check", CUT))
                return
    except BridgeError as error:
        found.append(fail("check", str(error)))
