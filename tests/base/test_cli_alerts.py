"""`bridge alerts`: in words and as JSON, with an exit code that a script can read."""

from __future__ import annotations

import json
import os

import pytest

from bridge.app import create_app
from bridge.config import config_from_environ
from bridge.db import db
from bridge.models_alerts import Alert, AlertNotice
from tests.alerts.conftest import NOON
from tests.base.test_cli_export import run

pytestmark = pytest.mark.redis
__all__ = ["run"]


def add(*rows):
    with create_app(config_from_environ(os.environ)).app_context():
        for row in rows:
            db.session.add(row)
            db.session.flush()
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def test_nothing_wrong_is_said_and_ends_with_0(run):
    said = run("alerts")
    assert (said.output, said.exit_code) == ("Nothing is wrong.\n", 0)
    assert json.loads(run("alerts", "--json").stdout) == []


def test_what_is_wrong_is_said_with_who_was_told_and_ends_with_1(run):
    add(
        Alert(id=1, key="backlog:a", kind="backlog", subject="Shop", sentence="It waits.", began_at=NOON),
        AlertNotice(alert=1, channel="email", event="began", state="told", tries=1, told_at=NOON + 60),
        AlertNotice(alert=1, channel="webhook", event="began", state="waiting", tries=2, reason="Status 500."),
        Alert(id=2, key="backlog:b@2", kind="backlog", sentence="It waited.", began_at=NOON, ended_at=NOON + 300),
    )
    said = run("alerts")
    assert said.exit_code == 1
    assert said.output.splitlines() == [
        "backlog: It waits.",
        "  since 2026-11-25T12:00:00Z",
        "  email, began: told at 2026-11-25T12:01:00Z",
        "  webhook, began: waiting after 2 tries (Status 500.)",
    ]
    rows = json.loads(run("alerts", "--json", "--past").stdout)
    assert [(row["sentence"], row["over"]) for row in rows] == [
        ("It waits.", None),
        ("It waited.", "2026-11-25T12:05:00Z"),
    ]
    assert rows[0]["told"][1] == {
        "channel": "webhook",
        "event": "began",
        "state": "waiting",
        "at": None,
        "tries": 2,
        "reason": "Status 500.",
    }
