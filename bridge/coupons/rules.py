"""Whether a cart price rule can be used for a pool, with every reason in words. Values in, values out.

Magento itself makes codes for rules that are off or over; a campaign would send codes that no basket takes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bridge.store import Rule

GUESTS = 0
"""Magento's customer group of visitors that are not signed in."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``faults`` keep the rule from being used; ``cautions`` are odd and do not; ``uses`` says what a code is good for.

    Magento counts *Uses per Customer* over all codes of the rule: who has used one of them may have none left for the
    next, however new that code is.
    """

    faults: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    uses: str = ""


def judge(rule_id: int, rule: Rule | None, zones: Mapping[int, str], now: dt.datetime) -> Verdict:
    """Judge a rule as the shop has it; ``zones`` are the time zones of the active websites by their id."""
    if rule is None:
        return Verdict((f"The shop has no cart price rule {rule_id}.",))
    days = {site: now.astimezone(_zone(zones[site])).date() for site in rule.website_ids if site in zones}
    return Verdict(tuple(_faults(rule, days)), tuple(_cautions(rule, days)), _uses(rule))


def _faults(rule: Rule, days: Mapping[int, dt.date]) -> Iterator[str]:
    if not rule.active:
        yield "The rule is switched off: set Active to Yes."
    if rule.coupon_type != "SPECIFIC_COUPON":
        yield "The rule is not for a specific coupon: set Coupon to Specific Coupon."
    elif not rule.auto:
        yield "The rule has one code of its own: tick Use Auto Generation."
    if not rule.website_ids:
        yield "The rule is assigned to no website."
    elif not days:
        yield "None of the rule's websites is an active one of this shop."
    yield from _dates(rule, days.values())
    if not rule.group_ids:
        yield "The rule is for no customer group."


def _dates(rule: Rule, days: Iterable[dt.date]) -> Iterator[str]:
    """Tell a rule that is not valid today in any of its websites; both dates are inclusive."""
    known = list(days)
    if not known:
        return
    if rule.to_date is not None and all(day > rule.to_date for day in known):
        yield f"The rule ended on {rule.to_date:%Y-%m-%d}."
    if rule.from_date is not None and all(day < rule.from_date for day in known):
        yield f"The rule begins on {rule.from_date:%Y-%m-%d}."
    if rule.from_date and rule.to_date and rule.from_date > rule.to_date:
        yield "The rule ends before it begins."


def _cautions(rule: Rule, days: Mapping[int, dt.date]) -> Iterator[str]:
    if rule.auto and rule.uses_per_coupon == 0:
        yield "Each code may be used any number of times (Uses per Coupon is 0)."
    if rule.auto and rule.uses_per_coupon > 1:
        yield f"Each code may be used {rule.uses_per_coupon} times (Uses per Coupon)."
    if rule.group_ids and GUESTS not in rule.group_ids:
        yield "Visitors who are not signed in cannot use the codes."
    unknown = [str(site) for site in rule.website_ids if site not in days]
    if unknown and days:
        yield f"The rule also names websites that are not active: {', '.join(unknown)}."
    if rule.to_date is not None and days:
        left = (rule.to_date - min(days.values())).days
        if 0 <= left < 7:
            yield f"The rule ends on {rule.to_date:%Y-%m-%d}."


def _uses(rule: Rule) -> str:
    """Say how often a code of the rule, and a customer, may use it, and how often it was used."""
    code = f"each code {_times(rule.uses_per_coupon)}"
    customer = f"each signed-in customer {_times(rule.uses_per_customer)} over all its codes"
    return f"Uses: {code}, {customer}; {rule.times_used:,} so far."


def _times(limit: int) -> str:
    return {0: "without limit", 1: "once"}.get(limit, f"{limit:,} times")


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return dt.UTC
