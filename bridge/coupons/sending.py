"""Puts codes that the ledger holds as ``sending`` into the shop, one call a code.

Before a code is sent for the first time the shop is asked whether it has it, and that it had not is written down
(``sent_at``). So whatever is found later under the rule is what was sent: a lost answer is looked up.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bridge.coupons import ledger
from bridge.coupons.room import room
from bridge.errors import Refused, Retry
from bridge.store import Unsure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.models_coupons import CouponCode
    from bridge.store import Coupon

PART = 50
"""Codes that are looked up and marked together."""
TAKEN = "The shop has this code already."


def send(rows: Sequence[CouponCode], refuse: Callable[[str, str], None], alive: Callable[[], None]) -> None:
    """Send all rows; ``refuse(code, reason)`` is told what the shop did not take, ``alive`` runs before each part.

    Raises :class:`Retry` where the shop cannot be asked now: what was not sent, and what is not known, stays.
    """
    for start in range(0, len(rows), PART):
        alive()
        _send_part(rows[start : start + PART], refuse)


def look_up(rows: Sequence[CouponCode], *, last: bool = False) -> None:
    """Send none of the rows: write down which of them are in the shop, and forget those that were never sent.

    What was sent and is not there may come late, so it stays, but where this is the ``last`` look. Raises
    :class:`Retry` where the shop cannot be asked.
    """
    for start in range(0, len(rows), PART):
        plain = [(row.id, row.code, row.rule_id, row.sent_at > 0) for row in rows[start : start + PART]]
        there = _there([code for _, code, _, sent in plain if sent])
        for id_, code, rule_id, sent in plain:
            coupon = there.get(ledger.key(code))
            if coupon is not None and coupon.rule_id == rule_id:
                ledger.landed(id_, coupon)
            elif last or not sent:
                ledger.drop(id_)


def _send_part(rows: Sequence[CouponCode], refuse: Callable[[str, str], None]) -> None:
    plain = [(row.id, row.code, row.rule_id, row.expires_at, row.sent_at > 0) for row in rows]
    there = _there([code for _, code, *_ in plain])
    left = []
    for id_, code, rule_id, expires_at, sent in plain:
        coupon = there.get(ledger.key(code))
        if coupon is None:
            left.append((id_, code, rule_id, expires_at))
        elif sent and coupon.rule_id == rule_id:
            ledger.landed(id_, coupon)
        else:
            ledger.drop(id_)
            refuse(code, TAKEN)
    ledger.mark_sent([id_ for id_, *_ in left])
    for id_, code, rule_id, expires_at in left:
        _send_one(id_, code, rule_id, expires_at, refuse)


def _send_one(id_: int, code: str, rule_id: int, expires_at: float, refuse: Callable[[str, str], None]) -> None:
    moment = dt.datetime.fromtimestamp(expires_at, tz=dt.UTC) if expires_at else None
    try:
        coupon = room().shop.insert_coupon(rule_id, code, moment)
    except Refused as error:
        # Also the answer to a code that an earlier, lost call put there meanwhile.
        found = _there([code]).get(ledger.key(code))
        if found is not None and found.rule_id == rule_id:
            ledger.landed(id_, found)
            return
        ledger.drop(id_)
        refuse(code, TAKEN if found is not None else error.reason)
        return
    except Unsure as error:
        found = _there([code]).get(ledger.key(code))
        if found is None or found.rule_id != rule_id:
            raise Retry(error.reason, error.after) from None
        ledger.landed(id_, found)
        return
    ledger.landed(id_, coupon)


def _there(codes: Sequence[str]) -> dict[str, Coupon]:
    return {ledger.key(one.code): one for one in room().shop.find_coupons(codes=codes)} if codes else {}
