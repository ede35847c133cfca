"""The rows of codes and calls: what is in the shop, what was given to whom, what has to be looked up.

Each step is one conditional UPDATE or an INSERT that leaves what is there, so that of several workers one wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from bridge.coupons.room import now
from bridge.db import db
from bridge.models_coupons import CouponBatch, CouponCode, CouponRequest
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bridge.store import Coupon

AT_ONCE = 500
"""Rows of one statement."""
LIVE = ("stock", "given")
ENDED = ("expired", "revoked", "gone")
NOUGHT: dict[str, Any] = {
    "coupon_id": 0,
    "usage_limit": 0,
    "usage_per_customer": 0,
    "times_used": 0,
    "ended_at": 0.0,
}
"""A code of which the shop has told nothing yet."""
OPTIONS: dict[str, Any] = {"synchronize_session": False}


def key(code: str) -> str:
    """Return the code as the shop compares it."""
    return code.casefold()


def insert_new(model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those that are there are left as they are. No commit."""
    for start in range(0, len(rows), AT_ONCE):
        statement = insert(model).values(list(rows[start : start + AT_ONCE])).on_conflict_do_nothing()
        db.session.execute(statement)


def change(where: Sequence[Any], **values: Any) -> int:
    """Change the codes for which all conditions hold; return how many. No commit."""
    result: Any = db.session.execute(update(CouponCode).where(*where).values(**values).execution_options(**OPTIONS))
    return int(result.rowcount)


def of_keys(keys: Iterable[str]) -> dict[str, CouponCode]:
    """Return the rows with these keys."""
    wanted, found = list(keys), {}
    for start in range(0, len(wanted), AT_ONCE):
        query = select(CouponCode).where(CouponCode.key.in_(wanted[start : start + AT_ONCE]))
        for row in db.session.scalars(query.execution_options(populate_existing=True)):
            found[row.key] = row
    return found


def announce(codes: Sequence[str], rule_id: int, **values: Any) -> set[str]:
    """Write codes down before they are sent; return the keys of those that this caller may send. Commits.

    A code that was deleted in the shop may come again; one that is known otherwise may not.
    """
    begin_write()
    fresh = {
        "rule_id": rule_id,
        "state": "sending",
        "sent_at": 0.0,
        "at": now(),
        "pool": None,
        "request": None,
        "expires_at": 0.0,
        **NOUGHT,
        **values,
    }
    known = of_keys(key(code) for code in codes)
    new = [code for code in codes if key(code) not in known]
    for code in codes:
        row = known.get(key(code))
        if row is not None and row.state in ENDED:
            change([CouponCode.id == row.id, CouponCode.state.in_(ENDED)], code=code, **fresh)
    insert_new(CouponCode, [{"key": key(code), "code": code, **fresh} for code in new])
    db.session.commit()
    rows = of_keys(key(code) for code in codes)
    mine = {name for name, row in rows.items() if (row.rule_id, row.request, row.pool) == _owner(fresh)}
    db.session.rollback()
    return mine


