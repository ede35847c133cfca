"""One tick a minute: which accounts are due by their cron expression, and the regular chores.

Any number of clocks may run; the minute is taken in Redis, so that one of them wins each tick.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from cronsim import CronSim

from bridge.settings import load_book

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from flask import Flask

    from bridge.queues import Wakes
    from bridge.settings import Account, Book

CHORES = ("take_events", "mail", "coupons", "poll", "upkeep", "stock", "sweep", "alerts")
BEAT = "bridge:clock:beat"
LATE_SECONDS = 150.0
"""So long without a tick a clock that ticks every minute has stopped."""
DONE = "bridge:clock:done"
"""The last minute whose work was done whole (Unix seconds): what a clock that died or stood still left is made up."""
MADE_UP_SECONDS = 86_400
LOOK_BACK_SECONDS = 10_800

log = structlog.get_logger()


def last_tick(connection: redis.Redis) -> float:
    """Return when a clock ticked last (Unix seconds), 0 where none has for ten minutes. Raises ``redis.RedisError``."""
    kept: Any = connection.get(BEAT)
    try:
        return float(kept or 0)
    except ValueError:
        return 0.0


def due(expression: str, minute: dt.datetime, since: dt.datetime | None = None) -> bool:
    """Return whether a five-field cron expression names this minute (aware, seconds zero), or one after ``since``.

    In the night of a change of the clock a daily run happens once: at the end of the hour that there is not, and in the
    first of the two that are there. To know that, the hours before are looked at, too.
    """
    until = minute.timestamp()
    after = until - 60 if since is None else since.timestamp()
    for named in CronSim(expression, dt.datetime.fromtimestamp(after - LOOK_BACK_SECONDS, tz=minute.tzinfo)):
        moment = named.timestamp()
        if moment > after:
            return moment <= until
    return False


def due_accounts(book: Book, minute: dt.datetime, since: dt.datetime | None = None) -> list[Account]:
    """Return the accounts whose owner scope's schedule names a due minute in the shop's time zone; see :func:`due`."""
    return [
        account
        for account in book.accounts()
        if due(account.settings["export.schedule"], minute.astimezone(_zone(account.stores[0].timezone)), since)
    ]


def tick(app: Flask, connection: redis.Redis, wakes: Wakes, now: float) -> list[str]:
    """Do the work of the minute that ``now`` is in, unless another clock has; return the ids of the accounts woken."""
    minute = dt.datetime.fromtimestamp(now - now % 60, tz=dt.UTC)
    if not connection.set(f"bridge:clock:{int(minute.timestamp())}", b"1", nx=True, ex=180):
        return []
    connection.set(BEAT, str(now), ex=600)
    for chore in CHORES:
        wakes.wake(chore)
    with app.app_context():
        accounts = [account.id for account in due_accounts(load_book(), minute, _since(connection, minute))]
    for account in accounts:
        wakes.wake("backlog", account)
    connection.set(DONE, str(int(minute.timestamp())))
    return accounts


def _since(connection: redis.Redis, minute: dt.datetime) -> dt.datetime:
    """Return the minute up to which schedules were looked at: the one before, an older one when ticks were missed."""
    before = minute - dt.timedelta(minutes=1)
    kept: Any = connection.get(DONE)
    done = dt.datetime.fromtimestamp(float(kept), tz=dt.UTC) if kept else before
    return max(min(done, before), minute - dt.timedelta(seconds=MADE_UP_SECONDS))


def run_clock(app: Flask, connection: redis.Redis, wakes: Wakes, stopped: Callable[[float], bool]) -> None:
    """Tick at once, then at the beginning of each minute, until ``stopped(seconds)`` returns True.

    A fault of a neighbour costs the tick and is logged; the next minute tries again.
    """
    while True:
        now = time.time()
        try:
            tick(app, connection, wakes, now)
        except Exception as error:  # noqa: BLE001 the clock outlives every fault of its neighbours
            log.warning("clock tick failed", error=type(error).__name__, next="tried again in the next minute")
        if stopped(60 - time.time() % 60 + 0.05):
            return


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return dt.UTC
