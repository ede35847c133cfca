"""The event stream: from the proxy's observers to the one job that takes events in.

Ordinary events are gathered for at most 20 ms and sent in one pipeline. Urgent ones (orders, identity, subscriptions)
are acknowledged by Redis before the caller goes on, waiting at most 50 ms; then, or when Redis is gone, an fsynced
local spool takes them, and is replayed in order when Redis is back. An event may arrive twice; its id is unique in
the database.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import redis
import structlog

from bridge.events import AnyEvent, encode_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

STREAM = "bridge:events"
GROUP = "ledger"
FLUSH_SECONDS = 0.02
URGENT_SECONDS = 0.05
"""The time-out of the client that the stream is given: how long an answer may be held back."""
WAITING_MOST = 10_000
SPOOL_BYTES = 64 * 1024 * 1024
REPLAY_LINES = 500
"""Events in one pipeline of a replay: the client's short time-out must do for it."""

log = structlog.get_logger()


class Spool:
    """Files of events, one JSON object a line, each append fsynced. A process appends to a file of its own."""

    def __init__(self, folder: Path, most: int = SPOOL_BYTES) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        self._name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"

    @property
    def _open_path(self) -> Path:
        return self._folder / f"{self._name}.open"

    def append(self, lines: Iterable[bytes]) -> bool:
        """Write the lines and fsync; return False when the spool is full or the disk refuses."""
        data = b"".join(line + b"\n" for line in lines)
        with self._lock:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if sum(map(_size, self._folder.iterdir())) + len(data) > self._most:
                    return False
                descriptor = _locked(self._open_path)
                try:
                    _write_whole(descriptor, data)
                finally:
                    os.close(descriptor)
            except OSError:
                return False
        return True

    def empty(self) -> bool:
        """Return whether nothing waits, of this process or a dead one."""
        return not self._folder.is_dir() or not any(self._folder.iterdir())

    def replay(self, send: Callable[[list[bytes]], None]) -> int:
        """Give every spooled line to ``send`` in the order of writing, oldest file first; return how many.

        A file goes only after ``send`` returned, so a fault in between repeats events rather than loses them.
        """
        with self._lock:
            if self._open_path.exists():
                self._open_path.rename(self._folder / f"{self._name}.closed")
                self._name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        count = 0
        for path in sorted(self._folder.glob("*.*")) if self._folder.is_dir() else []:
            if path.suffix != ".open" or _stale(path):
                count += _replay_file(path, send)
        return count


def _replay_file(path: Path, send: Callable[[list[bytes]], None]) -> int:
    """Send the lines of a file and remove it; 0 when another process has it. Nobody appends meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    with os.fdopen(descriptor, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        lines = [line for line in file.read().split(b"\n") if line]
        for start in range(0, len(lines), REPLAY_LINES):
            send(lines[start : start + REPLAY_LINES])
        path.unlink(missing_ok=True)
    return len(lines)


def _locked(path: Path) -> int:
    """Return a descriptor to append to, locked; a file that was replayed and removed meanwhile is made anew."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _write_whole(descriptor: int, data: bytes) -> None:
    """Write and fsync all of it, or leave the file as it was: half a line would spoil the next one."""
    before, left = os.fstat(descriptor).st_size, memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def _size(path: Path) -> int:
    """Return a file's size; 0 when it was replayed and removed by another process just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _stale(path: Path) -> bool:
    """Return whether an open file has not been written for a minute: its process closed it or died."""
    try:
        return time.time() - path.stat().st_mtime > 60
    except OSError:
        return False


class EventStream:
    """Where observers put events. Thread safe; made after the fork (it owns a thread)."""

    def __init__(self, connection: redis.Redis, spool: Spool, wake: Callable[[], object]) -> None:
        """Take a client with a short time-out, the spool, and what to call after events were accepted."""
        self._redis = connection
        self._spool = spool
        self._wake = wake
        self._waiting: list[bytes] = []
        self._wanted = False
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._stop = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def put(self, event: AnyEvent) -> None:
        """Take an ordinary event; when ten thousand wait already it is dropped and counted."""
        with self._lock:
            if len(self._waiting) >= WAITING_MOST:
                self.dropped += 1
                return
            self._waiting.append(encode_event(event))
        self._more.set()

    def put_urgent(self, events: Iterable[AnyEvent]) -> bool:
        """Take events that must not be lost; return once Redis or the spool has them, False when neither would."""
        lines = [encode_event(event) for event in events]
        try:
            self._send(lines)
        except redis.RedisError:
            kept = self._spool.append(lines)
            self._more.set()
            if not kept:
                self.dropped += len(lines)
                # The Redis error's text may hold an address; the sentence says all that helps.
                log.error("events lost", count=len(lines), next="free the disk under the data directory")  # noqa: TRY400
            return kept
        with self._lock:
            self._wanted = True
        self._more.set()
        return True

    def close(self) -> None:
        """Send what waits and end the thread."""
        self._stop.set()
        self._more.set()
        self._thread.join(timeout=2)

    def _send(self, lines: list[bytes]) -> None:
        if not lines:
            return
        pipe = self._redis.pipeline(transaction=False)
        for line in lines:
            pipe.xadd(STREAM, {b"e": line})
        pipe.execute()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._more.wait(timeout=1.0)
            self._more.clear()
            if not self._stop.is_set():
                time.sleep(FLUSH_SECONDS)
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._waiting = self._waiting, []
            wanted, self._wanted = self._wanted or bool(lines), False
        try:
            if not self._spool.empty():
                wanted = bool(self._spool.replay(self._send)) or wanted
            self._send(lines)
            if wanted:
                self._wake()
        except (redis.RedisError, OSError):
            # A disk that fails must not end this thread: the next round, a second later, tries again.
            with self._lock:
                self._waiting[:0] = lines
                self._wanted = self._wanted or wanted


class Reader:
    """The other end: one reader at a time (the caller holds a lock) takes events and acknowledges them when stored."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def read(self, count: int) -> list[tuple[bytes, bytes]]:
        """Return up to ``count`` (entry id, event JSON), those a dead reader left first.

        Raises ``redis.RedisError``.
        """
        try:
            self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        left: Any = self._redis.xautoclaim(STREAM, GROUP, "reader", 0, "0-0", count=count)
        if left[1]:
            return [(entry, fields[b"e"]) for entry, fields in left[1] if fields]
        answer: Any = self._redis.xreadgroup(GROUP, "reader", {STREAM: ">"}, count=count)
        return [(entry, fields[b"e"]) for _, entries in answer or [] for entry, fields in entries]

    def acknowledge(self, entries: list[bytes]) -> None:
        """Remove events that the database has."""
        if entries:
            pipe = self._redis.pipeline()
            pipe.xack(STREAM, GROUP, *entries)
            pipe.xdel(STREAM, *entries)
            pipe.execute()

    def waiting(self) -> int:
        """Return how many events are not taken in yet."""
        length: Any = self._redis.xlen(STREAM)
        return int(length)
