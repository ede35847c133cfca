"""The bench of the export: its made shop, its rules, and a small run of the real thing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import scale_page
from bench.scale_run import most_in_a_second
from bench.scale_shop import Asked
from bridge.store.magento_search import criteria, encode

ROOT = Path(__file__).resolve().parents[2]


def asked(*filters, size=3):
    return Asked(encode(criteria(filters, sort=("entity_id",), size=size)))


@pytest.mark.parametrize(
    ("filters", "step", "ids", "total"),
    [
        ((), 1, [1, 2, 3], 10),
        ((("entity_id", "gt", "8"),), 1, [9, 10], 2),
        ((("entity_id", "gt", "10"),), 1, [], 0),
        ((("entity_id", "in", "4,11,7"),), 1, [4, 7], 2),
        ((("entity_id", "eq", "4"),), 1, [4], 1),
        ((("sku", "in", "P4,P7"),), 1, [4, 7], 2),
        ((("type_id", "eq", "configurable"), ("entity_id", "gt", "0")), 5, [1, 6], 2),
        ((("type_id", "eq", "configurable"), ("entity_id", "gt", "1")), 5, [6], 1),
        ((("updated_at", "gteq", "2026-11-26 00:00:00"),), 1, [], 0),
    ],
)
def test_the_made_shop_lists_as_magento_does(filters, step, ids, total):
    assert asked(*filters).ids(10, step) == (ids, total)


def test_the_most_within_a_second_is_counted_wherever_it_lies():
    assert most_in_a_second([]) == 0
    assert most_in_a_second([0.0, 0.25, 0.5, 0.75, 1.0, 1.25]) == 4
    assert most_in_a_second([0.0, 0.9, 0.95, 1.0, 1.1, 1.89]) == 5


def row(size, **more):
    told = {"different": size, "sent": size, "most": 1, "print": 0}
    usual = {"memory": [[0, 120.0], [5, 125.0], [10, 126.0]], "seconds": 10.0, "cpu": size / 1000}
    usual |= {"date": "2026-11-27T00:00+00:00", "machine": "m", "load": 0.1, "bytes": 1, "calls": {}}
    usual |= {"pushes": 100, "window": 4, "pace": 3.97}
    return {"kind": "contact", "size": size, "records": {"contact": told}, **usual, **more}


def figures(**more):
    return {"kinds": {"contact": row(10)}, "limit": {"contact": row(10)}, "sizes": {"10": row(10)}} | more


def test_figures_within_the_bounds_make_a_page_without_complaint():
    assert scale_page.broken(figures()) == []
    assert "Every bound holds" in scale_page.page(figures())


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"limit": {"contact": row(10, window=5)}}, "exceeded"),
        ({"limit": {"contact": row(10, pace=3.9)}}, "97.5%"),
        ({"sizes": {"10": row(10), "99": row(99, memory=[[0, 120.0], [5, 125.0], [10, 150.0]])}}, "150 MB"),
        ({"sizes": {"10": row(10), "99": row(99, cpu=0.2)}}, "costs more"),
        ({"kinds": {"contact": row(10, records={"contact": {"different": 9, "sent": 10}})}}, "10 sent, 9 different"),
    ],
)
def test_figures_beyond_a_bound_are_said(part, said):
    (ill,) = scale_page.broken(figures(**part))
    assert said in ill
    assert said in scale_page.page(figures(**part))


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["contact", "product", "order"])
def test_a_small_run_sends_each_record_once_with_few_calls_of_the_shop(kind):
    words = [sys.executable, "-m", "bench.scale_run", kind, "120", "100", "1"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    sent = told["records"]
    assert (sent[kind]["different"], sent[kind]["sent"]) == (120, 120)
    assert {one["most"] for one in sent.values()} == {1}
    assert sum(told["calls"].values()) <= {"contact": 5, "product": 16, "order": 45}[kind]
