"""What the room works with, put there by the composition root; and what it gives back."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from flask import current_app

from bridge.coupons.rules import Verdict, judge
from bridge.settings import DEFAULT, load_book

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.queues import Wakes
    from bridge.store import Rule, Store

EXTENSION = "bridge.coupons"


@dataclass(frozen=True, slots=True)
class Room:
    """The services of the room; at ``app.extensions["bridge.coupons"]``. ``shop`` is held to a few calls at once."""

    shop: Store
    wakes: Wakes


class Inserted(msgspec.Struct, frozen=True):
    """What became of codes that were to be put into the shop: each is in ``taken`` or, with its reason, ``refused``."""

    request_id: str
    taken: tuple[str, ...] = ()
    refused: dict[str, str] = msgspec.field(default_factory=dict)


class Generated(msgspec.Struct, frozen=True):
    """The codes of a request. ``open``: more of them are on their way, and the same id asks for them again."""

    request_id: str
    rule_id: int
    wanted: int
    codes: tuple[str, ...] = ()
    open: bool = False
    expires_at: float = 0.0


def room() -> Room:
    """Return the services of the room."""
    found: Room = current_app.extensions[EXTENSION]
    return found


def now() -> float:
    """Return this machine's clock."""
    return time.time()


def verdict(rule_id: int) -> Verdict:
    """Judge a rule as the shop has it now. Raises :class:`bridge.errors.Retry` when the shop cannot be asked."""
    return verdict_of(rule_id, room().shop.rule(rule_id))


def verdict_of(rule_id: int, rule: Rule | None) -> Verdict:
    """Judge a rule that was read already."""
    return judge(rule_id, rule, time_zones(), dt.datetime.fromtimestamp(now(), tz=dt.UTC))


def time_zones() -> Mapping[int, str]:
    """Return the time zone of each active website: that of its first active store view."""
    stores = load_book().stores
    views = stores or room().shop.tree().views
    found: dict[int, str] = {}
    for view in views:
        if view.active and view.website_id:
            found.setdefault(view.website_id, view.timezone)
    return found


def batch_size() -> int:
    """Return how many codes one call may make or delete."""
    return int(load_book().settings(DEFAULT)["coupons.batch"])


def request_most() -> int:
    """Return how many codes one request may ask for."""
    return int(load_book().settings(DEFAULT)["coupons.request_most"])


__all__ = [
    "EXTENSION",
    "Generated",
    "Inserted",
    "Room",
    "batch_size",
    "now",
    "request_most",
    "room",
    "time_zones",
    "verdict",
    "verdict_of",
]
