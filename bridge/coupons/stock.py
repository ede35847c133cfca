"""The warm stock: each pool keeps codes ready, so that a request is answered without the shop."""

from __future__ import annotations

import time
import uuid
from typing import Any

import structlog
from sqlalchemy import select, update

from bridge.coupons import generate, ledger, pools
from bridge.coupons.requests import LEASE_SECONDS
from bridge.coupons.room import now
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models_coupons import CouponBatch, CouponPool, CouponRequest
from bridge.writing import begin_write

SHARE_SECONDS = 20.0

log = structlog.get_logger()


def refill() -> bool:
    """Fill each pool's stock for a limited time; return whether more is wanted at once."""
    end, more = time.monotonic() + SHARE_SECONDS, False
    query = select(CouponPool.id).where(CouponPool.active.is_(True), CouponPool.stock > 0).order_by(CouponPool.id)
    for id_ in list(db.session.scalars(query)):
        more |= fill_pool(id_, end)
    return more


def fill_pool(id_: int, end: float) -> bool:
    """Fill one pool until the moment ``end`` of the monotonic clock; return whether it wants more at once."""
    token = uuid.uuid4().hex
    if not _hold(id_, token):
        return False
    pool = db.session.get(CouponPool, id_, populate_existing=True)
    if pool is None:
        return False
    order = generate.Order(
        rule_id=pool.rule_id,
        layout=pools.layout_of(pool),
        request=None,
        pool=id_,
        expires_at=0.0,
        left=lambda: _target(id_) - ledger.stock_of(id_),
        alive=lambda: _extend(id_, token),
    )
    after = 0.0
    try:
        generate.settle(order)
        # A pool with a problem is looked at again by the watch; its codes would be of no use meanwhile.
        while not pool.problem and order.left() > 0 and time.monotonic() < end:
            generate.fill(order)
        return not pool.problem and order.left() > 0
    except Retry as error:
        after = error.after
    except Misconfigured:
        after = 60.0
        raise
    except Refused as error:
        after = 60.0
        log.warning("stock not filled", pool=id_, reason=error.reason, next="tried again in a minute")
    finally:
        _change(id_, token, claim="", lease_until=now() + after)
    return False


def look_again() -> None:
    """Search once more for codes of calls whose answer was lost: they may have come late."""
    due = ledger.batches(CouponBatch.state == "done", CouponBatch.look_at > 0, CouponBatch.look_at <= now(), limit=20)
    for batch in due:
        request = db.session.get(CouponRequest, batch.request) if batch.request else None
        codes = generate.codes_of_tag(batch)
        late = ledger.book_batch(batch, codes, request.expires_at if request else 0.0, 0.0)
        if late:
            log.info("codes came late", pool=batch.pool, count=late)


def _target(id_: int) -> int:
    pool = db.session.get(CouponPool, id_, populate_existing=True)
    return pool.stock if pool is not None and pool.active else 0


def _hold(id_: int, token: str) -> bool:
    begin_write()
    result: Any = db.session.execute(
        update(CouponPool)
        .where(CouponPool.id == id_, CouponPool.lease_until <= now())
        .values(claim=token, lease_until=now() + LEASE_SECONDS)
        .execution_options(**ledger.OPTIONS)
    )
    db.session.commit()
    return bool(result.rowcount)


def _extend(id_: int, token: str) -> None:
    if not _change(id_, token, lease_until=now() + LEASE_SECONDS):
        raise Retry("Another worker fills this pool.", after=2)


def _change(id_: int, token: str, **values: Any) -> bool:
    begin_write()
    result: Any = db.session.execute(
        update(CouponPool)
        .where(CouponPool.id == id_, CouponPool.claim == token)
        .values(**values)
        .execution_options(**ledger.OPTIONS)
    )
    db.session.commit()
    return bool(result.rowcount)
