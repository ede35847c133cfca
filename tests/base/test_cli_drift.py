"""`bridge export drift`: the report in words and as JSON, and the beginning of a comparison."""

from __future__ import annotations

import json

import pytest

from bridge.app import create_app
from bridge.cli_drift import _lines
from bridge.config import config_from_environ
from bridge.db import db
from bridge.export import cursors
from bridge.models_drift import DriftCount, DriftItem
from tests.base.test_cli_export import run

pytestmark = pytest.mark.redis
__all__ = ["run"]
RUN = 1_790_000_000


def test_nothing_compared_yet_is_said(run):
    assert run("export", "drift", "order").output == "order: not compared yet; --now begins.\n"


def test_a_comparison_is_begun_and_its_worker_woken(run, redis_client):
    begun = run("export", "drift", "--now", "--report", "--from", "2026-01-01", "--to", "2026-01-31")
    assert "product: a comparison is under way (held)." in begun.stdout
    assert redis_client.llen("rq:queue:upkeep") == 1
    again = run("export", "drift", "product", "--now")
    assert "product: a comparison is under way" in again.stderr


def test_days_in_the_wrong_order_are_refused_in_words(run):
    wrong = run("export", "drift", "order", "--now", "--from", "2026-02-01", "--to", "2026-01-31")
    assert (wrong.exit_code, "--from must not be after --to" in wrong.output) == (78, True)


@pytest.fixture
def compared(run, tmp_path, monkeypatch):
    """A report of one store view and day with a missing order, whose key may not read."""
    import os

    with create_app(config_from_environ(os.environ)).app_context():
        done = {"run": RUN, "began": RUN, "ended": RUN + 60, "accounts": {"acc": {"read": False, "doubt": False}}}
        cursors.save("drift:order", {"state": "done", "run": RUN, "began": RUN, "done": done})
        own = {"kind": "order", "run": RUN, "account": "acc"}
        figures = {"shop": 3, "sent": 2, "held": 0, "missing": 1, "stale": 0, "extra": 0, "repaired": 1}
        db.session.add(DriftCount(**own, store="store:fr", day="2026-02-03", **figures))
        quiet = {**figures, "sent": 3, "missing": 0, "repaired": 0}
        db.session.add(DriftCount(**own, store="store:fr", day="2026-02-04", **quiet))
        words = {"state": "missing", "detail": "was never sent", "repaired": True}
        db.session.add(DriftItem(**own, entity="7", store="store:fr", day="2026-02-03", **words))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return run


def test_the_report_says_the_sums_what_could_not_be_read_and_the_days_that_differ(compared):
    shown = compared("export", "drift", "order").output.splitlines()
    assert shown[0].endswith("6 shop, 5 sent, 0 held, 1 missing, 0 stale, 0 extra, 1 repaired")
    assert "may not read" in shown[1]
    assert [line for line in shown if "2026-02-03" in line]
    assert not [line for line in shown if "2026-02-04" in line]
    assert "2026-02-04" in compared("export", "drift", "order", "--every").output
    assert "missing  7 (acc): was never sent, sent again" in compared("export", "drift", "order", "--items").output


def test_as_json_it_has_the_single_differences(compared):
    (report,) = json.loads(compared("export", "drift", "order", "--json").output)
    assert (report["days"][0]["missing"], report["items"][0]["entity"]) == (1, "7")


def test_a_comparison_that_was_given_up_says_why():
    report = {"kind": "order", "state": "failed", "reason": "The shop listed nothing.", "done": None}
    assert "given up: The shop listed nothing." in next(iter(_lines(report)))
