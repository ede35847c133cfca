"""Records: one is looked for by the shop's id, and shown as it is now, as it was sent, and why; with its timeline.

What is typed may be a person's address, so it travels in the body of a form; the page of a record is named by ids only.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import msgspec
from flask import abort, flash, redirect, render_template, request, url_for

from bridge.auth import current_staff, login_required
from bridge.dashboard.changes import noted
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.dashboard.scopes import scope_labels
from bridge.db import db
from bridge.errors import BridgeError, Misconfigured
from bridge.events import EntityRef
from bridge.export import preview, refusals, timeline
from bridge.export.jobs import exporter
from bridge.export.masking import HIDDEN, PERSONAL, mask_record
from bridge.settings import load_book

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bridge.events import Kind

KINDS: dict[Kind, str] = {"contact": mark("Customer or subscriber"), "product": mark("Product"), "order": mark("Order")}
ASKED = {
    "contact": mark("customer number or e-mail address"),
    "product": mark("product number or SKU"),
    "order": mark("order number"),
}
ENTITY = re.compile(r"(?:(?:customer|subscriber|number):)?[A-Za-z0-9_-]{1,60}")
LONGEST = 254
REASONS_MOST = 400
"""Fields of a record whose settings are listed."""


@login_required("viewer")
def records() -> str | Response | tuple[str, int]:
    """Show the form; find what was typed and go to its page."""
    if request.method == "GET":
        return _form(request.args.get("kind", "order"))
    kind, typed = request.form.get("kind", ""), request.form.get("id", "").strip()
    if kind not in KINDS:
        abort(400)
    try:
        ref = _find(kind, typed)
    except BridgeError as error:
        return _form(kind, typed, str(error)), 404 if isinstance(error, Misconfigured) else 503
    number = typed if kind == "order" and ref.id != typed and ENTITY.fullmatch(typed) else None
    return redirect(url_for("dashboard.record", kind=kind, entity=ref.id, number=number), 303)


def _form(kind: str, typed: str = "", sentence: str = "") -> str:
    values = {"kinds": KINDS, "kind": kind, "asked": ASKED, "typed": typed, "sentence": sentence}
    return render_template("dashboard/records.html", **values)


def _find(kind: Kind, typed: str) -> EntityRef:
    """Return the entity that the shop, or the list of subscribers, calls so."""
    if not typed or len(typed) > LONGEST:
        raise Misconfigured(_("Type a %(number)s.", number=_(ASKED[kind])))
    return preview.find(kind, typed, exporter(), load_book())


@login_required("viewer")
def record(kind: Kind, entity: str) -> str:
    """Show the page of a record; the values of a person only to those who may change settings."""
    if kind not in KINDS or not ENTITY.fullmatch(entity):
        abort(404)
    ref, book = EntityRef(kind, entity), load_book()
    staff = current_staff()
    exact = staff is not None and staff.may("editor")
    sentence, rows = "", []
    try:
        rows = [_shown(row, exact=exact) for row in preview.explain_ref(ref)]
    except BridgeError as error:
        sentence = str(error)
    number = request.args.get("number", "")
    refs = [ref, *([EntityRef(kind, f"number:{number}")] if ENTITY.fullmatch(number) else [])]
    return render_template(
        "dashboard/record.html",
        kind=kind,
        entity=entity,
        number=number if ENTITY.fullmatch(number) else "",
        noun=KINDS[kind],
        exact=exact,
        rows=rows,
        sentence=sentence,
        moments=timeline.of_refs(refs),
        aside=[one.account for one in refusals.found(refusals.Which(kind=kind, entity=entity))],
        accounts=account_labels(book),
        scopes=scope_labels(),
        now=time.time(),
    )


def _shown(row: dict[str, Any], *, exact: bool) -> dict[str, Any]:
    """Return a row of the preview with its JSON as text, masked where it must be."""
    found = dict(row)
    for name in ("record", "sent"):
        value = row.get(name)
        found[name] = None if value is None else as_text(value if exact else mask_record(value))
    found["changes"] = None if row.get("changes") is None else [_change(one, exact=exact) for one in row["changes"]]
    found["why"] = list((row.get("why") or {}).items())[:REASONS_MOST]
    return found


def _change(change: dict[str, Any], *, exact: bool) -> dict[str, Any]:
    hidden = not exact and _personal(change["field"])
    sides = {
        name: (HIDDEN if hidden else msgspec.json.encode(change[name]).decode()) if name in change else None
        for name in ("was", "now")
    }
    return {"field": change["field"], "why": change["why"], **sides}


def _personal(path: str) -> bool:
    """Return whether a field holds something of a person: by its name, or that of what it is in."""
    return any(name in PERSONAL or name == "email" for name in re.split(r"[.\[\]]+", path))


def as_text(value: Any) -> str:
    """Return JSON as people read it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


@login_required("editor")
def try_again(kind: Kind, entity: str) -> Response:
    """Give a record that was set aside another chance."""
    if kind not in KINDS or not ENTITY.fullmatch(entity):
        abort(404)
    count, accounts = refusals.replay(refusals.Which(kind=kind, entity=entity))
    if count:
        noted(f"refused {kind} {entity} tried again")
    for account in sorted(accounts):
        exporter().wakes.try_wake("session", account, "live")
        exporter().wakes.try_wake("backlog", account)
    flash(_("It is tried again.") if count else _("Nothing of it was set aside."), "saved")
    return redirect(url_for("dashboard.record", kind=kind, entity=entity), 303)


@login_required("editor")
def send_record(kind: Kind, entity: str) -> Response:
    """Send a record to each account that takes it, also when nothing changed."""
    if kind not in KINDS or not ENTITY.fullmatch(entity):
        abort(404)
    accounts, told = set[str](), ""
    try:
        accounts = preview.send_now(EntityRef(kind, entity))
    except BridgeError as error:
        db.session.rollback()
        told = str(error)
    if accounts:
        noted(f"{kind} {entity} sent now")
    for account in sorted(accounts):
        exporter().wakes.try_wake("session", account, "live")
        told = _("It waits to be sent at once; the timeline shows when it was.")
    flash(told or _("No account takes it now: see the reason below."), "saved")
    return redirect(url_for("dashboard.record", kind=kind, entity=entity), 303)
