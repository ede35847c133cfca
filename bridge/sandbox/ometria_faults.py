"""Faults on demand: the fake Ometria misbehaves as it is told, so that a client can show what it does then.

`POST /faults` takes an object with any of these keys; each call adds to what is planned:

* `push`, `data`, `mail`: `{"status": 500, "times": 3, "when": "before", "retry_after": "30", "seconds": 5}` for the
  push endpoint, the other reading calls, or transactional mail. `status` is a number, `"timeout"` (says nothing for
  `seconds`, then hangs up), `"cut"` (hangs up at once) or `"html"` (a web page with status 200). `when` is `before`
  (nothing is accepted) or `after` (all is accepted, only the answer is lost). `times` null: until it is cleared.
* `refuse`: `{"type": "product", "id": "5", "message": "not a valid value", "path": "root > title"}`, one or a list:
  the later validation refuses that record. `"at_once": true` counts it as rejected in the answer to the push instead.
* `queue`: `{"remaining": 50}`: what `X-QueueSize-Remaining` claims.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from bridge.sandbox.ometria_rules import NOT_VALID, Fault

ENDPOINTS: Final = ("push", "data", "mail")
WORDS: Final = ("timeout", "cut", "html")


class FaultInvalid(ValueError):
    """The plan cannot be understood; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class AnswerFault:
    """How an endpoint answers instead, and how many times still (None: until it is cleared)."""

    status: int | str
    times: int | None = 1
    after: bool = False
    retry_after: str | None = None
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record that the validation does not take, and how many times still (None: always)."""

    type: str
    id: str
    fault: Fault
    at_once: bool = False
    times: int | None = None


class Faults:
    """What is planned. The caller holds its own lock."""

    def __init__(self) -> None:
        self.queue_remaining: int | None = None
        self._answers: dict[str, list[AnswerFault]] = {}
        self._refusals: list[Refusal] = []

    def plan(self, wish: Any) -> None:
        """Take the JSON of `POST /faults` as a whole or, with FaultInvalid, not at all."""
        if not isinstance(wish, dict) or not set(wish) <= {*ENDPOINTS, "refuse", "queue"}:
            raise FaultInvalid(f"takes an object of {', '.join(ENDPOINTS)}, refuse, queue")
        answers = {name: _answer(wish[name]) for name in ENDPOINTS if name in wish}
        refusals = wish.get("refuse", [])
        planned = [_refusal(each) for each in (refusals if isinstance(refusals, list) else [refusals])]
        if "queue" in wish:
            self.queue_remaining = _remaining(wish["queue"])
        for name, answer in answers.items():
            self._answers.setdefault(name, []).append(answer)
        self._refusals.extend(planned)

    def next_answer(self, endpoint: str) -> AnswerFault | None:
        """Give the fault of this call, if one is planned, and count it."""
        queue = self._answers.get(endpoint)
        if not queue:
            return None
        fault = queue[0]
        if fault.times is not None:
            queue[0] = replace(fault, times=fault.times - 1)
            if fault.times <= 1:
                queue.pop(0)
        return fault

    def refusal(self, record: dict[str, Any], *, at_once: bool) -> Fault | None:
        """Say why this record is to be refused at this moment, if it is, and count it."""
        for index, refusal in enumerate(self._refusals):
            if (refusal.type, refusal.id, refusal.at_once) != (record.get("@type"), record.get("id"), at_once):
                continue
            if refusal.times is not None:
                self._refusals[index] = replace(refusal, times=refusal.times - 1)
                if refusal.times <= 1:
                    del self._refusals[index]
            return refusal.fault
        return None

    def in_words(self) -> list[str]:
        """One sentence for each planned fault."""
        words = []
        for endpoint, answers in self._answers.items():
            for answer in answers:
                count = "every time" if answer.times is None else f"{answer.times} more"
                moment = "after accepting" if answer.after else "before accepting"
                words.append(f"{endpoint} answers {answer.status} {moment}, {count}")
        words.extend(f"{refusal.type} {refusal.id} is refused: {refusal.fault.message}" for refusal in self._refusals)
        if self.queue_remaining is not None:
            words.append(f"the queue claims room for {self.queue_remaining}")
        return words


def _answer(wish: Any) -> AnswerFault:
    if not isinstance(wish, dict):
        raise FaultInvalid("a fault is an object with a status")
    status, times, when = wish.get("status"), wish.get("times", 1), wish.get("when", "before")
    if status not in WORDS and not (type(status) is int and 200 <= status <= 599):
        raise FaultInvalid(f"status is a number from 200 to 599 or one of {', '.join(WORDS)}")
    if times is not None and not (type(times) is int and times > 0):
        raise FaultInvalid("times is a number above 0, or null for every time")
    if when not in {"before", "after"}:
        raise FaultInvalid("when is before or after")
    retry_after = wish.get("retry_after")
    seconds = wish.get("seconds", 60.0)
    if not isinstance(seconds, int | float) or seconds < 0:
        raise FaultInvalid("seconds is a number")
    return AnswerFault(status, times, when == "after", None if retry_after is None else str(retry_after), seconds)


def _refusal(wish: Any) -> Refusal:
    if not isinstance(wish, dict) or not isinstance(wish.get("type"), str) or not isinstance(wish.get("id"), str):
        raise FaultInvalid("refuse takes the type and the id of a record, both strings")
    times = wish.get("times")
    if times is not None and not (type(times) is int and times > 0):
        raise FaultInvalid("times is a number above 0, or null for every time")
    fault = Fault(str(wish.get("path", "root")), str(wish.get("message", NOT_VALID)))
    return Refusal(wish["type"], wish["id"], fault, bool(wish.get("at_once")), times)


def _remaining(wish: Any) -> int:
    if not isinstance(wish, dict) or type(wish.get("remaining")) is not int:
        raise FaultInvalid("queue takes the number remaining")
    return int(wish["remaining"])
