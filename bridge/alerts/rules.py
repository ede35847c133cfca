"""When something is wrong. Facts in, alarms out; nothing here reads a clock, a database or a setting.

A rule that answers None could not be asked: what it said before goes on. One that answers with no alarm says that all
is well.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.clock import LATE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOUR: Final = 3600.0
LOOKS: Final = 3
"""How often in a row a backlog must have grown."""

KINDS: Final = {
    "key_refused": "Key refused",
    "backlog": "Backlog",
    "no_events": "No events",
    "mail_relayed": "Mail relayed",
    "clock_stopped": "Clock stopped",
    "coupons_stopped": "Coupons stopped",
}
"""Kind of alert -> what people call it."""
ADVICE: Final = {
    "key_refused": "Set a valid key in the general settings. The records wait meanwhile; none is lost.",
    "backlog": "Look whether `bridge worker` runs, and in the request log how Ometria answers.",
    "no_events": "Look at the shop: whether its pages pass bridge and carry the tag, and whether orders come in.",
    "mail_relayed": "Look at the mail log. Customers got the shop's own mail, so none is missing.",
    "clock_stopped": "Start `bridge clock`, or look at its log.",
    "coupons_stopped": "Change the cart price rule in the shop, or stop the campaign that uses the pool.",
}
"""Kind of alert -> what to do."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong. ``what`` tells it from others of its kind for good, ``subject`` names it for people."""

    kind: str
    what: str
    subject: str
    sentence: str

    @property
    def key(self) -> str:
        """The key under which it is kept while it lasts."""
        return f"{self.kind}:{self.what}"


