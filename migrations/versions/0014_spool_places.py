"""spool places

Revision: 0014
Follows: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('mail_letter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('place', sa.String(length=80), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('mail_letter', schema=None) as batch_op:
        batch_op.drop_column('place')
