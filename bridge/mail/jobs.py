"""What the workers run for mail. Every job may run twice, at any time; what there is to do stands in the database."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import and_, delete, exists, select
from sqlalchemy.exc import DataError, SQLAlchemyError

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.mail import deliveries, expectations
from bridge.mail.deciding import Deciding
from bridge.mail.mailer import Spooled, mailer
from bridge.mail.material import REBUILT
from bridge.mail.raised import Raising
from bridge.mail.sending import ORIGINAL, Sending
from bridge.mail.taking import take
from bridge.models import Cursor
from bridge.models_mail import MailDelivery, MailLetter
from bridge.settings import DEFAULT, load_book
from bridge.writing import begin_write, keep_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.mail.deliveries import Task
    from bridge.mail.mailer import Mailer
    from bridge.mail.upstream import Upstream
    from bridge.settings import Book

SHARE_SECONDS = 20.0
"""How long one job works before live work has its turn again."""
CLEAN = "mail:clean"
CLEAN_SECONDS = 3600.0
DAY = 86_400.0
GONE = "the spooled file is gone"
ODD_SECONDS = 60.0
"""After so long the original follows of a mail at which the work failed."""

log = structlog.get_logger()


def mail() -> None:
    """Take what the relay spooled, decide, send, and forget what was handed over."""
    own = mailer()
    own.wakes.awake("mail")
    if work(own):
        own.wakes.try_wake("mail")


def work(own: Mailer) -> bool:
    """Do what is due, for a limited time; return whether more is due at once."""
    end = time.monotonic() + SHARE_SECONDS
    taken = take(own.spool, own.keys)
    deliveries.lapse(deliveries.now())
    deliveries.follow_rules(deliveries.now())
    with contextlib.ExitStack() as stack:
        upstream = _upstream(own, stack)
        while time.monotonic() < end and _next(own, upstream):
            pass
    _forget(own)
    _clean()
    return taken > 0 or deliveries.next_due(deliveries.now(), own.spool.place_ids()) is not None


def _upstream(own: Mailer, stack: contextlib.ExitStack) -> Upstream | None:
    try:
        return stack.enter_context(own.upstream())
    except Misconfigured as error:
        log.warning("originals wait", reason=error.what, next="set it and restart the worker")
        return None


def _next(own: Mailer, upstream: Upstream | None) -> bool:
    """Work at the letter that is due first; return False when none is."""
    moment, places = deliveries.now(), own.spool.place_ids()
    found = deliveries.next_due(moment, places)
    if found is None:
        return False
    tasks = deliveries.claim(*found, moment, places)
    try:
        if tasks:
            _deliver(own, load_book(), tasks, upstream)
    except Exception as error:
        # A database that is away is everybody's trouble; one odd mail holds up none of the others, and goes out itself.
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
            raise
        db.session.rollback()
        log.error("mail set aside", letter=found[0], error=type(error).__name__, next="its original goes out")  # noqa: TRY400 the trace may show a mail
        _let_go(tasks, type(error).__name__)
    return True


def _let_go(tasks: Sequence[Task], fault: str) -> None:
    """Let the originals go of what could not be worked at, and end what has none. Commits.

    What was being sent stays so: its outcome is unknown. A later fault of the same kind finds the original's way only.
    """
    moment = deliveries.now()
    begin_write()
    for task in tasks:
        if task.letter is None or task.twin:
            values = deliveries.ended("refused", f"not worked at ({fault})", moment)
        else:
            why = f"not worked at ({fault}); {ORIGINAL}"
            values = deliveries.again("", moment + ODD_SECONDS, why=why, route="relay", rule="hold")
        deliveries.write(task.id, task.token, only=("new", "waiting"), **values)
    db.session.commit()


def _deliver(own: Mailer, book: Book, tasks: Sequence[Task], upstream: Upstream | None) -> None:
    """Decide about the claimed deliveries of one letter and send them."""
    letter = tasks[0].letter
    spooled = None if letter is None else _read(own, letter)
    if letter is not None and spooled is None:
        if _lies_elsewhere(own, letter):
            deliveries.release(tasks[0].token)
            return
        tasks = _without_original(tasks)
    else:
        deciding = Raising(own, book) if spooled is None else Deciding(own, book, spooled)
        for task in tasks:
            if task.state == "new":
                deciding.decide(task)
        tasks = deliveries.claimed(tasks[0].token)
    sending = Sending(own, book, spooled, upstream)
    sending.relay([task for task in tasks if task.state == "waiting" and task.route == "relay"])
    for task in tasks:
        if task.state == "waiting" and task.route == "ometria":
            sending.ometria(task)


def _lies_elsewhere(own: Mailer, id_: int) -> bool:
    """Return whether the file of a letter is in a place that cannot be seen now: its mount may have gone meanwhile."""
    row = db.session.get(MailLetter, id_)
    return row is not None and row.spooled and row.place not in own.spool.place_ids()


def _without_original(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks whose mail can be made of the shop's data alone; the others end. Commits."""
    made = [task for task in tasks if task.route == "ometria" and task.kind in REBUILT]
    begin_write()
    for task in tasks:
        if task not in made:
            deliveries.write(task.id, task.token, **deliveries.ended("refused", GONE, deliveries.now()))
    db.session.commit()
    return made


def _read(own: Mailer, id_: int) -> Spooled | None:
    row = db.session.get(MailLetter, id_)
    if row is None:
        return None
    try:
        envelope, raw = own.spool.read(row.spool)
    except (FileNotFoundError, ValueError):
        return None
    return Spooled(id_, row.spool, envelope, raw)


def _forget(own: Mailer) -> None:
    """Remove the files of letters that were handed over: they may hold reset links."""
    last, places = 0, own.spool.place_ids()
    while found := deliveries.finished_letters(deliveries.now(), places, last):
        last = found[-1][0]
        deliveries.mark_gone([id_ for id_, name in found if _is_dropped(own, name)])


def _is_dropped(own: Mailer, name: str) -> bool:
    try:
        own.spool.drop(name)
    except OSError as error:
        log.warning("spooled mail not removed", id=name, reason=error.strerror, next="tried again in a while")
        return False
    return True


def _clean() -> None:
    """Delete what is older than logs are kept, once an hour."""
    moment = deliveries.now()
    row = db.session.get(Cursor, CLEAN)
    if row is not None and moment - float(row.data.get("at", 0)) < CLEAN_SECONDS:
        return
    before = moment - load_book().settings(DEFAULT)["privacy.log_days"] * DAY
    begin_write()
    old = and_(MailDelivery.at < before, MailDelivery.state.not_in(deliveries.OPEN))
    needed = select(MailLetter.id).where(MailLetter.spooled.is_(True))
    kept = MailDelivery.letter.is_(None) | MailDelivery.letter.not_in(needed)
    options = {"synchronize_session": False}
    db.session.execute(delete(MailDelivery).where(old, kept).execution_options(**options))
    empty = ~exists().where(MailDelivery.letter == MailLetter.id)
    gone = MailLetter.spooled.is_(False)
    db.session.execute(delete(MailLetter).where(MailLetter.at < before, gone, empty).execution_options(**options))
    expectations.clean(moment)
    keep_note(CLEAN, {"at": moment})
    db.session.commit()
