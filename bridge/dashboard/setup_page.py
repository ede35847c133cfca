"""Setting up: one check list over all neighbours and settings, its checks by button, a test record and a test mail.

What is in the database is shown at once, what neighbours must be asked for is what the last check found. A click asks a
worker for the check, so a slow shop keeps no page waiting and many clicks ask it once.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard import check_notes, records, setup_facts
from bridge.dashboard.frame import wired
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.dashboard.scopes import scope_labels
from bridge.errors import BridgeError, Misconfigured
from bridge.export.jobs import exporter
from bridge.settings import DEFAULT, MAIL_KINDS, load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bridge.dashboard.check_notes import Note
    from bridge.dashboard.setup_facts import Line, State
    from bridge.events import Kind
    from bridge.store import Store

DAYS = (1, 7, 60)
"""How far back the newest entity is looked for, step by step."""
LISTED_MOST = 300
REFUSALS = {
    "waits": mark("This check was asked for already and waits for a worker."),
    "runs": mark("This check is under way."),
    "fresh": mark("This check was made just now; it can be made again in a few seconds."),
}


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the check list: the page that most of it is changed on, by endpoint with its values, and its name."""

    name: str
    label: str
    intro: str
    page: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def href(self) -> str:
        """The address of that page; empty where process settings or Magento hold it."""
        return url_for(f"dashboard.{self.page}", **self.values) if self.page else ""


AREAS = (
    Area("base", mark("Database and Redis"), mark("What is kept, and what waits on the way")),
    Area("processes", mark("Processes"), mark("What must run beside this dashboard"), "live", {}, mark("Live")),
    Area("shop", mark("Shop"), mark("Its pages as a visitor sees them, and what stands before and behind bridge")),
    Area("rights", mark("Rights in the shop"), mark("The integration that bridge reads the shop with")),
    Area(
        "ometria",
        mark("Ometria"),
        mark("Accounts, their keys, and what holds records back"),
        "settings",
        {"section": "general"},
        mark("General settings"),
    ),
    Area(
        "tag",
        mark("Tag, consent and content policy"),
        mark("What the shop's pages need so that visits are recorded"),
        "settings",
        {"section": "consent"},
        mark("Consent"),
    ),
    Area(
        "mail",
        mark("Mail"),
        mark("The shop's own mails, by kind and sender"),
        "mail_setup",
        {},
        mark("Setting up mail"),
    ),
    Area(
        "coupons",
        mark("Coupons"),
        mark("Whether the rules behind the pools can be used"),
        "coupon_pools",
        {},
        mark("Pools"),
    ),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An area with its lines, and how its check stands; ``note`` is None where nothing has to be asked."""

    area: Area
    lines: list[Line]
    note: Note | None
    check: str
    state: State


@login_required("viewer")
def setup() -> str:
    """Show the check list, or with ``?part=live`` only what changes by itself, for the script to put in place."""
    book, now, notes = load_book(), time.time(), check_notes.notes()
    labels = scope_labels()
    own = setup_facts.overview(wired().redis, wired().config.kill_file, account_labels(book))
    own.setdefault("mail", []).append(setup_facts.relay(wired().config, book))
    own.setdefault("ometria", []).extend(setup_facts.halts(book))
    views = setup_facts.views(book, notes["tag"], setup_facts.last_agreed())
    scopes = {DEFAULT: ""} | {view.ref: view.name or view.code for view in book.stores}
    return render_template(
        "dashboard/_setup_areas.html" if request.args.get("part") == "live" else "dashboard/setup.html",
        areas=[_shown(area, own.get(area.name, []), notes.get(area.name), now) for area in AREAS],
        rights=setup_facts.rights(notes["rights"], notes["coupons"]),
        views=views[: setup_facts.VIEWS_MOST],
        views_more=len(views) - setup_facts.VIEWS_MOST,
        mails=setup_facts.kinds(),
        senders=setup_facts.senders(labels),
        all_off=setup_facts.ALL_OFF,
        pools=setup_facts.coupon_rules(),
        kinds=MAIL_KINDS,
        scopes=scopes,
        typed=request.form,
        record_kinds=records.KINDS,
        asked=records.ASKED,
        now=now,
    )


def _shown(area: Area, own: list[Line], note: Note | None, now: float) -> Shown:
    lines = own + (setup_facts.findings(note) if note else [])
    return Shown(area, lines, note, note.state(now) if note else "", setup_facts.worst(lines))


@login_required("editor")
def ask_check() -> Response:
    """Ask a worker for the check of one group, or for all; one that is under way or was made just now is not begun."""
    wanted = request.form.get("group", "")
    if wanted not in {"all", *check_notes.GROUPS}:
        abort(400)
    asked, refusals = 0, []
    for group in check_notes.GROUPS if wanted == "all" else (wanted,):
        refusal = check_notes.ask(group)
        if refusal:
            refusals.append(refusal)
        elif exporter().wakes.try_wake("check", group):
            asked += 1
        else:
            check_notes.take_back(group)
            flash(_("No worker could be asked: Redis does not answer, or an earlier click still waits."), "saved")
            break
    if asked:
        flash(_("The check has been asked for. Its result stands here in some seconds."), "saved")
    elif refusals:
        flash(_(REFUSALS[refusals[0]]), "saved")
    return redirect(url_for("dashboard.setup", _anchor=None if wanted == "all" else wanted), 303)


@login_required("editor")
def newest_record() -> Response:
    """Lead to the record of the entity of a kind that changed last in the shop, or to an old one where none has."""
    kind = request.form.get("kind", "")
    if kind not in records.KINDS:
        abort(400)
    try:
        entity = _newest(exporter().store, kind)
    except BridgeError as error:
        flash(str(error), "saved")
        return redirect(url_for("dashboard.setup", _anchor="record"), 303)
    return redirect(url_for("dashboard.record", kind=kind, entity=entity), 303)


def _newest(shop: Store, kind: Kind) -> str:
    now = shop.now()
    for days in DAYS:
        since = now - dt.timedelta(days=days)
        rows = list(itertools.islice(shop.changed_since(kind, since, now), LISTED_MOST))
        if rows:
            return max(rows, key=lambda row: row.updated_at or since).ref.id
    if listed := shop.ids(kind).rows:
        return str(listed[-1].ref.id)
    raise Misconfigured(_("The shop has nothing of this kind yet."))
