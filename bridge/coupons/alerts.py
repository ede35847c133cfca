"""Watches the rules of the pools: one that is switched off, over or changed is told before a campaign fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.coupons import pools
from bridge.coupons.room import now, room, verdict_of
from bridge.db import db
from bridge.writing import begin_write

if TYPE_CHECKING:
    from bridge.coupons.rules import Verdict
    from bridge.models_coupons import CouponPool
    from bridge.store import Rule

EVERY_SECONDS = 300.0

log = structlog.get_logger()


def watch(*, fresh: bool = False) -> list[CouponPool]:
    """Look at the rule of each active pool whose turn it is; return the pools that cannot be used.

    Raises :class:`bridge.errors.Retry` where the shop cannot be asked: what is not known is no alert.
    """
    due = [pool for pool in pools.all_pools() if pool.active and (fresh or now() - pool.checked_at >= EVERY_SECONDS)]
    for pool in due:
        look_at(pool)
    return stopped()


def stopped() -> list[CouponPool]:
    """Return the active pools whose rule could not be used when it was last looked at."""
    return [pool for pool in pools.all_pools() if pool.active and pool.problem]


def gauges() -> dict[str, float]:
    """Return stock and state of each active pool as gauges of Prometheus: name with labels -> value."""
    figures = pools.figures()
    found: dict[str, float] = {}
    for pool in (one for one in pools.all_pools() if one.active):
        own = figures.get((pool.rule_id, pool.id), pools.Figures())
        label = f'{{pool="{pool.id}",rule="{pool.rule_id}"}}'
        found[f"bridge_coupon_pool_stopped{label}"] = 1.0 if pool.problem else 0.0
        found[f"bridge_coupon_stock{label}"] = own.stock
        found[f"bridge_coupon_stock_wanted{label}"] = pool.stock
    return found


def look_at(pool: CouponPool) -> Verdict:
    """Read a pool's rule, judge it and write down what is wrong with it. Commits."""
    return note(pool, room().shop.rule(pool.rule_id))


def note(pool: CouponPool, rule: Rule | None) -> Verdict:
    """Judge a pool's rule, just read, and write down what is wrong with it; a change is logged. Commits."""
    found = verdict_of(pool.rule_id, rule)
    before, said = pool.problem, " ".join(found.faults)
    begin_write()
    db.session.refresh(pool)
    pool.problem, pool.caution, pool.checked_at = said, " ".join(found.cautions), now()
    pool.problem_at = (pool.problem_at if before else now()) if said else 0.0
    if rule is not None:
        pool.rule_name = rule.name[:255]
    name, rule_id = pool.name, pool.rule_id
    db.session.commit()
    if said and said != before:
        log.error("coupon pool stopped", pool=name, rule=rule_id, reason=said, next="change the rule in the shop")
    elif before and not said:
        log.info("coupon pool works again", pool=name, rule=rule_id)
    return found
