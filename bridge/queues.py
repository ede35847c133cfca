"""Queue names in priority order, the jobs by name, wake-ups, and the worker.

Only wake-ups travel through Redis; what is owed stands in the ledger. A wake-up that is lost is made up for by the
clock's next minute, one that comes twice finds nothing to do.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry as RedisRetry
from rq import Queue, Worker

from bridge.db import db

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from rq.executions import Execution
    from rq.job import Job

QUEUES = ("live", "mail", "coupons", "history", "upkeep")

JOBS: dict[str, tuple[str, str]] = {
    "take_events": ("live", "bridge.export.jobs.take_events"),
    "session": ("live", "bridge.export.jobs.session"),
    "history": ("history", "bridge.export.jobs.history"),
    "backlog": ("history", "bridge.export.jobs.backlog"),
    "poll": ("upkeep", "bridge.export.jobs.poll"),
    "stock": ("upkeep", "bridge.export.jobs.stock"),
    "sweep": ("upkeep", "bridge.export.jobs.sweep"),
    "subscribers": ("upkeep", "bridge.export.jobs.subscribers"),
    "drift": ("upkeep", "bridge.export.jobs.drift"),
    "upkeep": ("upkeep", "bridge.export.jobs.upkeep"),
    "check": ("upkeep", "bridge.checks.jobs.check"),
    "mail": ("mail", "bridge.mail.jobs.mail"),
    "coupons": ("coupons", "bridge.coupons.jobs.coupons"),
    "alerts": ("upkeep", "bridge.alerts.jobs.alerts"),
}
"""Job name -> (queue, dotted path): rooms wake each other by name and need no import of one another."""

TURNS = ("history", "upkeep")
"""Queues of which the one that was served last comes last."""
SERIALIZER = "json"
JOB_SECONDS = 600
WAKE_SECONDS = 30
"""A wake-up older than this that is in no queue any more was lost with its worker; another takes its place."""
WAKE_KEPT_SECONDS = 86_400


def connect(url: str, *, timeout: float = 5.0) -> redis.Redis:
    """Return a client whose calls fail after ``timeout`` seconds instead of hanging."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=RedisRetry(NoBackoff(), 0),
        health_check_interval=30,
    )


class Wakes:
    """Enqueues jobs by name, coalesced: one waiting wake-up per name and arguments."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def wake(self, name: str, *args: str) -> bool:
        """Enqueue the job unless an equal one waits; return whether it was enqueued. Raises ``redis.RedisError``."""
        queue_name, path = JOBS[name]
        queue = Queue(queue_name, connection=self._redis, serializer=SERIALIZER)
        key, job = _wake_key(name, args), uuid.uuid4().hex
        if not self._redis.set(key, job, nx=True, ex=WAKE_KEPT_SECONDS):
            if not self._lost(key, queue):
                return False
            self._redis.set(key, job, ex=WAKE_KEPT_SECONDS)
        queue.enqueue_call(path, args=list(args), timeout=JOB_SECONDS, result_ttl=0, failure_ttl=86_400, job_id=job)
        return True

    def _lost(self, key: str, queue: Queue) -> bool:
        """Return whether the wake-up under the key is old and waits in no queue.

        While it still waits (no worker runs, or all are busy) another beside it would only be the same work again.
        """
        left: Any = self._redis.ttl(key)
        if left > WAKE_KEPT_SECONDS - WAKE_SECONDS:
            return False
        job: Any = self._redis.get(key)
        return job is None or self._redis.lpos(queue.key, job) is None

    def try_wake(self, name: str, *args: str) -> bool:
        """As :meth:`wake`, but a missing Redis only means that the clock will do it later."""
        with contextlib.suppress(redis.RedisError):
            return self.wake(name, *args)
        return False

    def awake(self, name: str, *args: str) -> None:
        """Say that the job has begun: whatever happens from now on needs a wake-up of its own."""
        self._redis.delete(_wake_key(name, args))

    def depth(self) -> dict[str, int]:
        """Return how many jobs wait in each queue."""
        return {name: Queue(name, connection=self._redis, serializer=SERIALIZER).count for name in QUEUES}


def _wake_key(name: str, args: tuple[str, ...]) -> str:
    return ":".join(("bridge", "wake", name, *args))


class AppWorker(Worker):
    """An RQ worker whose jobs run inside the Flask application."""

    app: Flask

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Let history and upkeep take turns: a history of days must not keep the polls waiting for days."""
        names = [queue.name for queue in self.queues]
        if reference_queue.name in TURNS:
            last = reference_queue.name
            self._ordered_queues = sorted(
                self.queues, key=lambda queue: (queue.name in TURNS, queue.name == last, names.index(queue.name))
            )

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run one job in the forked child; its inherited database connections belong to the parent and are left."""
        with self.app.app_context():
            db.engine.dispose(close=False)
            return bool(super().perform_job(job, queue, execution))


def run_worker(app: Flask, connection: redis.Redis, on_start: Callable[[], Any] | None = None) -> None:
    """Work the queues in priority order until told to stop."""
    queues = [Queue(name, connection=connection, serializer=SERIALIZER) for name in QUEUES]
    worker = AppWorker(queues, connection=connection, serializer=SERIALIZER, worker_ttl=60)
    worker.app = app
    if on_start is not None:
        on_start()
    worker.work(logging_level="WARNING")
