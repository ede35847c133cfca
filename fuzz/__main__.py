"""`python -m fuzz`: run the targets until so many executions are done, or so many seconds are over.

Ends with 1 when something was found: the case lies in var/fuzz/findings. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from fuzz import record
from fuzz.campaign import BATCH, TARGETS, again, next_target, run_batch, smaller
from fuzz.passing import loud

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.campaign import Batch, Finding
    from fuzz.record import State

EXECUTIONS: Final = 10_000_000
SAVE_SECONDS: Final = 5.0
TURNS: Final = 4
"""Batches that each process runs before all are counted."""
BAR: Final = 30


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, help="stop after this time; go on with the next call")
    parser.add_argument("--executions", type=int, default=EXECUTIONS, help="cases in all, with those of calls before")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other cases")
    parser.add_argument("--jobs", type=int, default=1, help="processes that run batches side by side")
    parser.add_argument("--keep-going", action="store_true", help="go on after a finding; ends with 1 all the same")
    parser.add_argument("--replay", type=Path, help="run the case of one file and say what it shows")
    return parser.parse_args(words)


class Progress:
    """A line that tells how far the run is."""

    def __init__(self, state: State, names: Sequence[str], goal: int) -> None:
        self._state = state
        self._names = names
        self._goal = goal
        self._first = state.total("executions", names)
        self._began = time.monotonic()

    def show(self, name: str) -> None:
        """Write the line anew on a terminal, or another line elsewhere."""
        done = self._state.total("executions", self._names)
        rate = (done - self._first) / max(time.monotonic() - self._began, 0.001)
        full = min(int(BAR * done / max(self._goal, 1)), BAR)
        left = max(self._goal - done, 0) / max(rate, 1)
        bar = "#" * full + "." * (BAR - full)
        line = f"[{bar}] {done:,.0f} of {self._goal:,}, {rate:,.0f}/s, {left / 60:.0f} min left, {name}"
        sys.stdout.write(f"\r{line:<110}" if sys.stdout.isatty() else f"{line}\n")
        sys.stdout.flush()


class Stop:
    """Whether the run was told to stop by a signal; the batch in hand is ended first."""

    SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.told = False

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._tell) for number in self.SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in zip(self.SIGNALS, self._before, strict=True):
            signal.signal(number, before)

    def _tell(self, *_: object) -> None:
        self.told = True


class Crew:
    """Runs batches, in this process or in several; the cases of a batch are the same wherever it is run."""

    def __init__(self, jobs: int) -> None:
        fork = multiprocessing.get_context("fork")
        self._pool = ProcessPoolExecutor(jobs, fork, initializer=_heed_no_signal) if jobs > 1 else None
        self.turns = jobs * TURNS if jobs > 1 else 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, tasks: Sequence[tuple[str, int, int]]) -> list[Batch]:
        """Run batches, each given by target, seed and number."""
        return list((self._pool.map if self._pool is not None else map)(_run_task, tasks))


def _heed_no_signal() -> None:
    # A key that is pressed reaches every process; the first one ends the others.
    for number in Stop.SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _run_task(task: tuple[str, int, int]) -> Batch:
    name, seed, number = task
    return run_batch(TARGETS[name], seed, number)


def tasks_of(state: State, names: Sequence[str], seed: int, most: int) -> list[tuple[str, int, int]]:
    """Return the batches that come next, of the targets that are furthest behind."""
    done, found = state.done(), []
    following = {name: state.batch(name) for name in names}
    for _ in range(most):
        name = next_target(done, list(names)).name
        found.append((name, seed, following[name]))
        following[name] += 1
        done[name] += BATCH
    return found


def report(finding: Finding, folder: Path) -> None:
    """Make a finding smaller, keep it and tell it."""
    least = smaller(TARGETS[finding.target], finding)
    path = record.keep(folder, least, finding)
    sys.stdout.write(f"\nfound: {least.target}: {least.detail[:400]}\n{least.data[:400]!r}\nkept in {path}\n")


def table(state: State, names: Sequence[str]) -> str:
    """Return the run's figures, a line for each target."""
    lines = [f"{'target':<12}{'executions':>14}{'comparisons':>14}{'findings':>10}{'seconds':>10}"]
    rows = [(name, state.targets[name]) for name in names]
    rows.append(("all", {count: state.total(count, names) for count in record.COUNTS}))
    for name, row in rows:
        figures = "".join(
            f"{row[count]:>{width},.0f}" for count, width in zip(record.COUNTS, (14, 14, 10, 10), strict=True)
        )
        lines.append(f"{name:<12}{figures}")
    return "\n".join(lines) + "\n"


def run(options: argparse.Namespace, state: State, folder: Path, stop: Stop, crew: Crew) -> bool:
    """Run batches until the goal; say whether it was reached."""
    names = options.target or list(TARGETS)
    progress = Progress(state, names, options.executions)
    end = time.monotonic() + options.seconds if options.seconds else float("inf")
    saved = 0.0
    told: set[tuple[str, str]] = set()
    while state.total("executions", names) < options.executions:
        if stop.told or time.monotonic() >= end:
            return False
        tasks = tasks_of(state, names, options.seed, crew.turns)
        batches = crew.run(tasks)
        for (name, *_), batch in zip(tasks, batches, strict=True):
            state.add(name, batch)
        found = [finding for batch in batches for finding in batch.findings]
        for finding in found:
            if (finding.target, finding.kind) not in told:
                told.add((finding.target, finding.kind))
                report(finding, folder)
        if found and not options.keep_going:
            return False
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            state.save()
            progress.show(tasks[-1][0])
    return True


def replay(path: Path) -> int:
    """Run the case of a file."""
    case = json.loads(path.read_text(encoding="utf-8"))
    target, data = TARGETS[case["target"]], bytes.fromhex(case["hex"])
    with loud():
        finding = again(target, data, case.get("chance", 0))
    sys.stdout.write(f"{finding.kind}: {finding.detail}\n" if finding else "nothing found\n")
    return int(finding is not None)


def main(words: Sequence[str], folder: Path = record.FOLDER, figures: Path = record.FIGURES) -> int:
    """Run, and return the exit code."""
    options = arguments(words)
    if options.replay is not None:
        return replay(options.replay)
    state = record.State(folder, options.seed, TARGETS)
    if state.changed:
        sys.stdout.write("bridge/proxy changed: the counts begin anew, with further cases\n")
    try:
        with loud(), Stop() as stop, Crew(options.jobs) as crew:
            reached = run(options, state, folder, stop, crew)
    finally:
        state.save()
    names = options.target or list(TARGETS)
    sys.stdout.write("\n" + table(state, names))
    if state.total("findings", names):
        return 1
    if reached and options.target is None and options.executions >= EXECUTIONS:
        record.write_figures(figures, state, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
