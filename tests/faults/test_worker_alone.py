"""A real `bridge worker` without a clock: it finds that out by itself, and people are told once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.alerts.jobs import EVERY_SECONDS
from bridge.app import create_app
from bridge.config import config_from_environ
from bridge.db import db
from bridge.queues import Wakes, connect
from bridge.settings import set_value
from tests.alerts.conftest import hook
from tests.browser.stack import wait_for
from tests.redis_server import start_redis
from tests.schema import create_tables

__all__ = ["hook"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environ(tmp_path, hook):
    """The environment of a worker whose alerts go to the hook; its tables are there, its Redis runs."""
    (tmp_path / "redis").mkdir()
    server = start_redis(tmp_path / "redis")
    found = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")} | {
        "BRIDGE_DATA_DIR": str(tmp_path),
        "BRIDGE_REDIS_URL": server.url,
        "BRIDGE_SECRET_KEY": "a-secret-key-for-tests-0123456789",
        "BRIDGE_ALERT_HOSTS": hook.url.split("/")[2],
    }
    app = create_app(config_from_environ(found))
    with app.app_context():
        create_tables()
        set_value("default", "alerts.webhook", hook.url, "test")
        db.session.commit()
    yield found
    server.stop()


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(300)
def test_a_worker_without_a_clock_tells_people_so_once(environ, hook):
    worker = subprocess.Popen([sys.executable, "-m", "bridge", "worker"], cwd=ROOT, env=environ)
    try:
        wait_for(lambda: hook.posts, EVERY_SECONDS + 60, pause=0.5, what="nobody was told")
        connection = connect(environ["BRIDGE_REDIS_URL"])
        # One worker takes one job after the other: once it takes the second, the first has looked again and told nobody.
        for _ in range(2):
            wait_for(lambda: Wakes(connection).wake("alerts"), 30, what="the job before was not taken")
        wait_for(lambda: not any(Wakes(connection).depth().values()), 30, what="the last job was not taken")
        connection.close()
        assert [(one["kind"], one["state"]) for one in hook.posts] == [("clock_stopped", "began")]
    finally:
        worker.terminate()
        worker.wait(timeout=30)
    assert worker.returncode == 0
