"""What a run keeps: its state, so that it goes on where it stopped, its findings, and its figures."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fuzz.campaign import Batch, Finding

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "var" / "fuzz"
FIGURES: Final = ROOT / "docs" / "figures" / "fuzz.json"
COUNTS: Final = ("executions", "comparisons", "findings", "seconds")


def code() -> str:
    """Return a digest of the code under test: what was counted of other code does not count."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "bridge" / "proxy").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class State:
    """How far each target is with one seed. `batch` is the number of the next batch; the counts are of this code."""

    def __init__(self, folder: Path, seed: int, names: Iterable[str]) -> None:
        self.path = folder / f"seed-{seed}.json"
        self.code = code()
        kept: dict[str, Any] = {}
        if self.path.is_file():
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        self.changed = bool(kept) and kept["code"] != self.code
        self.targets: dict[str, dict[str, float]] = {}
        for name in names:
            target = kept.get("targets", {}).get(name, {})
            counts = {} if self.changed else target
            self.targets[name] = {"batch": target.get("batch", 0), **{count: counts.get(count, 0) for count in COUNTS}}

    def add(self, name: str, batch: Batch) -> None:
        """Count a batch."""
        target = self.targets[name]
        target["batch"] += 1
        target["executions"] += batch.executions
        target["comparisons"] += batch.comparisons
        target["findings"] += len(batch.findings)
        target["seconds"] += batch.seconds

    def batch(self, name: str) -> int:
        """Return the number of a target's next batch."""
        return int(self.targets[name]["batch"])

    def done(self) -> dict[str, int]:
        """Return the executions of each target."""
        return {name: int(target["executions"]) for name, target in self.targets.items()}

    def total(self, count: str, names: Iterable[str] | None = None) -> float:
        """Return the sum of a count over targets."""
        return sum(self.targets[name][count] for name in names or self.targets)

    def save(self) -> None:
        """Write the state, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"code": self.code, "targets": self.targets}, indent=1) + "\n", encoding="utf-8")
        new.replace(self.path)


def keep(folder: Path, finding: Finding, found: Finding) -> Path:
    """Write a finding as it was made smaller, and as it was found, to a file of its own."""
    folder = folder / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(finding.target.encode() + finding.data).hexdigest()[:12]
    path = folder / f"{finding.target}-{name}.json"
    told = {
        "target": finding.target,
        "why": finding.detail,
        "text": repr(finding.data[:2000]),
        "hex": finding.data.hex(),
        "chance": finding.chance,
        "found": {"hex": found.data.hex(), "chance": found.chance},
    }
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return path


def write_figures(path: Path, state: State, seed: int) -> None:
    """Write what a whole run came to."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own
    figures = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "code": state.code,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seed": seed,
        **{count: round(state.total(count)) for count in COUNTS},
        "targets": {name: {count: round(target[count]) for count in COUNTS} for name, target in state.targets.items()},
    }
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
