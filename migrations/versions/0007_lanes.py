"""lanes

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('pending', schema=None) as batch_op:
        batch_op.drop_index('ix_pending_state')
        batch_op.create_index('ix_pending_lane', ['state', 'lane', 'kind'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('pending', schema=None) as batch_op:
        batch_op.drop_index('ix_pending_lane')
        batch_op.create_index('ix_pending_state', ['state', 'kind', 'lane'], unique=False)
