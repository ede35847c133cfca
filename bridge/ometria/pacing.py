"""How often one key may call, over all workers and hosts.

A call takes the key's gate in Redis, so that one call at a time is under way, and gives it back when it has ended: the
next may begin a fair interval after this one began. Ends are counted in a moving window and a call begins only while
fewer than the allowed number ended within the last second. A request reaches Ometria between its begin and its end, so
no second ever holds more than allowed, however unevenly the network delivers. Without Redis nothing may begin.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from bridge.errors import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

GATE_SECONDS = 40
"""Longer than a call can take with all its time-outs: a gate whose owner died opens by itself."""
WAIT_SECONDS = 15.0
STEP_SECONDS = 0.02
"""How often a call that waits looks whether its turn has come; it sleeps no longer than the turn is away."""
LIVE_MARK_MS = 250
"""How long a live call that waits keeps history off; it says so again each step."""
LEAST_SECONDS = 0.001
FAULTS_SECONDS = 900
LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key's pace stands now.

    ``used`` counts the calls that ended within the last second, ``paused`` the seconds for which Ometria asked to be
    left alone; ``history_waits`` says that only live records go, since Ometria's queue is nearly full.
    """

    used: int
    paused: float
    history_waits: bool


class Pacer:
    """The shared pace of each key. Every method raises :class:`Retry` when Redis is gone."""

    def __init__(self, connection: redis.Redis, *, wait: float = WAIT_SECONDS) -> None:
        self._redis = connection
        self._wait = wait
        self._limiter: MovingWindowRateLimiter | None = None

    @contextmanager
    def turn(self, key: str, rate: int, *, live: bool = True) -> Iterator[None]:
        """Wait for a turn and hold it for one call; raises :class:`Retry` when the key pauses or the wait is long.

        What is not ``live`` lets all live calls go first.
        """
        mark = _mark(key)
        try:
            began = self._begin(mark, rate, live=live)
        except redis.RedisError:
            raise _no_redis() from None
        try:
            yield
        finally:
            self._end(mark, rate, began)

    def pause(self, key: str, after: float | None) -> float:
        """Stop all calls with the key and return for how many seconds.

        That is as long as Ometria asked for, else longer with each failure in a row; jitter keeps keys apart.
        """
        mark = _mark(key)
        try:
            faults = int(self._redis.incr(f"{mark}:faults") or 1)
            self._redis.expire(f"{mark}:faults", FAULTS_SECONDS)
            seconds = min(2.0 ** min(faults, 16), LONGEST_PAUSE) if after is None else after
            seconds = max(seconds, 0.05) * random.uniform(1.0, 1.25)  # noqa: S311 jitter, no secret
            self._redis.set(f"{mark}:pause", b"1", px=int(seconds * 1000))
        except redis.RedisError:
            raise _no_redis() from None
        return seconds

    def well(self, key: str) -> None:
        """Forget the failures in a row."""
        try:
            self._redis.delete(f"{_mark(key)}:faults")
        except redis.RedisError:
            raise _no_redis() from None

    def slow_history(self, key: str, seconds: float) -> None:
        """Ask for live records only, because Ometria's queue is nearly full."""
        try:
            self._redis.set(f"{_mark(key)}:slow", b"1", px=int(seconds * 1000))
        except redis.RedisError:
            raise _no_redis() from None

    def history_waits(self, key: str) -> bool:
        """Return whether history should hold back for now."""
        try:
            return bool(self._redis.exists(f"{_mark(key)}:slow"))
        except redis.RedisError:
            raise _no_redis() from None

    def standing(self, key: str, rate: int) -> Standing:
        """Look where the pace of a key stands, without taking a turn."""
        mark = _mark(key)
        try:
            left = self._window().get_window_stats(RateLimitItemPerSecond(rate), mark).remaining
            pause: Any = self._redis.pttl(f"{mark}:pause")
        except redis.RedisError:
            raise _no_redis() from None
        return Standing(max(rate - left, 0), max(pause, 0) / 1000, self.history_waits(key))

    def _begin(self, mark: str, rate: int, *, live: bool) -> float:
        end = time.monotonic() + self._wait
        token = uuid.uuid4().hex
        while True:
            pause: Any = self._redis.pttl(f"{mark}:pause")
            if pause > 0:
                raise Retry("Ometria asked to wait.", after=pause / 1000)
            after_live = not live and self._redis.exists(f"{mark}:live")
            if not after_live and self._redis.set(f"{mark}:gate", token, nx=True, px=GATE_SECONDS * 1000):
                break
            if live:
                self._redis.set(f"{mark}:live", b"1", px=LIVE_MARK_MS)
            if time.monotonic() > end:
                raise Retry("The other calls with this key took all the time there was.", after=2)
            # The gate may be open while a live call is about to take it: only then is there no time to go by.
            left: Any = None if after_live else self._redis.pttl(f"{mark}:gate")
            time.sleep(STEP_SECONDS if left is None else min(STEP_SECONDS, max(left, 0) / 1000))
        limiter, item = self._window(), RateLimitItemPerSecond(rate)
        while not limiter.test(item, mark):
            free_at = limiter.get_window_stats(item, mark).reset_time
            time.sleep(min(STEP_SECONDS, max(free_at - time.time(), LEAST_SECONDS)))
        return time.monotonic()

    def _end(self, mark: str, rate: int, began: float) -> None:
        """Count the call and open the gate; if Redis is gone by now, the gate opens by itself later."""
        try:
            self._window().hit(RateLimitItemPerSecond(rate), mark)
            left = 1 / rate - (time.monotonic() - began)
            self._redis.set(f"{mark}:gate", b"", px=max(math.ceil(left * 1000), 1))
        except redis.RedisError:
            return

    def _window(self) -> MovingWindowRateLimiter:
        if self._limiter is None:
            pool = self._redis.connection_pool
            storage = RedisStorage("redis://", connection_pool=pool, key_prefix="bridge:limit")
            self._limiter = MovingWindowRateLimiter(storage)
        return self._limiter


def _mark(key: str) -> str:
    """Return the name under which a key's pace is kept; it tells nothing of the key."""
    return "bridge:ometria:" + hashlib.sha256(b"pace " + key.encode()).hexdigest()[:24]


def _no_redis() -> Retry:
    return Retry("Redis does not answer, and without it the request limit cannot be kept.", after=10)
