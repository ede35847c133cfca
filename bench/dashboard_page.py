"""The figures of `python -m bench.dashboard` -> a page, and the bounds that must hold. Values in, values out."""

from __future__ import annotations

from typing import Any

BOUND_MS = 100.0
"""CPU of the server for one page."""
HEAD = """# What the dashboard's pages cost

Written by `make dashboard-cost` (`bench/dashboard.py`) from `docs/figures/dashboard.json`. *CPU* is the web process's
own for one page, the median of five after a first look, which counts the hours that are over once for each process;
with SQLite the database's work is in it, with PostgreSQL it is not, and *wall* (which a busy machine makes longer)
holds it. *Steps* are thousands of instructions of SQLite's machine that the dearest query of the page took. The plan of
each query is asked for: one that reads a table below from end to end is named at the end, and
`tests/dashboard/test_cost.py` holds the rest. Files (logs, codes) are as long as what is asked for and are written
while they are read.
"""


def page(figures: dict[str, Any]) -> str:
    """Return the page in Markdown."""
    parts = [HEAD]
    for kind, found in figures.items():
        parts.append(_database({"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind], found))
    return "".join(parts)


def _database(name: str, found: dict[str, Any]) -> str:
    rows = ", ".join(f"{count:,} `{table}`" for table, count in found["rows"].items())
    lines = [
        f"\n## {name}\n",
        f"{found['views']} store views; rows: {rows}.\n",
        "| page | CPU ms | wall ms | queries | steps | kB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in found["pages"]:
        said = f"| `{row['path']}` | {row['cpu']:.0f} | {row['wall']:.0f} | {row['statements']} | {row['steps']:,} |"
        lines.append(f"{said} {row['bytes'] / 1000:,.0f} |")
    ill = broken(found)
    fine = f"Every page is below {BOUND_MS:.0f} ms, and no query reads a large table from end to end."
    told = "\n".join(f"* **{one}**" for one in ill) if ill else fine
    return "\n".join([*lines, "", told, "", f"{found['date'][:10]}, {found['machine']}, load {found['load']}.", ""])


def broken(found: dict[str, Any]) -> list[str]:
    """Return what does not hold, in words."""
    ill = [f"{row['path']}: {row['cpu']} ms of CPU" for row in found["pages"] if row["cpu"] > BOUND_MS]
    ill += [f"{row['path']}: reads all of {scan}" for row in found["pages"] for scan in row["scans"]]
    ill += [f"{row['path']}: answered {row['status']}" for row in found["pages"] if row["status"] >= 400]
    return ill
