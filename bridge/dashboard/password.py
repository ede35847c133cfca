"""A person's own password: changing it ends every other session of that person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField, SubmitField

from bridge import auth
from bridge.dashboard.beside import beside
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import labelled, mark
from bridge.errors import Misconfigured, Refused, Retry

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

_NEW = {"autocomplete": "new-password", "minlength": auth.SHORTEST_PASSWORD}


class PasswordForm(FlaskForm):  # type: ignore[misc] # the library has no types
    """The present password and the new one, twice."""

    present = PasswordField(mark("Present password"), render_kw={"autocomplete": "current-password"})
    new = PasswordField(mark("New password"), render_kw={**_NEW})
    again = PasswordField(mark("New password, again"), render_kw={**_NEW})
    submit = SubmitField(mark("Change password"))


@auth.login_required("viewer")
def password() -> str | Response | tuple[str, int]:
    """Show the form; on success this browser stays signed in and all others are signed out."""
    form: PasswordForm = labelled(PasswordForm())
    form.new.description = _("At least %(number)s characters.", number=auth.SHORTEST_PASSWORD)
    if not form.is_submitted():
        return render_template("dashboard/password.html", form=form, wrong={})
    if wrong := _change(form):
        return render_template("dashboard/password.html", form=form, wrong=wrong), 400
    flash(_("Your password is changed. Other browsers that were signed in as you are signed out."), "saved")
    return redirect(url_for("dashboard.password"), 303)


def _change(form: PasswordForm) -> dict[str, str]:
    """Change the password, or return the sentence that says why not and the field that it is about."""
    staff = auth.current_staff()
    if staff is None:
        return {"sentence": _("Sign in first."), "field": ""}
    if form.new.data != form.again.data:
        return {"sentence": _("The two new passwords differ."), "field": "again"}
    try:
        auth.change_password(staff, form.present.data or "", form.new.data or "", request.remote_addr or "")
    except (Refused, Misconfigured, Retry) as error:
        return beside(error)
    return {}
