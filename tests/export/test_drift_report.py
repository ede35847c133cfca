"""The figures of a comparison add up page by page, in SQLite and in PostgreSQL."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from bridge.db import db, engine_options
from bridge.events import EntityRef
from bridge.export import drift_held, drift_report
from bridge.export.drift_report import Line
from bridge.models_drift import DriftSeen
from tests.export.postgres_server import start_postgres, why_not
from tests.schema import create_tables


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=[pytest.mark.postgres, pytest.mark.skipif(why_not() is not None, reason=why_not() or "it is here")],
        ),
    ]
)
def tables(request, tmp_path):
    """An empty database."""

    def use(url):
        app = Flask("bridge-test")
        app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
        db.init_app(app)
        with app.app_context():
            create_tables()
            yield app
            db.session.remove()
            db.engine.dispose()

    if request.param == "sqlite":
        yield from use(f"sqlite:///{tmp_path / 'test.db'}")
        return
    with start_postgres() as url:
        yield from use(url)


def line(id_, day="2026-01-02", **more):
    return Line("acc", EntityRef("order", id_), "store:fr", day, shop=True, **more)


def test_pages_add_up_by_store_view_and_day(tables):
    lost = line("1", sent=True, state="missing", detail="lost", repaired=True, tried="d1")
    drift_report.count("order", 7, [lost, line("2", sent=True, held=True)])
    drift_report.count("order", 7, [line("3", sent=True, held=True), line("4", day="2026-01-03")])
    drift_report.note("order", 7, [lost])
    db.session.commit()
    (differing,) = drift_report.rows("order", 7)
    assert differing == {
        "account": "acc",
        "store": "store:fr",
        "day": "2026-01-02",
        "shop": 3,
        "sent": 3,
        "held": 2,
        "missing": 1,
        "stale": 0,
        "extra": 0,
        "repaired": 1,
    }
    assert [row["day"] for row in drift_report.rows("order", 7, every=True)] == ["2026-01-03", "2026-01-02"]
    (total,) = drift_report.totals("order", 7)
    assert (total["shop"], total["missing"]) == (4, 1)
    assert drift_report.tried("order", 8, [lost]) == {("acc", "1", "d1")}
    assert drift_report.tried("order", 7, [lost]) == set(), "of this run itself nothing"


def test_a_run_that_did_not_end_and_older_ones_go(tables):
    for run in (7, 8, 9):
        drift_report.count("order", run, [line("1", state="stale")])
        drift_report.note("order", run, [line("1", state="stale")])
    drift_report.drop_run("order", 9)
    drift_report.forget("order", keep=8)
    db.session.commit()
    assert [len(drift_report.rows("order", run)) for run in (7, 8, 9)] == [0, 1, 0]
    assert [len(drift_report.items("order", run)) for run in (7, 8, 9)] == [0, 1, 0]


def test_what_a_list_brings_again_is_not_new(tables):
    row = {"account": "acc", "kind": "order", "fields": "", "store": "", "day": "", "known": False}
    assert drift_held.keep([{**row, "record": "1"}, {**row, "record": "2"}]) == 2
    assert drift_held.keep([{**row, "record": "2"}, {**row, "record": "3"}]) == 1
    assert drift_held.keep([{**row, "record": "1"}]) == 0
    drift_report.mark_known("acc", "order", ["2", "9"])
    db.session.commit()
    known = db.session.scalars(select(DriftSeen.record).where(DriftSeen.known)).all()
    assert known == ["2"]


def test_differences_are_chosen_by_state_and_account(tables):
    drift_report.note("order", 7, [line("1", state="stale"), line("2", state="missing", day="2026-01-09")])
    db.session.commit()
    assert [row["entity"] for row in drift_report.items("order", 7)] == ["2", "1"]
    assert [row["entity"] for row in drift_report.items("order", 7, state="stale")] == ["1"]
    assert drift_report.items("order", 7, account="other") == []
    assert len(drift_report.items("order", 7, most=1)) == 1
