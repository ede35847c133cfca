"""The people who may sign in: an owner adds them, gives them roles and new passwords, and removes them.

Nobody changes the own row here, so that one owner always remains. A new password is shown once, in the answer to the
change itself: it is in no address, cookie or log.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from bridge import auth
from bridge.dashboard.changes import noted
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.db import db, immediate
from bridge.errors import Misconfigured
from bridge.models import User

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

ROLES = {
    "viewer": mark("sees everything but the personal data in records, and changes nothing"),
    "editor": mark("also changes settings, exports and records"),
    "owner": mark("also decides who may sign in"),
}
LONGEST_NAME = 120


@auth.login_required("owner")
def people() -> str | tuple[str, int]:
    """Show everybody; add somebody, whose password is then shown once."""
    if request.method == "GET":
        return _page()
    typed = {"name": request.form.get("name", "").strip(), "role": request.form.get("role", "")}
    who = _owner()
    try:
        password = _add(typed["name"], typed["role"], who)
    except Misconfigured as error:
        db.session.rollback()
        return _page({"sentence": str(error), "field": "name" if typed["role"] in auth.ROLES else "role"}, typed), 400
    return _page(shown=(typed["name"], password))


@auth.login_required("owner")
def person(person: int) -> str | Response | tuple[str, int]:
    """Give a person another role or a new password, or remove that person; all three end or bind open sessions."""
    who = _owner()
    user = db.session.get(User, person)
    if user is None or user.name == who:
        abort(404 if user is None else 400)
    action, name = request.form.get("action", ""), user.name
    if action == "password":
        password = auth.one_time_password()
        auth.set_password(user, password, who=who)
        return _page(shown=(name, password))
    if action == "role" and request.form.get("role") in auth.ROLES:
        if request.form.get("was", user.role) != user.role:
            sentence = _(
                "Somebody else has made %(name)s %(role)s meanwhile. Nothing is changed: look, and change it again.",
                name=name,
                role=_(user.role),
            )
            db.session.rollback()
            return _page({"sentence": sentence, "field": ""}), 409
        before, user.role = user.role, request.form["role"]
        noted(f"user {name} role", before, user.role)
        flash(_("%(name)s: %(before)s → %(after)s.", name=name, before=_(before), after=_(user.role)), "saved")
    elif action == "remove":
        db.session.delete(user)
        noted(f"user {name} removed", user.role, None)
        flash(_("%(name)s is removed and signed out everywhere.", name=name), "saved")
    else:
        abort(400)
    return redirect(url_for("dashboard.people"), 303)


def _owner() -> str:
    """Return who acts, once all owners' rows are locked: two owners must not take the role from one another at once."""
    staff = auth.current_staff()
    db.session.rollback()
    immediate()
    owners = db.session.scalars(select(User.name).where(User.role == "owner").with_for_update()).all()
    if staff is None or staff.name not in owners:
        abort(403)
    return staff.name


def _add(name: str, role: str, who: str) -> str:
    """Add somebody and return the password; raises :class:`Misconfigured` for an unusable or known name."""
    if db.session.scalar(select(User.name).where(func.lower(User.name) == name.lower())):
        raise Misconfigured(_("There is a person called %(name)s already.", name=name))
    password = auth.one_time_password()
    user = auth.add_user(name, password, role, who=who)
    noted(f"user {user.name} added", None, role)
    return password


def _page(
    wrong: dict[str, str] | None = None, typed: dict[str, str] | None = None, shown: tuple[str, str] | None = None
) -> str:
    return render_template(
        "dashboard/people.html",
        users=auth.list_users(),
        roles=ROLES,
        longest=LONGEST_NAME,
        wrong=wrong or {},
        typed=typed or {"name": "", "role": "viewer"},
        shown=shown,
        now=time.time(),
    )
