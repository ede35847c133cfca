"""What all dialogues of one relay share: who may send, the bounds, and the way into the spool."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import structlog

from bridge.mail.smtp_lines import BadLine, message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.mail.envelope import Envelope
    from bridge.mail.smtp_auth import Senders
    from bridge.mail.smtp_dialogue import Dialogue
    from bridge.mail.smtp_lines import DataReader
    from bridge.mail.spool import MailSpool

WRITERS: Final = 8
HELD_MOST: Final = 256 * 1024 * 1024
"""Bytes of unfinished messages in memory, of all connections together."""
WAKE_SECONDS: Final = 0.05

log = structlog.get_logger()


class Desk:
    """Takes messages. Lives in the event loop's thread; spool and wake-ups have threads of their own."""

    def __init__(self, name: str, most: int, senders: Senders, spool: MailSpool, wake: Callable[[], object]) -> None:
        """Take the relay's host name, the largest message in bytes, and what to call when messages wait."""
        self.name = name
        self.most = most
        self.senders = senders
        self.open: set[Dialogue] = set()
        self.held = 0
        self._spool = spool
        self._writers = ThreadPoolExecutor(WRITERS, "spool")
        self._waker = Waker(wake)

    @property
    def crowded(self) -> bool:
        """Whether unfinished messages take more memory than may be."""
        return self.held > HELD_MOST

    async def keep(self, envelope: Envelope, reader: DataReader) -> str:
        """Return the id under which the spool has the message; raise :class:`BadLine` with the reply that refuses it.

        Once begun it is finished, even when the client goes away meanwhile: a shop that gave up does not send again.
        """
        lines = reader.whole()
        kept = asyncio.get_running_loop().run_in_executor(self._writers, self._keep, envelope, lines)
        # A lost connection cancels who waits here: what waits for a writer must not go with it.
        return await asyncio.shield(kept)

    def _keep(self, envelope: Envelope, lines: bytearray) -> str:
        message = message_of(lines)
        try:
            name = self._spool.put(envelope, message)
        except OSError as error:
            log.error("mail refused: no spool place takes it", reason=error.strerror, next="free a disk")  # noqa: TRY400 no trace
            raise BadLine("452 4.3.1 No room to keep the message") from None
        self._waker()
        return name

    def taken(self, envelope: Envelope, name: str, size: int, seconds: float) -> None:
        """Log that a message was taken; no address is told."""
        count, user = len(envelope.recipients), envelope.user or None
        log.info("mail taken", id=name, recipients=count, bytes=size, user=user, milliseconds=round(seconds * 1000, 1))

    def close(self) -> None:
        """Let what is being written end."""
        self._writers.shutdown(wait=True)
        self._waker.close()


class Waker:
    """Calls ``wake`` soon after it was called, in a thread: a Redis that hangs must not hold up a shopper's order."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail-wake", daemon=True)
        self._thread.start()

    def __call__(self) -> None:
        """Ask for a wake-up; many within a moment are one."""
        self._wanted.set()

    def close(self) -> None:
        """Do what was asked for and end."""
        self._stop.set()
        self._wanted.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            asked_to_stop = self._stop.wait(WAKE_SECONDS)
            self._wanted.clear()
            try:
                self._wake()
            except Exception as error:  # noqa: BLE001 the clock's next minute makes up for a lost wake-up
                log.warning("mail wake-up failed", error=type(error).__name__, next="the clock wakes within a minute")
            if asked_to_stop or self._stop.is_set():
                return
