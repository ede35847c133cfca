"""The audit log: who changed what and from what, a page at a time; a change of a setting can be taken back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from bridge.auth import current_staff, login_required
from bridge.dashboard.doubled import doubled
from bridge.dashboard.fields import shown
from bridge.dashboard.language import gettext as _
from bridge.dashboard.scopes import scope_labels
from bridge.dashboard.sentences import said
from bridge.db import db, immediate
from bridge.errors import Misconfigured
from bridge.models import AuditLog
from bridge.settings import BY_KEY, GONE, load_book, set_value, unset_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from bridge.settings import Book, Setting

PAGE = 50
WHAT_MOST = 160
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is shown. ``undo`` is ``can``, ``changed`` (another value since), ``secret`` or empty."""

    id: int
    at: float
    who: str
    scope: str
    label: str
    key: str
    before: str
    after: str
    undo: str
    section: str = ""
    ref: str = ""


@login_required("viewer")
def changes() -> str:
    """Show the newest changes, or those before a line; of one person where asked for."""
    who = request.args.get("who", "").strip()[:LONGEST]
    before = request.args.get("before", type=int)
    query = select(AuditLog).order_by(AuditLog.id.desc()).limit(PAGE + 1)
    if who:
        query = query.where(AuditLog.who == who)
    if before is not None:
        query = query.where(AuditLog.id < before)
    rows = db.session.scalars(query).all()
    book, labels = load_book(), scope_labels()
    return render_template(
        "dashboard/changes.html",
        lines=[_line(row, book, labels) for row in rows[:PAGE]],
        older=url_for("dashboard.changes", before=rows[PAGE - 1].id, who=who or None) if len(rows) > PAGE else "",
        newest=url_for("dashboard.changes", who=who or None) if before is not None else "",
        who=who,
        now=time.time(),
    )


@login_required("editor")
def undo_change(line: int) -> Response:
    """Give the setting of a line the value that it had before, unless it was changed since."""
    db.session.rollback()
    immediate()
    row = db.session.get(AuditLog, line)
    named = _named(row.what) if row is not None else None
    if row is None or named is None:
        abort(404)
    scope, setting = named
    try:
        _take_back(row, scope, setting)
        db.session.commit()
    except Misconfigured as error:
        db.session.rollback()
        what = said(error.what)
        flash(what[:1].upper() + what[1:], "wrong")
    else:
        flash(_("%(setting)s is as it was before.", setting=_(setting.label)), "saved")
    return redirect(url_for("dashboard.changes"), 303)


def noted(what: str, before: Any = None, after: Any = None) -> None:
    """Write down what the person who is signed in did, and commit. No personal data belongs in it."""
    staff = current_staff()
    db.session.add(AuditLog(who=staff.name if staff else "", what=what[:WHAT_MOST], before=before, after=after))
    db.session.commit()


def _take_back(row: AuditLog, scope: str, setting: Setting) -> None:
    book = load_book()
    if _state(row, scope, setting, book) != "can":
        raise Misconfigured(
            _(
                "%(setting)s was changed again since, or is a key, which is not kept: nothing was done.",
                setting=_(setting.label),
            )
        )
    value = GONE if row.before is None else row.before
    if twice := doubled(book, scope, {setting.key: value}):
        told = _("To do it all the same, change %(setting)s in its form.", setting=_(setting.label))
        raise Misconfigured(f"{twice[0]} {told}")
    staff = current_staff()
    who = staff.name if staff else ""
    if value is GONE:
        unset_value(scope, setting.key, who)
    else:
        set_value(scope, setting.key, value, who)


def _line(row: AuditLog, book: Book, labels: Mapping[str, str]) -> Line:
    named = _named(row.what)
    if named is None:
        return Line(row.id, row.at, row.who, "", row.what, "", _plain(row.before), _plain(row.after), "")
    scope, setting = named
    return Line(
        row.id,
        row.at,
        row.who,
        labels.get(scope, scope),
        _(setting.label),
        setting.key,
        _value(setting, row.before, unknown=setting.secret and row.after is not None),
        _value(setting, row.after),
        _state(row, scope, setting, book),
        setting.section,
        scope if scope in labels else "",
    )


def _named(what: str) -> tuple[str, Setting] | None:
    """Return the scope and the setting that a line is about, None where it is about something else."""
    scope, _space, key = what.partition(" ")
    return (scope, BY_KEY[key]) if key in BY_KEY else None


def _state(row: AuditLog, scope: str, setting: Setting, book: Book) -> str:
    if setting.secret:
        return "secret"
    own = book.values.get(scope, {}).get(setting.key)
    return "can" if own == row.after and scope in book.parents else "changed"


def _value(setting: Setting, value: Any, *, unknown: bool = False) -> str:
    """Return a logged value for people; of a secret the log has what may be shown of it."""
    if value is None:
        return _("not known") if unknown else _("the value above")
    return str(value) if setting.secret else shown(setting, value)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return "" if value is None else str(value)
