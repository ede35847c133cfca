"""`make bench`: pages through bridge and directly, in turn in one run; writes `docs/figures/proxy.json` and a page.

Each round asks every target once, so that a busy machine disturbs all alike; a figure is the median of the rounds.
CPU is that of the target's whole process tree (the made shop itself for "direct").
"""

from __future__ import annotations

import argparse
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

from bench import field, goals, limit, loop, mail, nginx, splice
from bench.origin import FILES, FRESH, pages
from bench.processes import cpu_seconds

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures" / "proxy.json"
PAGE = ROOT / "docs" / "performance.md"
ROUNDS, SECONDS, CONNECTIONS = 5, 2.0, 16
HEAD = """# Performance

Written by `make bench` from `docs/figures/`; figures are medians of interleaved rounds in one run on a shared machine:
read the ratios, not the absolute numbers. *direct* is a made shop that answers from memory and costs next to nothing; a
real page of Magento costs 50 to 500 ms, so the figures say what a proxy adds, not what visitors see. *nginx* puts a tag
in with `sub_filter` and packs with gzip 1, its buffers and its allocator tuned, both with an access log; what gets no
tag it merely passes. *bare* passes bytes both ways unread (`bench/bare.py`): what uvloop and the kernel cost
any proxy in Python. *x nginx* is the requests that bridge serves for the CPU that nginx spends on one.
"""
COLUMNS = (
    "| page | coding | size | CPU ms, bridge | bare | nginx | the shop | a second, bridge | nginx | direct | x nginx |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)
FIELD_HEAD = """
## Among others

The larger bench (`bench/field.py`): **x eff** is requests by the own CPU-second of the target against `nginx-sub`, with
`sub_filter`; with `gz` loads compare to `nginx-sub-gz`, which also packs, and files and JSON to `nginx-pass`. *spike*,
where it was measured, puts a tag in and does nothing else: no head is read strictly, nothing is logged or observed.
"""


def ask(address: str, path: str, coding: str) -> dict[str, float]:
    """Put one target under load for one round."""
    words = [address, path, str(CONNECTIONS), str(SECONDS), coding]
    done = subprocess.run([sys.executable, "-m", "bench.load", *words], cwd=ROOT, capture_output=True, check=True)  # noqa: S603 our own
    told: dict[str, float] = json.loads(done.stdout)
    return told


def measure(targets: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """Return a row for each page and coding: per target, pages a second and CPU seconds for 1,000 pages."""
    rows = []
    sizes = {path: len(body) for path, body in pages().items()} | {path: len(body) for path, (_, body) in FILES.items()}
    sizes[FRESH.decode()] = sizes["/made.html"]
    kinds: dict[str, tuple[str, ...]] = {FRESH.decode(): ("gzip",)} | dict.fromkeys(pages(), ("identity", "gzip"))
    kinds |= dict.fromkeys(FILES, ("identity",))
    for path, codings in kinds.items():
        for coding in codings:
            found: dict[str, dict[str, list[float]]] = {name: {"rps": [], "cpu": []} for name in targets}
            for _ in range(ROUNDS):
                for name, (address, pid) in targets.items():
                    if name == ("nginx-sub" if path in FILES else "nginx-pass"):
                        continue
                    before = cpu_seconds(pid)
                    told = ask(address, path, coding)
                    spent = cpu_seconds(pid) - before
                    if told["bad"] or told["lost"] or not told["good"]:
                        raise SystemExit(f"{name} {path}: {told}")
                    found[name]["rps"].append(told["good"] / told["seconds"])
                    found[name]["cpu"].append(spent / told["good"] * 1000)
            row: dict[str, Any] = {"page": path, "coding": coding, "bytes": sizes[path]}
            for name, figures in found.items():
                if figures["rps"]:
                    plain = "nginx" if name.startswith("nginx") else name
                    row[plain] = {figure: statistics.median(values) for figure, values in figures.items()}
            rows.append(row)
            print(f"{path} {coding}: {row['bridge']['cpu']:.3f} ms of CPU each", flush=True)  # noqa: T201 progress
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
        bridge, direct, nginx = row["bridge"], row["direct"], row.get("nginx")
        cells = (
            f"`{row['page']}`",
            row["coding"],
            f"{row['bytes'] / 1000:.0f} kB",
            f"{bridge['cpu']:.3f}",
            f"{row['bare']['cpu']:.3f}" if "bare" in row else "-",
            f"{nginx['cpu']:.3f}" if nginx else "-",
            f"{direct['cpu']:.3f}",
            f"{bridge['rps']:,.0f}",
            f"{nginx['rps']:,.0f}" if nginx else "-",
            f"{direct['rps']:,.0f}",
            f"{nginx['cpu'] / bridge['cpu']:.2f}" if nginx else "-",
        )
        lines.append(f"| {' | '.join(cells)} |")
    page = "\n".join(lines) + "\n"
    if field.FIELD.exists():
        told = field.FIELD.read_text(encoding="utf-8")
        page += goals.section(figures, told) + FIELD_HEAD + "\n" + told
    return page + limit.kept_section() + splice.kept_section() + loop.kept_section() + mail.kept_section()


def start(folder: Path) -> tuple[list[subprocess.Popen[bytes]], dict[str, tuple[str, int]], dict[str, str]]:
    """Start the made shop, a Valkey, `bridge web` with the tag on, nginx; return them, the targets, the settings."""
    from tests.browser.stack import free_port, wait_for  # noqa: PLC0415 the harness of the tests

    shop, web, dashboard = free_port(), free_port(), free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environ |= {
        "BRIDGE_STORE_URL": f"http://127.0.0.1:{shop}",
        "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{web}",
        "BRIDGE_LISTEN": f"127.0.0.1:{web}",
        "BRIDGE_DASHBOARD_LISTEN": f"127.0.0.1:{dashboard}",
        "BRIDGE_DATA_DIR": str(folder),
        "BRIDGE_ACCESS_LOG": str(folder / "access.log"),
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
    targets = {
        "direct": (f"127.0.0.1:{shop}", started[0].pid),
        "bridge": (f"127.0.0.1:{web}", started[2].pid),
    }
    bare = free_port()
    started.append(run("bench.bare", str(shop), str(bare)))
    targets["bare"] = (f"127.0.0.1:{bare}", started[-1].pid)
    for name in nginx.SERVERS if nginx.program() else ():
        port = free_port()
        serve = nginx.command(name, folder, shop, port)
        started.append(subprocess.Popen(serve, env={**os.environ, **nginx.ENVIRON}))  # noqa: S603 our own
        targets[name] = (f"127.0.0.1:{port}", started[-1].pid)
    return started, targets, environ


def main() -> None:
    """Measure and write."""
    argparse.ArgumentParser(prog="python -m bench.proxy", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
        started, targets, environ = start(Path(folder))
        try:
            time.sleep(1)
            rows = measure(targets)
            if field.BENCH.exists() and nginx.program():
                print("now the larger bench; it takes about five minutes", flush=True)  # noqa: T201 progress
                field.measure(environ, Path(folder))
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
