"""The home page: what waits, what was sent, what was seen, how the neighbours are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import render_template, request

from bridge.auth import login_required
from bridge.coupons.alerts import stopped
from bridge.dashboard import alerts_page, chart, figures
from bridge.dashboard.frame import wired
from bridge.dashboard.language import gettext as _
from bridge.dashboard.neighbours import neighbours
from bridge.dashboard.scopes import scope_labels
from bridge.export import offers
from bridge.settings import load_book

if TYPE_CHECKING:
    from flask import Response

    from bridge.settings import Book


@login_required("viewer")
def home() -> str:
    """Show the page, or with ``?part=live`` only what changes by itself, for the script to put in place."""
    template = "dashboard/_live.html" if request.args.get("part") == "live" else "dashboard/home.html"
    return render_template(template, **_values())


@login_required("viewer")
def sent_chart() -> Response:
    """Answer the chart of records sent per hour, in light or dark colours."""
    return chart.sent_per_hour(figures.sent(), dark=request.args.get("theme") == "dark")


def _values() -> dict[str, Any]:
    accounts = account_labels(load_book())
    wrong = alerts_page.current()
    told = {alert.key for alert in wrong["alerts"]}
    return {
        **wrong,
        "accounts": accounts,
        "events": figures.events(),
        "masked": figures.masked,
        "neighbours": neighbours(wired().redis, wired().config.kill_file, accounts),
        "nouns": figures.NOUNS,
        "now": time.time(),
        "offer": offers.media(),
        "refused": figures.refused(),
        "requests": figures.requests(),
        "scopes": scope_labels(),
        "stopped_pools": [pool for pool in stopped() if f"coupons_stopped:{pool.id}" not in told],
        "sent": figures.sent(),
        "waiting": figures.waiting(),
    }


def account_labels(book: Book) -> dict[str, str]:
    """Return what people call each account in use: the scope that owns its key, never the key."""
    labels = scope_labels()
    return {
        account.id: _("%(owner)s (global)", owner=labels.get(account.owner, account.owner))
        if account.is_global
        else labels.get(account.owner, account.owner)
        for account in book.accounts()
    }
