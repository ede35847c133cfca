"""Where the CPU of an exchange goes: kernel, interpreter, uvloop; bridge beside nginx and the least a proxy does.

Needs Linux's `perf` and nginx. Each load runs unwatched for the CPU of an exchange, all targets in turn, and once more
under `perf record` for the shares. Writes `docs/figures/limit.json`, which `docs/performance.md` takes in.
`python -m bench.limit` runs it alone. With OTHER_PYTHON in the environment, the path of another Python that has what
bridge needs, bridge is measured on that, too: how Python was built makes a difference.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import nginx
from bench.processes import cpu_seconds, families

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures" / "limit.json"
ROUNDS, FREQUENCY = 5, 1999
LOADS = {
    "/made.html": ("nginx-sub", 0.80, "identity"),
    "/fresh.html": ("nginx-sub", 1.0, "gzip"),
    "/customer/section/load": ("nginx-pass", 0.75, "identity"),
    "/media/photo.jpg": ("nginx-pass", 0.85, "identity"),
}
"""Path -> what it is compared with, bridge's goal (requests for the CPU that the other spends on one), the coding."""
OTHER = "bridge, other Python"
PARTS = ("kernel", "interpreter", "uvloop", "libraries")
SECTION = """
## Where the limit is

`python -m bench.limit` puts bridge, nginx and *bare* (which passes bytes both ways unread) under the same loads in turn
and has `perf record` say whose code ran: microseconds of CPU for an exchange. nginx's own code stands under
*interpreter*. The kernel takes longer for the same calls where the neighbours of a slower proxy sleep and must be
woken. `/fresh.html` is a page that is new each time, packed both ways: unpacking and packing (isal, zlib) stand under
*libraries*. *Other Python*, where there is one, is that which OTHER_PYTHON named.

| load | target | CPU µs | kernel | interpreter | uvloop | libraries |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
{rows}

{reading}
"""
READING = (
    "`{path}`: the goal, {goal:g} of nginx, allows {allowed:.0f} µs. Under bridge, kernel, uvloop and libraries take\n"
    "{fixed:.0f} µs, so {left:.0f} µs would be left for Python, which takes {python:.0f} µs to read two heads\n"
    "strictly, choose, place the tag, frame, watch the time, count and log."
)


def _part(name: str) -> str:
    if "kernel" in name or name == "[vdso]":
        return "kernel"
    if name.startswith(("libpython", "python", "nginx")):
        return "interpreter"
    return "uvloop" if name.startswith("loop.") else "libraries"


def shares(report: str) -> dict[str, float]:
    """Read the report of perf by object: the share of each of PARTS; nginx's own code counts as the interpreter's."""
    found = dict.fromkeys(PARTS, 0.0)
    for line in report.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].endswith("%") and not line.startswith("#"):
            found[_part(words[1])] += float(words[0][:-1])
    whole = sum(found.values())
    return {part: value / whole for part, value in found.items()}


