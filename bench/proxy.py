"""`make bench`: pages through bridge and directly, in turn in one run; writes `docs/figures/proxy.json` and a page.

Each round asks every target once, so that a busy machine disturbs all alike; a figure is the median of the rounds.
CPU is that of the target's whole process tree (the made shop itself for "direct").
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.origin import pages

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures" / "proxy.json"
PAGE = ROOT / "docs" / "performance.md"
ROUNDS, SECONDS, CONNECTIONS = 5, 2.0, 16
TICK = os.sysconf("SC_CLK_TCK")
HEAD = """# Performance

Written by `make bench` from `docs/figures/proxy.json`; figures are medians of interleaved rounds in one run, so read
the ratios, not the absolute numbers. *direct* is a made shop that answers from memory and costs next to nothing; a real
page of Magento costs 50 to 500 ms, so the ratio says what bridge adds, not what visitors see.
"""
COLUMNS = (
    "| page | coding | size | pages a second, bridge / direct | ratio | CPU s a 1,000 pages, bridge | the made shop |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
)


def cpu_seconds(root: int) -> float:
    """Return the CPU time of a process and all its living descendants."""
    parents, spent = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            spent[int(entry.name)] = (int(fields[11]) + int(fields[12])) / TICK
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(spent.get(pid, 0.0) for pid in family)


def ask(address: str, path: str, coding: str) -> dict[str, float]:
    """Put one target under load for one round."""
    words = [address, path, str(CONNECTIONS), str(SECONDS), coding]
    done = subprocess.run([sys.executable, "-m", "bench.load", *words], cwd=ROOT, capture_output=True, check=True)  # noqa: S603 our own
    told: dict[str, float] = json.loads(done.stdout)
    return told


def measure(targets: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """Return a row for each page and coding: per target, pages a second and CPU seconds for 1,000 pages."""
    rows = []
    for path in pages():
        for coding in ("identity", "gzip"):
            found: dict[str, dict[str, list[float]]] = {name: {"rps": [], "cpu": []} for name in targets}
            for _ in range(ROUNDS):
                for name, (address, pid) in targets.items():
                    before = cpu_seconds(pid)
                    told = ask(address, path, coding)
                    spent = cpu_seconds(pid) - before
                    if told["bad"] or told["lost"] or not told["good"]:
                        raise SystemExit(f"{name} {path}: {told}")
                    found[name]["rps"].append(told["good"] / told["seconds"])
                    found[name]["cpu"].append(spent / told["good"] * 1000)
            row: dict[str, Any] = {"page": path, "coding": coding, "bytes": len(pages()[path])}
            for name, figures in found.items():
                row[name] = {figure: statistics.median(values) for figure, values in figures.items()}
            rows.append(row)
            print(f"{path} {coding}: {row['bridge']['rps'] / row['direct']['rps']:.2f} of direct", flush=True)  # noqa: T201 progress
    return rows


def _circumstances(figures: dict[str, Any]) -> str:
    return (
        f"{figures['date']}, commit {figures['commit']}, {figures['machine']}; {figures['rounds']} rounds of "
        f"{figures['seconds']:g} s, {figures['connections']} connections, one web process."
    )


def table(figures: dict[str, Any]) -> str:
    """Return the page of the docs; it is made from the figures alone."""
    lines = [HEAD, _circumstances(figures), "", *COLUMNS]
    for row in figures["rows"]:
        bridge, direct = row["bridge"], row["direct"]
        cells = (
            f"`{row['page']}`",
            row["coding"],
            f"{row['bytes'] / 1000:.0f} kB",
            f"{bridge['rps']:,.0f} / {direct['rps']:,.0f}",
            f"{bridge['rps'] / direct['rps']:.2f}",
            f"{bridge['cpu']:.3f}",
            f"{direct['cpu']:.3f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def start(folder: Path) -> tuple[list[subprocess.Popen[bytes]], dict[str, tuple[str, int]]]:
    """Start the made shop, a Valkey and `bridge web` with the tag on; return them and the targets."""
    from tests.browser.stack import free_port, wait_for  # noqa: PLC0415 the harness of the tests

    shop, web, dashboard = free_port(), free_port(), free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environ |= {
        "BRIDGE_STORE_URL": f"http://127.0.0.1:{shop}",
        "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{web}",
        "BRIDGE_LISTEN": f"127.0.0.1:{web}",
        "BRIDGE_DASHBOARD_LISTEN": f"127.0.0.1:{dashboard}",
        "BRIDGE_DATA_DIR": str(folder),
    }

    def run(*words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 our own
            [sys.executable, "-m", *words], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    for words in (("db", "upgrade"), ("config", "set", "general.account_id", "0123456789abcdef")):
        run("bridge", *words).wait(timeout=60)
    started = [run("bench.origin", str(shop)), run("bridge", "valkey"), run("bridge", "web")]

    def tagged() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/made.html", timeout=5) as answer:
                return b"data-bridge" in answer.read()
        except OSError:
            return False

    wait_for(tagged, 30, what="bridge did not come up")
    return started, {
        "direct": (f"127.0.0.1:{shop}", started[0].pid),
        "bridge": (f"127.0.0.1:{web}", started[2].pid),
    }


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        started, targets = start(Path(folder))
        try:
            time.sleep(1)
            rows = measure(targets)
        finally:
            for process in reversed(started):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=40)
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own
    figures = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "connections": CONNECTIONS,
        "rows": rows,
    }
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(table(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
