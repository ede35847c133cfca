"""What the shop says of the codes: how often each was used, and which somebody deleted there.

A rule's coupons are walked by id, a part at a time; how far the walk has come stands in the database.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from bridge.coupons import ledger
from bridge.coupons.room import now, room
from bridge.db import db
from bridge.models import Cursor
from bridge.models_coupons import CouponCode, CouponPool
from bridge.writing import begin_write, keep_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store import Coupon

PART = 1000
SHARE_SECONDS = 20.0
EVERY_SECONDS = 900.0
REST_TIMES = 20
"""A count that took long is followed by a rest so many times as long: a million codes are some thousand calls."""


def count_due() -> bool:
    """Count the rules whose turn it is, for a limited time; return whether one is not through yet."""
    end = time.monotonic() + SHARE_SECONDS
    rules = list(db.session.scalars(select(CouponCode.rule_id).distinct().order_by(CouponCode.rule_id)))
    return any(not count(rule_id, end) for rule_id in rules)


def count(rule_id: int, end: float | None = None, *, fresh: bool = False) -> bool:
    """Go on counting the codes of a rule; return whether it is through. ``fresh`` begins now, though not yet due."""
    state = _state(rule_id)
    last = int(state["last"])
    if not last and not fresh and now() - state["at"] < max(EVERY_SECONDS, REST_TIMES * state["took"]):
        return True
    if fresh:
        last, state = 0, {**state, "last": 0, "began": now()}
    state["began"] = state["began"] or now()
    while True:
        rows = list(islice(room().shop.find_coupons(rule_id, after=last), PART))
        whole = len(rows) < PART
        _write(rule_id, rows, last, None if whole else rows[-1].id, state["began"])
        state["last"] = last = 0 if whole else rows[-1].id
        if whole:
            _lose_unseen(rule_id, state["began"])
            state |= {"at": now(), "took": now() - state["began"], "began": 0.0}
        _keep(rule_id, state)
        if whole:
            return True
        if end is not None and time.monotonic() > end:
            return False


def _write(rule_id: int, rows: Sequence[Coupon], after: int, until: int | None, began: float) -> None:
    """Bring the ledger's rows between two ids up to date. Commits.

    What the ledger has there and the shop has not was deleted by somebody else; a code that was made after the walk
    began may be missing in it.
    """
    begin_write()
    found = {ledger.key(row.code): row for row in rows}
    for key, row in ledger.of_keys(found).items():
        coupon = found[key]
        told = (coupon.id, coupon.times_used, coupon.usage_limit, coupon.usage_per_customer)
        if row.rule_id == coupon.rule_id and told != _known(row):
            values = dict(zip(("coupon_id", "times_used", "usage_limit", "usage_per_customer"), told, strict=True))
            ledger.change([CouponCode.id == row.id], **values)
    known = select(CouponCode.id, CouponCode.key).where(
        CouponCode.rule_id == rule_id,
        CouponCode.state.in_(ledger.LIVE),
        CouponCode.coupon_id > after,
        CouponCode.at < began,
    )
    if until is not None:
        known = known.where(CouponCode.coupon_id <= until)
    lost = [id_ for id_, key in db.session.execute(known) if key not in found]
    ledger.change([CouponCode.id.in_(lost)], state="gone", ended_at=now())
    db.session.commit()


def _lose_unseen(rule_id: int, began: float) -> None:
    """After a whole walk: a code whose id in the shop is not known yet was not met, so somebody deleted it. Commits."""
    begin_write()
    unseen = [CouponCode.rule_id == rule_id, CouponCode.state.in_(ledger.LIVE), CouponCode.coupon_id == 0]
    ledger.change([*unseen, CouponCode.at < began], state="gone", ended_at=now())
    db.session.commit()


def _known(row: CouponCode) -> tuple[int, int, int, int]:
    return row.coupon_id, row.times_used, row.usage_limit, row.usage_per_customer


def _state(rule_id: int) -> dict[str, float]:
    row = db.session.get(Cursor, _name(rule_id), populate_existing=True)
    return {"last": 0, "at": 0.0, "took": 0.0, "began": 0.0, **(row.data if row else {})}


def _keep(rule_id: int, state: dict[str, float]) -> None:
    begin_write()
    keep_note(_name(rule_id), dict(state))
    if state["at"]:
        counted = update(CouponPool).where(CouponPool.rule_id == rule_id).values(counted_at=state["at"])
        db.session.execute(counted.execution_options(**ledger.OPTIONS))
    db.session.commit()


def _name(rule_id: int) -> str:
    return f"coupons:count:{rule_id}"
