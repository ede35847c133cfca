"""The tables of the comparison of shop, ledger and Ometria: what it reads, its report, and the single differences."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bridge.db import Base


class DriftSeen(Base):
    """A record that Ometria's list held when the last comparison read it, for as long as that runs.

    ``record`` is the id, of a contact ``COLLECTION/ID``. ``fields`` names what differs from the record sent last.
    ``known`` says that the ledger has sent such a record. No value of the record is kept.
    """

    __tablename__ = "drift_seen"

    account: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    record: Mapped[str] = mapped_column(String(190), primary_key=True)
    fields: Mapped[str] = mapped_column(Text, default="")
    store: Mapped[str] = mapped_column(String(80), default="")
    day: Mapped[str] = mapped_column(String(10), default="")
    known: Mapped[bool] = mapped_column(default=False)


DIFFERS = "missing + stale + extra > 0"
"""Lines of a comparison that somebody looks at first: few of many, and therefore with an index of their own."""


class DriftCount(Base):
    """The report of a comparison: how many entities of a store view were made on a day (UTC), and how they stand.

    ``run`` is when the comparison began (whole Unix seconds).
    """

    __tablename__ = "drift_count"
    __table_args__ = (
        Index(
            "ix_drift_count_differs", "kind", "run", "day", sqlite_where=text(DIFFERS), postgresql_where=text(DIFFERS)
        ),
    )

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    run: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account: Mapped[str] = mapped_column(String(32), primary_key=True)
    store: Mapped[str] = mapped_column(String(80), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    shop: Mapped[int] = mapped_column(Integer, default=0)
    sent: Mapped[int] = mapped_column(Integer, default=0)
    held: Mapped[int] = mapped_column(Integer, default=0)
    missing: Mapped[int] = mapped_column(Integer, default=0)
    stale: Mapped[int] = mapped_column(Integer, default=0)
    extra: Mapped[int] = mapped_column(Integer, default=0)
    repaired: Mapped[int] = mapped_column(Integer, default=0)


class DriftItem(Base):
    """One entity that a comparison found ``missing``, ``stale`` or ``extra``, and what was done about it.

    ``tried`` is the digest of the record that was sent again: it is not sent a second time for the same difference.
    """

    __tablename__ = "drift_item"
    __table_args__ = (
        Index("ix_drift_item_entity", "account", "kind", "entity"),
        Index("ix_drift_item_report", "kind", "run", "day", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(10))
    entity: Mapped[str] = mapped_column(String(120), default="")
    record_id: Mapped[str] = mapped_column(String(190), default="")
    store: Mapped[str] = mapped_column(String(80), default="")
    day: Mapped[str] = mapped_column(String(10), default="")
    state: Mapped[str] = mapped_column(String(8))
    detail: Mapped[str] = mapped_column(Text, default="")
    repaired: Mapped[bool] = mapped_column(default=False)
    tried: Mapped[str] = mapped_column(String(64), default="")
