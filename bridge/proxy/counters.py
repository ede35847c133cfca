"""What the proxy counts, under closed sets of names."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final, Literal, get_args

from prometheus_client import REGISTRY, CollectorRegistry, Counter
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

Reason = Literal[
    "admin",
    "amp",
    "attachment",
    "encoding",
    "fault",
    "grammar",
    "killed",
    "method",
    "off",
    "path",
    "range",
    "size",
    "status",
    "type",
]
Note = Literal["conflicting-nonces", "none", "strict-dynamic-without-nonce", "unusable-nonce"]
Failure = Literal[
    "connect",
    "head-timeout",
    "idle-timeout",
    "malformed-answer",
    "malformed-request",
    "origin-cut",
    "too-large",
    "busy",
]

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
NOTES: Final[tuple[Note, ...]] = get_args(Note)
FAILURES: Final[tuple[Failure, ...]] = get_args(Failure)


class Tally:
    """A count that costs next to nothing to raise, from any thread; carry() hands on what has come since the last time.

    The metrics library takes a lock, and with several processes writes to a file, for each increment: too much for
    what every request counts.
    """

    __slots__ = ("_carried", "_count", "_counter", "_lock", "add")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._carried = 0
        self._lock = threading.Lock()
        self._count = itertools.count()
        self.add = self._count.__next__

    def carry(self) -> None:
        """Add what was counted since to the metric."""
        with self._lock:
            # The next value, which is how often it was raised, is told without raising it by the state for pickling.
            now = int(self._count.__reduce__()[1][0])
            if now > self._carried:
                self._counter.inc(now - self._carried)
                self._carried = now


class Counters:
    """Counters of one process. Labels are resolved once, since these run for every request.

    What most requests count reaches the metrics with the next flush(), which reading the registry does too.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def family(name: str, text: str, label: str, values: tuple[str, ...]) -> dict[str, Counter]:
            counter = Counter(name, text, [label], registry=registry)
            return {value: counter.labels(value) for value in values}

        def single(name: str, text: str) -> Counter:
            return Counter(name, text, registry=registry)

        registry.register(_Flush(self))  # before the others, since collectors are asked in the order of registration
        untagged = family("bridge_not_injected", "Answers passed without the tag", "reason", REASONS)
        self._not_injected = {reason: Tally(counter) for reason, counter in untagged.items()}
        self._csp = family("bridge_csp_notes", "Policies that keep the tag from working", "note", NOTES)
        self._failed = family("bridge_proxy_failures", "Exchanges that failed", "kind", FAILURES)
        self._injected = Tally(single("bridge_injected", "Pages given the tag"))
        self._observed = single("bridge_observed", "Exchanges handed to the observer")
        self._observer_failed = single("bridge_observer_failed", "Exchanges on which the observer raised")
        self._dropped = single("bridge_observer_dropped", "Exchanges dropped because the observer was behind")
        self._late = single("bridge_observer_late", "Urgent answers that did not wait longer for the observer")
        memo = family("bridge_memo", "Look-ups of rewritten pages", "result", ("hit", "miss"))
        self._hit, self._miss = Tally(memo["hit"]), Tally(memo["miss"])

    def not_injected(self, reason: Reason) -> None:
        """Count an answer that went without the tag."""
        self._not_injected[reason].add()

    def injected(self) -> None:
        """Count a page that got the tag."""
        self._injected.add()

    def observed(self) -> None:
        """Count an exchange given to the observer."""
        self._observed.inc()

    def observer_failed(self) -> None:
        """Count an observer that raised."""
        self._observer_failed.inc()

    def dropped(self) -> None:
        """Count an exchange that the observer never saw."""
        self._dropped.inc()

    def late(self) -> None:
        """Count an urgent answer released by the clock."""
        self._late.inc()

    def csp_noted(self, note: Note) -> None:
        """Count a policy that could not be opened for the tag."""
        self._csp[note].inc()

    def failed(self, kind: Failure) -> None:
        """Count an exchange that went wrong."""
        self._failed[kind].inc()

    def memo(self, *, hit: bool) -> None:
        """Count a look-up in the memo."""
        (self._hit if hit else self._miss).add()

    def flush(self) -> None:
        """Bring what was counted into the metrics."""
        for tally in (*self._not_injected.values(), self._injected, self._hit, self._miss):
            tally.carry()


class _Flush(Collector):
    """Has the counters flushed before a registry gives them out."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def describe(self) -> Iterable[Metric]:
        """Name no metric: without this the registry would ask collect() before there is anything to flush."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Give nothing of its own."""
        self._counters.flush()
        return ()


counters = Counters()
