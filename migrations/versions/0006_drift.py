"""drift: the report of comparisons

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'drift_count',
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('run', sa.BigInteger(), nullable=False),
        sa.Column('account', sa.String(length=32), nullable=False),
        sa.Column('store', sa.String(length=80), nullable=False),
        sa.Column('day', sa.String(length=10), nullable=False),
        sa.Column('shop', sa.Integer(), nullable=False),
        sa.Column('sent', sa.Integer(), nullable=False),
        sa.Column('held', sa.Integer(), nullable=False),
        sa.Column('missing', sa.Integer(), nullable=False),
        sa.Column('stale', sa.Integer(), nullable=False),
        sa.Column('extra', sa.Integer(), nullable=False),
        sa.Column('repaired', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'run', 'account', 'store', 'day'),
    )
    op.create_table(
        'drift_item',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('run', sa.BigInteger(), nullable=False),
        sa.Column('account', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('entity', sa.String(length=120), nullable=False),
        sa.Column('record_id', sa.String(length=190), nullable=False),
        sa.Column('store', sa.String(length=80), nullable=False),
        sa.Column('day', sa.String(length=10), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('detail', sa.Text(), nullable=False),
        sa.Column('repaired', sa.Boolean(), nullable=False),
        sa.Column('tried', sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    with op.batch_alter_table('drift_item', schema=None) as batch_op:
        batch_op.create_index('ix_drift_item_entity', ['account', 'kind', 'entity'], unique=False)

    op.create_table(
        'drift_seen',
        sa.Column('account', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('record', sa.String(length=190), nullable=False),
        sa.Column('fields', sa.Text(), nullable=False),
        sa.Column('store', sa.String(length=80), nullable=False),
        sa.Column('day', sa.String(length=10), nullable=False),
        sa.Column('known', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('account', 'kind', 'record'),
    )


def downgrade() -> None:
    op.drop_table('drift_seen')
    with op.batch_alter_table('drift_item', schema=None) as batch_op:
        batch_op.drop_index('ix_drift_item_entity')

    op.drop_table('drift_item')
    op.drop_table('drift_count')
