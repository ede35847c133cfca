"""Runs migrations on the application's own engine."""

from __future__ import annotations

from alembic import context
from flask import current_app

from bridge.db import Secret, db
from bridge.models import Scope


def render_item(kind, item, autogen_context):
    """Write our column type as the text column that it is in the database."""
    if kind == "type" and isinstance(item, Secret):
        return "sa.Text()"
    return False


with current_app.app_context(), db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Scope.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
