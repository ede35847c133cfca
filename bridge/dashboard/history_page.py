"""The historical export: how far each walk has come, what begins, pauses, resumes and cancels one, and what waits."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard.backlog import ACCOUNTS_MOST, backlogs
from bridge.dashboard.beside import beside, read
from bridge.dashboard.figures import COUNTED, NOUNS, waiting
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.dashboard.scopes import scope_labels, scope_tree
from bridge.errors import BridgeError, Misconfigured
from bridge.export import history as walks
from bridge.export import offers
from bridge.export.jobs import exporter
from bridge.settings import DEFAULT, known_scope, load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bridge.events import Kind
    from bridge.ometria import Pacer

TURNS = {"pause": "paused", "resume": "running", "cancel": "cancelled"}
SAID = {"paused": mark("It is paused."), "running": mark("It goes on."), "cancelled": mark("It is cancelled.")}


@login_required("viewer")
def history() -> str:
    """Show every walk and the form that begins one."""
    return _page()


def _page(wrong: Misconfigured | None = None, asked: Asked | None = None) -> str:
    book, number = load_book(), request.args.get("page", 1, type=int)
    accounts = book.accounts()
    chunk = accounts[(number - 1) * ACCOUNTS_MOST :][:ACCOUNTS_MOST] if number > 0 else []
    if not chunk and number != 1:
        abort(404)
    return render_template(
        "dashboard/history.html",
        walks=walks.progress(),
        asked=asked,
        backlogs=backlogs(chunk, _pacer()),
        accounts=account_labels(book),
        number=number,
        last=number * ACCOUNTS_MOST >= len(accounts),
        offer=offers.media(),
        tree=scope_tree(book),
        scopes=scope_labels(),
        nouns=NOUNS,
        waits=_waits(),
        wrong=beside(wrong),
        typed=request.form,
        now=time.time(),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """An export to be confirmed.

    ``before`` is how many the last one of its scope and days had; where there was none, ``listed`` is how many the shop
    lists for the days in all its store views, where it says so.
    """

    kind: str
    scope: str
    force: bool
    since: dt.date | None
    until: dt.date | None
    before: int | None
    listed: int | None


def _pacer() -> Pacer | None:
    services = current_app.extensions.get("bridge.export")
    return services.ometria.pacer if services is not None else None


def _waits() -> str:
    counts = [row.history for row in waiting()]
    return f"{sum(counts):,}+" if max(counts) >= COUNTED else f"{sum(counts):,}"


@login_required("editor")
def begin() -> Response | str | tuple[str, int]:
    """Begin an export of one kind, or of all three, once the question whether it is meant so was answered."""
    again, scope = request.form.get("again", ""), request.form.get("scope", DEFAULT)
    kind = again or request.form.get("kind", "")
    kinds: Any = [kind] if kind in NOUNS else list(NOUNS) if kind == "all" else abort(400)
    try:
        read("scope", known_scope, scope)
        since, until = _days(request.form.get("since", ""), request.form.get("until", ""))
    except Misconfigured as error:
        return _page(error), 422
    force = bool(again) or request.form.get("force") == "1"
    if request.form.get("sure") != "1":
        days = tuple(day.isoformat() if day else None for day in (since, until))
        same = [row for row in walks.progress() if row.scope == scope and (row.since, row.until) == days]
        totals = [row.total for row in same if row.kind in kinds]
        before = sum(total or 0 for total in totals) if len(totals) == len(kinds) else None
        listed = _listed(kinds, days) if before is None else None
        return _page(asked=Asked(kind, scope, force, since, until, before, listed))
    begun = 0
    for one in kinds:
        begun += walks.begin(one, scope, force=force, since=since, until=until)
        exporter().wakes.try_wake("history", one, scope)
    flash(_("The export has begun.") if begun else _("It is under way already: cancel it to begin anew."), "saved")
    return redirect(url_for("dashboard.history"), 303)


def _listed(kinds: list[Kind], days: tuple[str | None, ...]) -> int | None:
    """Ask the shop how many there are: one light call a kind."""
    limits = walks.bounds(dict(zip(("since", "until"), days, strict=True)))
    try:
        pages = [exporter().store.ids(kind, since=limits.get("since"), until=limits.get("until")) for kind in kinds]
    except BridgeError:  # a number to go by, no more: other pages say what is wrong with the shop
        return None
    # A page at which the shop fails comes empty, with a place to go on from.
    return None if any(page.cursor and not page.left for page in pages) else sum(page.left for page in pages)


def _days(since: str, until: str) -> tuple[dt.date | None, dt.date | None]:
    found = read("since", _day, since), read("until", _day, until)
    if found[0] and found[1] and found[0] > found[1]:
        raise Misconfigured(_("The first day must not be after the last."), "since")
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
