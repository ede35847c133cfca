"""Models and migrations agree."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Text

from bridge.app import create_app
from bridge.db import Base, Secret, db
from bridge.launch import upgrade
from tests.base.test_config import read


def same_type(_context, _inspected, _column, _found, ours):
    return False if isinstance(ours, Secret | Text) else None


def test_the_migrations_give_the_tables_of_the_models(tmp_path):
    app = create_app(read(tmp_path))
    upgrade(app)
    with app.app_context():
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": same_type})
            differences = compare_metadata(context, Base.metadata)
        db.session.remove()
        db.engine.dispose()
    assert differences == []
