"""The cart price rules that pools of codes name: can each be used, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.checks.finding import Finding, fail, good, warn
from bridge.coupons import alerts, pools
from bridge.errors import BridgeError, Misconfigured
from bridge.store.magento_rights import COUPONS

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "coupon rule"


def look_at_coupons() -> Iterator[Finding]:
    """Look at the rule of each pool anew; what is found is kept with the pool. Needs an application context."""
    known = pools.all_pools()
    if not known:
        yield good(RULE, "No pool of codes names a rule.")
    for pool in known:
        name, rule = pool.name, pool.rule_id
        try:
            verdict = alerts.look_at(pool)
        except Misconfigured as error:
            yield fail(RULE, f"Tick “{COUPONS.name}” for the integration if it is not: {error.what}", COUPONS.name)
            return
        except BridgeError as error:
            yield fail(RULE, f"Rule {rule} of {name} could not be asked for: {error}", name)
            return
        said = " ".join((*verdict.faults, *verdict.cautions))
        if verdict.faults:
            yield fail(RULE, f"Rule {rule} of {name} cannot be used. {said}", name)
        elif verdict.cautions:
            yield warn(RULE, f"Rule {rule} of {name} can be used. {said}", name)
        else:
            yield good(RULE, f"Rule {rule} of {name} can be used.", name)
