"""`make soak`: half an hour of mixed load on bridge; memory, descriptors and threads must stay flat.

`python -m bench.soak [--minutes 30] [--every 10] [--folder docs]` starts a made shop, Valkey, `bridge web`, `bridge
worker` and `bridge clock`, lets all kinds of visitors in (soak_load.py), looks at the process trees every few seconds,
and writes `figures/soak.json`, `figures/soak.svg` and `soak.md` under the folder. Ends with 0 when all answers were
right and everything is flat by the rule of `judge()`, with 1 when not.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from bench import soak_load, soak_page
from bench.processes import families

if TYPE_CHECKING:
    from collections import Counter

ROOT = Path(__file__).resolve().parents[1]
GROUPS = ("web", "worker", "clock", "valkey")
MEASURES = ("memory", "descriptors", "threads")
ENOUGH = 30
"""Samples that a verdict needs."""
MEMORY_SHARE, MEMORY_SLACK = 0.02, 1.0
COUNT_SHARE, COUNT_SLACK = 0.05, 4


@dataclass
class Sample:
    """A look at the process trees: group -> PSS in MB, descriptors, threads. `at` in seconds since the load began."""

    at: float
    groups: dict[str, dict[str, float]]
    requests: int = 0

    def total(self, measure: str) -> float:
        """Return the sum over all groups."""
        return sum(group[measure] for group in self.groups.values())


class Looks:
    """Looks at the trees. A process counts once two looks in a row have seen it: jobs have one of a moment each."""

    def __init__(self, roots: dict[str, int]) -> None:
        self._roots = roots
        self._known = families(roots)

    def take(self, at: float) -> Sample:
        """Look; a process that ends meanwhile counts nothing."""
        known, self._known = self._known, families(self._roots)
        return Sample(at, {name: _figures(family & known[name]) for name, family in self._known.items()})


def _figures(family: set[int]) -> dict[str, float]:
    figures = dict.fromkeys(MEASURES, 0.0)
    for pid in family:
        folder = Path("/proc") / str(pid)
        try:
            pss = (folder / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0]
            descriptors = len(list((folder / "fd").iterdir()))
            threads = len(list((folder / "task").iterdir()))
        except (OSError, IndexError):
            continue
        figures["memory"] += int(pss) / 1024
        figures["descriptors"] += descriptors
        figures["threads"] += threads
    return figures


@dataclass
class Verdict:
    """What became of one measure of one group: medians of the second and of the last third, and the bound for it."""

    group: str
    measure: str
    before: float
    after: float
    bound: float

    @property
    def flat(self) -> bool:
        """Whether the last third stayed within the bound."""
        return self.after <= self.bound


def judge(samples: list[Sample]) -> list[Verdict]:
    """Hold the last third of a run against the second one; the first is warm-up: caches fill, pools grow.

    Memory may have grown by 2 % and 1 MB, descriptors and threads by 5 % and 4, which are connections under way. Judged
    is each group, and all together.
    """
    third = len(samples) // 3
    second, last = samples[third : 2 * third], samples[2 * third :]
    verdicts = []
    for group in (*GROUPS, "all"):
        for measure in MEASURES:
            before, after = (
                statistics.median(
                    sample.total(measure) if group == "all" else sample.groups[group][measure] for sample in part
                )
                for part in (second, last)
            )
            if measure == "memory":
                bound = before * (1 + MEMORY_SHARE) + MEMORY_SLACK
            else:
                bound = before * (1 + COUNT_SHARE) + COUNT_SLACK
            verdicts.append(Verdict(group, measure, before, after, bound))
    return verdicts


@dataclass
class Stack:
    """The processes of a run. `roots` are those that are looked at."""

    folder: Path
    port: int = 0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def roots(self) -> dict[str, int]:
        """Group -> id of its first process."""
        return {name: self.processes[name].pid for name in GROUPS}

    def start(self) -> None:
        """Start everything, with the tag on; wait until a page comes through with it."""
        from tests.browser.stack import free_port, wait_for  # noqa: PLC0415 the harness of the tests

        shop, self.port, dashboard = free_port(), free_port(), free_port()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        environ |= {
            "BRIDGE_STORE_URL": f"http://127.0.0.1:{shop}",
            "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "BRIDGE_LISTEN": f"127.0.0.1:{self.port}",
            "BRIDGE_DASHBOARD_LISTEN": f"127.0.0.1:{dashboard}",
            "BRIDGE_DATA_DIR": str(self.folder),
        }

        def run(*words: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(  # noqa: S603 our own
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        for words in (("db", "upgrade"), ("config", "set", "general.account_id", "0123456789abcdef")):
            run("bridge", *words).wait(timeout=60)
        self.processes["shop"] = run("bench.soak_shop", str(shop))
        for name in ("valkey", "web", "worker", "clock"):
            self.processes[name] = run("bridge", name)

        def tagged() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/page/1.html", timeout=5) as answer:
                    return b"data-bridge" in answer.read()
            except OSError:
                return False

        wait_for(tagged, 60, what="bridge did not come up")

    def ended(self) -> list[str]:
        """Return the names of processes that should run and do not."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def stop(self) -> None:
        """Stop what was started, Valkey last but one."""
        order = sorted(self.processes, key=lambda name: {"valkey": 1, "shop": 2}.get(name, 0))
        for name in order:
            self.processes[name].send_signal(signal.SIGTERM)
            try:
                self.processes[name].wait(timeout=45)
            except subprocess.TimeoutExpired:
                self.processes[name].kill()
                self.processes[name].wait()


