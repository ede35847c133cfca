"""Relays and mail servers on free ports."""

from __future__ import annotations

import pytest

from tests.mail.raw_client import RunningRelay
from tests.mail.raw_sink import RawSink


@pytest.fixture
def start_relay(tmp_path):
    """Start relays; each ends with the test."""
    running = []

    def start(**settings):
        running.append(RunningRelay(tmp_path, **settings))
        return running[-1]

    yield start
    for relay in running:
        relay.stop()


@pytest.fixture
def relay(start_relay):
    return start_relay()


@pytest.fixture
def start_sink():
    """Start mail servers that take what they get; each ends with the test."""
    running = []

    def start(**settings):
        running.append(RawSink(**settings))
        return running[-1]

    yield start
    for sink in running:
        sink.stop()


@pytest.fixture
def sink(start_sink):
    return start_sink()
