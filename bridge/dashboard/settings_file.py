"""All settings as one YAML file, the same that ``bridge config`` reads and writes: written, compared, brought in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError

from bridge.auth import current_staff, login_required
from bridge.dashboard.doubled import doubled
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark, ngettext
from bridge.db import db, immediate
from bridge.errors import Misconfigured
from bridge.settings import load_book, version
from bridge.settings.exchange import as_file, carry_out, compared, secrets_in

if TYPE_CHECKING:
    from typing import Any

    from werkzeug.wrappers import Response as Answer

    from bridge.settings.exchange import Step

MEANWHILE = mark(
    "The settings were changed since you looked. Look at what the file changes now, and bring it in again."
)
KEYS_HELD = mark(
    "The file holds %(keys)s: type a key in its form, or use `bridge config import`. Nothing of the file is kept here."
)


@login_required("viewer")
def settings_file() -> str | Answer | tuple[str, int]:
    """Show the page; editors look at what a file would change, and bring it in."""
    return _page() if request.method == "GET" else _take()


@login_required("viewer")
def settings_yaml() -> Response:
    """Answer the file; secrets are not in it."""
    answer = Response(as_file(load_book()), mimetype="application/yaml")
    answer.headers["Content-Disposition"] = 'attachment; filename="bridge-settings.yaml"'
    return answer


@login_required("editor")
def _take() -> str | Answer | tuple[str, int]:
    db.session.rollback()
    immediate()
    replace, text = "replace" in request.form, ""
    try:
        read = _text()
        _refuse_keys(read)
        text = read
        steps = compared(load_book(), text, replace=replace)
    except Misconfigured as error:
        db.session.rollback()
        return _page(text=text, replace=replace, sentence=error.what), 422
    twice = _twice(steps)
    if request.form.get("act") != "import" or (twice and "sure" not in request.form):
        return _page(text=text, replace=replace, steps=steps, twice=twice), 200
    if request.form.get("version") != version():
        return _page(text=text, replace=replace, steps=steps, twice=twice, sentence=_(MEANWHILE)), 409
    staff = current_staff()
    try:
        carry_out(steps, staff.name if staff else "")
        db.session.commit()
    except (Misconfigured, IntegrityError) as error:
        db.session.rollback()
        sentence = error.what if isinstance(error, Misconfigured) else _(MEANWHILE)
        return _page(text=text, replace=replace, sentence=sentence), 422
    flash(ngettext("%(num)s value changed.", "%(num)s values changed.", len(steps)), "saved")
    return redirect(url_for("dashboard.settings_file"), 303)


def _text() -> str:
    """Return the file that was chosen, else what stands in the field."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("text", "")
    try:
        return str(file.read(), "utf-8")
    except UnicodeDecodeError:
        raise Misconfigured(_("The file is no UTF-8 text.")) from None


def _refuse_keys(text: str) -> None:
    """Raise the sentence about keys in a file: what was sent is shown again, and a key must not be."""
    if keys := secrets_in(text):
        raise Misconfigured(_(KEYS_HELD, keys=", ".join(keys)))


def _twice(steps: list[Step]) -> list[str]:
    """Return the warnings about records that would exist twice."""
    book = load_book()
    by_scope: dict[str, dict[str, Any]] = {}
    for step in steps:
        by_scope.setdefault(step.scope, {})[step.key] = step.after
    return [str(one) for scope, values in by_scope.items() for one in doubled(book, scope, values)]


def _page(
    *,
    text: str = "",
    replace: bool = False,
    steps: list[Step] | None = None,
    twice: list[str] | None = None,
    sentence: str = "",
) -> str:
    return render_template(
        "dashboard/settings_file.html",
        replace=replace,
        sentence=sentence,
        steps=steps,
        text=text,
        twice=twice or [],
        version=version(),
    )
