"""The targets, and their batches of cases: made from seed, target and number alone, so that a run can be taken up.

A target's case is bytes; its check is given these and a source of chance (where to cut), and returns how many readings
of other readers were compared. Whatever it raises is a finding.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fuzz.chance import Chance, cases
from fuzz.checks import answers, chunks, csp, gzip, references, requests, rules, shapes, splice, validators
from fuzz.grammar import chunks as make_chunks
from fuzz.grammar import heads, packed, pages, policies, values
from fuzz.grammar import shapes as make_shapes
from fuzz.messages import DisagreementError

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH: Final = 200
SLOW_SECONDS: Final = 5.0
"""CPU time of one case above which it counts as a finding: nothing that is read may cost more than its bytes."""


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of case: its share of all executions in hundredths, how a case is made, what is asked for it."""

    name: str
    share: int
    make: Callable[[Chance], bytes]
    check: Callable[[bytes, Chance], int]


TARGETS: Final = {
    target.name: target
    for target in (
        Target("requests", 15, heads.requests, requests.check),
        Target("answers", 10, heads.answers, answers.check),
        Target("shapes", 2, make_shapes.streams, shapes.check),
        Target("chunks", 22, make_chunks.bodies, chunks.check),
        Target("splice", 24, pages.pages, splice.check),
        Target("gzip", 4, packed.bodies, gzip.check),
        Target("csp", 4, policies.policies, csp.check),
        Target("rules", 7, values.rules, rules.check),
        Target("validators", 5, values.validators, validators.check),
        Target("references", 7, values.references, references.check),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that showed something; `chance` is the seed of the chance that its check was given."""

    target: str
    kind: str
    detail: str
    data: bytes
    chance: int


@dataclass(slots=True)
class Batch:
    """What a batch came to."""

    executions: int
    comparisons: int
    findings: list[Finding]
    seconds: float


def examine(target: Target, data: bytes, chance: int) -> tuple[int, Finding | None]:
    """Run one case; return how many readings were compared, and what was found."""
    began = time.perf_counter()
    try:
        compared = target.check(data, Chance(chance))
    except DisagreementError as error:
        return 0, Finding(target.name, error.kind, str(error), data, chance)
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        return 0, Finding(target.name, f"crash: {type(error).__name__}", repr(error), data, chance)
    if time.perf_counter() - began > SLOW_SECONDS:
        # On a busy machine anything takes long; asking for the CPU's time each time would cost more than many cases.
        began = time.process_time()
        target.check(data, Chance(chance))
        took = time.process_time() - began
        if took > SLOW_SECONDS:
            return compared, Finding(target.name, "slow", f"{took:.1f} s", data, chance)
    return compared, None


def again(target: Target, data: bytes, chance: int = 0, times: int = 32) -> Finding | None:
    """Run a case that is kept, cut as it was and in other places too."""
    for each in (chance, *range(times)):
        _, finding = examine(target, data, each)
        if finding is not None:
            return finding
    return None


def run_batch(target: Target, seed: int, number: int, size: int = BATCH) -> Batch:
    """Make and run the cases of one batch."""
    began = time.perf_counter()
    chance = cases(seed, target.name, number)
    result = Batch(size, 0, [], 0.0)
    for _ in range(size):
        data = target.make(chance)
        compared, finding = examine(target, data, chance.getrandbits(32))
        result.comparisons += compared
        if finding is not None:
            result.findings.append(finding)
    result.seconds = time.perf_counter() - began
    return result


def smaller(target: Target, finding: Finding, seconds: float = 10.0) -> Finding:
    """Take bytes out of a finding's case as long as the same kind is found."""
    end = time.monotonic() + seconds
    best = finding
    size = max(len(best.data) // 2, 1)
    while size and time.monotonic() < end:
        at = 0
        while at < len(best.data) and time.monotonic() < end:
            found = _found_in(target, best.data[:at] + best.data[at + size :], best)
            if found is not None:
                best = found
            else:
                at += size
        size //= 2
    return best


def _found_in(target: Target, data: bytes, finding: Finding) -> Finding | None:
    for chance in (finding.chance, *range(8)):  # where it was cut means something else in fewer bytes
        _, found = examine(target, data, chance)
        if found is not None and found.kind == finding.kind:
            return found
    return None


def next_target(done: dict[str, int], names: list[str]) -> Target:
    """Return the target that is furthest behind its share."""
    return TARGETS[min(names, key=lambda name: done[name] / TARGETS[name].share)]