def _watched(address: str, path: str, pid: int, folder: Path) -> dict[str, float]:
    """Return the shares of a target under a load."""
    coding = LOADS[path][2]
    load = subprocess.Popen(  # noqa: S603 our own
        [sys.executable, "-m", "bench.load", address, path, "16", "5", coding], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    time.sleep(1)
    data, pids = folder / "perf.data", ",".join(map(str, families({"": pid})[""]))
    perf = shutil.which("perf") or "perf"
    subprocess.run(  # noqa: S603 our own
        [perf, "record", "-q", "-F", str(FREQUENCY), "-p", pids, "-o", str(data), "--", "sleep", "3"], check=True
    )
    load.wait(timeout=30)
    report = subprocess.run(  # noqa: S603 our own
        [perf, "report", "-i", str(data), "--sort", "dso", "--stdio"], capture_output=True, text=True, check=True
    )
    return shares(report.stdout)


def _on_another(python: str, environ: dict[str, str], folder: Path) -> tuple[subprocess.Popen[bytes], tuple[str, int]]:
    """Start `bridge web` on another Python; return it and its address with its process id."""
    from tests.browser.stack import free_port, wait_for  # noqa: PLC0415 the harness of the tests

    web, dashboard = free_port(), free_port()
    own = {
        **environ,
        "BRIDGE_LISTEN": f"127.0.0.1:{web}",
        "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{web}",
        "BRIDGE_DASHBOARD_LISTEN": f"127.0.0.1:{dashboard}",
        "BRIDGE_ACCESS_LOG": str(folder / "other.log"),
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen([python, "-m", "bridge", "web"], cwd=ROOT, env=own, stderr=subprocess.DEVNULL)  # noqa: S603 our own

    def listens() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", web), timeout=1):
                return True
        except OSError:
            return False

    wait_for(listens, 30, what="bridge did not come up on the other Python")
    return process, (f"127.0.0.1:{web}", process.pid)


def measure(targets: dict[str, tuple[str, int]], folder: Path) -> list[dict[str, Any]]:
    """Return a row for each load and target: CPU microseconds of an exchange, and of each part."""
    from bench.proxy import ask  # noqa: PLC0415 it takes in this module's section

    rows = []
    for path, (rival, goal, coding) in LOADS.items():
        names = [name for name in ("bridge", OTHER, "bare", rival) if name in targets]
        spent: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name, values in spent.items():
                address, pid = targets[name]
                before = cpu_seconds(pid)
                told = ask(address, path, coding)
                values.append((cpu_seconds(pid) - before) / told["good"] * 1e6)
        for name, values in spent.items():
            cpu = statistics.median(values)
            parts = {
                part: share * cpu for part, share in _watched(targets[name][0], path, targets[name][1], folder).items()
            }
            rows.append(
                {"path": path, "target": "nginx" if name == rival else name, "goal": goal, "cpu": cpu, "parts": parts}
            )
            print(f"{path} {name}: {cpu:.0f} µs", flush=True)  # noqa: T201 progress
    return rows


def section(rows: list[dict[str, Any]]) -> str:
    """Return the section of the page."""
    lines, reading = [], []
    for row in rows:
        cells = " | ".join(f"{row['parts'][part]:.1f}" for part in PARTS)
        lines.append(f"| `{row['path']}` | {row['target']} | {row['cpu']:.0f} | {cells} |")
    for path in dict.fromkeys(row["path"] for row in rows):
        cpu = {row["target"]: row for row in rows if row["path"] == path}
        bridge, goal = cpu["bridge"], cpu["bridge"]["goal"]
        allowed, python = cpu["nginx"]["cpu"] / goal, bridge["parts"]["interpreter"]
        fixed = bridge["cpu"] - python
        left = max(allowed - fixed, 0.0)
        reading.append(READING.format(path=path, goal=goal, allowed=allowed, fixed=fixed, left=left, python=python))
    return SECTION.format(rows="\n".join(lines), reading="\n\n".join(reading))


def kept_section() -> str:
    """Return the section of the last run, or an empty text."""
    return section(json.loads(FIGURES.read_text(encoding="utf-8"))) if FIGURES.exists() else ""


def main() -> None:
    """Measure and write."""
    from bench.proxy import start  # noqa: PLC0415 it takes in this module's section

    if shutil.which("perf") is None or nginx.program() is None:
        print("left out: perf or nginx is missing (apt-get install linux-perf nginx-light)")  # noqa: T201
        return
    with tempfile.TemporaryDirectory(prefix="bridge-limit-") as folder:
        started, targets, environ = start(Path(folder))
        try:
            if other := os.environ.get("OTHER_PYTHON"):
                process, targets[OTHER] = _on_another(other, environ, Path(folder))
                started.append(process)
            time.sleep(1)
            rows = measure(targets, Path(folder))
        finally:
            for process in reversed(started):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=40)
    FIGURES.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(section(rows))  # noqa: T201 what it is for


if __name__ == "__main__":
    main()
