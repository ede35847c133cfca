"""The tables of the mail room: a mail as it came, what becomes of it for each recipient, and what was seen.

No table ever holds a body, a reset link or a token: those stand in the spooled file alone, which goes after hand-over.
Recipients and subjects are encrypted. Times are Unix seconds.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bridge.db import Base, Secret


class MailLetter(Base):
    """A mail that the shop sent: one SMTP transaction, taken from the spool once by its spool id.

    ``place`` is the id of the spool place where the file lies, and ``spooled`` says that it is still needed. ``shape``
    is the structure summary of the mail: names of parts and marks, no words of it.
    """

    __tablename__ = "mail_letter"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    spool: Mapped[str] = mapped_column(String(80), unique=True)
    place: Mapped[str] = mapped_column(String(80), default="", server_default="")
    spooled: Mapped[bool] = mapped_column(default=True, index=True)
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)
    sender: Mapped[str] = mapped_column(Secret, default="")
    subject: Mapped[str] = mapped_column(Secret, default="")
    size: Mapped[int] = mapped_column(Integer, default=0)
    shape: Mapped[str] = mapped_column(Text, default="")


class MailDelivery(Base):
    """What one recipient gets of a mail: the decision and how far it was carried out.

    ``key`` is an HMAC of recipient, Date, subject and body: the same mail delivered twice is one row, and ``copies``
    counts. ``letter`` is None for a mail that bridge itself raised (a password set anew). ``twin`` marks the copy for
    Ometria's sandbox beside the original.

    ``route`` is ``relay`` or ``ometria``, empty before the decision, and ``why`` says for what reason; ``reason`` says
    how the delivery stands. ``native`` is the shop's mail as far as it is known, ``since`` the moment from which
    patience is counted: its arrival, or when a person sent it again. ``state``:

    * ``new``: not decided yet; ``waiting``: decided, to be sent at ``due_at``;
    * ``sending``: written before the call; one that stays so after ``lease_until`` has an unknown outcome;
    * ``sent``, ``refused``: final; ``uncertain``: the outcome is unknown, and ``rule`` (``hold`` or ``resend``) says
      what follows; ``void``: there was nothing to send.
    """

    __tablename__ = "mail_delivery"
    __table_args__ = (
        Index("ix_mail_delivery_work", "state", "due_at"),
        Index("ix_mail_delivery_kind", "kind", "store"),
        Index("ix_mail_delivery_kinds", "kind", "id"),
        Index("ix_mail_delivery_states", "state", "id"),
        Index("ix_mail_delivery_kind_states", "kind", "state", "id"),
        Index("ix_mail_delivery_unnamed", "kind", "route", "native", "id"),
        # The counts of a kind and day read this index alone.
        Index("ix_mail_delivery_counts", "kind", "at", "route", "twin", "state"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    letter: Mapped[int | None] = mapped_column(ForeignKey("mail_letter.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    recipient: Mapped[str] = mapped_column(Secret)
    recipient_key: Mapped[str] = mapped_column(String(64), default="", index=True)
    twin: Mapped[bool] = mapped_column(default=False)
    copies: Mapped[int] = mapped_column(Integer, default=1)
    native: Mapped[str] = mapped_column(String(32), default="")
    kind: Mapped[str] = mapped_column(String(20), default="")
    layer: Mapped[str] = mapped_column(String(20), default="")
    store: Mapped[str] = mapped_column(String(64), default="")
    order: Mapped[str] = mapped_column(String(64), default="")
    shipment: Mapped[str] = mapped_column(String(64), default="")
    customer: Mapped[str] = mapped_column(String(20), default="")
    products: Mapped[Any] = mapped_column(JSON, default=list)
    route: Mapped[str] = mapped_column(String(8), default="")
    state: Mapped[str] = mapped_column(String(10), default="new")
    rule: Mapped[str] = mapped_column(String(8), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    comparison: Mapped[Any | None] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    resent: Mapped[int] = mapped_column(Integer, default=0)
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)
    since: Mapped[float] = mapped_column(Float, default=time.time)
    due_at: Mapped[float] = mapped_column(Float, default=time.time)
    claim: Mapped[str] = mapped_column(String(32), default="", index=True)
    lease_until: Mapped[float] = mapped_column(Float, default=0)
    done_at: Mapped[float] = mapped_column(Float, default=0)


class MailSeen(Base):
    """What came of a kind for a store view; the empty kind counts mails that are none of the seven.

    ``sender`` is the last From of the shop; ``marked_at`` is when the marker of the kind's template was last seen.
    """

    __tablename__ = "mail_seen"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    store: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer, default=0)
    last_at: Mapped[float] = mapped_column(Float, default=0)
    marked_at: Mapped[float] = mapped_column(Float, default=0)
    sender: Mapped[str] = mapped_column(Secret, default="")
    sender_name: Mapped[str] = mapped_column(Secret, default="")


class MailExpectation(Base):
    """A mail that traffic lets us expect, under an HMAC of its recipient, for some minutes.

    ``id`` is the event's. ``spent`` once a mail was taken for it: one request of a visitor explains one mail. Rows of
    ``native`` ``reset link`` say whose a link was, by a digest of its token; rows ``reset`` which link set a password.
    """

    __tablename__ = "mail_expectation"
    __table_args__ = (Index("ix_mail_expectation_key", "recipient_key", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    recipient_key: Mapped[str] = mapped_column(String(64))
    native: Mapped[str] = mapped_column(String(32))
    at: Mapped[float] = mapped_column(Float, index=True)
    spent: Mapped[bool] = mapped_column(default=False)
