"""The tables. Behaviour lives with the room that owns a table; these only say what is kept.

Times are Unix seconds (float), in UTC by nature: they compare alike in SQLite and PostgreSQL.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bridge.db import Base, Secret

ID_LIMIT = 2**31
"""What no id of ours reaches: PostgreSQL's integers end below it."""


class Scope(Base):
    """One node of the store tree as Magento has it: ``default``, a website or a store view.

    ``ref`` is ``default``, ``website:CODE`` or ``store:CODE``. Facts such as host and currency are known for store
    views only.
    """

    __tablename__ = "scope"

    ref: Mapped[str] = mapped_column(String(80), primary_key=True)
    level: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(64), default="")
    magento_id: Mapped[int] = mapped_column(Integer, default=0)
    name: Mapped[str] = mapped_column(String(255), default="")
    parent: Mapped[str | None] = mapped_column(ForeignKey("scope.ref"))
    active: Mapped[bool] = mapped_column(default=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    base_url: Mapped[str] = mapped_column(Text, default="")
    link_url: Mapped[str] = mapped_column(Text, default="")
    media_url: Mapped[str] = mapped_column(Text, default="")
    currency: Mapped[str] = mapped_column(String(3), default="")
    base_currency: Mapped[str] = mapped_column(String(3), default="")
    locale: Mapped[str] = mapped_column(String(16), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    root_category: Mapped[int] = mapped_column(Integer, default=0)


class SettingValue(Base):
    """A shop setting that does not use the value of the scope above. A secret's value is in ``secret``."""

    __tablename__ = "setting_value"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[Any | None] = mapped_column(JSON)
    secret: Mapped[str | None] = mapped_column(Secret)
    changed_at: Mapped[float] = mapped_column(Float, default=time.time)
    changed_by: Mapped[str] = mapped_column(String(120), default="")


class Pending(Base):
    """One entity owed to one account: the ledger.

    ``lane`` is ``live`` or ``history``. ``claim`` names the session that holds the row until ``lease_until``; a change
    meanwhile raises ``generation``, so that ``done`` of the older one leaves the row. ``refused`` keeps the reason of a
    row that Ometria would not take. ``added_at`` is since when it has waited in its lane.
    """

    __tablename__ = "pending"
    __table_args__ = (
        UniqueConstraint("account", "kind", "entity", name="uq_pending_entity"),
        Index("ix_pending_work", "account", "state", "lane", "due_at"),
        Index("ix_pending_lane", "state", "lane", "kind"),
        Index("ix_pending_state", "state", "id"),
        Index("ix_pending_thing", "kind", "entity", "state"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    account: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(10))
    entity: Mapped[str] = mapped_column(String(120))
    scope: Mapped[str] = mapped_column(String(80), default="default")
    lane: Mapped[str] = mapped_column(String(8), default="live")
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    reason: Mapped[str] = mapped_column(Text, default="")
    generation: Mapped[int] = mapped_column(Integer, default=1)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[float] = mapped_column(Float, default=time.time)
    added_at: Mapped[float] = mapped_column(Float, default=time.time)
    claim: Mapped[str | None] = mapped_column(String(40), index=True)
    lease_until: Mapped[float] = mapped_column(Float, default=0)
    force: Mapped[bool] = mapped_column(default=False)


class SentRecord(Base):
    """The last record an account accepted for an entity: nothing unchanged is sent twice.

    ``state`` is ``sent``, later ``confirmed`` or ``refused`` when Ometria's error list is read. ``number`` is the
    shop's numeric id, 0 for subscribers; ``missing`` counts the sweeps in a row that did not find the entity.
    """

    __tablename__ = "sent_record"
    __table_args__ = (
        Index("ix_sent_request", "request_id"),
        Index("ix_sent_number", "account", "kind", "number"),
        Index("ix_sent_thing", "kind", "entity"),
    )

    account: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    entity: Mapped[str] = mapped_column(String(120), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(120), default="", index=True)
    digest: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10), default="sent")
    sent_at: Mapped[float] = mapped_column(Float, default=time.time)
    number: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    missing: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class StockLevel(Base):
    """Whether a website could sell a product at the last stock sweep; ``sweep`` numbers the sweep that saw it."""

    __tablename__ = "stock_level"

    website: Mapped[str] = mapped_column(String(64), primary_key=True)
    sku: Mapped[str] = mapped_column(String(255), primary_key=True)
    salable: Mapped[bool] = mapped_column()
    sweep: Mapped[int] = mapped_column(Integer, default=0)


class SentBody(Base):
    """What an account was sent last of an entity, packed and encrypted: the preview compares with it."""

    __tablename__ = "sent_body"

    account: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    entity: Mapped[str] = mapped_column(String(120), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class RecordStep(Base):
    """What happened to one record of one account: a line of its timeline. No personal data.

    Steps of the lane ``history`` are kept only where something went wrong; the rest is in :class:`Pending` and
    :class:`SentRecord`.
    """

    __tablename__ = "record_step"
    __table_args__ = (Index("ix_record_step_entity", "kind", "entity"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)
    account: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(10))
    entity: Mapped[str] = mapped_column(String(120))
    step: Mapped[str] = mapped_column(String(12))
    detail: Mapped[str] = mapped_column(Text, default="")


class Finding(Base):
    """A rule of data quality that an entity's last record broke, and whether it was held back for it."""

    __tablename__ = "finding"

    account: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    entity: Mapped[str] = mapped_column(String(120), primary_key=True)
    rule: Mapped[str] = mapped_column(String(20), primary_key=True)
    blocked: Mapped[bool] = mapped_column(default=False)
    at: Mapped[float] = mapped_column(Float, default=time.time)


class Cursor(Base):
    """How far a walk, a poll or a sweep has come; ``data`` is the walker's own JSON."""

    __tablename__ = "cursor"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    data: Mapped[Any] = mapped_column(JSON)
    updated_at: Mapped[float] = mapped_column(Float, default=time.time, onupdate=time.time)


class RequestLog(Base):
    """One call to Ometria. ``body`` is kept only when request logging is on, masked by field."""

    __tablename__ = "request_log"
    __table_args__ = (
        # The chart of the last day reads this index alone.
        Index("ix_request_log_hours", "at", "status", "kind", "records"),
        Index("ix_request_log_outcome", "outcome", "id"),
        Index("ix_request_log_account_outcome", "account", "outcome", "id"),
        Index("ix_request_log_request", "request_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Float, default=time.time)
    account: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    records: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[str] = mapped_column(String(16))
    request_id: Mapped[str] = mapped_column(String(64), default="")
    milliseconds: Mapped[int] = mapped_column(Integer, default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[Any | None] = mapped_column(JSON)


class EventLog(Base):
    """An event as the proxy saw it: stored once by its id, masked for people to read."""

    __tablename__ = "event_log"
    __table_args__ = (Index("ix_event_log_type", "type", "at"), Index("ix_event_log_store", "store", "at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[float] = mapped_column(Float, index=True)
    type: Mapped[str] = mapped_column(String(32))
    store: Mapped[str] = mapped_column(String(64), default="")
    summary: Mapped[str] = mapped_column(Text, default="")


class Visitor(Base):
    """A browser that carries our cookie. For tracking only, never authorisation.

    ``basket`` is the basket id that the page sends for the life of a cart.
    """

    __tablename__ = "visitor"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    email: Mapped[str | None] = mapped_column(Secret)
    source: Mapped[str] = mapped_column(String(16), default="")
    changed_at: Mapped[float] = mapped_column(Float, default=0)
    basket: Mapped[str] = mapped_column(String(40), default="")
    basket_at: Mapped[float] = mapped_column(Float, default=0)
    seen_at: Mapped[float] = mapped_column(Float, default=time.time, index=True)


class IdentityClaim(Base):
    """An identity seen before the visitor had our cookie, kept for ten minutes under an HMAC of the session id."""

    __tablename__ = "identity_claim"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    email: Mapped[str | None] = mapped_column(Secret)
    source: Mapped[str] = mapped_column(String(16), default="")
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)


class SeenOrder(Base):
    """An order that traffic showed, under an HMAC of its id or number: the same order is told once.

    A row under an HMAC of the shop's session says that a guest's order is known by its entity id, and that the number
    on the page that follows is the same order's.
    """

    __tablename__ = "seen_order"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)


class CartLink(Base):
    """A basket that a link in a mail rebuilds; one for each visitor.

    ``id`` is the first part of the token, ``secret`` the rest. ``owner`` is an HMAC of the customer's e-mail, empty for
    a guest's basket. ``lines`` are products as the shop's own form names them, never prices or people.
    """

    __tablename__ = "cart_link"

    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    id: Mapped[str] = mapped_column(String(16), unique=True)
    secret: Mapped[str] = mapped_column(Secret)
    basket: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str] = mapped_column(String(64), default="")
    store: Mapped[str] = mapped_column(String(64), default="")
    lines: Mapped[Any] = mapped_column(JSON)
    changed_at: Mapped[float] = mapped_column(Float, default=time.time, index=True)


class Subscriber(Base):
    """A newsletter subscriber without account; Magento's REST cannot list them, so what traffic showed is kept here."""

    __tablename__ = "subscriber"
    __table_args__ = (UniqueConstraint("email_key", "store", name="uq_subscriber_email"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email: Mapped[str] = mapped_column(Secret)
    email_key: Mapped[str] = mapped_column(String(64))
    store: Mapped[str] = mapped_column(String(64), default="")
    status: Mapped[int] = mapped_column(Integer, default=1)
    changed_at: Mapped[float] = mapped_column(Float, default=time.time)


class CatalogItem(Base):
    """SKU to ids: the cart section names a variant by its SKU only."""

    __tablename__ = "catalog_item"

    sku: Mapped[str] = mapped_column(String(255), primary_key=True)
    product: Mapped[str] = mapped_column(String(20), index=True)
    parent: Mapped[str | None] = mapped_column(String(20))
    parent_sku: Mapped[str | None] = mapped_column(String(255))
    read_at: Mapped[float] = mapped_column(Float, default=time.time)


class VariantParent(Base):
    """Variant -> its parent; Magento's variants do not name their parent, parents name their variants.

    ``kind`` is the parent's type: ``configurable``, ``bundle`` or ``grouped``.
    """

    __tablename__ = "variant_parent"

    variant: Mapped[str] = mapped_column(String(20), primary_key=True)
    parent: Mapped[str] = mapped_column(String(20), index=True)
    parent_sku: Mapped[str] = mapped_column(String(255), default="")
    kind: Mapped[str] = mapped_column(String(12), default="configurable", server_default="configurable")


class User(Base):
    """A member of staff: role ``viewer``, ``editor`` or ``owner``."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    password: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(10), default="viewer")
    session_key: Mapped[str] = mapped_column(String(32), default="")
    created_at: Mapped[float] = mapped_column(Float, default=time.time)


class AuditLog(Base):
    """Who changed what, and from what."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_who", "who", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Float, default=time.time, index=True)
    who: Mapped[str] = mapped_column(String(120))
    what: Mapped[str] = mapped_column(String(160))
    before: Mapped[Any | None] = mapped_column(JSON)
    after: Mapped[Any | None] = mapped_column(JSON)
