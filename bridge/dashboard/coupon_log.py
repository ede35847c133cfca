"""The coupon log: every request for codes, of every pool and of Ometria, the newest first. No code is in it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from flask import abort, render_template, request, url_for
from sqlalchemy import and_, not_, select

from bridge.auth import login_required
from bridge.coupons import pools
from bridge.dashboard.beside import beside, read
from bridge.dashboard.figures import masked
from bridge.dashboard.language import mark
from bridge.db import db
from bridge.errors import Misconfigured
from bridge.export import log_search
from bridge.models_coupons import CouponRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

PAGE = 50
LOOKED = 5_000
"""Requests that a page looks through for those that a filter lets pass."""
LONGEST = 40
STATES = (mark("open"), mark("done"), mark("failed"))
SORTS = {"generate": mark("generated"), "insert": mark("inserted")}
FIELDS = ("pool", "state", "kind", "since", "until")


@login_required("viewer")
def coupon_log() -> str | tuple[str, int]:
    """Show a page of the log."""
    typed = {field: request.args.get(field, "").strip()[:LONGEST] for field in FIELDS}
    chosen: dict[str, Any] = {field: value for field, value in typed.items() if value}
    try:
        walk, wrong = _walk(typed), beside(None)
    except Misconfigured as error:
        walk, wrong = _walk(typed | dict.fromkeys(("since", "until"), "")), beside(error)
    before = request.args.get("before", "")
    rows, older = _page(walk, _others(typed), _place(before))
    page = render_template(
        "dashboard/coupon_log.html",
        rows=rows,
        older=url_for("dashboard.coupon_log", before=older, **chosen) if older else "",
        newest=url_for("dashboard.coupon_log", **chosen) if before else "",
        pools={pool.id: pool.name for pool in pools.all_pools()},
        states=STATES,
        sorts=SORTS,
        typed=typed,
        filtered=bool(chosen),
        wrong=wrong,
        masked=masked,
        now=time.time(),
    )
    return (page, 400) if wrong else page


def _walk(typed: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Return what an index leads along; raises :class:`Misconfigured` for a time that is none."""
    where = []
    if typed["pool"]:
        if not re.fullmatch(r"[0-9]{1,9}", typed["pool"]):
            abort(404)
        where.append(CouponRequest.pool == int(typed["pool"]))
    if typed["since"]:
        where.append(CouponRequest.at >= read("since", log_search.moment, typed["since"]))
    if typed["until"]:
        where.append(CouponRequest.at < read("until", log_search.moment, typed["until"]))
    return where


def _others(typed: Mapping[str, str]) -> list[ColumnElement[bool]]:
    where = [CouponRequest.state == typed["state"]] if typed["state"] in STATES else []
    return where + ([CouponRequest.kind == typed["kind"]] if typed["kind"] in SORTS else [])


def _place(text: str) -> tuple[float, str] | None:
    """Read where the page before ended; None for the newest."""
    at, _, id_ = text.partition(" ")
    try:
        return (float(at), id_) if text else None
    except ValueError:
        abort(404)


def _before(place: tuple[float, str] | None) -> list[ColumnElement[bool]]:
    if place is None:
        return []
    at, id_ = place
    return [CouponRequest.at <= at, not_(and_(CouponRequest.at == at, CouponRequest.id >= id_))]


def _page(
    walk: list[ColumnElement[bool]], others: list[ColumnElement[bool]], place: tuple[float, str] | None
) -> tuple[list[CouponRequest], str]:
    """Return the rows of a page and where the next one begins, empty at the end.

    Of those along the walk at most :data:`LOOKED` are looked at: a page may have fewer rows, or none, and a next one.
    """
    order = (CouponRequest.at.desc(), CouponRequest.id.desc())
    bounds = [*walk, *_before(place)]
    end = None
    if others:
        reached = select(CouponRequest.at, CouponRequest.id).where(*bounds).order_by(*order).offset(LOOKED - 1).limit(1)
        end = db.session.execute(reached).first()
        bounds += [not_(and_(*_before((end.at, end.id))))] if end else []
    rows = list(db.session.scalars(select(CouponRequest).where(*bounds, *others).order_by(*order).limit(PAGE + 1)))
    if len(rows) > PAGE:
        return rows[:PAGE], f"{rows[PAGE - 1].at!r} {rows[PAGE - 1].id}"
    return rows, f"{end.at!r} {end.id}" if end else ""
