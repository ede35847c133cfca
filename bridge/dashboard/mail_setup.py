"""Setting up mail: what each template needs, what was seen of it, test sends, and mails that a person must name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from bridge.auth import current_staff, login_required
from bridge.dashboard.beside import beside, read
from bridge.dashboard.figures import masked
from bridge.dashboard.language import gettext as _
from bridge.db import db
from bridge.errors import BridgeError, Misconfigured
from bridge.mail import history, rules, setup
from bridge.mail.mailer import mailer
from bridge.mail.natives import KIND_OF, NATIVES
from bridge.mail.trial import send_test
from bridge.models_mail import MailLetter, MailSeen
from bridge.settings import DEFAULT, MAIL_KINDS, OTHER_MAILS, known_scope, load_book, set_value
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from bridge.settings import Book

UNCLASSIFIED_MOST = 20
VIEWS = 25
"""Store views of one page."""
LONGEST = 254
NATIVE_LABELS = {
    native: MAIL_KINDS[KIND_OF[native]] if native in KIND_OF else OTHER_MAILS[native] for native in NATIVES
}


@login_required("viewer")
def mail_setup() -> str:
    """Show each kind with its marker lines, what was seen in each store view, and what is missing."""
    return _page()


def _page(wrong: BridgeError | None = None, taught: int = 0) -> str:
    """Return the page; ``wrong`` is about the mail ``taught``, or about the test that was sent."""
    book = load_book()
    first = min(max(request.args.get("first", 0, type=int), 0), max(len(book.stores) - 1, 0))
    standings = setup.standings(book, first, VIEWS)
    unclassified, names = history.unclassified(UNCLASSIFIED_MOST), _sender_names()
    if taught and taught not in {one.letter for one in unclassified}:
        wrong = BridgeError(str(wrong))  # its row is gone: the sentence stands at the top
    return render_template(
        "dashboard/mail_setup.html",
        kinds=MAIL_KINDS,
        shown=(first + 1, min(first + VIEWS, len(book.stores)), len(book.stores)),
        before=url_for("dashboard.mail_setup", first=max(first - VIEWS, 0)) if first else "",
        after=url_for("dashboard.mail_setup", first=first + VIEWS) if first + VIEWS < len(book.stores) else "",
        standings={kind: [one for one in standings if one.kind == kind] for kind in MAIL_KINDS},
        lines={kind: setup.template_lines(kind) for kind in MAIL_KINDS},
        switches=setup.SWITCHES,
        all_off=setup.ALL_OFF,
        common_line=setup.common_line(),
        mode=book.settings(DEFAULT)["mail.mode"],
        scopes=_scopes(book),
        unclassified=[(one, rules.shop_name(one.subject, names)) for one in unclassified],
        natives=NATIVE_LABELS,
        typed=request.form,
        taught=taught,
        wrong=beside(wrong),
        masked=masked,
        now=time.time(),
    )


@login_required("editor")
def test_mail() -> Response | tuple[str, int]:
    """Send a mail of a kind with invented data, or with those of an order, through Ometria."""
    form = request.form
    kind, email, scope = form.get("kind", ""), form.get("email", "").strip(), form.get("scope", DEFAULT)
    try:
        if kind not in MAIL_KINDS:
            raise Misconfigured(_("Choose a kind of mail."), "kind")
        if "@" not in email or len(email) > LONGEST:
            raise Misconfigured(_("The recipient is not an e-mail address."), "email")
        read("scope", known_scope, scope)
        order, sandbox = form.get("order", "").strip()[:64], form.get("sandbox") == "1"
        answer = send_test(mailer(), load_book(), kind, email, scope=scope, order=order, sandbox=sandbox)
    except BridgeError as error:
        db.session.rollback()
        return _page(error), 422 if isinstance(error, Misconfigured) else 503
    if answer.outcome != "accepted":
        return _page(BridgeError(_("Ometria did not take it: %(reason)s", reason=answer.reason))), 502
    name = _(MAIL_KINDS[kind])
    if answer.request_id:
        flash(_("Ometria took the test of %(mail)s (request %(id)s).", mail=name, id=answer.request_id), "saved")
    else:
        flash(_("Ometria took the test of %(mail)s.", mail=name), "saved")
    return redirect(url_for("dashboard.mail_setup"), 303)


@login_required("editor")
def teach_mail(id_: int) -> Response | tuple[str, int]:
    """Make a rule of a mail's subject: such mails are from now on what a person says that this one is."""
    begin_write()
    letter = db.session.get(MailLetter, id_)
    if letter is None:
        abort(404)
    form, staff = request.form, current_staff()
    native, scope, shop = form.get("native", ""), form.get("scope", DEFAULT), form.get("shop", "")[:LONGEST]
    names = [name.strip() for name in form.get("names", "")[:LONGEST].split(",")]
    try:
        read("scope", known_scope, scope)
        values = load_book().settings(scope)
        rule = rules.learned(letter.subject, native, rules.rules_of(values), names=names, store=shop)
        key, value = rules.taught(values, rule)
        set_value(scope, key, value, staff.name if staff else "")
        db.session.commit()
    except Misconfigured as error:
        db.session.rollback()
        return _page(error, id_), 422
    told = _(
        "Mails with the subject “%(subject)s” are taken for %(mail)s from now on.",
        subject=rule.pattern,
        mail=_(NATIVE_LABELS[native]),
    )
    flash(told, "saved")
    return redirect(url_for("dashboard.mail_setup"), 303)


def _scopes(book: Book) -> dict[str, str]:
    return {DEFAULT: _("All store views")} | {view.ref: view.name or view.code for view in book.stores}


def _sender_names() -> Sequence[str]:
    # They are encrypted, so that the database cannot tell equal ones.
    return [name for name in dict.fromkeys(db.session.scalars(select(MailSeen.sender_name))) if name]
