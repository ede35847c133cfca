"""How many pages of each type were viewed in the last hour, as a share of the visitors' browsers tell it.

One view in :data:`SHARE` is told, so that the count costs a shop nothing to speak of; it names a page type and nothing
of the visitor. The counts lie in Redis by the minute and are gone after two hours: they are for looking at only.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import redis as redis_client

from bridge.tracking.pages import PAGE_TYPES, PATH_TYPES

if TYPE_CHECKING:
    from redis import Redis

SHARE = 10
OTHER = "other"
"""A page without a type of Ometria's: account, contact, not found and the like."""
TYPES = frozenset({kind for _, kind in (*PAGE_TYPES, *PATH_TYPES) if kind} | {OTHER})
MINUTES = 60
KEPT_SECONDS = 7_200


class PageViews:
    """The counts of all web processes that share a Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def count(self, kind: str) -> None:
        """Count a view that was told; a type that there is not, or a Redis that is away, counts nothing."""
        if kind not in TYPES:
            return
        name = _name(time.time())
        with contextlib.suppress(redis_client.RedisError):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hincrby(name, kind, 1)
            pipeline.expire(name, KEPT_SECONDS)
            pipeline.execute()

    def last_hour(self) -> dict[str, int] | None:
        """Return page type -> views in the last hour, about: those told, times :data:`SHARE`; the most frequent first.

        None while Redis is away.
        """
        now = time.time()
        pipeline = self._redis.pipeline(transaction=False)
        for minute in range(MINUTES):
            pipeline.hgetall(_name(now - 60 * minute))
        try:
            rows: list[dict[bytes, bytes]] = pipeline.execute()
        except redis_client.RedisError:
            return None
        counts: dict[str, int] = {}
        for row in rows:
            for kind, count in row.items():
                counts[kind.decode()] = counts.get(kind.decode(), 0) + int(count) * SHARE
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _name(moment: float) -> str:
    return f"bridge:views:{int(moment // 60)}"
