"""kind of family

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Until now only configurable products were kept as parents.
    with op.batch_alter_table('variant_parent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=12), nullable=False, server_default='configurable'))


def downgrade() -> None:
    with op.batch_alter_table('variant_parent', schema=None) as batch_op:
        batch_op.drop_column('kind')
