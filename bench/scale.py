"""`make scale`: what an export costs, and that memory stays flat and the cost linear up to a million customers.

`python -m bench.scale [--sizes 10000 100000 1000000] [--each 5000] [--only kinds limit sizes] [--folder docs]` runs one
process for each export (scale_run.py), one after the other, and writes `figures/scale.json` and `scale.md` under the
folder after each: a run that was stopped keeps what it has. Ends with 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import scale_page

ROOT = Path(__file__).resolve().parents[1]
SIZES = (10_000, 100_000, 1_000_000)
PARTS = ("kinds", "limit", "sizes")
KINDS = ("product", "contact", "order")
EACH = 5_000
RATE = 4
"""Ometria's documented limit, requests in a second."""
UNLIMITED = 100
LIMITED = 5_000
"""Customers of the run at the limit: as many as a walk is ahead, so that it is over when the sessions begin."""


def run(kind: str, size: int, rate: int = UNLIMITED, sites: int = 1) -> dict[str, Any]:
    """Measure one export in a process of its own."""
    words = [sys.executable, "-m", "bench.scale_run", kind, str(size), str(rate), str(sites)]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)  # noqa: S603 our own
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": round(os.getloadavg()[1], 1),
    }


def plan(sizes: list[int], each: int, only: list[str]) -> list[tuple[str, str, tuple[Any, ...]]]:
    """Return the runs: part of the figures, name in it, and how it is run."""
    runs: list[tuple[str, str, tuple[Any, ...]]] = [("kinds", kind, (kind, each)) for kind in KINDS]
    runs.append(("kinds", "contact, two websites", ("contact", each, UNLIMITED, 2)))
    runs.append(("limit", "contact", ("contact", LIMITED, RATE)))
    runs += [("sizes", str(size), ("contact", size)) for size in sizes]
    return [one for one in runs if one[0] in only]


def main() -> None:
    """Run, write, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--each", type=int, default=EACH, help="entities of each kind")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where figures and page go")
    options = parser.parse_args()
    path = options.folder / "figures" / "scale.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for part, name, how in plan(options.sizes, options.each, options.only):
        figures.setdefault(part, {})[name] = run(*how)
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (options.folder / "scale.md").write_text(scale_page.page(figures), encoding="utf-8")
        print(f"{part}: {name} done", flush=True)  # noqa: T201 the command's answer
    ill = scale_page.broken(figures)
    print("\n".join(ill) or "every bound holds", flush=True)  # noqa: T201 the command's answer
    sys.exit(1 if ill else 0)


if __name__ == "__main__":
    main()
