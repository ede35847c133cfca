"""indexes for the counts of mails by kind and day, and of coupon codes by pool

Revision: 0017
Follows: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

USED = sa.text("times_used > 0")
ADDED = (
    ("ix_mail_delivery_kind_states", "mail_delivery", ["kind", "state", "id"]),
    ("ix_mail_delivery_counts", "mail_delivery", ["kind", "at", "route", "twin", "state"]),
    ("ix_coupon_code_states", "coupon_code", ["pool", "rule_id", "state"]),
)


def upgrade() -> None:
    for name, table, columns in ADDED:
        op.create_index(name, table, columns)
    op.create_index(
        "ix_coupon_code_used", "coupon_code", ["pool", "rule_id"], sqlite_where=USED, postgresql_where=USED
    )


def downgrade() -> None:
    op.drop_index("ix_coupon_code_used", table_name="coupon_code")
    for name, table, _columns in reversed(ADDED):
        op.drop_index(name, table_name=table)
