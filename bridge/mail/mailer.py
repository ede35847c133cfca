"""What the room's jobs work with, and one letter as they see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from flask import current_app

from bridge.mail import expectations, raised
from bridge.mail.letter import Letter
from bridge.mail.marks import Marks
from bridge.mail.material import Links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import redis

    from bridge.config import Config
    from bridge.events import AnyEvent
    from bridge.mail.envelope import Envelope
    from bridge.mail.fingerprint import Keys
    from bridge.mail.spool import MailSpool
    from bridge.mail.upstream import Upstream
    from bridge.ometria import TransactionalMail
    from bridge.queues import Wakes
    from bridge.store import Store as Shop

EXTENSION = "bridge.mail"


@dataclass(frozen=True, slots=True)
class Mailer:
    """The services of the room; at ``app.extensions["bridge.mail"]``.

    ``upstream`` makes a connection to the shop's own mail server; it raises :class:`bridge.errors.Misconfigured` where
    none is named. ``emit`` puts an event into the stream, durably.
    """

    config: Config
    redis: redis.Redis
    wakes: Wakes
    shop: Shop
    ometria: TransactionalMail
    spool: MailSpool
    keys: Keys
    upstream: Callable[[], Upstream]
    emit: Callable[[AnyEvent], object]

    def take_events(self, events: Iterable[AnyEvent]) -> None:
        """Take from fresh events of the stream what concerns mail, in the reader's transaction. No commit."""
        kept = list(events)
        expectations.keep(kept, self.keys)
        if raised.keep(kept, self.keys):
            self.wakes.try_wake("mail")


def mailer() -> Mailer:
    """Return the services of the room, put there by the composition root."""
    found: Mailer = current_app.extensions[EXTENSION]
    return found


@dataclass(repr=False)
class Spooled:
    """A letter with its envelope and its bytes, read at most once."""

    id: int
    name: str
    envelope: Envelope
    raw: bytes = field(repr=False)

    @cached_property
    def letter(self) -> Letter:
        """The decoded mail."""
        return Letter.parse(self.raw, self.envelope)

    @cached_property
    def marks(self) -> Marks:
        """What its body shows."""
        return Marks.of(self.letter)

    @property
    def links(self) -> Links:
        """The links that only the mail knows. Never logged, never stored."""

        def first(sort: str) -> str:
            return next((link.url for link in self.marks.of_sort(sort)), "")

        every = [link.url for link in self.marks.of_sort("stock_alerts")]
        unsubscribe = next((url for url in every if "stockall" in url.lower()), every[0] if every else "")
        return Links(reset=first("reset"), tracking=first("tracking"), unsubscribe=unsubscribe)