@dataclass(frozen=True, slots=True)
class Account:
    """An account in use. ``refused`` is why Ometria's refusal has paused it, empty once it takes records again.

    ``oldest`` is when the live row was added that has waited longest, 0 for none. ``looks`` are how many live rows
    waited at the last looks, the newest last, and ``most`` how many one session sends.
    """

    id: str
    name: str
    refused: str = ""
    oldest: float = 0.0
    looks: tuple[int, ...] = ()
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Relayed:
    """Mails of a kind that should have gone through Ometria and were relayed in the last hour, for one reason."""

    kind: str
    name: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """A pool of coupons whose rule cannot be used."""

    id: int
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found at ``now`` (aware, in the shop's time zone).

    ``beat`` is when the clock ticked last, 0 when it has not of late, None when Redis could not be asked. ``tracked``
    says whether any store view is tracked, ``event`` when the last event came, None for never. ``hours`` are those in
    which the shop has visitors.
    """

    now: dt.datetime
    accounts: tuple[Account, ...] = ()
    backlog_minutes: int = 30
    tracked: bool = False
    event: float | None = None
    hours: tuple[int, int] | None = None
    relayed: tuple[Relayed, ...] = ()
    beat: float | None = None
    pools: tuple[Stopped, ...] = ()


Found = dict[str, "list[Alarm] | None"]
"""Kind -> its alarms, None where the rule could not be asked."""


def judge(facts: Facts) -> Found:
    """Ask every rule."""
    return {kind: rule(facts) for kind, rule in RULES.items()}


def key_refused(facts: Facts) -> list[Alarm]:
    """Return the accounts that Ometria's refusal has paused."""
    return [
        Alarm("key_refused", one.id, one.name, f"Ometria refuses the account of {one.name}: {one.refused}")
        for one in facts.accounts
        if one.refused
    ]


def backlog(facts: Facts) -> list[Alarm]:
    """Return the accounts whose live rows wait too long, or became more at each of the last looks."""
    return [alarm for one in facts.accounts if (alarm := _backlog(one, facts)) is not None]


def _backlog(one: Account, facts: Facts) -> Alarm | None:
    waited = (facts.now.timestamp() - one.oldest) / 60 if one.oldest else 0.0
    waiting = one.looks[-1] if one.looks else 0
    if waited > facts.backlog_minutes:
        told = f"Live changes of {one.name} have waited {waited:.0f} minutes for Ometria ({waiting} wait)."
        return Alarm("backlog", one.id, one.name, told)
    if grows(one.looks) and waiting > one.most:
        told = f"Live changes of {one.name} come faster than they are sent: {waiting} wait, and ever more."
        return Alarm("backlog", one.id, one.name, told)
    return None


def grows(looks: Sequence[int]) -> bool:
    """Return whether each of the last looks found more than the one before."""
    last = list(looks)[-LOOKS - 1 :]
    return len(last) > LOOKS and all(before < after for before, after in itertools.pairwise(last))


def no_events(facts: Facts) -> list[Alarm] | None:
    """Return the alarm that visitors do nothing; at night nobody can tell."""
    if facts.hours is None or not facts.tracked:
        return []
    if facts.event is None:
        return None
    now = facts.now.timestamp()
    if now - facts.event < HOUR:
        return []
    opened = opened_at(facts.now, facts.hours)
    if opened is None or now - opened < HOUR:
        return None
    minutes = (now - facts.event) / 60
    told = f"No event of a visitor has come for {minutes:.0f} minutes, in shop hours."
    return [Alarm("no_events", "shop", "The shop", told)]


def opened_at(now: dt.datetime, hours: tuple[int, int]) -> float | None:
    """Return when the shop hours began that ``now`` is in (Unix seconds), None outside of them.

    Hours over midnight, such as 18 to 2, belong to the day on which they begin.
    """
    first, last = hours
    length = (last - first) % 24 or 24
    for days in (0, 1):
        day = (now - dt.timedelta(days=days)).date()
        begins = dt.datetime.combine(day, dt.time(first), tzinfo=now.tzinfo)
        ends = begins + dt.timedelta(hours=length)
        if begins.timestamp() <= now.timestamp() < ends.timestamp():
            return begins.timestamp()
    return None


def mail_relayed(facts: Facts) -> list[Alarm]:
    """Return the kinds of mail that went out as the shop's own although they are live and switched on."""
    kinds: dict[str, list[Relayed]] = {}
    for one in facts.relayed:
        kinds.setdefault(one.kind, []).append(one)
    return [_relayed(rows) for _, rows in sorted(kinds.items())]


def _relayed(rows: Sequence[Relayed]) -> Alarm:
    reasons: dict[str, int] = {}
    for row in rows:
        reasons[row.reason] = reasons.get(row.reason, 0) + row.count
    count, reason = sum(reasons.values()), max(reasons, key=lambda one: (reasons[one], one))
    mails = "1 mail" if count == 1 else f"{count} mails"
    first = rows[0]
    told = f"{first.name}: {mails} of the last hour went out as the shop's own instead of through Ometria"
    often = "" if len(reasons) == 1 else "most often "
    return Alarm("mail_relayed", first.kind, first.name, f"{told}; {often}because: {reason or 'no reason is known'}.")


def clock_stopped(facts: Facts) -> list[Alarm] | None:
    """Return the alarm that nothing is woken any more."""
    if facts.beat is None:
        return None
    late = facts.now.timestamp() - facts.beat
    if late <= LATE_SECONDS:
        return []
    told = f"The clock last ticked {late / 60:.0f} minutes ago" if facts.beat else "The clock has not ticked of late"
    return [Alarm("clock_stopped", "clock", "The clock", f"{told}: nothing that is due by the hour is begun.")]


def coupons_stopped(facts: Facts) -> list[Alarm]:
    """Return the pools of coupons that give out no codes."""
    return [
        Alarm(
            "coupons_stopped", str(one.id), one.name, f"The rule of the pool {one.name} cannot be used: {one.problem}"
        )
        for one in facts.pools
    ]


RULES: dict[str, Callable[[Facts], list[Alarm] | None]] = {
    "key_refused": key_refused,
    "backlog": backlog,
    "no_events": no_events,
    "mail_relayed": mail_relayed,
    "clock_stopped": clock_stopped,
    "coupons_stopped": coupons_stopped,
}
