"""Signing in and out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, SubmitField

from bridge import auth
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import labelled, mark, ngettext
from bridge.errors import Refused, Retry

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


UNKNOWN = mark(
    "Your sign-in service says that you are “%(name)s”, whom bridge does not know: ask an owner to add this name."
)


class SignInForm(FlaskForm):  # type: ignore[misc] # the library has no types
    """Name and password."""

    name = StringField(
        mark("Name"), render_kw={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}
    )
    password = PasswordField(mark("Password"), render_kw={"autocomplete": "current-password"})
    submit = SubmitField(mark("Sign in"))


def sign_in() -> str | Response | tuple[str, int, dict[str, str]]:
    """Show the form; on success go to the page that was asked for, on this host only."""
    target = auth.safe_next(request.args.get("next"))
    if auth.current_staff() is not None and (request.method == "GET" or auth.vouched_name()):
        return redirect(target)
    if name := auth.vouched_name():
        return _again(None, _(UNKNOWN, name=name), 403)
    return _try(labelled(SignInForm()), target)


def _try(form: SignInForm, target: str) -> str | Response | tuple[str, int, dict[str, str]]:
    if not form.is_submitted():
        return render_template("dashboard/sign_in.html", form=form, sentence="")
    if not form.name.data or not form.password.data:
        return _again(form, _("Type your name and your password."), 400)
    try:
        auth.sign_in(form.name.data, form.password.data, request.remote_addr or "")
    except Refused as error:
        return _again(form, _(error.reason), 401)
    except Retry as error:
        minutes = math.ceil(error.after / 60)
        again = ngettext("Try again in %(num)s minute.", "Try again in %(num)s minutes.", minutes)
        sentence = f"{_(error.reason)} {again}"
        return _again(form, sentence, 429, {"Retry-After": str(math.ceil(error.after))})
    return redirect(target, 303)


def sign_out() -> Response:
    """End the session of this browser."""
    auth.end_session()
    return redirect(url_for("dashboard.sign_in"), 303)


def _again(
    form: SignInForm | None, sentence: str, status: int, headers: dict[str, str] | None = None
) -> tuple[str, int, dict[str, str]]:
    return render_template("dashboard/sign_in.html", form=form, sentence=sentence), status, headers or {}
