"""The tables of the coupon room: pools, requests for codes, calls to the shop that make codes, and every code.

Times are Unix seconds. A code is written down before it is sent to the shop, or before the call that makes it, so that
whatever dies on the way leaves a row that says what to look up.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bridge.db import Base

USED = "times_used > 0"
"""What the index of the codes that were used holds; a query that reads it has to say the same words."""


class CouponPool(Base):
    """A stock of codes of one cart price rule, all of one look.

    ``stock`` is how many codes are kept ready, ``expiry_days`` how long a code is good from the day it is given out (0:
    as long as the rule). ``kind`` to ``delimiter`` are the look. ``problem`` says why the rule cannot be used now,
    since ``problem_at``; empty when it can. ``caution`` is what is odd about it. ``counted_at`` is when the shop was
    last asked what was used. ``claim`` names who fills the stock until ``lease_until``.
    """

    __tablename__ = "coupon_pool"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    rule_id: Mapped[int] = mapped_column(Integer, index=True)
    rule_name: Mapped[str] = mapped_column(String(255), default="")
    kind: Mapped[str] = mapped_column(String(10), default="alphanum")
    length: Mapped[int] = mapped_column(Integer, default=12)
    prefix: Mapped[str] = mapped_column(String(40), default="")
    suffix: Mapped[str] = mapped_column(String(40), default="")
    every: Mapped[int] = mapped_column(Integer, default=0)
    delimiter: Mapped[str] = mapped_column(String(4), default="-")
    stock: Mapped[int] = mapped_column(Integer, default=0)
    expiry_days: Mapped[int] = mapped_column(Integer, default=0)
    active: Mapped[bool] = mapped_column(default=True)
    problem: Mapped[str] = mapped_column(Text, default="")
    problem_at: Mapped[float] = mapped_column(Float, default=0)
    caution: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[float] = mapped_column(Float, default=0)
    counted_at: Mapped[float] = mapped_column(Float, default=0)
    made_at: Mapped[float] = mapped_column(Float, default=time.time)
    claim: Mapped[str] = mapped_column(String(32), default="")
    lease_until: Mapped[float] = mapped_column(Float, default=0)


class CouponRequest(Base):
    """A request for codes, under an id that makes it repeatable: the same id is answered with the same codes.

    ``kind`` is ``insert`` (codes of the caller's) or ``generate``. ``mark`` is a digest of what was asked: the same id
    with another question is refused. ``state``: ``open``, ``done``, or ``failed`` with its ``reason``, from which the
    same id may try again. ``refused`` are codes that were not taken, with the reason of each. ``claim`` names who works
    at it until ``lease_until``.
    """

    __tablename__ = "coupon_request"
    __table_args__ = (
        Index("ix_coupon_request_work", "state", "lease_until"),
        Index("ix_coupon_request_pool", "pool", "at"),
    )

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    mark: Mapped[str] = mapped_column(String(64))
    rule_id: Mapped[int] = mapped_column(Integer, index=True)
    pool: Mapped[int | None] = mapped_column(ForeignKey("coupon_pool.id"))
    layout: Mapped[Any] = mapped_column(JSON, default=dict)
    wanted: Mapped[int] = mapped_column(Integer, default=0)
    expires_at: Mapped[float] = mapped_column(Float, default=0)
    state: Mapped[str] = mapped_column(String(8), default="open")
    reason: Mapped[str] = mapped_column(Text, default="")
    refused: Mapped[Any] = mapped_column(JSON, default=dict)
    who: Mapped[str] = mapped_column(String(120), default="")
    claim: Mapped[str] = mapped_column(String(32), default="")
    lease_until: Mapped[float] = mapped_column(Float, default=0)
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)
    done_at: Mapped[float] = mapped_column(Float, default=0)


class CouponBatch(Base):
    """One call that lets the shop make codes. Its codes begin with ``tag``, which no other call has.

    So what a lost answer named is found in the shop. ``state``: ``sending`` from before the call until its codes are in
    the ledger, then ``done``. At ``look_at`` the shop is searched once more for codes that came late; 0: never.
    """

    __tablename__ = "coupon_batch"
    __table_args__ = (Index("ix_coupon_batch_work", "state", "look_at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    rule_id: Mapped[int] = mapped_column(Integer)
    request: Mapped[str | None] = mapped_column(ForeignKey("coupon_request.id"), index=True)
    pool: Mapped[int | None] = mapped_column(ForeignKey("coupon_pool.id"), index=True)
    tag: Mapped[str] = mapped_column(String(60))
    wanted: Mapped[int] = mapped_column(Integer)
    got: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(8), default="sending")
    sent_at: Mapped[float] = mapped_column(Float, default=time.time)
    look_at: Mapped[float] = mapped_column(Float, default=0)


class CouponCode(Base):
    """A code that bridge had made or put into the shop; ``key`` is the code without case, as the shop compares.

    ``state``: ``sending`` (written down before its own insert, outcome unknown until the shop says so), ``stock``
    (ready in a pool), ``given`` (handed out), then ``expired`` or ``revoked`` (deleted in the shop), or ``gone``
    (somebody else deleted it there). ``times_used`` and ``coupon_id`` are the shop's; an id of 0 is not known yet.
    ``expires_at`` 0 is as long as the rule.
    """

    __tablename__ = "coupon_code"
    __table_args__ = (
        Index("ix_coupon_code_stock", "pool", "state", "id"),
        Index("ix_coupon_code_expiry", "state", "expires_at"),
        Index("ix_coupon_code_rule", "rule_id", "coupon_id"),
        # The figures of a pool read these two alone.
        Index("ix_coupon_code_states", "pool", "rule_id", "state"),
        Index("ix_coupon_code_used", "pool", "rule_id", sqlite_where=text(USED), postgresql_where=text(USED)),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), unique=True)
    code: Mapped[str] = mapped_column(String(255))
    rule_id: Mapped[int] = mapped_column(Integer)
    pool: Mapped[int | None] = mapped_column(ForeignKey("coupon_pool.id"))
    request: Mapped[str | None] = mapped_column(ForeignKey("coupon_request.id"), index=True)
    state: Mapped[str] = mapped_column(String(8))
    coupon_id: Mapped[int] = mapped_column(Integer, default=0)
    usage_limit: Mapped[int] = mapped_column(Integer, default=0)
    usage_per_customer: Mapped[int] = mapped_column(Integer, default=0)
    times_used: Mapped[int] = mapped_column(Integer, default=0)
    expires_at: Mapped[float] = mapped_column(Float, default=0)
    sent_at: Mapped[float] = mapped_column(Float, default=0)
    at: Mapped[float] = mapped_column(Float, default=time.time)
    ended_at: Mapped[float] = mapped_column(Float, default=0)
