"""Expectations: which mail traffic has just asked the shop for, and to whom. Layer 2 of the recognition.

They come as events, since rooms do not import one another: the reader of the stream hands each new event to
:func:`keep`, inside its own transaction. A recipient stands here under an HMAC only, and for minutes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select, update

from bridge.db import db
from bridge.events import MailExpected, PasswordReset, Registered, link_proof
from bridge.mail.facts import Expected
from bridge.mail.natives import KIND_OF, NATIVES
from bridge.mail.recognise import EXPECTED_AFTER, EXPECTED_BEFORE
from bridge.models_mail import MailExpectation
from bridge.writing import insert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.events import AnyEvent
    from bridge.mail.fingerprint import Keys

KEPT_SECONDS = 1800.0
"""How long a row is kept: longer than any letter may be decided after it came."""
LINK_SECONDS = 8 * 86_400.0
"""How long it is remembered whose a reset link was: longer than any works."""
LINK = "reset link"
RESET = "reset"
DELETE_AT_ONCE = 1000


def keep(events: Iterable[AnyEvent], keys: Keys, now: float | None = None) -> None:
    """Keep what events let us expect; each event once. Old ones are passed over. No commit."""
    moment = time.time() if now is None else now
    rows = []
    for event in events:
        if isinstance(event, PasswordReset) and event.proof:
            raised = keys.raised(KIND_OF["password_changed"], event.id)
            rows.append(_row(raised, event.proof, RESET, event.at))
        elif event.at > moment - KEPT_SECONDS:
            rows += [_row(event.id, keys.recipient(email), native, event.at) for native, email in _expected(event)]
    _insert(rows)


def _row(id_: str, key: str, native: str, at: float) -> dict[str, Any]:
    return {"id": id_[:32], "recipient_key": key[:64], "native": native, "at": at, "spent": False}


def _insert(rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.execute(insert(MailExpectation).values(rows).on_conflict_do_nothing())


def _expected(event: AnyEvent) -> list[tuple[str, str]]:
    """Return the native mail and the address that an event lets us expect."""
    if isinstance(event, MailExpected):
        return [(event.mail, event.email)] if event.mail in NATIVES and event.email else []
    # Where the address must be confirmed first another mail comes, which its link tells.
    return [("account_new", event.email)] if isinstance(event, Registered) else []


def expected(recipient: str, at: float, keys: Keys) -> tuple[Expected, ...]:
    """Return what is expected for a recipient of a letter that came at ``at``, and not explained by another letter."""
    rows = db.session.execute(
        select(MailExpectation.native, MailExpectation.at)
        .where(
            MailExpectation.recipient_key == keys.recipient(recipient),
            MailExpectation.native.in_(NATIVES),
            MailExpectation.at.between(at - EXPECTED_BEFORE, at + EXPECTED_AFTER),
            MailExpectation.spent.is_(False),
        )
        .order_by(MailExpectation.at)
    )
    return tuple(Expected(row.native, row.at) for row in rows)


def spend(recipient: str, native: str, at: float, keys: Keys) -> bool:
    """Take the oldest expectation that a letter is explained by; return whether there was one. No commit.

    To be called in the transaction that writes the decision down, whichever layer decided: a later letter of the same
    structure must find its own.
    """
    found = db.session.scalar(
        select(MailExpectation.id)
        .where(
            MailExpectation.recipient_key == keys.recipient(recipient),
            MailExpectation.native == native,
            MailExpectation.at.between(at - EXPECTED_BEFORE, at + EXPECTED_AFTER),
            MailExpectation.spent.is_(False),
        )
        .order_by(MailExpectation.at)
        .limit(1)
    )
    if found is None:
        return False
    statement = update(MailExpectation).where(MailExpectation.id == found, MailExpectation.spent.is_(False))
    result: Any = db.session.execute(statement.values(spent=True).execution_options(synchronize_session=False))
    return bool(result.rowcount)


def keep_links(tokens: Iterable[str], recipient: str, at: float, keys: Keys) -> None:
    """Remember to whom mails with reset links went: of a token only what stands for it. No commit."""
    _insert([_row(link_proof(token), keys.recipient(recipient), LINK, at) for token in tokens if token])


def owner_of_reset(raised: str) -> str | None:
    """Return the key of the recipient whose link set the password of which a raised mail is to tell.

    ``raised`` is the delivery's key. Empty when no mail with this link passed here (yet); None when the shop itself
    has said whose password it was.
    """
    proof = db.session.scalar(
        select(MailExpectation.recipient_key).where(MailExpectation.id == raised[:32], MailExpectation.native == RESET)
    )
    if proof is None:
        return None
    link = select(MailExpectation.recipient_key).where(MailExpectation.id == proof[:32], MailExpectation.native == LINK)
    return db.session.scalar(link) or ""


def clean(now: float | None = None) -> int:
    """Delete what is too old to explain a letter, some rows at once; return how many went. No commit."""
    moment = time.time() if now is None else now
    is_old = or_(
        and_(MailExpectation.native.not_in((LINK, RESET)), MailExpectation.at < moment - KEPT_SECONDS),
        MailExpectation.at < moment - LINK_SECONDS,
    )
    old = select(MailExpectation.id).where(is_old).limit(DELETE_AT_ONCE)
    statement = delete(MailExpectation).where(MailExpectation.id.in_(old.scalar_subquery()))
    result: Any = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
