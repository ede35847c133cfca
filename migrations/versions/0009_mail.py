"""mail

Revision: 0009
Follows: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mail_letter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('spool', sa.String(length=80), nullable=False),
    sa.Column('spooled', sa.Boolean(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('shape', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('spool')
    )
    with op.batch_alter_table('mail_letter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_letter_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_letter_spooled'), ['spooled'], unique=False)

    op.create_table('mail_seen',
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('store', sa.String(length=64), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('last_at', sa.Float(), nullable=False),
    sa.Column('marked_at', sa.Float(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('sender_name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'store')
    )
    op.create_table('mail_delivery',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('letter', sa.Integer(), nullable=True),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('recipient_key', sa.String(length=64), nullable=False),
    sa.Column('twin', sa.Boolean(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('native', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('layer', sa.String(length=20), nullable=False),
    sa.Column('store', sa.String(length=64), nullable=False),
    sa.Column('order', sa.String(length=64), nullable=False),
    sa.Column('shipment', sa.String(length=64), nullable=False),
    sa.Column('customer', sa.String(length=20), nullable=False),
    sa.Column('products', sa.JSON(), nullable=False),
    sa.Column('route', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('rule', sa.String(length=8), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=False),
    sa.Column('comparison', sa.JSON(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('resent', sa.Integer(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('since', sa.Float(), nullable=False),
    sa.Column('due_at', sa.Float(), nullable=False),
    sa.Column('claim', sa.String(length=32), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.Column('done_at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['letter'], ['mail_letter.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    with op.batch_alter_table('mail_delivery', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_delivery_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_delivery_claim'), ['claim'], unique=False)
        batch_op.create_index('ix_mail_delivery_kind', ['kind', 'store'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_delivery_letter'), ['letter'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_delivery_recipient_key'), ['recipient_key'], unique=False)
        batch_op.create_index('ix_mail_delivery_work', ['state', 'due_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('mail_delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_mail_delivery_work')
        batch_op.drop_index(batch_op.f('ix_mail_delivery_recipient_key'))
        batch_op.drop_index(batch_op.f('ix_mail_delivery_letter'))
        batch_op.drop_index('ix_mail_delivery_kind')
        batch_op.drop_index(batch_op.f('ix_mail_delivery_claim'))
        batch_op.drop_index(batch_op.f('ix_mail_delivery_at'))

    op.drop_table('mail_delivery')
    op.drop_table('mail_seen')
    with op.batch_alter_table('mail_letter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mail_letter_spooled'))
        batch_op.drop_index(batch_op.f('ix_mail_letter_at'))

    op.drop_table('mail_letter')
