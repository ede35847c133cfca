"""indexes for the pages of the dashboard: none of them reads a large table from end to end

Revision: 0016
Follows: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

DIFFERS = "missing + stale + extra > 0"
ADDED = (
    ("ix_pending_state", "pending", ["state", "id"]),
    ("ix_pending_thing", "pending", ["kind", "entity", "state"]),
    ("ix_sent_thing", "sent_record", ["kind", "entity"]),
    ("ix_drift_item_report", "drift_item", ["kind", "run", "day", "id"]),
    ("ix_request_log_hours", "request_log", ["at", "status", "kind", "records"]),
    ("ix_request_log_outcome", "request_log", ["outcome", "id"]),
    ("ix_request_log_request", "request_log", ["request_id"]),
    ("ix_event_log_type", "event_log", ["type", "at"]),
    ("ix_event_log_store", "event_log", ["store", "at"]),
    ("ix_audit_log_who", "audit_log", ["who", "id"]),
    ("ix_mail_delivery_kinds", "mail_delivery", ["kind", "id"]),
    ("ix_mail_delivery_states", "mail_delivery", ["state", "id"]),
    ("ix_coupon_request_pool", "coupon_request", ["pool", "at"]),
)


def upgrade() -> None:
    for name, table, columns in ADDED:
        op.create_index(name, table, columns)
    op.create_index(
        "ix_drift_count_differs",
        "drift_count",
        ["kind", "run", "day"],
        sqlite_where=sa.text(DIFFERS),
        postgresql_where=sa.text(DIFFERS),
    )
    op.drop_index("ix_request_log_at", table_name="request_log")


def downgrade() -> None:
    op.create_index("ix_request_log_at", "request_log", ["at"])
    op.drop_index("ix_drift_count_differs", table_name="drift_count")
    for name, table, _columns in reversed(ADDED):
        op.drop_index(name, table_name=table)
