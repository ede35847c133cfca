"""The book at hand for processes that must not wait for the database: refreshed in the background, kept on disk."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bridge.db import db
from bridge.errors import BridgeError
from bridge.settings.book import Book
from bridge.settings.saved import load_book, read_snapshot, version, write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

REFRESH_SECONDS = 2.0

log = structlog.get_logger()


class Books:
    """``current`` never blocks: it is the newest book known to this process, at most two seconds old.

    Without the database the last good snapshot serves; without that, the defaults (no account, hence no tag).
    """

    def __init__(self, app: Flask, snapshot: Path) -> None:
        self._app = app
        self._snapshot = snapshot
        self._version: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.current = read_snapshot(snapshot) or Book({}, (), {})

    def refresh(self) -> Book:
        """Read the database if anything changed; on a fault keep what there is."""
        try:
            with self._app.app_context():
                now = version()
                if now != self._version:
                    self.current = load_book()
                    write_snapshot(self.current, self._snapshot)
                    self._version = now
                db.session.remove()
        except (SQLAlchemyError, BridgeError, OSError) as error:
            log.warning("settings not refreshed", error=type(error).__name__, next="the last good ones stay in force")
        return self.current

    def start(self) -> None:
        """Refresh now and keep refreshing in a thread of this process (call it after a fork)."""
        self.refresh()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="settings", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(REFRESH_SECONDS):
            self.refresh()
