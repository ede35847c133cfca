"""indexes for rows that are rare among many: failed requests of an account, mails that nobody has named

Revision: 0018
Follows: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_request_log_account_outcome", "request_log", ["account", "outcome", "id"])
    op.create_index("ix_mail_delivery_unnamed", "mail_delivery", ["kind", "route", "native", "id"])


def downgrade() -> None:
    op.drop_index("ix_mail_delivery_unnamed", table_name="mail_delivery")
    op.drop_index("ix_request_log_account_outcome", table_name="request_log")
