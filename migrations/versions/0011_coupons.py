"""coupons

Revision: 0011
Follows: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('coupon_pool',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('rule_id', sa.Integer(), nullable=False),
    sa.Column('rule_name', sa.String(length=255), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('length', sa.Integer(), nullable=False),
    sa.Column('prefix', sa.String(length=40), nullable=False),
    sa.Column('suffix', sa.String(length=40), nullable=False),
    sa.Column('every', sa.Integer(), nullable=False),
    sa.Column('delimiter', sa.String(length=4), nullable=False),
    sa.Column('stock', sa.Integer(), nullable=False),
    sa.Column('expiry_days', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('problem_at', sa.Float(), nullable=False),
    sa.Column('caution', sa.Text(), nullable=False),
    sa.Column('checked_at', sa.Float(), nullable=False),
    sa.Column('counted_at', sa.Float(), nullable=False),
    sa.Column('made_at', sa.Float(), nullable=False),
    sa.Column('claim', sa.String(length=32), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('coupon_pool', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_coupon_pool_rule_id'), ['rule_id'], unique=False)

    op.create_table('coupon_request',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.Column('rule_id', sa.Integer(), nullable=False),
    sa.Column('pool', sa.Integer(), nullable=True),
    sa.Column('layout', sa.JSON(), nullable=False),
    sa.Column('wanted', sa.Integer(), nullable=False),
    sa.Column('expires_at', sa.Float(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('refused', sa.JSON(), nullable=False),
    sa.Column('who', sa.String(length=120), nullable=False),
    sa.Column('claim', sa.String(length=32), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('done_at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['pool'], ['coupon_pool.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('coupon_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_coupon_request_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_coupon_request_rule_id'), ['rule_id'], unique=False)
        batch_op.create_index('ix_coupon_request_work', ['state', 'lease_until'], unique=False)

    op.create_table('coupon_batch',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rule_id', sa.Integer(), nullable=False),
    sa.Column('request', sa.String(length=80), nullable=True),
    sa.Column('pool', sa.Integer(), nullable=True),
    sa.Column('tag', sa.String(length=60), nullable=False),
    sa.Column('wanted', sa.Integer(), nullable=False),
    sa.Column('got', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('sent_at', sa.Float(), nullable=False),
    sa.Column('look_at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['pool'], ['coupon_pool.id'], ),
    sa.ForeignKeyConstraint(['request'], ['coupon_request.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('coupon_batch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_coupon_batch_pool'), ['pool'], unique=False)
        batch_op.create_index(batch_op.f('ix_coupon_batch_request'), ['request'], unique=False)
        batch_op.create_index('ix_coupon_batch_work', ['state', 'look_at'], unique=False)

    op.create_table('coupon_code',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('code', sa.String(length=255), nullable=False),
    sa.Column('rule_id', sa.Integer(), nullable=False),
    sa.Column('pool', sa.Integer(), nullable=True),
    sa.Column('request', sa.String(length=80), nullable=True),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('coupon_id', sa.Integer(), nullable=False),
    sa.Column('usage_limit', sa.Integer(), nullable=False),
    sa.Column('usage_per_customer', sa.Integer(), nullable=False),
    sa.Column('times_used', sa.Integer(), nullable=False),
    sa.Column('expires_at', sa.Float(), nullable=False),
    sa.Column('sent_at', sa.Float(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('ended_at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['pool'], ['coupon_pool.id'], ),
    sa.ForeignKeyConstraint(['request'], ['coupon_request.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    with op.batch_alter_table('coupon_code', schema=None) as batch_op:
        batch_op.create_index('ix_coupon_code_expiry', ['state', 'expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_coupon_code_request'), ['request'], unique=False)
        batch_op.create_index('ix_coupon_code_rule', ['rule_id', 'coupon_id'], unique=False)
        batch_op.create_index('ix_coupon_code_stock', ['pool', 'state', 'id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('coupon_code', schema=None) as batch_op:
        batch_op.drop_index('ix_coupon_code_stock')
        batch_op.drop_index('ix_coupon_code_rule')
        batch_op.drop_index(batch_op.f('ix_coupon_code_request'))
        batch_op.drop_index('ix_coupon_code_expiry')

    op.drop_table('coupon_code')
    with op.batch_alter_table('coupon_batch', schema=None) as batch_op:
        batch_op.drop_index('ix_coupon_batch_work')
        batch_op.drop_index(batch_op.f('ix_coupon_batch_request'))
        batch_op.drop_index(batch_op.f('ix_coupon_batch_pool'))

    op.drop_table('coupon_batch')
    with op.batch_alter_table('coupon_request', schema=None) as batch_op:
        batch_op.drop_index('ix_coupon_request_work')
        batch_op.drop_index(batch_op.f('ix_coupon_request_rule_id'))
        batch_op.drop_index(batch_op.f('ix_coupon_request_at'))

    op.drop_table('coupon_request')
    with op.batch_alter_table('coupon_pool', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_coupon_pool_rule_id'))

    op.drop_table('coupon_pool')
