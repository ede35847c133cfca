"""The soak: its rule of flatness, its drawings, and a few seconds of the real thing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.soak import GROUPS, Looks, Sample, judge
from bench.soak_load import KINDS
from bench.soak_page import chart, page, progress, sparkline, summary

ROOT = Path(__file__).resolve().parents[2]


def samples(memory=lambda at: 100.0, descriptors=lambda at: 50.0, count=60):
    return [
        Sample(
            at * 10.0, {name: {"memory": memory(at), "descriptors": descriptors(at), "threads": 9.0} for name in GROUPS}
        )
        for at in range(count)
    ]


def grown(looks):
    return {(verdict.group, verdict.measure) for verdict in judge(looks) if not verdict.flat}


def test_what_grows_in_the_first_third_only_is_flat():
    assert grown(samples(memory=lambda at: 100.0 + 5 * min(at, 19))) == set()


def test_a_leak_is_noticed():
    assert {group for group, measure in grown(samples(memory=lambda at: 100.0 + at * 0.2))} == {*GROUPS, "all"}
    assert grown(samples(descriptors=lambda at: 50.0 + at)) == {(group, "descriptors") for group in (*GROUPS, "all")}


def test_a_single_look_at_a_bad_moment_is_none():
    assert grown(samples(memory=lambda at: 400.0 if at == 50 else 100.0)) == set()


def test_a_process_counts_once_two_looks_have_seen_it():
    command = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE) as first,
        subprocess.Popen(command, stdin=subprocess.PIPE) as second,
    ):
        looks = Looks(dict.fromkeys(GROUPS, first.pid))
        look = looks.take(1.0)
        assert look.groups["web"]["memory"] > 1
        assert look.groups["web"]["threads"] == 1
        assert look.groups["web"]["descriptors"] >= 3
        looks._roots = dict.fromkeys(GROUPS, second.pid)
        assert looks.take(2.0).groups["web"]["memory"] == 0
        assert looks.take(3.0).groups["web"]["memory"] > 1
        first.communicate(b"\n")
        second.communicate(b"\n")
        assert looks.take(4.0).groups["web"]["memory"] == 0


def test_drawings_are_of_the_width_asked_for():
    assert sparkline([1.0, 2.0, 4.0], 10) == "▃▅█"
    assert sparkline([], 10) == ""
    assert len(sparkline([float(at) for at in range(500)], 24)) == 24
    assert sparkline([float(at) for at in range(500)], 24)[-1] == "█"
    assert progress(0.5, 10) == "[#####.....]"
    assert progress(2.0, 4) == "[####]"


def test_the_page_says_what_grew():
    figures = {
        "date": "2026-11-26", "commit": "abc", "machine": "m", "seconds": 1800,
        "visits": {"pages": {"good": 10, "bad": 0}, "uploads": {"good": 9, "bad": 1}},
        "verdicts": [
            {"group": "web", "measure": "memory", "before": 100.0, "after": 110.0, "bound": 103.0, "flat": False}
        ],
        "samples": [{"at": at, **{name: [50.0 + at, 1, 1] for name in GROUPS}} for at in (10, 20, 30)],
    }  # fmt: skip
    told = page(figures)
    assert "Wrong answers: {'uploads': 1}. Not flat: memory of web." in told
    assert "| web | memory | 100.0 MB | 110.0 MB | 103.0 MB | **grows** |" in told
    assert "| uploads | 10 | 1 |" in told
    drawn = chart(figures)
    assert drawn.startswith("<?xml")
    assert "<script" not in drawn
    assert drawn == chart(figures)
    assert (
        summary({**figures, "visits": {}, "verdicts": []}) == "All answers were right. Too short to say what is flat."
    )


def test_the_page_of_the_docs_is_the_one_that_its_figures_give():
    figures = json.loads((ROOT / "docs" / "figures" / "soak.json").read_text(encoding="utf-8"))
    assert (ROOT / "docs" / "soak.md").read_text(encoding="utf-8") == page(figures)
    assert figures["seconds"] == 1800


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_few_seconds_of_the_real_thing(tmp_path):
    """Every kind of visitor gets what it should, and the looks find every process."""
    command = [sys.executable, "-m", "bench.soak", "--minutes", "0.15", "--every", "1.5", "--folder", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            told, _ = process.communicate(timeout=200)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # so that it ends the servers that it started
            told, _ = process.communicate(timeout=30)
            raise
    assert process.returncode == 0, told
    figures = json.loads((tmp_path / "figures" / "soak.json").read_text())
    assert set(figures["visits"]) == set(KINDS)
    for kind, visits in figures["visits"].items():
        assert visits["bad"] == 0, kind
        assert visits["good"] > 0, kind
    for sample in figures["samples"]:
        for name in GROUPS:
            assert all(figure > 0 for figure in sample[name]), name
    assert "All answers were right. Too short" in (tmp_path / "soak.md").read_text()
