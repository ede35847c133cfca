"""Counters under closed sets of names."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy.counters import FAILURES, NOTES, REASONS, Counters


def test_every_name_has_a_counter_from_the_start():
    registry = CollectorRegistry()
    counters = Counters(registry)
    for reason in REASONS:
        counters.not_injected(reason)
        assert registry.get_sample_value("bridge_not_injected_total", {"reason": reason}) == 1
    for note in NOTES:
        counters.csp_noted(note)
        assert registry.get_sample_value("bridge_csp_notes_total", {"note": note}) == 1
    for kind in FAILURES:
        counters.failed(kind)
        assert registry.get_sample_value("bridge_proxy_failures_total", {"kind": kind}) == 1
    counters.memo(hit=True)
    assert registry.get_sample_value("bridge_memo_total", {"result": "miss"}) == 0


def test_a_name_outside_the_set_is_refused():
    with pytest.raises(KeyError):
        Counters(CollectorRegistry()).not_injected("because")
