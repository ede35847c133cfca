"""What was seen of each kind for each store view: the set-up page shows it. Nobody commits here but the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from bridge.db import db
from bridge.models_mail import MailSeen
from bridge.writing import insert

if TYPE_CHECKING:
    from bridge.mail.letter import Mailbox


def note(kind: str, store: str, at: float, sender: Mailbox, *, marked: bool) -> None:
    """Count a mail of a kind (empty: none of the seven) for a store view (empty: unknown)."""
    row = {"kind": kind, "store": store, "count": 0, "last_at": 0, "marked_at": 0, "sender": "", "sender_name": ""}
    db.session.execute(insert(MailSeen).values(row).on_conflict_do_nothing())
    values = {"count": MailSeen.count + 1, "last_at": at, "sender": sender.email, "sender_name": sender.name}
    if marked:
        values["marked_at"] = at
    db.session.execute(
        update(MailSeen)
        .where(MailSeen.kind == kind, MailSeen.store == store)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def sender_of(kind: str, store: str) -> tuple[str, str]:
    """Return name and address from which the shop sent this kind last, empty texts where it never did."""
    row = db.session.get(MailSeen, (kind, store))
    return (row.sender_name, row.sender) if row is not None else ("", "")
