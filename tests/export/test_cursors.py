"""Notes: kept and moved on by two workers at once, on each database."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text

from bridge.db import db
from bridge.export import cursors
from tests.export.test_ledger import app, postgres  # noqa: F401 fixtures

NEW = text("INSERT INTO cursor (name, data, updated_at) VALUES ('walk', :data, 0)")
MOVE = text("UPDATE cursor SET data = :data WHERE name = 'walk'")
WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def test_a_note_is_kept_replaced_and_forgotten(app):  # noqa: F811
    assert cursors.read("walk") == {}
    cursors.save("walk", {"after": "1"})
    cursors.save("walk", {"after": "2"})
    assert cursors.read("walk") == {"after": "2"}
    assert cursors.still("walk", {"after": "2"})
    db.session.rollback()
    assert not cursors.still("walk", {"after": "1"})
    cursors.clear("walk")
    assert cursors.read("walk") == {}
    assert cursors.still("walk", {})


class Elsewhere:
    """Another worker's transaction, which ends once somebody waits for it."""

    def __init__(self, statement, data):
        self._connection = db.engine.connect()
        self._connection.execute(statement, {"data": data})

    def end_once_waited_for(self):
        end = time.monotonic() + 30
        with db.engine.connect() as looking:
            while not looking.scalar(WAITS) and time.monotonic() < end:
                looking.rollback()
                time.sleep(0.01)
        self._connection.commit()
        self._connection.close()


# SQLite has one writer at a time.
on_postgres = pytest.mark.parametrize("app", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)


def aside(app, call):  # noqa: F811
    """Run a call in another thread; return the thread and the list that its result comes to."""
    found = []

    def run():
        with app.app_context():
            found.append(call())
            db.session.commit()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


@on_postgres
def test_two_workers_that_are_both_the_first_to_keep_a_note_keep_it(app):  # noqa: F811
    other = Elsewhere(NEW, '{"at": 1}')
    thread, found = aside(app, lambda: cursors.write("walk", {"at": 2}))
    other.end_once_waited_for()
    thread.join(30)
    assert found == [None]
    assert cursors.read("walk") == {"at": 2}


@on_postgres
def test_a_walk_that_another_worker_is_moving_on_is_not_moved_on_twice(app):  # noqa: F811
    cursors.save("walk", {"after": "1"})
    other = Elsewhere(MOVE, '{"after": "2"}')
    thread, found = aside(app, lambda: cursors.still("walk", {"after": "1"}))
    other.end_once_waited_for()
    thread.join(30)
    assert found == [False]
