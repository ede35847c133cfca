"""What `bridge check` found last, group by group: kept as notes, so that a page shows it without asking anybody.

A click only asks: the check is made by a worker, since neighbours may be slow to answer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.db import db
from bridge.export import cursors
from bridge.models import Cursor
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUPS = ("base", "shop", "rights", "ometria", "tag", "mail", "coupons")
"""Names of the groups; ``bridge.checks`` has the checks of each."""
NOTE = "check:"
AGAIN_SECONDS = 15.0
"""How long after a check its group is not asked for again, so that clicks cannot hammer the shop."""
LOST_SECONDS = 180.0
"""A check that began, or was asked for, so long ago and has not ended will not: its worker died, or there is none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One finding as kept: ``level`` is ``ok``, ``warn`` or ``fail``; ``about`` names what of many it is about."""

    name: str
    level: str
    sentence: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """How a group stands. Times are Unix seconds, 0 for never: asked for, begun, ended; ``findings`` are of the end."""

    asked: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    findings: list[Kept] = field(default_factory=list)

    def state(self, now: float) -> str:
        """Return ``waits`` for a worker, ``runs``, ``lost`` (asked for and never made), ``made`` or ``never``."""
        if max(self.asked, self.began) <= self.ended:
            return "made" if self.ended else "never"
        if now - max(self.asked, self.began) > LOST_SECONDS:
            return "lost"
        return "runs" if self.began > self.asked else "waits"


def notes() -> dict[str, Note]:
    """Return the note of every group."""
    kept = cursors.named(NOTE)
    return {name: _note(kept[NOTE + name][0] if NOTE + name in kept else {}) for name in GROUPS}


def _note(data: dict[str, Any]) -> Note:
    found = [Kept(*one) for one in data.get("findings", ())]
    return Note(data.get("asked", 0.0), data.get("began", 0.0), data.get("ended", 0.0), found)


def ask(group: str) -> str:
    """Write down that a check is wanted; return an empty text, or why none is to be made now. Commits."""
    begin_write()
    db.session.execute(insert(Cursor).values(name=NOTE + group, data={}, updated_at=0.0).on_conflict_do_nothing())
    data, now = cursors.read(NOTE + group), time.time()
    note = _note(data)
    refusal = {"waits": "waits", "runs": "runs"}.get(note.state(now), "")
    if not refusal and 0 <= now - note.ended < AGAIN_SECONDS:
        refusal = "fresh"
    if not refusal:
        cursors.write(NOTE + group, {**data, "asked": now})
    db.session.commit()
    return refusal


def take_back(group: str) -> None:
    """Forget that a check was asked for: nobody could be woken. Commits."""
    begin_write()
    data = cursors.read(NOTE + group)
    cursors.write(NOTE + group, {**data, "asked": data.get("ended", 0.0)})
    db.session.commit()


def begin(group: str) -> None:
    """Write down that a check begins. Commits."""
    begin_write()
    cursors.write(NOTE + group, {**cursors.read(NOTE + group), "began": time.time()})
    db.session.commit()


def end(group: str, findings: Iterable[Kept]) -> None:
    """Keep what a check found. Commits."""
    begin_write()
    kept = [[one.name, one.level, one.sentence, one.about] for one in findings]
    cursors.write(NOTE + group, {**cursors.read(NOTE + group), "ended": time.time(), "findings": kept})
    db.session.commit()
