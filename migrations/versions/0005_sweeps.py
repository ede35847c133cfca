"""sweeps

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'stock_level',
        sa.Column('website', sa.String(length=64), nullable=False),
        sa.Column('sku', sa.String(length=255), nullable=False),
        sa.Column('salable', sa.Boolean(), nullable=False),
        sa.Column('sweep', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('website', 'sku'),
    )
    with op.batch_alter_table('sent_record', schema=None) as batch_op:
        batch_op.add_column(sa.Column('missing', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    with op.batch_alter_table('sent_record', schema=None) as batch_op:
        batch_op.drop_column('missing')
    op.drop_table('stock_level')
