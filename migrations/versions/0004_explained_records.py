"""explained records: what was sent last, timeline, findings, the shop's numbers

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'sent_body',
        sa.Column('account', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('entity', sa.String(length=120), nullable=False),
        sa.Column('body', sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint('account', 'kind', 'entity'),
    )
    op.create_table(
        'record_step',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', sa.Float(), nullable=False),
        sa.Column('account', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('entity', sa.String(length=120), nullable=False),
        sa.Column('step', sa.String(length=12), nullable=False),
        sa.Column('detail', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    with op.batch_alter_table('record_step', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_record_step_at'), ['at'], unique=False)
        batch_op.create_index('ix_record_step_entity', ['kind', 'entity'], unique=False)
    op.create_table(
        'finding',
        sa.Column('account', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('entity', sa.String(length=120), nullable=False),
        sa.Column('rule', sa.String(length=20), nullable=False),
        sa.Column('blocked', sa.Boolean(), nullable=False),
        sa.Column('at', sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint('account', 'kind', 'entity', 'rule'),
    )
    with op.batch_alter_table('sent_record', schema=None) as batch_op:
        batch_op.add_column(sa.Column('number', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.create_index('ix_sent_number', ['account', 'kind', 'number'], unique=False)
    # The number is what comes behind a customer's colon, or the whole id.
    number = "REPLACE(entity, 'customer:', '')"
    whole = f"AND {number} ~ '^[0-9]{{1,18}}$'" if op.get_bind().dialect.name == 'postgresql' else ''
    op.execute(
        f"UPDATE sent_record SET number = CAST({number} AS BIGINT) "
        f"WHERE (entity LIKE 'customer:%' OR kind IN ('product', 'order')) {whole}"
    )


def downgrade() -> None:
    with op.batch_alter_table('sent_record', schema=None) as batch_op:
        batch_op.drop_index('ix_sent_number')
        batch_op.drop_column('number')
    op.drop_table('finding')
    op.drop_table('record_step')
    op.drop_table('sent_body')
