"""What a soak shows while it runs, and the page, the chart and the figures that it leaves."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pygal
from pygal.style import Style

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from bench.soak import Sample

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 40
HEAD = """# Soak

Written by `make soak` from `figures/soak.json`. A made shop behind `bridge web`, with `bridge worker`, `bridge clock`
and Valkey beside it, under mixed load: pages with and without gzip, most of them never seen before; JSON and files,
pipelined; observed posts; uploads; visitors that read or ask slowly, or leave in the middle; answers that the shop
breaks off; malformed requests; bridge's own paths. Every connection comes from another address, and every answer is
checked.

The first third of the run is warm-up: caches fill, pools grow. **Flat** means that the median of the last third is at
most that of the second plus 2 % and 1 MB of memory (PSS), or plus 5 % and 4 descriptors or threads. A process counts
once two looks in a row have seen it: the worker forks one for each job, which lives for a moment.
"""


def sparkline(values: list[float], width: int = WIDTH) -> str:
    """Draw values as a row of bars from zero to the largest; the last `width` of them, evenly taken."""
    if len(values) > width:
        values = [values[at * len(values) // width] for at in range(width - 1)] + values[-1:]
    most = max(values, default=0.0) or 1.0
    return "".join(BARS[min(int(value / most * len(BARS)), len(BARS) - 1)] for value in values)


def progress(share: float, width: int = 20) -> str:
    """Draw how much of the run is done."""
    done = min(int(share * width), width)
    return f"[{'#' * done}{'.' * (width - done)}]"


def show_progress(samples: list[Sample], seconds: float, tally: Counter[tuple[str, bool]]) -> None:
    """Print one line on how the run stands; on a terminal always the same line."""
    last = samples[-1]
    bad = sum(count for (_, good), count in tally.items() if not good)
    line = (
        f"{progress(last.at / seconds)} {last.at:5.0f} s  {last.requests:7} visits, {bad} bad  "
        f"{last.total('memory'):6.1f} MB {sparkline([sample.total('memory') for sample in samples], 24)}  "
        f"{last.total('descriptors'):4.0f} descriptors  {last.total('threads'):3.0f} threads"
    )
    end = "\r" if sys.stdout.isatty() and last.at < seconds else "\n"
    print(line, end=end, flush=True)  # noqa: T201 progress


def summary(figures: dict[str, Any]) -> str:
    """Return the outcome in a sentence or two."""
    bad = {kind: visits["bad"] for kind, visits in figures["visits"].items() if visits["bad"]}
    told = f"Wrong answers: {bad}." if bad else "All answers were right."
    if not figures["verdicts"]:
        return f"{told} Too short to say what is flat."
    grown = [f"{each['measure']} of {each['group']}" for each in figures["verdicts"] if not each["flat"]]
    return f"{told} Not flat: {', '.join(grown)}." if grown else f"{told} Memory, descriptors and threads are flat."


def page(figures: dict[str, Any]) -> str:
    """Return the page of the docs; it is made from the figures alone."""
    minutes = figures["seconds"] / 60
    circumstances = f"{figures['date']}, commit {figures['commit']}, {figures['machine']}; {minutes:g} minutes"
    lines = [
        HEAD,
        f"{circumstances}, {len(figures['samples'])} looks. **{summary(figures)}**",
        "",
        "![Memory of the processes over the run](figures/soak.svg)",
        "",
        "| processes | measure | second third | last third | bound | |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for each in figures["verdicts"]:
        unit, digits = (" MB", 1) if each["measure"] == "memory" else ("", 0)
        numbers = (f"{each[name]:,.{digits}f}{unit}" for name in ("before", "after", "bound"))
        cells = (each["group"], each["measure"], *numbers, "flat" if each["flat"] else "**grows**")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| visitors | visits | wrong |", "| --- | ---: | ---: |"]
    for kind, visits in figures["visits"].items():
        lines.append(f"| {kind} | {visits['good'] + visits['bad']:,} | {visits['bad']} |")
    return "\n".join(lines) + "\n"


def chart(figures: dict[str, Any]) -> str:
    """Return the chart of memory as SVG that asks for nothing from anywhere."""
    groups = [name for name in figures["samples"][0] if name != "at"]
    most = max(sum(sample[name][0] for name in groups) for sample in figures["samples"])
    colours = ("#2a6fb0", "#b0602a", "#3a8a4d", "#8a3a7d")
    drawing = pygal.StackedLine(
        fill=True,
        show_dots=False,
        js=[],
        width=900,
        height=320,
        x_title="minutes",
        y_title="MB (PSS)",
        range=(0, most * 1.05),
        truncate_label=-1,
        style=Style(background="white", plot_background="white", colors=colours, font_family="sans-serif"),
    )
    step = max(len(figures["samples"]) // 10, 1)
    drawing.x_labels = [
        f"{sample['at'] / 60:.0f}" if number % step == 0 else "" for number, sample in enumerate(figures["samples"])
    ]
    for name in groups:
        drawing.add(name, [sample[name][0] for sample in figures["samples"]])
    drawn: str = drawing.render(is_unicode=True)
    # Without its script, its comments, and a name that would be another each time.
    drawn = re.sub(r"<script.*?</script>|<!--.*?-->", "", drawn, flags=re.DOTALL)
    return drawn.replace(drawing.uuid, "soak") + "\n"


def write(figures: dict[str, Any], folder: Path) -> None:
    """Write figures, chart and page."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    samples = ",\n  ".join(json.dumps(sample) for sample in figures["samples"])
    rest = json.dumps({name: value for name, value in figures.items() if name != "samples"}, indent=1)
    text = f'{rest.removesuffix("}").rstrip()},\n "samples": [\n  {samples}\n ]\n}}\n'
    (folder / "figures" / "soak.json").write_text(text, encoding="utf-8")
    (folder / "figures" / "soak.svg").write_text(chart(figures), encoding="utf-8")
    (folder / "soak.md").write_text(page(figures), encoding="utf-8")
