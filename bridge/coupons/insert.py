"""Codes of a caller's own, put into the shop under a rule. One bad code does not stop the others."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select

from bridge.coupons import alerts, ledger, pools, requests
from bridge.coupons.generate import LATE_SECONDS
from bridge.coupons.layouts import check_quantity, code_fault
from bridge.coupons.room import Inserted, now, request_most, room, verdict, verdict_of
from bridge.coupons.sending import look_up, send
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models_coupons import CouponCode, CouponRequest
from bridge.writing import begin_write

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bridge.coupons.requests import Held
    from bridge.models_coupons import CouponPool
    from bridge.store import Rule

SHARE_SECONDS = 25.0
"""How long a caller waits for its codes: some hundred of them. The job goes on with the rest."""
TWICE = "It is twice in this request."
KNOWN = "It was given out before."
OMETRIA = "Ometria"

log = structlog.get_logger()


class Codes:
    """The ledger's side of the signed API."""

    def insert(self, rule: Rule, codes: Sequence[str], request_id: str, expiry: dt.datetime | None = None) -> Inserted:
        """Put codes under a rule; the same request gives the same answer. Raises as :func:`insert`.

        What Ometria inserts under a rule is a pool here too, so that its rule is watched. A rule that cannot be used is
        told at once, since a campaign is failing.
        """
        pool = pools.of_ometria(rule)
        try:
            kept = insert(rule, codes, request_id, expiry, who=OMETRIA, pool=pool)
        except Refused:
            alerts.note(pool, rule)
            raise
        if kept.refused:
            reasons = sorted(set(kept.refused.values()))
            log.warning("codes not taken", request=request_id, rule=rule.id, count=len(kept.refused), reasons=reasons)
        return kept

    def removed(self, codes: Sequence[str]) -> None:
        """Note that codes were taken out of the shop."""
        removed(codes)


def insert(
    rule: Rule,
    codes: Sequence[str],
    request_id: str,
    expiry: dt.datetime | None = None,
    *,
    who: str = "",
    pool: CouponPool | None = None,
) -> Inserted:
    """Put codes under a rule of the shop and return which of them are there; ``pool`` is whose they are counted as.

    Raises :class:`Refused` where nothing can be done at all (the rule, the number of codes, the id), and
    :class:`Retry` where the shop cannot be asked now: the same id goes on where it stopped.
    """
    check_quantity(len(codes), request_most())
    mark = requests.mark_of("insert", rule.id, list(codes))
    expires_at = expiry.timestamp() if expiry is not None else 0.0
    requests.begin(
        request_id,
        "insert",
        mark,
        rule_id=rule.id,
        pool=pool.id if pool is not None else None,
        wanted=len(codes),
        expires_at=expires_at,
        layout={"codes": list(codes)},
        who=who,
    )
    try:
        return _answer(requests.done_or_claimed(request_id, partial(work, rule=rule)))
    except Retry:
        room().wakes.try_wake("coupons")
        raise


def work(held: Held, rule: Rule | None = None) -> None:
    """Go on with a claimed request; ``rule`` is the shop's where the caller has just read it.

    Raises :class:`Refused` after writing so where the rule cannot be used, and :class:`Retry` after giving the request
    back, also where the time was too short.
    """
    end = time.monotonic() + SHARE_SECONDS

    def alive() -> None:
        held.extend()
        if time.monotonic() > end:
            raise Retry("The codes are being put into the shop; ask again with the same id.", after=1)

    request = requests.load(held.id)
    asked, rule_id = list(request.layout["codes"]), request.rule_id
    owner = {"request": held.id, "pool": request.pool, "expires_at": request.expires_at}
    try:
        _check_rule(request, rule)
        fit = [code for code in _fit(held, asked) if code not in request.refused]
        mine = ledger.announce(fit, rule_id, **owner)
        for code in fit:
            if ledger.key(code) not in mine:
                held.refuse(code, KNOWN)
        send(ledger.sending(request=held.id, limit=len(asked)), held.refuse, alive)
    except (Retry, Misconfigured) as error:
        held.give_back(error)
        raise
    except Refused as error:
        held.end("failed", error.reason)
        raise
    refused = len({*request.refused, *held.refused})
    held.end("done", f"{refused:,} of {len(asked):,} codes were not taken." if refused else "")


def _check_rule(request: CouponRequest, rule: Rule | None) -> None:
    """Refuse where the rule cannot be used; what an earlier call put there is written down before."""
    found = verdict_of(rule.id, rule) if rule is not None else verdict(request.rule_id)
    if found.faults:
        look_up(ledger.sending(request=request.id, limit=request.wanted))
        raise Refused(" ".join(found.faults))


def look_again() -> None:
    """Search once more for codes of failed requests whose answer was lost: they may have come late."""
    query = select(CouponCode).join(CouponRequest, CouponRequest.id == CouponCode.request)
    late = (CouponCode.state == "sending", CouponCode.sent_at <= now() - LATE_SECONDS, CouponRequest.state == "failed")
    look_up(list(db.session.scalars(query.where(*late).order_by(CouponCode.id).limit(ledger.AT_ONCE))), last=True)


def removed(codes: Sequence[str]) -> None:
    """Write down that codes were taken out of the shop. Commits."""
    begin_write()
    for row in ledger.of_keys(ledger.key(code) for code in codes).values():
        if row.state not in ledger.ENDED:
            ledger.change([CouponCode.id == row.id], state="revoked", ended_at=now())
    db.session.commit()


def _fit(held: Held, asked: Sequence[str]) -> list[str]:
    """Return the codes that can be sent; the others are refused."""
    fit: dict[str, str] = {}
    for code in asked:
        fault = code_fault(code)
        if fault:
            held.refuse(str(code), fault)
        elif ledger.key(code) in fit:
            if fit[ledger.key(code)] != code:
                held.refuse(code, TWICE)
        else:
            fit[ledger.key(code)] = code
    return list(fit.values())


def _answer(request: CouponRequest) -> Inserted:
    """Return the answer of a request from the ledger."""
    there = {row.key: row for row in ledger.codes_of(request.id)}
    asked = dict.fromkeys(code for code in request.layout["codes"] if isinstance(code, str))
    taken = tuple(code for code in asked if ledger.key(code) in there and code not in request.refused)
    return Inserted(request.id, taken, dict(request.refused))
