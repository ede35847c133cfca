"""Pools: their rows and figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select, text

from bridge.coupons import ledger
from bridge.coupons.layouts import check_layout
from bridge.coupons.room import now
from bridge.db import db
from bridge.errors import Refused
from bridge.models import AuditLog
from bridge.models_coupons import USED, CouponCode, CouponPool
from bridge.store import CodeFormat
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store import Rule

STOCK_MOST = 50_000
EXPIRY_MOST = 3650
SOON_SECONDS = 7 * 86_400.0


class Changed(Refused):
    """Somebody else changed the pool meanwhile; nothing was saved."""

    def __init__(self) -> None:
        super().__init__("Somebody else has changed this pool since you opened it. Nothing is saved yet.")


class Figures(msgspec.Struct, frozen=True):
    """Counts of a pool's codes: those made at all, waiting in stock, given out; of these used, expiring soon, ended."""

    made: int = 0
    stock: int = 0
    given: int = 0
    used: int = 0
    expiring: int = 0
    expired: int = 0
    revoked: int = 0
    gone: int = 0
    sending: int = 0


def layout_of(pool: CouponPool) -> CodeFormat:
    """Return the look of a pool's codes."""
    return CodeFormat(
        kind=pool.kind,
        length=pool.length,
        prefix=pool.prefix,
        suffix=pool.suffix,
        every=pool.every,
        delimiter=pool.delimiter,
    )


def all_pools() -> list[CouponPool]:
    """Return all pools, by name."""
    return list(db.session.scalars(select(CouponPool).order_by(CouponPool.name)))


def pool_named(name: str) -> CouponPool:
    """Return the pool with this name or id; raises :class:`Refused` where there is none."""
    row = db.session.scalar(select(CouponPool).where(CouponPool.name == name))
    if row is None and name.isdecimal():
        row = db.session.get(CouponPool, int(name))
    if row is None:
        raise Refused(f"There is no pool {name!r}.")
    return row


def make_pool(name: str, rule_id: int, layout: CodeFormat, *, stock: int, expiry_days: int, who: str) -> CouponPool:
    """Add a pool. Raises :class:`Refused` for what cannot be one. Commits."""
    shown = " ".join(name.split())
    if not 1 <= len(shown) <= 80 or not shown.isprintable():
        raise Refused("The name of a pool has 1 to 80 characters.", "name")
    _check_numbers(stock, expiry_days)
    check_layout(layout)
    begin_write()
    if db.session.scalar(select(CouponPool.id).where(CouponPool.name == shown)) is not None:
        db.session.rollback()
        raise Refused("There is a pool with this name already.", "name")
    look = {name: getattr(layout, name) for name in ("kind", "length", "prefix", "suffix", "every", "delimiter")}
    pool = CouponPool(name=shown, rule_id=rule_id, stock=stock, expiry_days=expiry_days, **look)
    db.session.add(pool)
    db.session.add(AuditLog(who=who, what=f"coupon pool {shown} made", after={"rule": rule_id, "stock": stock}))
    db.session.commit()
    return pool


def of_ometria(rule: Rule) -> CouponPool:
    """Return the pool that stands for the codes which Ometria inserts under a rule; it is made by the first call.

    It has no stock unless staff give it one. Commits where it is made.
    """
    name = f"Ometria, rule {rule.id}"
    query = select(CouponPool).where(CouponPool.rule_id == rule.id, CouponPool.name.startswith(name))
    number = 1
    while (found := db.session.scalar(query.order_by(CouponPool.id))) is None:
        # Staff may have given the name to a pool of another rule.
        own = name if number == 1 else f"{name} ({number})"
        begin_write()
        ledger.insert_new(CouponPool, [{"name": own, "rule_id": rule.id, "rule_name": rule.name[:255]}])
        db.session.commit()
        number += 1
    return found


def state_of(pool: CouponPool) -> str:
    """Return what may change of a pool as one text, for :func:`change_pool`."""
    return f"{pool.stock}/{pool.expiry_days}/{int(pool.active)}"


def change_pool(
    pool: CouponPool, *, stock: int, expiry_days: int, active: bool, who: str, was: str | None = None
) -> None:
    """Change what may change of a pool: rule and look stay, since its codes have them. Commits.

    ``was`` is the state that the change was made of: raises :class:`Changed` where somebody was faster.
    """
    _check_numbers(stock, expiry_days)
    begin_write()
    db.session.refresh(pool, with_for_update=True)
    if was is not None and was != state_of(pool):
        db.session.rollback()
        raise Changed
    before = {"stock": pool.stock, "expiry_days": pool.expiry_days, "active": pool.active}
    after = {"stock": stock, "expiry_days": expiry_days, "active": active}
    for name, value in after.items():
        setattr(pool, name, value)
    db.session.add(AuditLog(who=who, what=f"coupon pool {pool.name} changed", before=before, after=after))
    db.session.commit()


def _check_numbers(stock: int, expiry_days: int) -> None:
    if not 0 <= stock <= STOCK_MOST:
        raise Refused(f"The stock of a pool is from 0 to {STOCK_MOST:,} codes.", "stock")
    if not 0 <= expiry_days <= EXPIRY_MOST:
        raise Refused(f"Codes expire after 1 to {EXPIRY_MOST} days; 0 is never.", "expiry_days")


def figures(of: int | None = None) -> dict[tuple[int, int | None], Figures]:
    """Return the figures by rule and pool; a pool of None stands for codes of no pool: inserted ones.

    ``of`` is the id of the only pool that is asked for: its codes alone are counted then, not all there are.
    """
    found: defaultdict[tuple[int, int | None], Counter[str]] = defaultdict(Counter)
    for pool in [of] if of is not None else [*db.session.scalars(select(CouponPool.id)), None]:
        # Each is a range of an index that holds all it asks for.
        own = CouponCode.pool == pool if pool is not None else CouponCode.pool.is_(None)
        by_state = select(CouponCode.rule_id, CouponCode.state, func.count()).where(own)
        for rule_id, state, count in db.session.execute(by_state.group_by(CouponCode.rule_id, CouponCode.state)):
            found[rule_id, pool].update({state: count, "made": count})
        used = select(CouponCode.rule_id, func.count()).where(own, text(USED))
        for rule_id, count in db.session.execute(used.group_by(CouponCode.rule_id)):
            found[rule_id, pool]["used"] = count
    ending = (CouponCode.state == "given", CouponCode.expires_at > 0, CouponCode.expires_at <= now() + SOON_SECONDS)
    by = (CouponCode.rule_id, CouponCode.pool)
    expiring = select(*by, func.count()).where(*ending).group_by(*by)
    for rule_id, pool, count in db.session.execute(expiring if of is None else expiring.where(CouponCode.pool == of)):
        found[rule_id, pool]["expiring"] = count
    names = Figures.__struct_fields__
    return {owner: Figures(**{name: counts[name] for name in names}) for owner, counts in found.items()}


def codes(pool: int | None, *, states: Sequence[str] = (), after: int = 0, limit: int = 200) -> list[CouponCode]:
    """Return codes of a pool (None: of no pool), by id behind ``after``."""
    query = select(CouponCode).where(CouponCode.id > after).order_by(CouponCode.id).limit(limit)
    query = query.where(CouponCode.pool == pool if pool is not None else CouponCode.pool.is_(None))
    return list(db.session.scalars(query.where(CouponCode.state.in_(states)) if states else query))
