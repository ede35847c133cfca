"""mail expectations

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mail_expectation',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('recipient_key', sa.String(length=64), nullable=False),
    sa.Column('native', sa.String(length=32), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('spent', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('mail_expectation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_expectation_at'), ['at'], unique=False)
        batch_op.create_index('ix_mail_expectation_key', ['recipient_key', 'at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('mail_expectation', schema=None) as batch_op:
        batch_op.drop_index('ix_mail_expectation_key')
        batch_op.drop_index(batch_op.f('ix_mail_expectation_at'))

    op.drop_table('mail_expectation')
