"""Coupons: the pools with rule, stock and use; codes are generated, downloaded and revoked here.

A code is worth money, so codes are shown to editors only; viewers see figures. Each form that asks for codes carries an
id made with the page, so that sending it twice asks once.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from bridge.auth import current_staff, login_required
from bridge.coupons import alerts, endings, generate, ledger, pools, sheet
from bridge.coupons.pools import Figures
from bridge.coupons.room import room
from bridge.dashboard.beside import beside
from bridge.dashboard.downloads import in_steps
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.db import db
from bridge.errors import BridgeError, Refused
from bridge.models_coupons import CouponPool, CouponRequest
from bridge.store import CodeFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.wrappers import Response as AnyResponse

    from bridge.models_coupons import CouponCode

REQUESTS_SHOWN = 20
CODES_SHOWN = 50
REVOKED_MOST = 5000
COUNTED = "bridge.dashboard.coupons"
KEPT_ABOVE = 50_000
KEPT_SECONDS = 60.0
KINDS = {
    "alphanum": mark("Letters and digits"),
    "alpha": mark("Letters"),
    "num": mark("Digits"),
    "clear": mark("Letters and digits, none that look alike"),
}


@login_required("viewer")
def coupon_pools() -> str:
    """Show every pool, what is inserted by rule, and the form for a new pool."""
    return _list()


def _list(wrong: Refused | None = None) -> str:
    figures = _all_figures()
    rows = [(pool, figures.get((pool.rule_id, pool.id), Figures())) for pool in pools.all_pools()]
    return render_template(
        "dashboard/coupons.html",
        pools=rows,
        inserted=[(rule, found) for (rule, pool), found in sorted(figures.items(), key=str) if pool is None],
        kinds=KINDS,
        wrong=beside(wrong),
        typed=request.form,
        now=time.time(),
    )


def _all_figures() -> dict[tuple[int, int | None], Figures]:
    """Return the figures of all pools. To count very many codes takes a while: that result is kept for a minute."""
    until, kept = current_app.extensions.get(COUNTED, (0.0, {}))
    if time.monotonic() < until:
        return dict(kept)
    found = pools.figures()
    if sum(one.made for one in found.values()) > KEPT_ABOVE:
        current_app.extensions[COUNTED] = (time.monotonic() + KEPT_SECONDS, found)
    return found


@login_required("editor")
def add_pool() -> str | AnyResponse | tuple[str, int]:
    """Make a pool, and look at its rule at once."""
    typed = request.form
    try:
        layout = CodeFormat(
            kind=typed.get("kind", "alphanum"),
            length=_number("length", _("Length")),
            prefix=typed.get("prefix", "").strip(),
            suffix=typed.get("suffix", "").strip(),
            every=_number("every", _("Dash after"), 0),
        )
        pool = pools.make_pool(
            typed.get("name", ""),
            _number("rule_id", _("Cart price rule")),
            layout,
            stock=_number("stock", _("Stock"), 0),
            expiry_days=_number("expiry_days", _("Expiry"), 0),
            who=_who(),
        )
    except Refused as error:
        return _list(error), 422
    _look(pool)
    room().wakes.try_wake("coupons")
    flash(_("The pool %(name)s is made.", name=pool.name), "saved")
    return redirect(url_for("dashboard.coupon_pool", id_=pool.id), 303)


@login_required("viewer")
def coupon_pool(id_: int) -> str:
    """Show one pool: its rule, figures, requests, and what can be done."""
    return _one(_pool(id_))


def _one(pool: CouponPool, wrong: BridgeError | None = None) -> str:
    staff = current_staff()
    query = select(CouponRequest).where(CouponRequest.pool == pool.id).order_by(CouponRequest.at.desc())
    shown: list[CouponCode] = []
    chosen = _chosen(pool)
    if chosen is not None and staff is not None and staff.may("editor"):
        shown = ledger.codes_of(chosen.id, CODES_SHOWN)
    return render_template(
        "dashboard/coupon_pool.html",
        pool=pool,
        figures=pools.figures(pool.id).get((pool.rule_id, pool.id), Figures()),
        requests=list(db.session.scalars(query.limit(REQUESTS_SHOWN))),
        kinds=KINDS,
        chosen=chosen,
        chosen_count=ledger.count_of(chosen.id) if chosen else 0,
        codes=shown,
        request_id=f"page-{uuid.uuid4().hex}",
        wrong=beside(wrong),
        changed=isinstance(wrong, pools.Changed),
        state=pools.state_of(pool),
        typed=request.form,
        now=time.time(),
    )


def _chosen(pool: CouponPool) -> CouponRequest | None:
    found = db.session.get(CouponRequest, request.args.get("request", "")[:80])
    return found if found is not None and found.pool == pool.id else None


@login_required("editor")
def make_codes(id_: int) -> str | AnyResponse | tuple[str, int]:
    """Generate codes of a pool; the form's id makes it one request however often it is sent."""
    pool, request_id = _pool(id_), request.form.get("request_id", "")
    try:
        made = generate.generate(pool.rule_id, _number("quantity", _("Codes")), request_id, pool=pool, who=_who())
    except BridgeError as error:
        return _one(_pool(id_), error), 422 if isinstance(error, Refused) else 503
    told = (
        _(
            "%(made)s of %(wanted)s codes are given out, the rest is on its way.",
            made=f"{len(made.codes):,}",
            wanted=f"{made.wanted:,}",
        )
        if made.open
        else _("%(made)s of %(wanted)s codes are given out.", made=f"{len(made.codes):,}", wanted=f"{made.wanted:,}")
    )
    flash(told, "saved")
    return redirect(url_for("dashboard.coupon_pool", id_=id_, request=request_id), 303)


