"""Wake-ups for mails that wait for something: the shop's data, traffic that explains them, Ometria's next answer.

Their moments are seconds away, the clock's minute is too coarse for them, and a worker that sleeps does nothing else.
The relay's process has the time: as long as a young mail lies in the spool it wakes the worker every few seconds.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.mail.spool import MailSpool

EVERY_SECONDS = 3.0
YOUNG_SECONDS = 300.0
"""Longer than the usual patience: what waits for days is left to the clock."""

log = structlog.get_logger()


class Reminder:
    """A thread that wakes the worker; ``wake`` may fail, the clock makes up for it."""

    def __init__(self, spool: MailSpool, wake: Callable[[], object], *, every: float = EVERY_SECONDS) -> None:
        self._spool = spool
        self._wake = wake
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail-reminder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=5)

    def due(self, now: float) -> bool:
        """Return whether a young mail waits; a spool id begins with the moment at which it was made."""
        newest = max(self._spool.waiting(), default="")
        return bool(newest) and now - int(newest[:20]) / 1e9 < YOUNG_SECONDS

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                if self.due(time.time()):
                    self._wake()
            except Exception as error:  # noqa: BLE001 a fault of Redis or of the disk must not end the thread
                log.warning("mail reminder failed", error=type(error).__name__, next="tried again in some seconds")
