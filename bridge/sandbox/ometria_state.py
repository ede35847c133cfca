"""All that the fake Ometria holds, in memory and bounded: what it received, accepted, refused and still has to look at.

Validation comes a moment after acceptance, as at Ometria. It is done when somebody looks, so no thread is needed.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bridge.sandbox.ometria_faults import AnswerFault, Faults
from bridge.sandbox.ometria_limits import SlidingWindow
from bridge.sandbox.ometria_rules import Fault, faults_of, unknown_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NEWEST_ERRORS: Final = 100
KEPT: Final = 5_000
KEPT_BODIES: Final = 200
PLURALS: Final = {"contact": "contacts", "product": "products", "order": "orders", "custom_event": "custom_events"}
LIMITED: Final = ("push", "data", "mail")


@dataclass(frozen=True, slots=True)
class OmetriaOptions:
    """What to run with. `api_keys` maps each key to its account id, `push_only_keys` may not read; times are seconds.

    The limits are the lowest that Ometria documents: pushes, other calls and mails a second, records waiting.
    """

    api_keys: Mapping[str, str]
    push_only_keys: frozenset[str] = frozenset()
    push_per_second: int = 4
    data_per_second: int = 4
    mail_per_second: int = 10
    window: float = 1.0
    queue_limit: int = 50_000
    validation_delay: float = 0.2
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


class Key(NamedTuple):
    """What makes a record the same record."""

    account: str
    type: str
    collection: str
    id: str


class Pending(NamedTuple):
    """One accepted record that is not validated yet."""

    due: float
    account: str
    request_id: str
    record: dict[str, Any]


class Accepted(NamedTuple):
    """The answer to one push."""

    request_id: str
    accepted: int
    rejected: int


class Received:
    """The state of one fake Ometria; every method may be called from any thread."""

    def __init__(self, options: OmetriaOptions) -> None:
        self.options = options
        self.waking = threading.Event()
        self._lock = threading.RLock()
        self._empty()

    def _empty(self) -> None:
        self.version = 0
        self.faults = Faults()
        self.records: dict[Key, dict[str, Any]] = {}
        self.pending: deque[Pending] = deque()
        self.errors: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.stored: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.event_errors: deque[dict[str, Any]] = deque(maxlen=NEWEST_ERRORS)
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.bodies: dict[int, bytes] = {}
        self.mails: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.unknown: dict[str, dict[str, int]] = {}
        self._windows: dict[tuple[str, str], SlidingWindow] = {}
        self.updates: dict[Key, int] = {}
        self._counts = {"updates": 0, "events": 0, "requests": 0, "mails": 0}

    def reset(self) -> None:
        """Forget everything, planned faults too; calls that hang in a planned time-out end."""
        with self._lock:
            version = self.version
            self.waking.set()
            self.waking = threading.Event()
            self._empty()
            self.version = version + 1

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            self.version += 1
            yield

    def _stamp(self) -> str:
        return self.options.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _number(self, what: str) -> int:
        self._counts[what] += 1
        return self._counts[what]

    def admit(self, kind: str, key: str) -> bool:
        """Say whether this call is within the limit of its kind (`push`, `data`, `mail`) for that API key."""
        most = {
            "push": self.options.push_per_second,
            "data": self.options.data_per_second,
            "mail": self.options.mail_per_second,
        }
        with self._changing():
            window = self._windows.get((kind, key))
            if window is None:
                window = SlidingWindow(most[kind], self.options.window, self.options.clock)
                self._windows[kind, key] = window
            return window.admit()

    def queue_room(self) -> int:
        """Give how many records may still wait for validation."""
        with self._lock:
            self.settle()
            if self.faults.queue_remaining is not None:
                return self.faults.queue_remaining
            return self.options.queue_limit - len(self.pending)

    def accept(self, account: str, records: list[dict[str, Any]]) -> Accepted:
        """Take records for later validation."""
        request_id = str(uuid.uuid4())
        due = self.options.clock() + self.options.validation_delay
        rejected = 0
        with self._changing():
            for record in records:
                fault = self.faults.refusal(record, at_once=True)
                if fault is not None:
                    rejected += 1
                    self._add_error(Pending(due, account, request_id, record), fault)
                else:
                    self.pending.append(Pending(due, account, request_id, record))
        return Accepted(request_id, len(records) - rejected, rejected)

    def settle(self) -> None:
        """Validate what has waited long enough."""
        with self._lock:
            now = self.options.clock()
            while self.pending and self.pending[0].due <= now:
                self.version += 1
                self._validate(self.pending.popleft())

    def _validate(self, pending: Pending) -> None:
        record = pending.record
        key = Key(pending.account, record["@type"], str(record.get("@collection") or ""), str(record.get("id")))
        whole = {**self.records.get(key, {}), **record} if record.get("@merge") is True else record
        planned = self.faults.refusal(record, at_once=False)
        faults = [planned] if planned else faults_of(whole)
        for fault in faults:
            self._add_error(pending, fault)
        if faults:
            return
        self.records[key] = whole
        self.updates[key] = self._number("updates")
        self.stored.append({**key._asdict(), "request_id": pending.request_id, "time": self._stamp()})
        for name in unknown_fields(record):
            counts = self.unknown.setdefault(key.type, {})
            counts[name] = counts.get(name, 0) + 1

    def _add_error(self, pending: Pending, fault: Fault) -> None:
        self.errors.append(
            {
                "request_id": pending.request_id,
                "record_type": pending.record["@type"],
                "record_id": pending.record.get("id"),
                "record": pending.record,
                "timestamp": self._stamp(),
                "message": {"error_message": fault.message, "error_path": fault.path},
                "account": pending.account,
            }
        )

    def newest_errors(self, account: str) -> list[dict[str, Any]]:
        """Give the newest 100 validation errors of an account, newest first."""
        with self._lock:
            self.settle()
            mine = [error for error in reversed(self.errors) if error["account"] == account][:NEWEST_ERRORS]
            return [{name: value for name, value in error.items() if name != "account"} for error in mine]

    def records_of(self, account: str, record_type: str, *, by_update: bool = False) -> list[dict[str, Any]]:
        """Give the stored records of one type, in the order in which each first arrived, or was stored last."""
        with self._lock:
            self.settle()
            own = [key for key in self.records if (key.account, key.type) == (account, record_type)]
            if by_update:
                own.sort(key=lambda key: self.updates.get(key, 0))
            return [self.records[key] for key in own]

    def add_event(self, account: str, event: dict[str, Any]) -> None:
        """Keep an event of the tag script."""
        with self._changing():
            self.events.append({"n": self._number("events"), "time": self._stamp(), "account": account, **event})

    def add_event_error(self, account: str, reason: str) -> None:
        """Keep the reason why a pixel could not be read."""
        with self._changing():
            self.event_errors.append({"time": self._stamp(), "account": account, "reason": reason})

    def add_mail(self, account: str, mail: dict[str, Any]) -> str:
        """Keep a transactional mail and give its request id."""
        request_id = str(uuid.uuid4())
        with self._changing():
            self.mails.append(
                {
                    "n": self._number("mails"),
                    "time": self._stamp(),
                    "account": account,
                    "request_id": request_id,
                    "mail": mail,
                }
            )
        return request_id

    def add_request(self, request: dict[str, Any], body: bytes) -> None:
        """Keep what is to be said of an API request; bodies only of the newest."""
        with self._changing():
            number = self._number("requests")
            self.requests.append({"n": number, "time": self._stamp(), **request})
            self.bodies[number] = body
            self.bodies.pop(number - KEPT_BODIES, None)

    def next_fault(self, endpoint: str) -> AnswerFault | None:
        """Give the planned fault of this call, if there is one."""
        with self._lock:
            return self.faults.next_answer(endpoint)

    def plan_faults(self, wish: Any) -> list[str]:
        """Plan faults as `POST /faults` describes them; raises FaultInvalid. Gives all that is planned, in words."""
        with self._changing():
            self.faults.plan(wish)
            return self.faults.in_words()

    def clear_faults(self) -> None:
        """Behave again."""
        with self._changing():
            self.faults = Faults()
            self.waking.set()
            self.waking = threading.Event()

    def violations(self) -> dict[str, int]:
        """Give how many calls came too early, for each kind of limit."""
        with self._lock:
            return {
                kind: sum(window.violations for (named, _), window in self._windows.items() if named == kind)
                for kind in LIMITED
            }

    def current_version(self) -> int:
        """Give a number that changes whenever anything else does."""
        with self._lock:
            self.settle()
            return self.version

    def snapshot(self, account: str | None = None) -> dict[str, Any]:
        """Give everything as JSON values, of one account or of all.

        `contacts` has the keys `<collection>:<id>`; the other records have their ids. Events are in order of arrival;
        `sent` (milliseconds since 1970) and `seq` (within a page) tell in which order the page sent them.
        """

        def mine(rows: deque[dict[str, Any]]) -> list[dict[str, Any]]:
            return [row for row in rows if account is None or row["account"] == account]

        with self._lock:
            self.settle()
            records: dict[str, dict[str, Any]] = {plural: {} for plural in PLURALS.values()}
            for key, record in self.records.items():
                if account is None or key.account == account:
                    name = f"{key.collection}:{key.id}" if key.type == "contact" else key.id
                    records[PLURALS[key.type]][name] = record
            violations = self.violations()
            return {
                "events": mine(self.events),
                **records,
                "stored": mine(self.stored),
                "pending": sum(1 for each in self.pending if account is None or each.account == account),
                "errors": mine(self.errors),
                "requests": mine(self.requests),
                "mails": mine(self.mails),
                "window_violations": violations["push"],
                "violations": violations,
                "event_errors": mine(self.event_errors),
                "unknown_fields": {name: dict(counts) for name, counts in self.unknown.items()},
                "faults": self.faults.in_words(),
                "version": self.version,
            }
