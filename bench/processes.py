"""Trees of processes, read from /proc: who belongs to one, and the CPU that it has spent."""

from __future__ import annotations

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def _fields() -> dict[int, list[str]]:
    """Return what /proc says of each living process after its name, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
    return found


def _family(root: int, fields: dict[int, list[str]]) -> set[int]:
    family = {root}
    while grown := {pid for pid, values in fields.items() if int(values[1]) in family} - family:
        family |= grown
    return family


def families(roots: dict[str, int]) -> dict[str, set[int]]:
    """Return the living processes of each tree: those of a root and all that come from it."""
    fields = _fields()
    return {name: _family(root, fields) for name, root in roots.items()}


def cpu_seconds(root: int) -> float:
    """Return the CPU time of a process and all its living descendants."""
    fields = _fields()
    own = [fields[pid] for pid in _family(root, fields) if pid in fields]
    return sum((int(values[11]) + int(values[12])) / TICK for values in own)
