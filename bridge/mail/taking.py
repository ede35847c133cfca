"""Spooled files -> rows: each letter once by its spool id, each recipient once by the key of the mail.

The rows are committed before anything is decided. A file whose letter stands in the database already is not taken
again; the file itself goes only after its last delivery (:mod:`bridge.mail.jobs`). With the letter stands the id of the
spool place where its file lies: only a worker that sees this place works at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select, update

from bridge.db import db
from bridge.mail.deliveries import add, now
from bridge.mail.letter import Letter
from bridge.mail.marks import Marks
from bridge.models_mail import MailDelivery, MailLetter
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.mail.envelope import Envelope
    from bridge.mail.fingerprint import Keys
    from bridge.mail.spool import MailSpool

ASKED_AT_ONCE = 200
TAKEN_MOST = 200
"""Letters taken before the first of them is delivered."""
SUBJECT_MOST = 1000
UNREADABLE = "the spooled file cannot be read"

log = structlog.get_logger()


def take(spool: MailSpool, keys: Keys) -> int:
    """Take what waits, oldest first, at most :data:`TAKEN_MOST`; return how many letters were new. Commits each."""
    count = 0
    _adopt(spool)
    for name in _unknown(spool.waiting()):
        place = spool.place_of(name)
        if not place:
            continue
        try:
            envelope, raw = spool.read(name)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("spooled mail not read", id=name, reason=error.strerror, next="tried again, others go on")
            continue
        except ValueError:
            _keep_unreadable(name, place)
            continue
        count += _take(name, place, envelope, raw, keys)
        if count >= TAKEN_MOST:
            break
    return count


def _unknown(names: Iterator[str]) -> Iterator[str]:
    """Yield the spool ids that no letter has."""
    while part := [name for name, _ in zip(names, range(ASKED_AT_ONCE), strict=False)]:
        known = set(db.session.scalars(select(MailLetter.spool).where(MailLetter.spool.in_(part))))
        yield from (name for name in part if name not in known)


def _adopt(spool: MailSpool) -> None:
    """Write down the place of letters that were taken before places had ids. Commits."""
    nowhere = select(MailLetter.id, MailLetter.spool).where(MailLetter.spooled.is_(True), MailLetter.place == "")
    found = [(row[0], spool.place_of(row[1])) for row in db.session.execute(nowhere.limit(TAKEN_MOST))]
    if not any(place for _, place in found):
        return
    begin_write()
    for id_, place in found:
        db.session.execute(update(MailLetter).where(MailLetter.id == id_).values(place=place))
    db.session.commit()


def _take(name: str, place: str, envelope: Envelope, raw: bytes, keys: Keys) -> int:
    letter = _read(raw, envelope)
    begin_write()
    id_ = _new_letter(name, place, envelope, letter, len(raw))
    if id_ is None:
        db.session.rollback()
        return 0
    for recipient in dict.fromkeys(envelope.recipients):
        _new_delivery(id_, recipient, keys.mail(recipient, raw, envelope.received_at), envelope, keys)
    db.session.commit()
    return 1


def _read(raw: bytes, envelope: Envelope) -> Letter:
    """Return a mail decoded; one that cannot be read is kept without its words, and relayed."""
    try:
        return Letter.parse(raw, envelope)
    except Exception as error:  # noqa: BLE001 one odd mail must not hold up all that come after it
        log.warning("mail not readable", error=type(error).__name__, next="it is relayed as it is")
        return Letter(received_at=envelope.received_at, store_hint=envelope.store_hint)


def _new_letter(name: str, place: str, envelope: Envelope, letter: Letter, size: int) -> int | None:
    """Add a letter; return None when another worker has it already."""
    row = {
        "spool": name,
        "place": place,
        "spooled": True,
        "at": envelope.received_at,
        "sender": envelope.sender,
        "subject": letter.subject[:SUBJECT_MOST],
        "size": size,
        "shape": _shape(letter),
    }
    return add(MailLetter, row)


def _shape(letter: Letter) -> str:
    try:
        return Marks.of(letter).summary()
    except Exception as error:  # noqa: BLE001 a mail that cannot be summed up is relayed like any other
        return f"not readable ({type(error).__name__})"


def _new_delivery(letter: int, recipient: str, found: Sequence[str], envelope: Envelope, keys: Keys) -> None:
    """Add a delivery, or count one more copy of the one that is there."""
    same = db.session.scalar(select(MailDelivery.id).where(MailDelivery.key.in_(found)).with_for_update())
    if same is None:
        row = {
            "letter": letter,
            "key": found[0],
            "recipient": recipient,
            "recipient_key": keys.recipient(recipient),
            "at": envelope.received_at,
            "since": envelope.received_at,
            "due_at": min(envelope.received_at, now()),
            "products": [],
        }
        if add(MailDelivery, row) is not None:
            return
        same = db.session.scalar(select(MailDelivery.id).where(MailDelivery.key == found[0]))
    db.session.execute(
        db.update(MailDelivery)
        .where(MailDelivery.id == same)
        .values(copies=MailDelivery.copies + 1)
        .execution_options(synchronize_session=False)
    )


def _keep_unreadable(name: str, place: str) -> None:
    """Remember a damaged file, so that it is not looked at again; it stays on the disk for people."""
    begin_write()
    row = {"spool": name, "place": place, "spooled": False, "sender": "", "subject": "", "size": 0, "shape": UNREADABLE}
    add(MailLetter, row)
    db.session.commit()
    log.warning("spooled mail unreadable", id=name, next="it stays in the spool for people to look at")
