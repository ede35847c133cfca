"""The mail spool: each message a file that is on the disk before the shop is told so.

A message is written under a temporary name, fsynced, renamed, and its folder fsynced. When one place refuses (disk
full, rights, a mount that went away) the next is tried; only when all refuse is the message refused. Files hold the
bytes as they were received and are readable by their owner alone, for they may carry password links.

Each place has a file with an id of its own, made by the first worker that sees it. Two hosts whose folders have the
same path but are not the same folder know by it that they are not.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import time
import uuid
from typing import TYPE_CHECKING

import msgspec
import structlog

from bridge.mail.envelope import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAME = re.compile(r"^(\d{20}-[0-9a-f]{12})\.mail$")
HEAD = re.compile(rb"bridge-mail 1 (\d{1,9})\n")
HEAD_MOST = 32
GONE = (FileNotFoundError, NotADirectoryError)
ID_FILE = "place.id"
ID = re.compile(r"[a-z0-9-]{1,40}-[0-9a-f]{12}")
TORN_SECONDS = 60
"""An id file that holds no id for so long was left by a process that died while it wrote."""
PART_SECONDS = 3600
"""A temporary file older than this was left by a process that died while it wrote."""

log = structlog.get_logger()


class MailSpool:
    """Messages waiting to be taken into the database, in one or more folders. Safe for threads and processes."""

    def __init__(self, places: Sequence[Path]) -> None:
        """Take the folders in the order in which they are tried; they are made when first needed."""
        self._places = tuple(places)

    def put(self, envelope: Envelope, data: bytes) -> str:
        """Keep a message durably and return its id. Raises OSError only when every place refuses."""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}"
        head = msgspec.json.encode(envelope)
        parts = (b"bridge-mail 1 %d\n" % len(head), head, data)
        refused: OSError | None = None
        for place in self._places:
            try:
                _write(place, name, parts)
            except OSError as error:
                refused = error
                log.warning("spool place refuses", reason=error.strerror, next="the next place is tried")
                continue
            return name
        raise refused or OSError("the spool has no place")

    def read(self, name: str) -> tuple[Envelope, bytes]:
        """Return a message; FileNotFoundError when it was dropped, ValueError when the file is not one of ours."""
        unread: OSError = FileNotFoundError(name)
        for place in self._places:
            try:
                return _parsed((place / f"{name}.mail").read_bytes())
            except GONE:
                continue
            except OSError as error:
                unread = error
        raise unread

    def waiting(self) -> Iterator[str]:
        """Yield the ids of what waits, oldest first."""
        found = {match[1] for place in self._places for entry in _names(place) if (match := NAME.match(entry))}
        yield from sorted(found)

    def place_ids(self) -> tuple[str, ...]:
        """Return the ids of the places that are seen from here; a folder that is there is given one."""
        return tuple(dict.fromkeys(filter(None, map(_identified, self._places))))

    def place_of(self, name: str) -> str:
        """Return the id of the place where a message lies; empty when no place that is seen from here has it."""
        return next((_identified(place) for place in self._places if _holds(place, name)), "")

    def drop(self, name: str) -> None:
        """Remove a message that was handed over; harmless when it is gone. Raises OSError when it may still be there.

        A place that fails is none of the other places' business.
        """
        removed, refused = False, None
        for place in self._places:
            try:
                (place / f"{name}.mail").unlink()
                removed = True
            except GONE:
                continue
            except OSError as error:
                refused = error
        if refused is not None and not removed:
            raise refused

    def tidy(self) -> int:
        """Remove what a process that died while writing left; return how many files."""
        count = 0
        for place in self._places:
            for entry in _names(place):
                if entry.endswith(".part") and _age(place / entry) > PART_SECONDS:
                    (place / entry).unlink(missing_ok=True)
                    count += 1
        return count


def _holds(place: Path, name: str) -> bool:
    try:
        return (place / f"{name}.mail").is_file()
    except OSError:
        return False


def _identified(place: Path) -> str:
    """Return the id of a place, made now where it has none; empty where that cannot be."""
    path = place / ID_FILE
    try:
        if not place.is_dir():
            return ""
        found = _read_id(path)
        if found is None or (not found and _age(path) > TORN_SECONDS):
            path.unlink(missing_ok=True)
            _write_id(path)
            found = _read_id(path)
    except OSError as error:
        log.warning("spool place has no id", reason=error.strerror, next="its mails wait, it is tried again")
        return ""
    return found or ""


def _read_id(path: Path) -> str | None:
    """Return the id that a file holds, empty while it is being written, None where there is no file."""
    try:
        found = path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    return found if ID.fullmatch(found) else ""


def _write_id(path: Path) -> None:
    """Make an id file; the first of several writers wins. The host's name in it is for people."""
    host = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().split(".")[0].lower()).strip("-")[:40] or "host"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return
    try:
        os.write(descriptor, f"{host}-{uuid.uuid4().hex[:12]}\n".encode())
        os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    _sync_folder(path.parent)


def _write(place: Path, name: str, parts: Sequence[bytes]) -> None:
    _prepare(place)
    part, whole = place / f"{name}.part", place / f"{name}.mail"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        try:
            left = [memoryview(piece) for piece in parts]
            while left:
                left = _after(left, os.writev(descriptor, left))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.rename(whole)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    try:
        _sync_folder(place)
    except OSError:
        # It may not be there after a power cut, and the next place takes it: here it would be a second copy.
        with contextlib.suppress(OSError):
            whole.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _after(views: list[memoryview], written: int) -> list[memoryview]:
    """Return what is left of the views after so many bytes."""
    while views and written >= len(views[0]):
        written -= len(views.pop(0))
    if views and written:
        views[0] = views[0][written:]
    return views


def _prepare(place: Path) -> None:
    """Make the folder; refuse one that others may write to, since a shared temporary folder may be named."""
    try:
        found = place.lstat()
    except FileNotFoundError:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(place.parent)
        found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(1, "the folder is not this user's alone")


def _parsed(raw: bytes) -> tuple[Envelope, bytes]:
    match = HEAD.match(raw[:HEAD_MOST])
    if match is None:
        raise ValueError("not a spooled message")
    end = match.end() + int(match[1])
    try:
        return msgspec.json.decode(raw[match.end() : end], type=Envelope), raw[end:]
    except msgspec.MsgspecError:
        raise ValueError("not a spooled message") from None


def _names(place: Path) -> list[str]:
    try:
        return [path.name for path in place.iterdir()]
    except OSError:
        return []


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
