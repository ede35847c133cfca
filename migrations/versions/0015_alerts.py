"""alerts

Revision: 0015
Follows: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'alert',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=190), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('subject', sa.String(length=255), nullable=False),
        sa.Column('sentence', sa.Text(), nullable=False),
        sa.Column('began_at', sa.Float(), nullable=False),
        sa.Column('seen_at', sa.Float(), nullable=False),
        sa.Column('ended_at', sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('key'),
    )
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.create_index('ix_alert_ended', ['ended_at'], unique=False)
    op.create_table(
        'alert_notice',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('alert', sa.Integer(), nullable=False),
        sa.Column('channel', sa.String(length=8), nullable=False),
        sa.Column('event', sa.String(length=8), nullable=False),
        sa.Column('state', sa.String(length=8), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('due_at', sa.Float(), nullable=False),
        sa.Column('claim', sa.String(length=32), nullable=False),
        sa.Column('lease_until', sa.Float(), nullable=False),
        sa.Column('told_at', sa.Float(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['alert'], ['alert.id']),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('alert', 'channel', 'event', name='uq_alert_notice'),
    )
    with op.batch_alter_table('alert_notice', schema=None) as batch_op:
        batch_op.create_index('ix_alert_notice_work', ['state', 'due_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('alert_notice', schema=None) as batch_op:
        batch_op.drop_index('ix_alert_notice_work')
    op.drop_table('alert_notice')
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.drop_index('ix_alert_ended')
    op.drop_table('alert')
