"""One export, measured from within: `python -m bench.scale_run KIND SIZE RATE SITES` prints its figures as JSON.

The jobs of a worker run in this one process, on one core where there are two; the made shop, Ometria and Valkey have
processes of their own. So the CPU is bridge's alone, and a process that grew would show it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_migrate import upgrade

from bench.scale_shop import TOKEN
from bridge.app import create_app
from bridge.config import config_from_environ
from bridge.db import db
from bridge.export import ease, history, jobs, ledger
from bridge.processes import valkey_command
from bridge.settings import load_book, set_value
from tests.browser.stack import free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.events import Kind

ROOT = Path(__file__).resolve().parents[1]
PAGE_KB = resource.getpagesize() / 1024
REST_SECONDS = 0.5
LOOKS = 200
"""Looks at the memory that are kept of a run."""


def memory() -> float:
    """Return the resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KB / 1024


class Around:
    """The made shop with Ometria, and Valkey."""

    def __init__(self, folder: Path, size: int, sites: int) -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        environ = {
            "BRIDGE_STORE_URL": self.address,
            "BRIDGE_STORE_TOKEN": TOKEN,
            "BRIDGE_OMETRIA_API_URL": f"{self.address}/v2",
            "BRIDGE_DATA_DIR": str(folder),
        }
        self.config = config_from_environ(environ)
        words = [sys.executable, "-m", "bench.scale_shop", self.address.rpartition(":")[2], str(size), str(sites)]
        self._processes = [
            subprocess.Popen(words, cwd=ROOT),  # noqa: S603 our own
            subprocess.Popen(valkey_command(self.config), stdout=subprocess.DEVNULL),  # noqa: S603 our own
        ]

    def ready(self) -> bool:
        """Return whether both answer."""
        with contextlib.suppress(OSError):
            return bool(self.ask("figures")) and self.config.redis_socket.exists()
        return False

    def ask(self, path: str) -> dict[str, Any]:
        """Return what the made shop tells of itself."""
        with urllib.request.urlopen(f"{self.address}/{path}", timeout=120) as answer:  # noqa: S310 our own
            told: dict[str, Any] = json.load(answer)
        return told

    def stop(self) -> None:
        """End both."""
        for process in self._processes:
            process.terminate()
            process.wait()


def export(kind: Kind, account: str) -> Iterator[None]:
    """Run a history of a kind as a worker does, job by job; yield after each."""
    history.begin(kind, "default")
    while history.running() or ledger.owing_accounts():
        for walk in history.running():
            jobs.history(*walk)
            yield
        jobs.backlog(account)
        yield
        if ease.rests():
            # A busy machine answers as a slow shop does: a worker would sleep meanwhile, and must not cost CPU here.
            time.sleep(REST_SECONDS)


def measure(kind: Kind, around: Around, size: int) -> dict[str, Any]:
    """Export everything of a kind; return what it cost."""
    jobs.poll()
    account = load_book().accounts()[0]
    around.ask("forget")
    began, cpu = time.monotonic(), time.process_time()
    looks = [(0.0, memory())]
    every = 0.5
    for _ in export(kind, account.id):
        at = time.monotonic() - began
        if at - looks[-1][0] >= every:
            looks.append((at, memory()))
        if len(looks) > LOOKS:
            looks, every = looks[::2], every * 2
    spent, passed = time.process_time() - cpu, time.monotonic() - began
    looks.append((passed, memory()))
    told = around.ask("figures")
    pushes = told.pop("pushes")
    return {
        "kind": kind,
        "size": size,
        "seconds": round(passed, 1),
        "cpu": round(spent, 2),
        "memory": [[round(at, 1), round(size_, 1)] for at, size_ in looks],
        "pushes": len(pushes),
        "window": most_in_a_second(pushes),
        "pace": round((len(pushes) - 1) / (pushes[-1] - pushes[0]), 3) if len(pushes) > 1 else 0.0,
        **told,
    }


def most_in_a_second(moments: list[float]) -> int:
    """Return the most pushes that came within any second, its end left out."""
    most, first = 0, 0
    for place, moment in enumerate(moments):
        while moment - moments[first] >= 1.0:
            first += 1
        most = max(most, place - first + 1)
    return most


def main() -> None:
    """Measure one run."""
    kind, size, rate, sites = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with tempfile.TemporaryDirectory(prefix="bridge-scale-") as folder:
        around = Around(Path(folder), size, sites)
        try:
            wait_for(around.ready, 60, what="the made shop did not come up")
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, cores[:1])
            app = create_app(around.config)
            with app.app_context():
                upgrade()
                set_value("default", "general.api_key", "key-of-the-made-one", "bench")
                set_value("default", "export.requests_per_second", rate, "bench")
                set_value("default", "export.max_per_run", 5000, "bench")
                db.session.commit()
                print(json.dumps(measure(kind, around, size)), flush=True)  # type: ignore[arg-type]  # noqa: T201 the answer
        finally:
            around.stop()


if __name__ == "__main__":
    main()