@login_required("editor")
def change_pool(id_: int) -> str | AnyResponse | tuple[str, int]:
    """Change stock, expiry and whether the pool is kept filled."""
    pool = _pool(id_)
    try:
        pools.change_pool(
            pool,
            stock=_number("stock", _("Stock")),
            expiry_days=_number("expiry_days", _("Expiry")),
            active=request.form.get("active") == "1",
            who=_who(),
            was=request.form.get("was"),
        )
    except Refused as error:
        return _one(_pool(id_), error), 409 if isinstance(error, pools.Changed) else 422
    _look(pool)
    room().wakes.try_wake("coupons")
    flash(_("The pool is changed."), "saved")
    return redirect(url_for("dashboard.coupon_pool", id_=id_), 303)


@login_required("editor")
def revoke_codes(id_: int) -> str | AnyResponse | tuple[str, int]:
    """Delete codes in the shop: those that are named, or all of a request."""
    pool = _pool(id_)
    typed = re.split(r"[\s,;]+", request.form.get("codes", "").strip())
    named = [code for code in dict.fromkeys(typed) if code]
    try:
        if len(named) > REVOKED_MOST:
            raise Refused(_("At most %(number)s codes can be revoked at once.", number=f"{REVOKED_MOST:,}"), "codes")
        asked = request.form.get("request", "")
        if not named and not asked:
            raise Refused(_("Name the codes to revoke, one a line."), "codes")
        rows = ledger.of_keys(ledger.key(code) for code in named)
        own = [code for code in named if (row := rows.get(ledger.key(code))) is not None and row.pool == pool.id]
        if asked and not named:
            ended = endings.revoke_where(pool=pool.id, request=asked, who=_who(), limit=REVOKED_MOST)
        else:
            ended = endings.revoke(own, pool.rule_id, who=_who())
    except BridgeError as error:
        return _one(_pool(id_), error), 422 if isinstance(error, Refused) else 503
    count = len(ended.deleted) + len(ended.missing)
    left = len(named) - len(own) + len(ended.kept)
    told = [_("%(number)s codes are revoked.", number=f"{count:,}")]
    if left:
        told.append(_("%(number)s were left: they are none of this pool's live codes.", number=f"{left:,}"))
    flash(" ".join(told), "saved")
    return redirect(url_for("dashboard.coupon_pool", id_=id_), 303)


@login_required("editor")
def coupon_file(id_: int) -> Response:
    """Answer the codes of a pool, or of one request of it, as a CSV file that is written while it is read."""
    pool = _pool(id_)
    wanted = request.args.get("request", "")
    if wanted and _chosen(pool) is None:
        abort(404)
    rows = iter(ledger.codes_of(wanted)) if wanted else _given(pool.id)
    answer = Response(in_steps(sheet.lines(rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="coupons-{pool.id}.csv"'
    return answer


def _given(pool: int) -> Iterator[CouponCode]:
    """Yield the codes of a pool that were given out; what waits in stock is nobody's yet."""
    last = 0
    while rows := pools.codes(pool, states=("given", "expired", "revoked", "gone"), after=last, limit=1000):
        last = rows[-1].id
        yield from rows


def _pool(id_: int) -> CouponPool:
    found = db.session.get(CouponPool, id_, populate_existing=True)
    if found is None:
        abort(404)
    return found


def _look(pool: CouponPool) -> None:
    """Judge the pool's rule now; a shop that is away is asked again by the watch."""
    try:
        alerts.look_at(pool)
    except BridgeError as error:
        flash(_("The rule could not be looked at yet: %(reason)s", reason=error), "saved")


def _number(name: str, label: str, default: int | None = None) -> int:
    text: Any = request.form.get(name, "").strip()
    if not text and default is not None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise Refused(_("%(field)s takes a whole number.", field=label), name)
    return int(text)


def _who() -> str:
    staff = current_staff()
    return staff.name if staff is not None else ""
