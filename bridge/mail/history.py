"""The mail log: what came, which way it went and why; and sending one again by hand.

Addresses are masked; subjects are shown only of mails that nobody has classified, in ``summary`` without addresses,
numbers and words of the recipient's address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, literal, select, union_all

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.mail import deliveries
from bridge.mail.material import REBUILT
from bridge.models_mail import MailDelivery, MailLetter
from bridge.settings import MAIL_KINDS
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HIDDEN = "•••"
DAY = 86_400

_EMAIL = re.compile(r"\S+@\S+")
_NUMBER = re.compile(r"\S*\d\S*")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log. ``recipient`` is masked; times are Unix seconds, 0 for not yet.

    ``place`` is the spool place whose workers alone can go on with it, empty where any worker can or none needs to.
    """

    id: int
    at: float
    done_at: float
    recipient: str
    kind: str
    store: str
    order: str
    layer: str
    route: str
    state: str
    rule: str
    why: str
    reason: str
    twin: bool
    copies: int
    attempts: int
    request_id: str
    comparison: Mapping[str, Any] | None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Unclassified:
    """A mail that is none of the seven as far as anybody knows: what a person needs to say what it is.

    ``subject`` is whole, for whoever makes a rule of it; ``summary`` is what everybody may see of it.
    """

    letter: int
    at: float
    subject: str
    summary: str
    sender: str
    shape: str
    why: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many recipients of a kind (empty: none of the seven) got what on a day that begins at ``day``.

    ``sandbox`` are the copies that Ometria's sandbox took; they are in none of the other figures.
    """

    day: int
    kind: str
    ometria: int
    relayed: int
    sandbox: int
    open: int
    refused: int
    uncertain: int


def mask(email: str) -> str:
    """Return ``a•••@x.test`` for ``ann@x.test``."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}{HIDDEN}@{domain}" if at else HIDDEN


def entries(
    limit: int = 50,
    before: int | None = None,
    *,
    day: float | None = None,
    only: Mapping[str, str] = MappingProxyType({}),
) -> list[Entry]:
    """Return lines, newest first; ``only`` compares columns such as ``kind``, ``state``, ``store``, ``recipient_key``.

    ``before`` is the id of the last line of the page before, ``day`` the beginning of the only day, Unix seconds.
    """
    # Ids first: those of a day are sorted, and sorted alone they cost little.
    ids = select(MailDelivery.id).order_by(MailDelivery.id.desc()).limit(limit)
    for name, value in only.items():
        ids = ids.where(getattr(MailDelivery, name) == value)
    if before is not None:
        ids = ids.where(MailDelivery.id < before)
    if day is not None:
        ids = ids.where(MailDelivery.at >= day, MailDelivery.at < day + DAY)
    query = select(MailDelivery, MailLetter).outerjoin(MailLetter, MailLetter.id == MailDelivery.letter)
    query = query.where(MailDelivery.id.in_(ids)).order_by(MailDelivery.id.desc())
    return [_entry(row, letter) for row, letter in db.session.execute(query)]


def _entry(row: MailDelivery, letter: MailLetter | None) -> Entry:
    same = {name: getattr(row, name) for name in Entry.__dataclass_fields__ if name not in {"recipient", "place"}}
    bound = letter is not None and letter.spooled and row.state in deliveries.OPEN
    return Entry(recipient=mask(row.recipient), place=letter.place if letter is not None and bound else "", **same)


