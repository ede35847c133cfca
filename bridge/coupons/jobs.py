"""What the workers run for coupons. The job may run twice, at any time; what there is to do stands in the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from bridge.coupons import alerts, endings, generate, insert, requests, stock, usage
from bridge.coupons.room import room
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.models_coupons import CouponRequest

SHARE_SECONDS = 60.0
WORKERS = {"generate": generate.work, "insert": insert.work}

log = structlog.get_logger()


def coupons() -> None:
    """Go on with open requests, watch the rules, fill the stocks, delete what expired, and count what was used."""
    own = room()
    own.wakes.awake("coupons")
    if work():
        own.wakes.try_wake("coupons")


def work() -> bool:
    """Do what is due, for a limited time; return whether more is due at once. A shop that is away ends it."""
    more = False
    steps: tuple[Callable[[], object], ...] = (
        _requests,
        alerts.watch,
        endings.expire,
        stock.refill,
        stock.look_again,
        insert.look_again,
        usage.count_due,
    )
    for step in steps:
        try:
            found = step()
        except (Retry, Misconfigured) as error:
            db.session.rollback()
            log.warning(
                "coupons wait", step=step.__name__.strip("_"), reason=str(error), next="tried again in a minute"
            )
            return False
        more |= found is True
    return more


def _requests() -> bool:
    end = time.monotonic() + SHARE_SECONDS
    while time.monotonic() < end:
        found = requests.waiting(1)
        if not found:
            return False
        _go_on(found[0])
    return True


def _go_on(request: CouponRequest) -> None:
    held = requests.claim(request.id)
    if held is None:
        return
    try:
        WORKERS[request.kind](held)
    except Refused as error:
        log.warning("request for codes failed", request=held.id, reason=error.reason)
    except Retry as error:
        log.warning("request for codes waits", request=held.id, reason=error.reason)