async def run(stack: Stack, seconds: float, every: float) -> tuple[list[Sample], Counter[tuple[str, bool]]]:
    """Put the load on and look every few seconds; return the samples, and how often each kind went well and ill."""
    visitors = soak_load.Visitors(stack.port)
    tasks = soak_load.start(visitors)
    samples: list[Sample] = []
    looks = Looks(stack.roots)
    began = time.monotonic()
    while (at := time.monotonic() - began) < seconds:
        await asyncio.sleep(min(every, seconds - at))
        samples.append(looks.take(time.monotonic() - began))
        samples[-1].requests = sum(visitors.tally.values())
        soak_page.show_progress(samples, seconds, visitors.tally)
        if ended := stack.ended():
            raise SystemExit(f"ended in the middle: {', '.join(ended)}")
    visitors.stopping = True
    await asyncio.wait(tasks, timeout=soak_load.PATIENCE + 5)
    for task in tasks:
        task.cancel()
    return samples, visitors.tally


def figures_of(samples: list[Sample], tally: Counter[tuple[str, bool]], seconds: float) -> dict[str, Any]:
    """Return all that is kept of a run."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own
    verdicts = judge(samples) if len(samples) >= ENOUGH else []
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds": round(seconds),
        "visits": {kind: {"good": tally[kind, True], "bad": tally[kind, False]} for kind in soak_load.KINDS},
        "verdicts": [{**vars(verdict), "flat": verdict.flat} for verdict in verdicts],
        "samples": [
            {
                "at": round(sample.at),
                **{
                    group: [round(figures[measure], 2) for measure in MEASURES]
                    for group, figures in sample.groups.items()
                },
            }
            for sample in samples
        ],
    }


def main() -> None:
    """Run, write, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where figures and page go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bridge-soak-") as folder:
        stack = Stack(Path(folder))
        try:
            stack.start()
            samples, tally = uvloop.run(run(stack, options.minutes * 60, options.every))
        finally:
            stack.stop()
    figures = figures_of(samples, tally, options.minutes * 60)
    soak_page.write(figures, options.folder)
    ill = {kind: visits["bad"] for kind, visits in figures["visits"].items() if visits["bad"]}
    grown = [f"{each['group']} {each['measure']}" for each in figures["verdicts"] if not each["flat"]]
    print(soak_page.summary(figures), flush=True)  # noqa: T201 the command's answer
    sys.exit(1 if ill or grown else 0)


if __name__ == "__main__":
    main()
