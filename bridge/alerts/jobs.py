"""What the worker runs each minute. It may run twice and on several workers at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from flask import current_app

from bridge.alerts import standing
from bridge.alerts.channels import configured
from bridge.alerts.facts import gather
from bridge.alerts.rules import judge
from bridge.alerts.telling import tell
from bridge.clock import LATE_SECONDS, last_tick
from bridge.queues import Wakes
from bridge.settings import load_book

if TYPE_CHECKING:
    import redis

    from bridge.config import Config

EXTENSION = "bridge.alerts"
EVERY_SECONDS = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Room:
    """What the job needs; at ``app.extensions["bridge.alerts"]``."""

    config: Config
    redis: redis.Redis
    wakes: Wakes


def room() -> Room:
    """Return the services of the room, put there by the composition root."""
    found: Room = current_app.extensions[EXTENSION]
    return found


def now() -> float:
    """Return this machine's clock; tests set it."""
    return time.time()


def alerts() -> None:
    """Look what is wrong, keep it, tell who is to be told, and forget what is long over."""
    own = room()
    own.wakes.awake("alerts")
    look(own)


def look(own: Room) -> int:
    """Do the work of the job; return how many notices were told."""
    moment = now()
    standing.note(judge(gather(own.redis, moment)), moment)
    told = tell(configured(load_book(), own.config), now)
    standing.clean(moment)
    return told


class Reminder:
    """A thread of each worker that wakes the job while no clock ticks: it would have to say so itself."""

    def __init__(self, connection: redis.Redis, *, every: float = EVERY_SECONDS) -> None:
        """Take a connection of the thread's own: the worker forks while it is used."""
        self._redis = connection
        self._wakes = Wakes(connection)
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts-reminder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                if now() - last_tick(self._redis) > LATE_SECONDS:
                    self._wakes.wake("alerts")
            except Exception as error:  # noqa: BLE001 whatever it is must not end the thread
                log.warning("alerts not woken", error=type(error).__name__, next="tried again in a minute")
