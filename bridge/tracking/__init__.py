"""Tracking: the tag in the page, what the tag asks for, and what passing traffic shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.tracking.endpoints import Endpoints
from bridge.tracking.identity import Identities
from bridge.tracking.observer import Capture
from bridge.tracking.pages import PAGE_TYPES, page_type
from bridge.tracking.tags import Tags
from bridge.tracking.variants import Variants

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask

    from bridge.config import Config
    from bridge.settings import Books
    from bridge.stream import EventStream
    from bridge.tracking.variants import FindVariants


class Tracking:
    """The room, wired: ``tags`` and ``observer`` for the proxy, ``blueprint`` for the application.

    ``stream`` may be a function that gives the stream when the first event comes, since the stream owns a thread and
    must be made after the fork. ``find_variants`` asks the shop: SKUs -> (product id, parent id or None).
    """

    def __init__(
        self,
        *,
        app: Flask,
        config: Config,
        books: Books,
        stream: EventStream | Callable[[], EventStream],
        find_variants: FindVariants,
        static_folder: Path,
    ) -> None:
        identities = Identities(app, config.secret_keys[0])
        self._make: Callable[[], EventStream] = stream if callable(stream) else lambda: stream
        self._made: EventStream | None = None
        self.tags = Tags(config, books, static_folder)
        self.observer = Capture(books, self._events, identities)
        https = (config.public_url or "").startswith("https:")
        self.blueprint = Endpoints(self.tags, identities, Variants(find_variants), books, https=https).blueprint()

    def close(self) -> None:
        """Send the events that wait."""
        if self._made is not None:
            self._made.close()

    def _events(self) -> EventStream:
        if self._made is None:
            self._made = self._make()
        return self._made


__all__ = ["PAGE_TYPES", "Tracking", "page_type"]
