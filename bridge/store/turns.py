"""How many requests to the shop may be under way at once, over all workers and hosts: a slow shop must not be pressed.

A request takes one of the places in Redis and gives it back. A place whose owner died opens by itself. Without Redis
there is nobody to share with, and requests go as they come.
"""

from __future__ import annotations

import random
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import redis
from redis.exceptions import LockError

from bridge.errors import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE_SECONDS = 30.0
"""Longer than a request can take with all its time-outs."""
WAIT_SECONDS = 30.0
STEP_SECONDS = 0.01


class Turns:
    """The places for requests to the one shop of this installation."""

    def __init__(
        self, connection: redis.Redis, most: int = 1, *, wait: float = WAIT_SECONDS, name: str = "shop"
    ) -> None:
        self._redis = connection
        self._most = most
        self._wait = wait
        self._name = name

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place for a request; raises :class:`Retry` when none becomes free in time."""
        name = f"bridge:{self._name}:{random.randrange(self._most)}"  # noqa: S311 any place will do
        lock = self._redis.lock(name, timeout=PLACE_SECONDS, sleep=STEP_SECONDS, blocking_timeout=self._wait)
        try:
            taken = lock.acquire()
        except redis.RedisError:
            yield
            return
        if not taken:
            raise Retry("Other requests to the shop took all the time there was.", after=5)
        try:
            yield
        finally:
            # Where it cannot be given back it opens by itself.
            with suppress(redis.RedisError, LockError):
                lock.release()
