"""Alerts: what is wrong right now and what was, who was told, and a test of each channel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from bridge.alerts import standing
from bridge.alerts.channels import CHANNELS, NO_UPSTREAM, Message, configured
from bridge.alerts.rules import ADVICE, KINDS
from bridge.auth import login_required
from bridge.dashboard.figures import masked
from bridge.dashboard.frame import wired
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark, ngettext
from bridge.db import db
from bridge.errors import BridgeError
from bridge.ops import scrub
from bridge.settings import DEFAULT, load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bridge.settings import Book

STATES = {
    "waiting": mark("to be told"),
    "sending": mark("being told"),
    "told": mark("told"),
    "dropped": mark("not told"),
}
EVENTS = {"began": mark("beginning"), "over": mark("end")}


@login_required("viewer")
def alerts() -> str:
    """Show the page."""
    return _page()


@login_required("editor")
def test_alert() -> Response | tuple[str, int]:
    """Send a test by one channel and say what came of it."""
    name = request.form.get("channel", "")
    if name not in CHANNELS:
        abort(400)
    channel = configured(load_book(), wired().config).get(name)
    if channel is None:
        return _page(_("%(channel)s is not set: see the settings of alerts.", channel=_(CHANNELS[name]))), 422
    # The call may take long: nothing is held meanwhile.
    db.session.rollback()
    try:
        said = channel.send(Message.test(time.time()))
    except BridgeError as error:
        told = _("%(channel)s: the test was not sent. %(reason)s", channel=_(CHANNELS[name]), reason=scrub(str(error)))
        return _page(told), 502
    flash(_("%(channel)s: the test was taken. %(said)s", channel=_(CHANNELS[name]), said=scrub(said)).strip(), "saved")
    return redirect(url_for("dashboard.alerts"), 303)


def _page(sentence: str = "") -> str:
    book = load_book()
    return render_template(
        "dashboard/alerts.html",
        **current(),
        advice=ADVICE,
        channels=[(name, label, *_standing(name, book)) for name, label in CHANNELS.items()],
        events=EVENTS,
        labels=CHANNELS,
        now=time.time(),
        open=standing.shown(over=False),
        past=standing.shown(over=True),
        sentence=sentence,
        states=STATES,
    )


def current() -> dict[str, Any]:
    """Return what the part of a page needs that shows what is wrong right now."""
    return {"alerts": standing.current(), "alert_kinds": KINDS, "masked": masked}


def _standing(name: str, book: Book) -> tuple[bool, str]:
    """Return whether a channel is set, and in words how it stands. Neither an address nor a host is told."""
    values, config = book.settings(DEFAULT), wired().config
    if name == "webhook":
        return bool(values["alerts.webhook"]), _("Is set.") if values["alerts.webhook"] else _("Not set.")
    count = len(values["alerts.email"])
    if not count:
        return False, _("No address is set.")
    if config.smtp_upstream is None:
        return True, _(NO_UPSTREAM)
    return True, ngettext("%(num)s address.", "%(num)s addresses.", count)
