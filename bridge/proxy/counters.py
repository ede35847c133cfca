"""What the proxy counts, under closed sets of names."""

from __future__ import annotations

from typing import Final, Literal, get_args

from prometheus_client import REGISTRY, CollectorRegistry, Counter

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


class Counters:
    """Counters of one process. Labels are resolved once, since these run for every request."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def family(name: str, text: str, label: str, values: tuple[str, ...]) -> dict[str, Counter]:
            counter = Counter(name, text, [label], registry=registry)
            return {value: counter.labels(value) for value in values}

        def single(name: str, text: str) -> Counter:
            return Counter(name, text, registry=registry)

        self._not_injected = family("bridge_not_injected", "Answers passed without the tag", "reason", REASONS)
        self._csp = family("bridge_csp_notes", "Policies that keep the tag from working", "note", NOTES)
        self._failed = family("bridge_proxy_failures", "Exchanges that failed", "kind", FAILURES)
        self._injected = single("bridge_injected", "Pages given the tag")
        self._observed = single("bridge_observed", "Exchanges handed to the observer")
        self._observer_failed = single("bridge_observer_failed", "Exchanges on which the observer raised")
        self._dropped = single("bridge_observer_dropped", "Exchanges dropped because the observer was behind")
        self._late = single("bridge_observer_late", "Urgent answers that did not wait longer for the observer")
        self._memo = family("bridge_memo", "Look-ups of rewritten pages", "result", ("hit", "miss"))

    def not_injected(self, reason: Reason) -> None:
        """Count an answer that went without the tag."""
        self._not_injected[reason].inc()

    def injected(self) -> None:
        """Count a page that got the tag."""
        self._injected.inc()

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
        self._memo["hit" if hit else "miss"].inc()


counters = Counters()
