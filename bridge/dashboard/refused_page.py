"""What was set aside, put together by its reason, and another chance for all that have one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard.changes import noted
from bridge.dashboard.figures import NOUNS, masked
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import ngettext
from bridge.export import refusals
from bridge.export.jobs import exporter
from bridge.settings import load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


SHOWN = 100
"""Reasons of one page; one that names its record is another for each."""


@login_required("viewer")
def refused() -> str:
    """Show the reasons, the most frequent first."""
    return _page()


def _page(asked: refusals.Which | None = None) -> str:
    groups, more = refusals.groups()
    return render_template(
        "dashboard/refused.html",
        groups=groups[:SHOWN],
        others=len(groups[SHOWN:]),
        more=more,
        looked=refusals.LOOKED,
        asked=next((one for one in groups if one.which == asked), None),
        accounts=account_labels(load_book()),
        masked=masked,
        nouns=NOUNS,
        now=time.time(),
    )


@login_required("editor")
def try_group() -> Response | str:
    """Give all that was set aside as one row was another chance, once the question whether it is meant was answered."""
    row = request.form.get("row", 0, type=int)
    which = refusals.like(row)
    if which is not None and request.form.get("sure") != "1":
        return _page(which)
    count, accounts = refusals.replay(which) if which is not None else (0, set[str]())
    if which is not None and count:
        after = {"account": which.account, "reason": masked(which.whole or "")}
        noted(f"{count} refused {which.kind} records tried again", after=after)
    for account in sorted(accounts):
        exporter().wakes.try_wake("backlog", account)
    told = ngettext("%(num)s record is tried again.", "%(num)s records are tried again.", count)
    flash(told if count else _("These are not set aside any more."), "saved")
    return redirect(url_for("dashboard.refused"), 303)
