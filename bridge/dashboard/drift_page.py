"""The comparison of shop, ledger and Ometria: its last report, and the button that begins one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard.figures import NOUNS
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import gettext as _
from bridge.dashboard.scopes import scope_labels
from bridge.export import drift, drift_report
from bridge.export.jobs import exporter
from bridge.settings import DEFAULT, load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

DAYS = 31
ITEMS = 100


@login_required("viewer")
def comparison() -> str:
    """Show the last report of each kind; ``kind`` chooses the one whose days and differences are listed."""
    chosen = request.args.get("kind", "product")
    state = request.args.get("state", "")
    if chosen not in drift.KINDS or state not in {"", *drift_report.STATES}:
        abort(404)
    reports = [_summed(drift.report(kind, most=DAYS if kind == chosen else 0)) for kind in drift.KINDS]
    report = next(one for one in reports if one["kind"] == chosen)
    run = report["done"]["run"] if report["done"] else 0
    book = load_book()
    settings = book.settings(DEFAULT)
    return render_template(
        "dashboard/comparison.html",
        reports=reports,
        report=report,
        state=state,
        states=drift_report.STATES,
        items=drift_report.items(chosen, run, state, most=ITEMS) if run else [],
        items_most=ITEMS,
        days_most=DAYS,
        nouns=NOUNS,
        accounts=account_labels(book),
        scopes=scope_labels(),
        mode=settings["export.drift"],
        hours=settings["export.drift_hours"],
        now=time.time(),
    )


def _summed(report: dict[str, Any]) -> dict[str, Any]:
    sums = {name: sum(row[name] for row in report["totals"]) for name in drift_report.FIGURES}
    return {**report, "sums": sums}


@login_required("editor")
def compare() -> Response:
    """Begin a comparison of one kind, with or without its repair."""
    kind: Any = request.form.get("kind", "")
    if kind not in drift.KINDS:
        abort(400)
    begun = drift.begin(kind, repair=request.form.get("how") == "repair", asked=True)
    exporter().wakes.try_wake("drift")
    flash(_("The comparison has begun.") if begun else _("A comparison is under way already."), "saved")
    return redirect(url_for("dashboard.comparison", kind=kind), 303)
