"""`make bench`, the part for mail: `bridge smtp` beside a plain aiosmtpd server that keeps nothing.

Rounds take turns, so that a busy machine disturbs both alike. Written are `docs/figures/mail.json` and the section
"Mail" of `docs/performance.md`. `python -m bench.mail --rounds 3 --seconds 2` is shorter.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.processes import cpu_seconds

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures" / "mail.json"
PAGE = ROOT / "docs" / "performance.md"
SHOPS = (1, 16)
CROWD = 1000
PROMISE_MS = 50.0
MARK = "\n## Mail\n"
ABOUT = """
`bridge smtp` beside a plain aiosmtpd server that forgets every mail at once, so the difference is what keeping costs:
each mail is on the disk (file and folder fsynced) before its 250. Mails of {kilobytes} kB, a connection each, as
Magento sends them. *Wait* is from the last dot to the 250: what a shopper's order waits for. The relay promises
{promise:g} ms at the median.
"""
COLUMNS = (
    (
        "| shops at once | mails a second, relay | plain | wait ms, median (95 %), relay | plain "
        "| CPU ms a mail, relay | plain |"
    ),
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)


class Target:
    """A server under measurement."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self.process = process

    def memory(self) -> int:
        """Return its resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def start(folder: Path) -> tuple[list[Target], Any]:
    """Start both servers, and a Valkey for the relay's wake-ups; return them."""
    from bench.mail_load import MAIL  # noqa: PLC0415 as below
    from bridge.processes import answers  # noqa: PLC0415 only where it runs
    from tests.browser.stack import free_port, wait_for  # noqa: PLC0415 the harness of the tests
    from tests.redis_server import start_redis  # noqa: PLC0415 the harness of the tests

    ports = {"relay": free_port(), "plain": free_port()}
    server = start_redis(folder)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environ |= {
        "BRIDGE_DATA_DIR": str(folder / "var"),
        "BRIDGE_REDIS_URL": server.url,
        "BRIDGE_SMTP_LISTEN": f"127.0.0.1:{ports['relay']}",
        "BRIDGE_SMTP_UPSTREAM": "smtp://127.0.0.1:9",
        "BRIDGE_SMTP_SPOOL": str(folder / "spool"),
    }
    words = {"relay": ["bridge", "smtp"], "plain": ["bench.mail_sink", str(ports["plain"])]}
    targets = []
    for name, port in ports.items():
        command = [sys.executable, "-m", *words[name]]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 our own
        targets.append(Target(name, port, process))
    for target in targets:
        wait_for(lambda target=target: answers(f"127.0.0.1:{target.port}"), 60, what=f"{target.name} did not come up")
    assert len(MAIL) > 20_000  # noqa: S101 the mail is one
    return targets, server


def loaded(target: Target, shops: int, seconds: float) -> dict[str, Any]:
    """Put one target under load for one round."""
    before = cpu_seconds(target.process.pid)
    words = ["load", str(target.port), str(shops), str(seconds)]
    done = subprocess.run([sys.executable, "-m", "bench.mail_load", *words], cwd=ROOT, capture_output=True, check=True)  # noqa: S603 our own
    told: dict[str, Any] = json.loads(done.stdout)
    told["cpu"] = cpu_seconds(target.process.pid) - before
    return told


