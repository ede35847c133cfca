"""What goes to Ometria and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BATCH_MOST = 100
"""Records in one push, by Ometria's documentation."""
RECORD_BYTES = 60_000
"""Bytes of UTF-8 in one record: the documentation says 60 kB, taken in its smaller reading."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record as the bytes that will travel."""

    id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record: ``retry`` says nothing against it, ``stale`` that the caller kept it back."""

    state: Literal["accepted", "refused", "retry", "stale"]
    reason: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was made; ``parcels`` are the places of its records in the push. ``status`` 0: no answer."""

    status: int
    outcome: Literal["accepted", "partial", "refused", "retry", "stopped", "dry run"]
    parcels: tuple[int, ...]
    request_id: str = ""
    milliseconds: int = 0
    message: str = ""


@dataclass(slots=True)
class Receipt:
    """The results in the order of the records.

    ``after`` is how many seconds to wait before what says ``retry`` is tried again. ``stop``, when set, is the
    sentence for people: nothing more will be taken with this key until somebody acts.
    """

    results: list[Result]
    after: float = 0.0
    stop: str = ""
    calls: list[Call] = field(default_factory=list)
