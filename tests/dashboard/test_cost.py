"""What the pages ask of the database: no query reads a large table from end to end, whatever is filtered for.

`python -m bench.dashboard` measures the same with millions of rows; here some thousand are enough to see a plan, and the
instructions of SQLite's machine tell a query that its plan does not give away.
"""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bench import dashboard as bench
from bench.dashboard_rows import Size, fill
from bridge.dashboard import backlog, coupon_log, figures
from bridge.db import Base, db
from bridge.export import log_search, refusals

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROWS = 16_000
SIZE = Size(
    views=40, ledger=ROWS, sent=ROWS, requests=ROWS, events=ROWS, steps=ROWS, mails=ROWS, coupons=2_000, others=ROWS
)
MOST = 45
"""Thousands of instructions for one query; to look at each of the rows takes more."""
COUNTS = {"/coupons", "/coupons/1", "/mail"}
"""Pages that add up: codes by pool, and the mails of seven days."""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cost")
    app = bench.make_app(folder, f"sqlite:///{folder / 'bridge.db'}")
    with app.app_context():
        Base.metadata.create_all(db.engine)
        fill(SIZE)
        watch = bench.Watch(db.engine)
    yield app, watch
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_no_page_reads_a_large_table_from_end_to_end(large, monkeypatch):
    monkeypatch.setattr(log_search, "LOOKED", 500)
    monkeypatch.setattr(figures, "COUNTED", 100)
    monkeypatch.setattr(backlog, "COUNTED", 20)
    monkeypatch.setattr(refusals, "LOOKED", 100)
    monkeypatch.setattr(coupon_log, "LOOKED", 100)
    app, watch = large
    client = bench.signed_in(app)
    found = {}
    for path in bench.pages(app):
        row = bench.measure(client, watch, path, rounds=1)
        found[row["path"]] = row
        assert row["status"] < 400 or row["path"].startswith("/records/"), row["path"]
    assert {path: row["scans"] for path, row in found.items() if row["scans"]} == {}
    dear = {
        path: (row["steps"], row["dearest"][-200:])
        for path, row in found.items()
        if row["steps"] > MOST and path.partition("?")[0] not in COUNTS
    }
    assert not dear, "\n".join(f"{path}: {told}" for path, told in dear.items())
    assert len(found) > 60


def test_a_query_that_reads_a_whole_table_is_seen(large):
    app, watch = large
    watch.explained()
    with app.app_context():
        db.session.execute(text("SELECT count(*) FROM event_log WHERE summary = 'none'")).all()
        db.session.rollback()
        (one,) = watch.explained()
    assert one.scans == ["SCAN event_log"]
    assert one.steps > MOST
