"""Which version of a record went out last: an older one never overwrites a newer one, whoever sends it.

Two ledger rows may give the same record (an order by its id and by its number, a subscriber who has an account), so two
workers may hold two versions of it. The version of a record is the moment before the shop was read for it, by Redis's
own clock, which all hosts share. Calls with one API key go one at a time, so the check and the mark, both made while
the call's turn is held, are not interleaved with those of another worker.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import redis

from bridge.errors import Retry

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_MS = 3_600_000
"""Longer than any worker can hold a record that it has read."""


class Versions:
    """The versions of one account's records. Every method raises :class:`Retry` when Redis is gone."""

    def __init__(self, connection: redis.Redis, account: str) -> None:
        self._redis = connection
        self._account = account

    def moment(self) -> float:
        """Return the version of what is read from now on."""
        try:
            seconds, microseconds = self._redis.time()
        except redis.RedisError:
            raise _no_redis() from None
        return float(seconds) + float(microseconds) / 1e6

    def newest(self, kind: str, versions: Mapping[str, float]) -> set[str]:
        """Return the keys of the records of which no newer version went out, and mark these versions as out."""
        keys = list(versions)
        names = [self._name(kind, key) for key in keys]
        try:
            kept: Any = self._redis.mget(names) if names else []
            # What is from the future was written before the clock was set back: it tells nothing any more.
            now = self.moment() if any(kept) else 0.0
            known = [before if (before := float(value or 0)) <= now else 0.0 for value in kept]
            found = {key for key, before in zip(keys, known, strict=True) if before <= versions[key]}
            pipe = self._redis.pipeline(transaction=False)
            for key, name in zip(keys, names, strict=True):
                if key in found:
                    pipe.set(name, repr(versions[key]), px=KEPT_MS)
            pipe.execute()
        except redis.RedisError:
            raise _no_redis() from None
        return found

    def _name(self, kind: str, key: str) -> str:
        """Return where a record's version is kept; the name tells nothing of the record."""
        told = hashlib.sha256(f"{self._account} {kind} {key}".encode()).hexdigest()[:32]
        return f"bridge:version:{told}"


def _no_redis() -> Retry:
    return Retry("Redis does not answer, and without it the order of versions cannot be kept.", after=10)
