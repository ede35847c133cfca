"""The mail log: what came, which way it went and why, how much of it there was; and sending one again by hand."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from flask import flash, redirect, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard.beside import beside
from bridge.dashboard.figures import masked
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.errors import Misconfigured
from bridge.mail import history
from bridge.mail.mailer import mailer
from bridge.settings import MAIL_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

PAGE = 50
DAYS = 7
OTHER = "other"
"""In the filter: mails that are none of the seven kinds."""
STATES = {
    "new": mark("not decided yet"),
    "waiting": mark("waiting"),
    "sending": mark("being sent"),
    "sent": mark("sent"),
    "refused": mark("refused"),
    "uncertain": mark("uncertain"),
    "void": mark("not needed"),
}
FIELDS = ("kind", "state", "day")
ROUTES = ("ometria", "relay")


@login_required("viewer")
def mail_log() -> str | tuple[str, int]:
    """Show a page of the log, the newest first, and how many mails of each kind there were on each day."""
    typed = {field: request.args.get(field, "").strip()[:20] for field in FIELDS}
    try:
        return _page(typed, _only(typed), _day(typed["day"]))
    except Misconfigured as error:
        return _page(typed, {}, None, error), 400


def _page(
    typed: Mapping[str, str], only: Mapping[str, str], day: float | None, wrong: Misconfigured | None = None
) -> str:
    before = request.args.get("before", type=int)
    rows = history.entries(PAGE + 1, before, day=day, only=only)
    older = rows[PAGE - 1].id if len(rows) > PAGE else None
    now = time.time()
    chosen: dict[str, Any] = {field: value for field, value in typed.items() if value}
    return render_template(
        "dashboard/mail_log.html",
        rows=rows[:PAGE],
        counts=history.counts(now, DAYS),
        days=DAYS,
        day_text=_day_text,
        older=url_for("dashboard.mail_log", before=older, **chosen) if older else "",
        newest=url_for("dashboard.mail_log", **chosen) if before else "",
        typed=typed,
        filtered=bool(chosen),
        wrong=beside(wrong),
        kinds=MAIL_KINDS,
        other=OTHER,
        states=STATES,
        masked=masked,
        now=now,
    )


@login_required("editor")
def resend_mail(id_: int) -> Response | tuple[str, int]:
    """Send a mail again by the way that the button names."""
    route = request.form.get("by", "")
    try:
        way = history.resend(id_, route if route in ROUTES else None)
    except Misconfigured as error:
        return _page(dict.fromkeys(FIELDS, ""), {}, None, error), 422
    mailer().wakes.try_wake("mail")
    told = (
        _("Mail %(id)s is sent again through Ometria.", id=id_)
        if way == "ometria"
        else _("Mail %(id)s is sent again as the original.", id=id_)
    )
    flash(told, "saved")
    return redirect(url_for("dashboard.mail_log"), 303)


def _only(typed: Mapping[str, str]) -> dict[str, str]:
    only = {}
    if typed["kind"]:
        if typed["kind"] not in {*MAIL_KINDS, OTHER}:
            raise Misconfigured(_("There is no such kind of mail."), "kind")
        only["kind"] = "" if typed["kind"] == OTHER else typed["kind"]
    if typed["state"]:
        if typed["state"] not in STATES:
            raise Misconfigured(_("There is no such state of a mail."), "state")
        only["state"] = typed["state"]
    return only


def _day(text: str) -> float | None:
    """Return when a day begins in UTC, Unix seconds; None for no day. Raises :class:`Misconfigured`."""
    if not text:
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).timestamp()
    except (ValueError, OverflowError):
        raise Misconfigured(_("A day is written such as 2026-11-25; it is meant in UTC."), "day") from None


def _day_text(at: float) -> str:
    return dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y-%m-%d")
