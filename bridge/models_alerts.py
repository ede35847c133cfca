"""The tables of the alerts: what is wrong or was, and who has been told of it. Times are Unix seconds."""

from __future__ import annotations

import time

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bridge.db import Base


class Alert(Base):
    """Something that is wrong, from ``began_at`` to ``ended_at`` (0: still so).

    ``key`` is ``KIND:WHAT`` as long as it lasts, so that it exists once however many workers look; when it is over
    the row's id is put behind it, and the same thing may begin anew. ``subject`` says in words what it is about,
    ``sentence`` how it stands; ``seen_at`` is when it was last found to be so.
    """

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_ended", "ended_at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(190), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(255), default="")
    sentence: Mapped[str] = mapped_column(Text, default="")
    began_at: Mapped[float] = mapped_column(Float, default=time.time)
    seen_at: Mapped[float] = mapped_column(Float, default=time.time)
    ended_at: Mapped[float] = mapped_column(Float, default=0)


class AlertNotice(Base):
    """What one channel (``email`` or ``webhook``) is told of an alert: that it ``began``, or that it is ``over``.

    ``state``: ``waiting`` until ``due_at``, ``sending`` under ``claim`` until ``lease_until``, ``told``, or ``dropped``
    for what nobody needs to be told any more. ``reason`` says how the last try went.
    """

    __tablename__ = "alert_notice"
    __table_args__ = (
        UniqueConstraint("alert", "channel", "event", name="uq_alert_notice"),
        Index("ix_alert_notice_work", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    alert: Mapped[int] = mapped_column(ForeignKey("alert.id"))
    channel: Mapped[str] = mapped_column(String(8))
    event: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    tries: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[float] = mapped_column(Float, default=time.time)
    claim: Mapped[str] = mapped_column(String(32), default="")
    lease_until: Mapped[float] = mapped_column(Float, default=0)
    told_at: Mapped[float] = mapped_column(Float, default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
