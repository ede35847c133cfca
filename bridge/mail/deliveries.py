"""The rows of :class:`bridge.models_mail.MailDelivery`: who may work at one, and how far it has come.

A delivery moves ``new`` -> ``waiting`` -> ``sending`` -> ``sent``. ``sending`` is committed before the call, so that a
process that dies later leaves a row of which everybody knows that its outcome is unknown. Each step is one conditional
UPDATE, which one of several workers wins. ``places`` are the spool places that a worker sees: the deliveries of a mail
whose file lies in another are left to a worker that sees that one.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select, true, update

from bridge.db import db
from bridge.mail.pauses import pause_after
from bridge.models_mail import MailDelivery, MailLetter
from bridge.writing import begin_write, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 100
"""Deliveries of one mail that are worked at together."""
LEASE_SECONDS = 900.0
"""Longer than the longest job: who holds a claim after that has died."""
RESEND_PAUSE = 30.0
HELD_SECONDS = 7 * 86_400.0
"""How long the file of a mail that was refused, or whose outcome stays unknown, waits for a person."""
OPEN = ("new", "waiting", "sending")
DONE = ("sent", "void")
STOPPED = ("refused", "uncertain")


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """A delivery as it was claimed, apart from the database's session."""

    id: int
    token: str
    letter: int | None
    key: str
    recipient: str
    recipient_key: str
    twin: bool
    kind: str
    layer: str
    store: str
    order: str
    shipment: str
    customer: str
    products: tuple[str, ...]
    route: str
    state: str
    attempts: int
    resent: int
    at: float
    since: float


def _task(row: MailDelivery) -> Task:
    named = {name: getattr(row, name) for name in Task.__dataclass_fields__ if name not in {"token", "products"}}
    return Task(token=row.claim, products=tuple(row.products or ()), **named)


def next_due(now: float, places: Sequence[str]) -> tuple[int | None, int] | None:
    """Return the letter (None for a mail of our own) and the delivery that is due first, or None."""
    query = select(MailDelivery.letter, MailDelivery.id).where(_due(now, places)).order_by(MailDelivery.due_at).limit(1)
    found = db.session.execute(query).first()
    return None if found is None else (found[0], found[1])


