"""How codes end: expiry, which Magento does not keep itself, and revocation.

Only codes of the ledger are deleted, and only while the shop has them under the rule that the ledger names. What was
used is written down before the code goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from bridge.coupons import ledger
from bridge.coupons.room import batch_size, now, room
from bridge.db import db
from bridge.models import AuditLog
from bridge.models_coupons import CouponCode
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store import Coupon

ELSEWHERE = "The shop has it under another rule."
UNKNOWN = "It is none of this ledger's codes."
KEPT = "The shop did not delete it."


class Ended(msgspec.Struct, frozen=True):
    """What became of codes that were to be deleted; ``kept`` says why one still is there."""

    deleted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    kept: dict[str, str] = msgspec.field(default_factory=dict)


def expire(limit: int = 5000) -> int:
    """Delete codes whose time is over; return how many ended. Raises :class:`bridge.errors.Retry`."""
    query = (
        select(CouponCode)
        .where(CouponCode.state == "given", CouponCode.expires_at > 0, CouponCode.expires_at <= now())
        .order_by(CouponCode.id)
        .limit(limit)
    )
    rows = list(db.session.scalars(query))
    ended = _end(rows, "expired")
    return len(ended.deleted) + len(ended.missing)


def revoke(codes: Sequence[str], rule_id: int | None = None, *, who: str) -> Ended:
    """Delete codes of the ledger (of one rule where it is named). Raises :class:`bridge.errors.Retry`; repeatable."""
    rows = ledger.of_keys(ledger.key(code) for code in codes)
    mine = {key: row for key, row in rows.items() if row.state in ledger.LIVE and rule_id in {None, row.rule_id}}
    ended = _end(list(mine.values()), "revoked")
    strange = {code: UNKNOWN for code in codes if ledger.key(code) not in mine}
    if ended.deleted or ended.missing:
        begin_write()
        count = len(ended.deleted) + len(ended.missing)
        db.session.add(AuditLog(who=who, what=f"{count} coupon codes revoked", after={"rule": rule_id}))
        db.session.commit()
    return Ended(ended.deleted, ended.missing, {**ended.kept, **strange})


def revoke_where(*, pool: int | None = None, request: str | None = None, who: str, limit: int = 5000) -> Ended:
    """Delete the live codes of a pool or of a request, at most ``limit``."""
    query = select(CouponCode.code).where(CouponCode.state.in_(ledger.LIVE))
    if pool is not None:
        query = query.where(CouponCode.pool == pool)
    if request is not None:
        query = query.where(CouponCode.request == request)
    return revoke(list(db.session.scalars(query.order_by(CouponCode.id).limit(limit))), who=who)


def _end(rows: Sequence[CouponCode], state: str) -> Ended:
    plain = [(row.id, row.code, row.rule_id) for row in rows]
    deleted: list[str] = []
    missing: list[str] = []
    kept: dict[str, str] = {}
    size = batch_size()
    for start in range(0, len(plain), size):
        part = plain[start : start + size]
        there = {ledger.key(one.code): one for one in room().shop.find_coupons(codes=[code for _, code, _ in part])}
        _note_uses(part, there)
        ours = [one for one in part if _is_ours(one, there.get(ledger.key(one[1])))]
        kept |= {
            code: ELSEWHERE for id_, code, rule in part if ledger.key(code) in there and (id_, code, rule) not in ours
        }
        told = room().shop.delete_coupons([code for _, code, _ in ours])
        failed = {ledger.key(code) for code in told.failed}
        gone = [one for one in ours if ledger.key(one[1]) not in failed]
        absent = [one for one in part if ledger.key(one[1]) not in there]
        kept |= {code: KEPT for _, code, _ in ours if ledger.key(code) in failed}
        begin_write()
        ids = [id_ for id_, _, _ in (*gone, *absent)]
        # What the shop has under another rule is none of ours any more.
        others = [id_ for id_, code, _ in part if kept.get(code) == ELSEWHERE]
        ledger.change([CouponCode.id.in_(ids)], state=state, ended_at=now())
        ledger.change([CouponCode.id.in_(others)], state="gone", ended_at=now())
        db.session.commit()
        deleted += [code for _, code, _ in gone]
        missing += [code for _, code, _ in absent]
    return Ended(tuple(deleted), tuple(missing), kept)


def _is_ours(one: tuple[int, str, int], coupon: Coupon | None) -> bool:
    return coupon is not None and coupon.rule_id == one[2]


def _note_uses(part: Sequence[tuple[int, str, int]], there: dict[str, Coupon]) -> None:
    """Write down how often each was used. Commits."""
    begin_write()
    for id_, code, rule_id in part:
        coupon = there.get(ledger.key(code))
        if coupon is not None and coupon.rule_id == rule_id and coupon.times_used:
            ledger.change([CouponCode.id == id_], times_used=coupon.times_used, coupon_id=coupon.id)
    db.session.commit()
