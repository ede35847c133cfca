"""Models and migrations agree."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade
from flask_migrate import upgrade as migrate_to
from sqlalchemy import Text, text

from bridge.app import create_app
from bridge.db import Base, Secret, db
from bridge.launch import upgrade
from tests.base.test_config import read
from tests.export.postgres_server import start_postgres, why_not


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


def test_there_is_one_newest_migration():
    assert len(ScriptDirectory("migrations").get_heads()) == 1


@pytest.mark.postgres
@pytest.mark.skipif(why_not() is not None, reason=why_not() or "PostgreSQL is here")
def test_rows_of_the_first_tables_survive_every_migration_on_postgresql(tmp_path):
    with start_postgres() as url:
        app = create_app(read(tmp_path, BRIDGE_DATABASE_URL=url, BRIDGE_SECRET_KEY="0123456789abcdef"))
        with app.app_context():
            migrate_to(revision="0002")
            columns = "account, kind, entity, record_id, digest, request_id, state, sent_at"
            for entity in ("customer:12", "7", "odd:one"):
                row = f"'a', 'product', '{entity}', 'r', 'd', 'q', 'sent', 1"
                db.session.execute(text(f"INSERT INTO sent_record ({columns}) VALUES ({row})"))
            db.session.commit()
            migrate_to()
            found = db.session.execute(text("SELECT entity, number FROM sent_record ORDER BY entity")).all()
            assert [tuple(row) for row in found] == [("7", 7), ("customer:12", 12), ("odd:one", 0)]
            db.session.remove()
            downgrade(revision="0002")
            db.engine.dispose()
