"""What each account still owes Ometria, by entity, and how much of its request limit is in use."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select, union_all

from bridge.db import db
from bridge.errors import Retry
from bridge.events import KINDS
from bridge.models import Pending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.ometria import Pacer, Standing
    from bridge.settings import Account

ACCOUNTS_MOST = 10
"""Accounts on one page: each is counted by itself."""
COUNTED = 1_000
"""How far the records of one account, lane and state are counted."""
COLUMNS = {("waiting", "live"): "live", ("waiting", "history"): "history"}
COLUMNS |= {("refused", "live"): "refused", ("refused", "history"): "refused"}


@dataclass(slots=True)
class Backlog:
    """One account: records by entity and column (``live``, ``history``, ``refused``), and where its pace stands.

    ``more`` has the columns that were not counted to the end; ``standing`` is None where Redis does not answer.
    """

    account: Account
    rate: int
    standing: Standing | None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    more: set[str] = field(default_factory=set)

    def shown(self, kind: str, column: str) -> str:
        """Return a figure for people; a plus sign says that there are more."""
        return f"{self.counts[kind][column]:,}" + ("+" if column in self.more else "")


def backlogs(accounts: Sequence[Account], pacer: Pacer | None) -> list[Backlog]:
    """Return a row for each of the accounts, which are not more than :data:`ACCOUNTS_MOST`."""
    found = {}
    for account in accounts:
        rate = int(account.settings["export.requests_per_second"])
        row = found[account.id] = Backlog(account, rate, _standing(pacer, account.key, rate))
        row.counts = {kind: dict.fromkeys(("live", "history", "refused"), 0) for kind in KINDS}
    read: Counter[tuple[str, str, str]] = Counter()
    for id_, state, lane, kind, count in db.session.execute(_counts(list(found))) if found else ():
        found[id_].counts[kind][COLUMNS[state, lane]] += count
        read[id_, state, lane] += count
    for (id_, state, lane), count in read.items():
        if count >= COUNTED:
            found[id_].more.add(COLUMNS[state, lane])
    return list(found.values())


def _counts(accounts: Sequence[str]) -> Any:
    """Return the question for (account, state, lane, kind, count): :data:`COUNTED` rows of each are read at most."""
    asked = []
    for account in accounts:
        for state, lane in COLUMNS:
            own = (Pending.account == account, Pending.state == state, Pending.lane == lane)
            some = select(Pending.kind).where(*own).limit(COUNTED).subquery()
            names = (literal(account), literal(state), literal(lane))
            asked.append(select(*names, some.c.kind, func.count()).group_by(some.c.kind))
    return union_all(*asked)


def _standing(pacer: Pacer | None, key: str, rate: int) -> Standing | None:
    try:
        return pacer.standing(key, rate) if pacer is not None else None
    except Retry:
        return None
