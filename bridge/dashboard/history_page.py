"""The historical export: how far each walk has come, and the buttons that begin, pause, resume and cancel one."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard.figures import COUNTED, NOUNS, waiting
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.dashboard.scopes import scope_labels, scope_tree
from bridge.errors import Misconfigured
from bridge.export import history as walks
from bridge.export import offers
from bridge.export.jobs import exporter
from bridge.settings import DEFAULT, known_scope, load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

TURNS = {"pause": "paused", "resume": "running", "cancel": "cancelled"}
SAID = {"paused": mark("It is paused."), "running": mark("It goes on."), "cancelled": mark("It is cancelled.")}


@login_required("viewer")
def history() -> str:
    """Show every walk and the form that begins one."""
    return _page()


def _page(sentence: str = "") -> str:
    return render_template(
        "dashboard/history.html",
        walks=walks.progress(),
        offer=offers.media(),
        tree=scope_tree(load_book()),
        scopes=scope_labels(),
        nouns=NOUNS,
        waits=_waits(),
        sentence=sentence,
        typed=request.form,
        now=time.time(),
    )


def _waits() -> str:
    counts = [row.history for row in waiting()]
    return f"{sum(counts):,}+" if max(counts) >= COUNTED else f"{sum(counts):,}"


@login_required("editor")
def begin() -> Response | tuple[str, int]:
    """Begin an export of one kind, or of all three."""
    kind, scope = request.form.get("kind", ""), request.form.get("scope", DEFAULT)
    kinds: Any = [kind] if kind in NOUNS else list(NOUNS) if kind == "all" else abort(400)
    try:
        known_scope(scope)
        since, until = _days(request.form.get("since", ""), request.form.get("until", ""))
    except Misconfigured as error:
        return _page(str(error)), 422
    force = request.form.get("force") == "1"
    begun = 0
    for one in kinds:
        begun += walks.begin(one, scope, force=force, since=since, until=until)
        exporter().wakes.try_wake("history", one, scope)
    flash(_("The export has begun.") if begun else _("It is under way already: cancel it to begin anew."), "saved")
    return redirect(url_for("dashboard.history"), 303)


def _days(since: str, until: str) -> tuple[dt.date | None, dt.date | None]:
    found = _day(since), _day(until)
    if found[0] and found[1] and found[0] > found[1]:
        raise Misconfigured(_("The first day must not be after the last."))
    return found


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Misconfigured(_("A day is written as 2026-11-25.")) from None


@login_required("editor")
def turn() -> Response:
    """Pause, resume or cancel a walk."""
    kind: Any = request.form.get("kind", "")
    scope, state = request.form.get("scope", ""), TURNS.get(request.form.get("turn", ""))
    if kind not in NOUNS or state is None:
        abort(400)
    there = walks.set_state(kind, scope, state, load_book())
    if there and state == "running":
        exporter().wakes.try_wake("history", kind, scope)
    flash(_(SAID[state]) if there else _("It is not under way any more."), "saved")
    return redirect(url_for("dashboard.history"), 303)


@login_required("editor")
def decline() -> Response:
    """Forget the offer to export the products again."""
    offers.decline()
    return redirect(url_for("dashboard.history"), 303)