def waiting_elsewhere(places: Sequence[str]) -> dict[str, int]:
    """Return spool place -> deliveries that wait for a worker which sees it, beside the ``places`` seen from here.

    The empty place is that of letters from before places had ids, whose file no worker has found yet.
    """
    query = (
        select(MailLetter.place, func.count())
        .join(MailDelivery, MailDelivery.letter == MailLetter.id)
        .where(MailDelivery.state.in_(("new", "waiting")), MailLetter.spooled.is_(True))
        .where(MailLetter.place.not_in(places))
        .group_by(MailLetter.place)
        .order_by(MailLetter.place)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def counts(now: float, days: int) -> list[Count]:
    """Return how the deliveries of the last days (UTC) stand, a line for each day and kind, the newest day first."""
    first = (int(now // DAY) - days + 1) * DAY
    rows = db.session.execute(_counting(days), {f"day{at}": first + at * DAY for at in range(days + 1)})
    found = [Count(first + row.place * DAY, row.kind, *row[3:]) for row in rows if row.deliveries]
    return sorted(found, key=lambda one: (-one.day, one.kind))


@lru_cache(maxsize=8)
def _counting(days: int) -> Any:
    """Return the query for so many days; it takes when each begins, and the last one ends, as ``day0``, ``day1``...

    Each day and kind is a range of an index, read from one end to the other: a grouping would be sorted first. Made
    once, since to put it together takes as long as to answer it.
    """
    ometria = and_(MailDelivery.route == "ometria", MailDelivery.twin.is_(False))
    own = MailDelivery.twin.is_(False)

    def of(*conditions: Any) -> Any:
        return func.sum(case((and_(*conditions), 1), else_=0))

    figures = (
        of(ometria, MailDelivery.state == "sent"),
        of(own, MailDelivery.route == "relay", MailDelivery.state == "sent"),
        of(MailDelivery.twin.is_(True), MailDelivery.state == "sent"),
        of(own, MailDelivery.state.in_(deliveries.OPEN)),
        of(own, MailDelivery.state == "refused"),
        of(own, MailDelivery.state == "uncertain"),
    )
    return union_all(
        *(
            select(literal(at).label("place"), literal(kind).label("kind"), func.count().label("deliveries"), *figures)
            .where(MailDelivery.kind == kind)
            .where(MailDelivery.at >= bindparam(f"day{at}"), MailDelivery.at < bindparam(f"day{at + 1}"))
            for at in range(days)
            for kind in ("", *MAIL_KINDS)
        )
    )


def unclassified(limit: int = 50) -> list[Unclassified]:
    """Return the newest mails that no layer could name, one line a letter."""
    query = (
        select(MailLetter, MailDelivery.why, MailDelivery.recipient)
        .join(MailDelivery, MailDelivery.letter == MailLetter.id)
        .where(MailDelivery.kind == "", MailDelivery.route == "relay", MailDelivery.native == "")
        .order_by(MailDelivery.id.desc())
        .limit(limit)
    )
    found: dict[int, Unclassified] = {}
    for letter, why, recipient in db.session.execute(query):
        summary = redacted(found[letter.id].summary if letter.id in found else letter.subject, recipient)
        found[letter.id] = Unclassified(
            letter.id, letter.at, letter.subject, summary, mask(letter.sender), letter.shape, why
        )
    return list(found.values())


def redacted(subject: str, recipient: str) -> str:
    """Return a subject without e-mail addresses, numbers, and the words that the recipient's address is made of."""
    shown = _NUMBER.sub(HIDDEN, _EMAIL.sub(HIDDEN, subject))
    for word in sorted(_WORD.findall(recipient.rpartition("@")[0]), key=len, reverse=True):
        shown = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", HIDDEN, shown, flags=re.IGNORECASE)
    return shown


def resend(id_: int, route: str | None = None) -> str:
    """Let a mail be sent again, by ``route`` or the way it went before; return the way. Commits.

    Raises :class:`Misconfigured` where that is impossible: the original is gone after it was handed over, and a reset
    link goes with it.
    """
    begin_write()
    row = db.session.get(MailDelivery, id_)
    if row is None:
        db.session.rollback()
        raise Misconfigured(f"There is no mail {id_}: see `bridge mail log`.")
    letter = db.session.get(MailLetter, row.letter) if row.letter is not None else None
    has_original = letter is not None and letter.spooled
    way = route or row.route or "relay"
    why = _why_not(row, way, has_original=has_original)
    if why:
        db.session.rollback()
        raise Misconfigured(why)
    moment = deliveries.now()
    row.since = moment
    row.state, row.route, row.due_at, row.done_at = "waiting", way, moment, 0
    row.why, row.reason, row.rule = "sent again by hand", "", "hold"
    row.claim, row.lease_until, row.attempts, row.resent = "", 0, 0, row.resent + 1
    db.session.commit()
    return way


def _why_not(row: MailDelivery, way: str, *, has_original: bool) -> str:
    if row.state not in {"sent", "refused", "uncertain", "void"}:
        return f"Mail {row.id} is on its way already ({row.state})."
    if way == "relay" and not has_original:
        return f"The original of mail {row.id} is gone since it was handed over: let the shop send it again."
    if way == "ometria" and not row.kind:
        return f"Mail {row.id} is none of the seven kinds: only its original can be sent."
    if way == "ometria" and not has_original and row.kind not in REBUILT:
        return f"The reset link of mail {row.id} is gone since it was handed over: let the shop send another one."
    return ""