def claim(letter: int | None, delivery: int, now: float, places: Sequence[str]) -> list[Task]:
    """Take the due deliveries of a letter for this worker; return those that it got. Commits."""
    token = uuid.uuid4().hex
    begin_write()
    which = MailDelivery.id == delivery if letter is None else MailDelivery.letter == letter
    ids = select(MailDelivery.id).where(which, _due(now, places)).order_by(MailDelivery.id).limit(AT_ONCE)
    db.session.execute(
        update(MailDelivery)
        .where(MailDelivery.id.in_(ids.scalar_subquery()), _due(now, places))
        .values(claim=token, lease_until=now + LEASE_SECONDS)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return claimed(token)


def claimed(token: str) -> list[Task]:
    """Return what is held under a claim, as it stands now."""
    query = select(MailDelivery).where(MailDelivery.claim == token).order_by(MailDelivery.id)
    return [_task(row) for row in db.session.scalars(query.execution_options(populate_existing=True))]


def release(token: str) -> None:
    """Give back what is held under a claim, as it stands, for a worker that sees its file. Commits."""
    begin_write()
    db.session.execute(
        update(MailDelivery)
        .where(MailDelivery.claim == token, MailDelivery.state.in_(("new", "waiting")))
        .values(claim="", lease_until=0)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def begin_sending(ids: Sequence[int], token: str, now: float) -> list[int]:
    """Write down that these are being sent; return those that this worker may send. Commits."""
    begin_write()
    db.session.execute(
        update(MailDelivery)
        .where(MailDelivery.id.in_(ids), MailDelivery.claim == token, MailDelivery.state == "waiting")
        .values(state="sending", lease_until=now + LEASE_SECONDS, attempts=MailDelivery.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    query = select(MailDelivery.id).where(
        MailDelivery.id.in_(ids), MailDelivery.claim == token, MailDelivery.state == "sending"
    )
    return list(db.session.scalars(query))


def write(id_: int, token: str, *, only: Sequence[str] = (), **values: Any) -> bool:
    """Change a claimed row, where named in ``only`` of these states; return False when it is another's. No commit."""
    stands = MailDelivery.state.in_(only) if only else true()
    result: Any = db.session.execute(
        update(MailDelivery)
        .where(MailDelivery.id == id_, MailDelivery.claim == token, stands)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount)


def alone_with(key: str) -> None:
    """Let no other transaction pass here for the same key until this one ends; SQLite has one writer anyway."""
    if db.engine.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
        db.session.execute(select(func.pg_advisory_xact_lock(number)))


def add(model: Any, row: dict[str, Any]) -> int | None:
    """Add a row and return its id, or None when one with its unique key is there. No commit.

    The id is asked for, since the count of rows of such a statement is not told by every driver.
    """
    statement = insert(model).values(row).on_conflict_do_nothing().returning(model.id)
    found: int | None = db.session.scalar(statement)
    return found


def ended(state: str, reason: str, now: float, **more: Any) -> dict[str, Any]:
    """Return the values of a row that has come to an end."""
    return {"state": state, "reason": reason, "done_at": now, "claim": "", "lease_until": 0, **more}


def again(reason: str, due_at: float, **more: Any) -> dict[str, Any]:
    """Return the values of a row that is tried again at a time."""
    return {"state": "waiting", "reason": reason, "due_at": due_at, "claim": "", "lease_until": 0, **more}


def put_off(task: Task, reason: str, now: float, until: float) -> dict[str, Any]:
    """Return the values of a row that is looked at again soon, at the latest at ``until``."""
    due_at = min(now + pause_after(now - task.at), until)
    return {"due_at": due_at, "reason": f"waits: {reason}", "claim": "", "lease_until": 0}


def lapse(now: float) -> int:
    """Mark as uncertain what was being sent by a worker that has died; return how many. Commits."""
    begin_write()
    result: Any = db.session.execute(
        update(MailDelivery)
        .where(MailDelivery.state == "sending", MailDelivery.lease_until < now)
        .values(**ended("uncertain", "the process died while it was sending", now), due_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return int(result.rowcount)


def follow_rules(now: float) -> int:
    """Let the original follow where the outcome is unknown and the rule says ``resend``; once. Commits.

    A mail whose rule was followed, or that has no original, is held: a person may send it by the log.
    """
    begin_write()
    unsettled = and_(MailDelivery.state == "uncertain", MailDelivery.rule == "resend")
    has_original = exists().where(MailLetter.id == MailDelivery.letter, MailLetter.spooled.is_(True))
    once_more = and_(unsettled, MailDelivery.resent == 0, MailDelivery.twin.is_(False), has_original)
    result: Any = db.session.execute(
        update(MailDelivery)
        .where(once_more, MailDelivery.due_at <= now)
        .values(
            **again("", now),
            why="the outcome was unknown, so the original follows",
            route="relay",
            resent=1,
            attempts=0,
            done_at=0,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(MailDelivery)
        .where(unsettled, or_(MailDelivery.resent > 0, MailDelivery.twin.is_(True), ~has_original))
        .values(rule="hold")
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return int(result.rowcount)


def finished_letters(now: float, places: Sequence[str], after: int) -> list[tuple[int, str]]:
    """Return id and spool id of letters in these places whose file is not needed any more, by id behind ``after``."""
    needed = or_(
        MailDelivery.state.in_(OPEN),
        and_(MailDelivery.state.in_(STOPPED), MailDelivery.twin.is_(False), MailDelivery.done_at > now - HELD_SECONDS),
    )
    query = (
        select(MailLetter.id, MailLetter.spool)
        .where(MailLetter.spooled.is_(True), MailLetter.place.in_(places), MailLetter.id > after)
        .where(~exists().where(MailDelivery.letter == MailLetter.id, needed))
        .order_by(MailLetter.id)
        .limit(AT_ONCE)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def mark_gone(ids: Sequence[int]) -> None:
    """Note that the files of these letters are gone. Commits."""
    begin_write()
    db.session.execute(
        update(MailLetter)
        .where(MailLetter.id.in_(ids))
        .values(spooled=False)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def now() -> float:
    """Return the present moment; the tests of time-outs set it."""
    return time.time()


def _due(now_: float, places: Sequence[str]) -> Any:
    """Return the condition of what may be worked at; a mail whose file is gone or never was is anybody's."""
    seen = or_(MailLetter.place.in_(places), MailLetter.spooled.is_(False))
    return and_(
        MailDelivery.state.in_(("new", "waiting")),
        MailDelivery.due_at <= now_,
        or_(MailDelivery.claim == "", MailDelivery.lease_until < now_),
        or_(MailDelivery.letter.is_(None), exists().where(MailLetter.id == MailDelivery.letter, seen)),
    )
