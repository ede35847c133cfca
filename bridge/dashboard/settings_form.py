"""One section of the settings at one scope, made from ``SETTINGS``: shown, checked, saved."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bridge.auth import current_staff, login_required
from bridge.dashboard import hints, shop_facts
from bridge.dashboard.doubled import doubled
from bridge.dashboard.fields import decide, field_at
from bridge.dashboard.frame import wired
from bridge.dashboard.language import gettext as _
from bridge.dashboard.scopes import scope_labels, scope_tree
from bridge.dashboard.sections import Section, sections
from bridge.dashboard.sentences import said
from bridge.db import db, immediate
from bridge.errors import BridgeError
from bridge.export.jobs import exporter
from bridge.models import AuditLog, SettingValue
from bridge.settings import DEFAULT, GONE, caution, clash, load_book, parse, set_value, unset_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from bridge.dashboard.doubled import Doubled
    from bridge.dashboard.fields import Change, Field
    from bridge.settings import Book, Store

MOST_LINES = 10
BLANK_ROWS = 2
MORE_ROWS = 8
"""Empty rows below a table, at first and when more were asked for."""
LONGEST_LINE = 160


@login_required("viewer")
def settings(section: str) -> Response | str | tuple[str, int]:
    """Show the form; editors save it."""
    found = next((item for item in sections() if item.name == section), None)
    if found is None:
        abort(404)
    ref = request.args.get("scope", DEFAULT)
    if request.method == "GET":
        page = Page(found, ref)
        return page.render()
    return _save(found, ref)


@login_required("editor")
def _save(section: Section, ref: str) -> Response | str | tuple[str, int]:
    act = request.form.get("act", "")
    said = _look() if act == "look" else ""
    # The write lock is taken before the page is read, so that nobody saves between the check and the write.
    db.session.rollback()
    immediate()
    page = Page(section, ref)
    changes = [change for field in page.fields if (change := decide(field, request.form)) is not None]
    page.compare(changes)
    if act:
        return page.back(said=said, blank=MORE_ROWS if act == "more" else BLANK_ROWS)
    conflict = request.form.get("version") != page.version
    if conflict:
        for field in page.fields:
            field.settle(request.form.get(f"was.{field.key}", ""))
        return page.back(conflict=page.last_change()), 409
    if any(field.error for field in page.fields):
        return page.back(), 422
    if "sure" not in request.form and (twice := doubled(page.book, ref, _values(changes))):
        return page.back(twice=twice), 422
    try:
        page.apply(changes)
        db.session.commit()
    except IntegrityError:
        return page.back(conflict=page.last_change()), 409
    _tell(changes)
    return redirect(page.address, 303)


def _look() -> str:
    """Read anew what the shop has to choose from; return what to say about it."""
    try:
        found = shop_facts.read_again(exporter().store, load_book())
    except BridgeError as error:
        return _("The shop could not be asked: %(reason)s", reason=error)
    codes = sum(len(names) for names in found.attributes.values())
    return _(
        "Read from the shop (attributes: %(codes)s, order statuses: %(statuses)s). Nothing is saved yet.",
        codes=codes,
        statuses=len(found.statuses),
    )


def _values(changes: list[Change]) -> dict[str, Any]:
    return {change.setting.key: GONE if change.unset else change.value for change in changes}


class Page:
    """The section at a scope as the database has it now; 404 for a scope that is none."""

    def __init__(self, section: Section, ref: str) -> None:
        self.section = section
        self.ref = ref
        self.book: Book = load_book()
        self.labels = scope_labels()
        if ref not in self.labels:
            abort(404)
        self.fields: list[Field] = [
            field_at(self.book, item, ref, self.labels)
            for item in section.settings
            if ref == DEFAULT or not item.shopwide
        ]
        self.version = _version(section, ref)

    @property
    def address(self) -> str:
        """Where this page lies."""
        return url_for("dashboard.settings", section=self.section.name, scope=self.ref)

    def compare(self, changes: list[Change]) -> None:
        """Leave the sentence at the field whose value does not go with another one."""
        found = clash(self.book, self.ref, _values(changes))
        for field in self.fields:
            if found is not None and field.key == found[0]:
                what = said(found[1])
                field.error = what[:1].upper() + what[1:]

    def apply(self, changes: list[Change]) -> None:
        """Write the changes, each with its line in the audit log."""
        staff = current_staff()
        who = staff.name if staff else ""
        for change in changes:
            if change.unset:
                unset_value(self.ref, change.setting.key, who, alone=False)
            else:
                set_value(self.ref, change.setting.key, change.value, who, alone=False)

    def last_change(self) -> Mapping[str, Any]:
        """Return who changed this section at this scope last, and when."""
        line = db.session.scalar(
            select(AuditLog)
            .where(AuditLog.what.startswith(f"{self.ref} {self.section.name}.", autoescape=True))
            .order_by(AuditLog.id.desc())
            .limit(1)
        )
        return {"who": line.who, "at": line.at} if line else {"who": "", "at": 0.0}

    def back(self, conflict: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Return the page with what was typed, none of which was saved."""
        db.session.rollback()
        for field in self.fields:
            field.forget_secret()
        return self.render(conflict, **more)

    def render(
        self,
        conflict: Mapping[str, Any] | None = None,
        said: str = "",
        blank: int = BLANK_ROWS,
        twice: list[Doubled] | None = None,
    ) -> str:
        """Return the page, with ``blank`` empty rows in each table."""
        hints.furnish(self.fields, self.book, self.ref, time.time())
        tree = scope_tree(self.book)
        own = self.book.values.get(self.ref, {})
        return render_template(
            "dashboard/settings.html",
            blank=blank,
            conflict=conflict,
            facts=self._facts(),
            fields=self.fields,
            own_by_section={item.name: sum(key.partition(".")[0] == item.name for key in own) for item in sections()},
            scope=next(node for node in tree if node.ref == self.ref),
            said=said,
            section=self.section,
            tree=tree,
            twice=twice or [],
            version=self.version,
            wrong=sum(bool(field.error) for field in self.fields),
        )

    def _facts(self) -> list[tuple[str, str, str]]:
        """Return label, value and help of what the general section shows read-only."""
        if self.section.name != "general":
            return []
        stores = [store for store in self.book.stores if self.ref in self.book.lineage(store.ref)]
        names = ", ".join(self._store_name(store) for store in stores[:MOST_LINES])
        if len(stores) > MOST_LINES:
            names = _("%(names)s and %(number)s more", names=names, number=len(stores) - MOST_LINES)
        return [
            (
                _("Ometria API endpoint"),
                wired().config.ometria_api_url,
                _("Where records are sent; BRIDGE_OMETRIA_API_URL sets it for the whole installation."),
            ),
            (
                _("Magento store identifier"),
                names or _("not read yet"),
                _("How Ometria knows each store view of this scope. The kind is read where the API key is set."),
            ),
        ]

    def _store_name(self, store: Store) -> str:
        own = self.book.settings(store.ref)
        owner = self.book.settings(own.source("general.api_key") or store.ref)
        return store.code if owner["general.store_id_kind"] == "code" else str(store.id)


def _version(section: Section, ref: str) -> str:
    """Return a text that differs after every change of this section at this scope."""
    rows = db.session.execute(
        select(SettingValue.key, SettingValue.changed_at, SettingValue.changed_by)
        .where(SettingValue.scope == ref, SettingValue.key.startswith(f"{section.name}.", autoescape=True))
        .order_by(SettingValue.key)
        .with_for_update()
    )
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()[:16]


def _tell(changes: list[Change]) -> None:
    """Say what was saved; the lines travel in the session's cookie, so they are few and short."""
    if not changes:
        flash(_("Nothing had changed."), "same")
    for change in changes[:MOST_LINES]:
        flash(f"{_(change.setting.label)}: {change.before} → {change.after}"[:LONGEST_LINE], "saved")
    for change in changes[:MOST_LINES]:
        told = "" if change.unset else caution(change.setting.key, parse(change.setting.key, change.value))
        if told:
            flash(said(told), "caution")
    if len(changes) > MOST_LINES:
        flash(_("… and %(number)s more.", number=len(changes) - MOST_LINES), "saved")
