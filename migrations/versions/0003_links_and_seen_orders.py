"""links of baskets and seen orders

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bridge.db

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('seen_order',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_seen_order'))
    )
    with op.batch_alter_table('seen_order', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_seen_order_at'), ['at'], unique=False)

    op.create_table('cart_link',
    sa.Column('visitor', sa.String(length=32), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('secret', bridge.db.Secret(), nullable=False),
    sa.Column('basket', sa.String(length=40), nullable=False),
    sa.Column('owner', sa.String(length=64), nullable=False),
    sa.Column('store', sa.String(length=64), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('changed_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('visitor', name=op.f('pk_cart_link')),
    sa.UniqueConstraint('id', name=op.f('uq_cart_link_id'))
    )
    with op.batch_alter_table('cart_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cart_link_changed_at'), ['changed_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('cart_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_cart_link_changed_at'))

    op.drop_table('cart_link')
    with op.batch_alter_table('seen_order', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_seen_order_at'))

    op.drop_table('seen_order')
