"""The goals of speed beside what bridge reached, and what the spike that they came from reaches in the same run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BY_CPU = (
    ("60 kB page, identity, of `nginx-sub`", "html60", "nginx-sub", 0.80),
    ("the same of stock nginx", "html60", "nginx-sub-stock", 1.7),
    ("the same of mitmproxy", "html60", "mitmproxy", 25.0),
    ("60 kB page, gzip remembered, of `nginx-sub-gz`", "html60gz", "nginx-sub-gz", 2.5),
    ("200 kB file of `nginx-pass`", "jpg200", "nginx-pass", 0.85),
    ("small JSON of `nginx-pass`", "json", "nginx-pass", 0.75),
)
"""Goal, load of the larger bench, what it is compared with, requests for one CPU-second of it at least."""
OWN = {
    ("/fresh.html", "gzip"): ("page that is new each time, gzip, of nginx", 1.0),
    ("/category.html", "identity"): ("captured category page of nginx", 0.8),
    ("/product.html", "identity"): ("captured product page of nginx", 0.8),
}
"""Page and coding of the own bench -> goal, the least."""
TARGETS = ("bridge", "spike", "nginx-sub", "direct")
OTHERS: tuple[tuple[str, str, str, Callable[[list[float], dict[str, list[float]]], float]], ...] = (
    ("added latency at 200 requests a second, median, ms", "<= 0.4", "latency html60", lambda own, _: own[2]),
    (
        "the same, times that of `nginx-sub`",
        "<= 1.5",
        "latency html60",
        lambda own, all_: own[2] / all_["nginx-sub"][2],
    ),
    ("head of a dripping page, ms", "<= 10", "dripping page", lambda own, _: own[0] * 1000),
    ("64 slow clients on 50 MB, MB more", "<= 64", "64 slow clients on the 50 MB file", lambda own, _: own[1] - own[0]),
    (
        "shop that takes 200 ms, 128 connections, of direct",
        ">= 0.95",
        "store takes 200 ms, 128 connections (limit 640 rps)",
        lambda own, all_: own[0] / all_["direct"][0],
    ),
)
"""Goal, bound, table of the larger bench, the figure from a target's row and all rows."""
SECTION = """
## The goals

Where nothing else is said, requests for the CPU that the other spends on one, in this run. *spike* puts a tag in and
does nothing else: a goal that it misses, too, was set on another machine and is hardly to be reached on this one; where
bridge alone falls short, the profile below says what the difference is spent on.

| goal | bound | bridge | spike |
| --- | ---: | ---: | ---: |
{rows}
"""


def tables(text: str) -> dict[str, dict[str, list[str]]]:
    """Read what the larger bench printed: heading up to its first colon or blank -> target -> cells."""
    found: dict[str, dict[str, list[str]]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("### "):
            name = re.split(r":| at ", line[4:], maxsplit=1)[0]
            found[name] = {}
        elif line.startswith("| ") and name:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[name][cells[0]] = cells[1:]
    return found


def _lines(figures: dict[str, Any], field: str) -> Iterator[tuple[str, str, float | None, float | None]]:
    known = tables(field)
    for goal, load, rival, least in BY_CPU:
        rows = known.get(load, {})
        spent = {name: float(cells[3]) for name, cells in rows.items() if cells[3].replace(".", "").isdigit()}
        if rival in spent:
            own, spike = (spent[name] / spent[rival] if name in spent else None for name in ("bridge", "spike"))
            yield goal, f">= {least:g}", own, spike
    for row in figures["rows"]:
        goal, bound = OWN.get((row["page"], row["coding"]), ("", 0.0))
        if goal and row.get("nginx"):
            yield goal, f">= {bound:g}", row["nginx"]["cpu"] / row["bridge"]["cpu"], None


def _others(field: str) -> Iterator[tuple[str, str, float | None, float | None]]:
    """Give the goals that are not about CPU."""
    known = tables(field)
    for goal, bound, heading, of in OTHERS:
        rows = known.get(heading, {})
        figures = {name: [float(cell) for cell in cells if cell] for name, cells in rows.items() if name in TARGETS}
        own, spike = (of(figures[name], figures) if name in figures else None for name in ("bridge", "spike"))
        if own is not None:
            yield goal, bound, own, spike


def section(figures: dict[str, Any], field: str) -> str:
    """Return the section of the page."""
    rows = []
    for goal, bound, *reached in (*_lines(figures, field), *_others(field)):
        cells = " | ".join("-" if value is None else f"{value:.3g}" for value in reached)
        rows.append(f"| {goal} | {bound} | {cells} |")
    return SECTION.format(rows="\n".join(rows)) if rows else ""
