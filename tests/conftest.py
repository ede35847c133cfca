"""Fixtures that every room may use, and the rule that CI skips nothing it can run."""

from __future__ import annotations

import gc
import logging
import os
import tempfile
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from tests.browser.stack import Stack
from tests.lines import through_logging
from tests.redis_server import start_redis
from tests.remembered import remember
from tests.wire.pitfalls import PROPERTY, Coverage

settings.register_profile("bridge", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("bridge")

through_logging()
logging.getLogger("bridge").setLevel(logging.INFO)

remember()

# Thousands of collected tests live as long as the process, and a collection of the oldest generation would look at each
# of them, again and again.
gc.set_threshold(50_000, 10, 10)

MUST_RUN_IN_CI = ("browser", "nginx", "redis", "postgres", "mariadb")


@pytest.fixture(scope="session")
def redis_server():
    """One server for the run; each test that uses ``redis_client`` finds it empty."""
    with tempfile.TemporaryDirectory(prefix="bridge-redis-") as folder:
        server = start_redis(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def redis_client(redis_server):
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def stack(tmp_path):
    """The whole product with its sandbox, as `bridge run --sandbox` starts it, for this test alone."""
    made = Stack(tmp_path / "var").start()
    yield made
    made.stop()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with the files that take long (slow tests, then browsers): at the end no process waits for another's."""
    ranks = {item.path: 2 for item in items}
    for item in items:
        own = 0 if item.get_closest_marker("slow") else 1 if item.get_closest_marker("browser") else 2
        ranks[item.path] = min(ranks[item.path], own)
    items.sort(key=lambda item: ranks[item.path])


def pytest_collection_finish():
    """From here on the garbage collector no longer looks at what is there."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    """Say at the end what the wire suite covered, and what CI must not have skipped."""
    coverage, passed = Coverage(), set()
    for report in terminalreporter.getreports("passed"):
        found = dict(report.user_properties).get(PROPERTY)
        if report.when == "call" and found is not None:
            coverage.add(report.nodeid, found)
            passed.add(report.nodeid)
    if lines := coverage.lines(passed):
        terminalreporter.section("pitfalls that the wire suite covers")
        for line in lines:
            terminalreporter.line(line)
    missed = [
        report for report in terminalreporter.stats.get("skipped", []) if set(MUST_RUN_IN_CI) & set(report.keywords)
    ]
    if missed and os.environ.get("CI") == "true":
        terminalreporter.section("skipped though CI must run them")
        for report in missed:
            terminalreporter.line(report.nodeid)


def pytest_sessionfinish(session):
    """With CI=true a skipped browser, nginx, Redis or PostgreSQL test fails the run."""
    if os.environ.get("CI") != "true":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if any(set(MUST_RUN_IN_CI) & set(report.keywords) for report in skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