def measure(targets: list[Target], spool: Path, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Return a row for each number of shops: per target mails a second, waits and CPU."""
    rows = []
    for shops in SHOPS:
        found: dict[str, list[dict[str, Any]]] = {target.name: [] for target in targets}
        for _ in range(rounds):
            for target in targets:
                found[target.name].append(loaded(target, shops, seconds))
                shutil.rmtree(spool, ignore_errors=True)
        row: dict[str, Any] = {"shops": shops}
        for name, told in found.items():
            waits = sorted(1000 * wait for one in told for wait in one["waits"])
            row[name] = {
                "mails": len(waits),
                "a_second": statistics.median(one["mails"] / one["seconds"] for one in told),
                "wait_ms": statistics.median(waits),
                "wait_ms_95": waits[int(len(waits) * 0.95)],
                "cpu_ms": 1000 * sum(one["cpu"] for one in told) / len(waits),
            }
            print(f"{name}, {shops}: {row[name]['a_second']:.0f} mails a second", flush=True)  # noqa: T201 progress
        rows.append(row)
    return rows


def crowded(target: Target) -> dict[str, float]:
    """Return what so many waiting connections cost in memory, and how long a mail waits among them."""
    before = target.memory()
    words = [sys.executable, "-m", "bench.mail_load", "crowd", str(target.port), str(CROWD), "0"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as crowd:  # noqa: S603 our own
        assert crowd.stdout is not None  # noqa: S101 asked for above
        told = json.loads(crowd.stdout.readline())
        after = target.memory()
        crowd.communicate(b"\n", timeout=120)
    wait = 1000 * statistics.median(told["waits"])
    return {"before": before, "after": after, "each": (after - before) / CROWD, "wait_ms": wait}


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page; it is made from the figures alone."""
    about = ABOUT.format(kilobytes=round(figures["bytes"] / 1000), promise=PROMISE_MS)
    circumstances = (
        f"{figures['date']}, commit {figures['commit']}, {figures['machine']}, load {figures['load']:.1f}; "
        f"{figures['rounds']} rounds of {figures['seconds']:g} s."
    )
    lines = [
        MARK.strip("\n"),
        about,
        circumstances,
        "",
        *COLUMNS,
    ]
    for row in figures["rows"]:
        ours, plain = row["relay"], row["plain"]
        waits = [f"{one['wait_ms']:.1f} ({one['wait_ms_95']:.1f})" for one in (ours, plain)]
        lines.append(
            f"| {row['shops']} | {ours['a_second']:,.0f} | {plain['a_second']:,.0f} | {waits[0]} | {waits[1]} | "
            f"{ours['cpu_ms']:.2f} | {plain['cpu_ms']:.2f} |"
        )
    lines += ["", f"| {CROWD:,} connections waiting | relay | plain |", "| --- | ---: | ---: |"]
    ours, plain = figures["crowd"]["relay"], figures["crowd"]["plain"]
    for label, key, unit in (
        ("memory before, MB", "before", 1e6),
        ("with them, MB", "after", 1e6),
        ("each, kB", "each", 1e3),
    ):
        lines.append(f"| {label} | {ours[key] / unit:.1f} | {plain[key] / unit:.1f} |")
    lines.append(f"| a mail's wait among them, ms | {ours['wait_ms']:.1f} | {plain['wait_ms']:.1f} |")
    return "\n" + "\n".join(lines) + "\n"


def kept_section() -> str:
    """Return the section of the last run, or an empty text."""
    return section(json.loads(FIGURES.read_text(encoding="utf-8"))) if FIGURES.exists() else ""


def main() -> None:
    """Measure and write; fail when the relay did not keep its promise."""
    from bench.mail_load import MAIL  # noqa: PLC0415 a module of its own when loaded

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bridge-mail-") as name:
        folder = Path(name)
        targets, server = start(folder)
        try:
            crowd = {target.name: crowded(target) for target in targets}
            rows = measure(targets, folder / "spool", asked.rounds, asked.seconds)
        finally:
            for target in targets:
                target.process.terminate()
                target.process.wait(timeout=40)
            server.stop()
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own
    figures = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "rounds": asked.rounds,
        "seconds": asked.seconds,
        "bytes": len(MAIL),
        "rows": rows,
        "crowd": crowd,
    }
    asked.figures.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    page = asked.page.read_text(encoding="utf-8") if asked.page.exists() else ""
    asked.page.write_text(page.partition(MARK)[0].rstrip("\n") + "\n" + section(figures), encoding="utf-8")
    slow = [row["shops"] for row in rows if row["relay"]["wait_ms"] > PROMISE_MS]
    sys.exit(f"a mail waits longer than {PROMISE_MS:g} ms at the median with {slow} shops at once" if slow else 0)


if __name__ == "__main__":
    main()
