"""A check that somebody asked for on the dashboard: made by a worker, bounded, its findings kept whatever happens."""

from __future__ import annotations

import importlib

import pytest
import redis

from bridge import checks
from bridge.checks import jobs
from bridge.checks.finding import fail, good
from bridge.dashboard import check_notes
from bridge.db import db
from bridge.errors import Retry
from bridge.queues import JOBS
from tests.schema import create_tables


class Wakes:
    def __init__(self):
        self.told = []

    def awake(self, *words):
        self.told.append(words)


class Wired:
    def __init__(self):
        self.wakes = Wakes()


@pytest.fixture
def wired(bare_app, monkeypatch):
    """An application with a database; its services are the wakes alone."""
    found = Wired()
    bare_app.extensions["bridge"] = found
    with bare_app.app_context():
        create_tables()
        yield found
        db.session.remove()


def group(monkeypatch, *steps):
    """Make ``shop`` a group of these steps: findings, or what is raised."""

    def run(_):
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    monkeypatch.setitem(checks.GROUPS, "shop", run)


def kept():
    note = check_notes.notes()["shop"]
    return [(one.name, one.level, one.sentence) for one in note.findings]


def test_the_dashboard_wakes_the_job_by_name_and_knows_every_group():
    queue, path = JOBS["check"]
    module, _, name = path.rpartition(".")
    assert getattr(importlib.import_module(module), name) is jobs.check
    assert queue == "upkeep"
    assert tuple(checks.GROUPS) == check_notes.GROUPS


def test_what_a_group_finds_is_kept_with_its_time(wired, monkeypatch):
    group(monkeypatch, good("shop", "It answers."), fail("backend", "It is elsewhere.", "x"))
    assert check_notes.ask("shop") == ""
    jobs.check("shop")
    assert kept() == [("shop", "ok", "It answers."), ("backend", "fail", "It is elsewhere.")]
    note = check_notes.notes()["shop"]
    assert note.asked <= note.began <= note.ended
    assert note.state(note.ended) == "made"
    assert note.findings[1].about == "x"
    assert wired.wakes.told == [("check", "shop")]


def test_a_neighbour_that_fails_is_a_finding_and_keeps_those_before_it(wired, monkeypatch):
    group(monkeypatch, good("shop", "It answers."), Retry("The shop is away."))
    jobs.check("shop")
    assert kept() == [("shop", "ok", "It answers."), ("check", "fail", "The shop is away.")]


def test_a_fault_of_ours_ends_the_check_and_nobody_waits_for_it(wired, monkeypatch):
    group(monkeypatch, good("shop", "It answers."), redis.ConnectionError("away"))
    with pytest.raises(redis.ConnectionError):
        jobs.check("shop")
    assert kept()[-1] == ("check", "fail", jobs.BROKEN)
    note = check_notes.notes()["shop"]
    assert note.state(note.ended) == "made"


def test_a_check_that_takes_too_long_is_cut(wired, monkeypatch):
    monkeypatch.setattr(jobs, "SECONDS", -1.0)
    group(monkeypatch, good("shop", "It answers."), good("backend", "Never asked."))
    jobs.check("shop")
    assert kept() == [("shop", "ok", "It answers."), ("check", "warn", jobs.CUT)]


def test_a_group_that_is_none_is_let_be(wired):
    jobs.check("nothing")
    assert all(note.state(0.0) == "never" for note in check_notes.notes().values())