def _owner(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return values["rule_id"], values["request"], values["pool"]


def sending(*, request: str | None = None, pool: int | None = None, limit: int = AT_ONCE) -> list[CouponCode]:
    """Return codes that were written down to be sent, of a request or of a pool's stock."""
    owner = CouponCode.request == request if request is not None else CouponCode.request.is_(None)
    query = select(CouponCode).where(CouponCode.state == "sending", owner).order_by(CouponCode.id).limit(limit)
    if pool is not None:
        query = query.where(CouponCode.pool == pool)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def mark_sent(ids: Sequence[int]) -> None:
    """Write down that these are about to be sent and that the shop had none of them before. Commits."""
    begin_write()
    change([CouponCode.id.in_(ids), CouponCode.state == "sending"], sent_at=now())
    db.session.commit()


def landed(id_: int, coupon: Coupon) -> None:
    """Write down that a sent code is in the shop. Commits."""
    begin_write()
    values = {
        # A count of the shop that began before this moment may not have seen it.
        "at": now(),
        "coupon_id": coupon.id,
        "usage_limit": coupon.usage_limit,
        "usage_per_customer": coupon.usage_per_customer,
        "times_used": coupon.times_used,
    }
    own = [CouponCode.id == id_, CouponCode.state == "sending"]
    change([*own, CouponCode.request.is_not(None)], state="given", **values)
    change([*own, CouponCode.request.is_(None)], state="stock", **values)
    db.session.commit()


def drop(id_: int) -> None:
    """Forget a code that the shop did not take. Commits."""
    begin_write()
    gone = delete(CouponCode).where(CouponCode.id == id_, CouponCode.state == "sending")
    db.session.execute(gone.execution_options(**OPTIONS))
    db.session.commit()


def take_stock(pool: int, request: str, quantity: int, expires_at: float) -> int:
    """Give codes of a pool's stock to a request, oldest first; return how many there were. Commits."""
    begin_write()
    taken = _give(_oldest(pool, quantity), request, expires_at)
    db.session.commit()
    return taken


def take_whole(pool: int, row: Mapping[str, Any]) -> list[str] | None:
    """Write down a new request and give it all its codes from the stock in one step; return them, in their order.

    None where the request is known, or the stock has too few: nothing is changed then. Commits.
    """
    begin_write()
    try:
        # First, so that another with the same id waits here and not for codes.
        db.session.execute(insert(CouponRequest).values(**row))
    except IntegrityError:
        db.session.rollback()
        return None
    ids = _oldest(pool, row["wanted"])
    if len(ids) < row["wanted"]:
        db.session.rollback()
        return None
    _give(ids, row["id"], row["expires_at"])
    codes = list(
        db.session.scalars(select(CouponCode.code).where(CouponCode.request == row["id"]).order_by(CouponCode.id))
    )
    db.session.commit()
    return codes


def _oldest(pool: int, quantity: int) -> list[int]:
    ids = (
        select(CouponCode.id)
        .where(CouponCode.pool == pool, CouponCode.state == "stock", CouponCode.times_used == 0)
        .order_by(CouponCode.id)
        .limit(quantity)
        .with_for_update(skip_locked=True)
    )
    return list(db.session.scalars(ids))


def _give(chosen: Sequence[int], request: str, expires_at: float) -> int:
    taken = 0
    for start in range(0, len(chosen), AT_ONCE):
        part = chosen[start : start + AT_ONCE]
        where = [CouponCode.id.in_(part), CouponCode.state == "stock"]
        taken += change(where, state="given", request=request, expires_at=expires_at, at=now())
    return taken


def codes_of(request: str, limit: int | None = None) -> list[CouponCode]:
    """Return the codes that a request was given, in their order."""
    query = select(CouponCode).where(CouponCode.request == request, CouponCode.state != "sending")
    return list(
        db.session.scalars(query.order_by(CouponCode.id).limit(limit).execution_options(populate_existing=True))
    )


def count_of(request: str) -> int:
    """Return how many codes a request has."""
    query = select(func.count()).select_from(CouponCode)
    found = db.session.scalar(query.where(CouponCode.request == request, CouponCode.state != "sending"))
    return int(found or 0)


def known_like(rule_id: int, length: int) -> int:
    """Return how many codes of a rule with so many characters are in the ledger."""
    query = select(func.count()).select_from(CouponCode)
    query = query.where(CouponCode.rule_id == rule_id, func.length(CouponCode.code) == length)
    return int(db.session.scalar(query) or 0)


def stock_of(pool: int) -> int:
    """Return how many codes wait in a pool."""
    query = select(func.count()).select_from(CouponCode)
    return int(db.session.scalar(query.where(CouponCode.pool == pool, CouponCode.state == "stock")) or 0)


def add_batch(**values: Any) -> int:
    """Write down a call before it is made; return its id. Commits."""
    begin_write()
    row = CouponBatch(sent_at=now(), **values)
    db.session.add(row)
    db.session.commit()
    return row.id


def batches(*where: Any, limit: int = 100) -> list[CouponBatch]:
    """Return calls for which all conditions hold."""
    query = select(CouponBatch).where(*where).order_by(CouponBatch.id).limit(limit)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def drop_batch(id_: int) -> None:
    """Forget a call that was not made or made nothing. Commits."""
    begin_write()
    db.session.execute(delete(CouponBatch).where(CouponBatch.id == id_).execution_options(**OPTIONS))
    db.session.commit()


def book_batch(batch: CouponBatch, codes: Sequence[str], expires_at: float, look_at: float) -> int:
    """Put the codes of a call into the ledger and end it; return how many were new. Commits.

    Codes go to the batch's request, as far as that wants more; the rest to its pool's stock; what nobody wants is
    deleted in the shop by the expiry.
    """
    begin_write()
    # The row is changed first: on PostgreSQL two that look at one batch must not both book it.
    own = update(CouponBatch).where(CouponBatch.id == batch.id)
    db.session.execute(own.values(state="done", look_at=look_at).execution_options(**OPTIONS))
    known = of_keys(key(code) for code in codes)
    new = [code for code in dict.fromkeys(codes) if key(code) not in known]
    room_left = max(_wanted(batch.request) - count_of(batch.request), 0) if batch.request else 0
    base: dict[str, Any] = {"rule_id": batch.rule_id, "sent_at": batch.sent_at, "at": now(), "pool": batch.pool}
    rows = []
    for place, code in enumerate(new):
        if place < room_left:
            more = {"state": "given", "request": batch.request, "expires_at": expires_at}
        elif batch.pool is not None:
            more = {"state": "stock", "request": None, "expires_at": 0.0}
        else:
            more = {"state": "given", "request": None, "expires_at": now()}
        rows.append({"key": key(code), "code": code, **base, **more, **NOUGHT})
    insert_new(CouponCode, rows)
    db.session.execute(
        update(CouponBatch)
        .where(CouponBatch.id == batch.id)
        .values(got=CouponBatch.got + len(new))
        .execution_options(**OPTIONS)
    )
    db.session.commit()
    return len(new)


def _wanted(request: str | None) -> int:
    row = db.session.get(CouponRequest, request, populate_existing=True) if request else None
    return row.wanted if row else 0
