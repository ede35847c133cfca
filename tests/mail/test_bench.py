"""The bench of the relay: a small run of the real thing, and the page that its figures give. Its bound is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mail import CROWD, section

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {
    "date": "2026-11-27",
    "commit": "abc1234",
    "machine": "x86_64, 2 cores",
    "load": 1.25,
    "rounds": 5,
    "seconds": 3.0,
    "bytes": 30_000,
    "rows": [
        {
            "shops": 16,
            "relay": {"a_second": 1234.4, "wait_ms": 4.26, "wait_ms_95": 9.9, "cpu_ms": 0.513},
            "plain": {"a_second": 2000.0, "wait_ms": 1.0, "wait_ms_95": 2.0, "cpu_ms": 0.4},
        }
    ],
    "crowd": {name: {"before": 5e7, "after": 6.5e7, "each": 15_000.0, "wait_ms": 3.21} for name in ("relay", "plain")},
}


def test_the_page_shows_the_figures_and_nothing_else():
    text = section(FIGURES)
    assert text.startswith("\n## Mail\n")
    assert "| 16 | 1,234 | 2,000 | 4.3 (9.9) | 1.0 (2.0) | 0.51 | 0.40 |" in text
    assert "| each, kB | 15.0 | 15.0 |" in text
    assert "load 1.2; 5 rounds of 3 s" in text


@pytest.mark.redis
@pytest.mark.slow
def test_a_short_run_measures_both_servers_and_writes_its_figures(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Performance\n\nthe proxy's part\n\n## Mail\n\nof before\n")
    words = ["--rounds", "1", "--seconds", "0.3", "--figures", str(tmp_path / "mail.json"), "--page", str(page)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.mail", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (tmp_path / "mail.json").exists(), done.stderr
    figures = json.loads((tmp_path / "mail.json").read_text())
    assert [row["shops"] for row in figures["rows"]] == [1, 16]
    for row in figures["rows"]:
        for name in ("relay", "plain"):
            assert row[name]["mails"] > 0
            assert 0 < row[name]["wait_ms"] <= row[name]["wait_ms_95"]
    for name in ("relay", "plain"):
        told = figures["crowd"][name]
        assert told["after"] > told["before"] > 0
        assert told["each"] == (told["after"] - told["before"]) / CROWD
    text = page.read_text()
    assert text.startswith("# Performance\n\nthe proxy's part\n\n## Mail\n")
    assert "of before" not in text
    assert text.count("## Mail") == 1
