"""Codes that the shop makes, or that are made here where they are short: for a request, or for the stock of a pool.

Codes come from the pool's stock first, in milliseconds. The rest is made in calls of a few hundred, each written down
with its tag before it is made; what a lost answer held is found in the shop by the tag. Nothing is asked for twice
before it is known what the first call did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.coupons import ledger, pools, requests
from bridge.coupons.layouts import check_layout, check_quantity, check_room, full_length, own_codes, tagged
from bridge.coupons.room import Generated, batch_size, now, request_most, room, verdict
from bridge.coupons.sending import TAKEN, send
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models_coupons import CouponBatch, CouponPool, CouponRequest
from bridge.store import CodeFormat, Unsure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.coupons.requests import Held

SHARE_SECONDS = 20.0
"""How long a caller or a job works at one request before others have their turn."""
SETTLE_SECONDS = 90.0
"""After a call whose answer was lost the shop may still be at it: so long fewer codes than asked for prove nothing."""
LATE_SECONDS = 3600.0
"""When the shop is searched once more for codes of such a call."""
FRESH_SECONDS = 900.0
"""How long a pool's rule counts as usable after it was looked at."""
TRIES = 5
"""How often in a row a call may bring no code before the request fails."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Order:
    """Codes to be made: for a request, or for the stock of a pool."""

    rule_id: int
    layout: CodeFormat
    request: str | None
    pool: int | None
    expires_at: float
    left: Callable[[], int]
    """How many are still wanted."""
    alive: Callable[[], None]
    """Keeps the claim; raises where it was lost."""


def generate(
    rule_id: int,
    quantity: int,
    request_id: str,
    *,
    layout: CodeFormat | None = None,
    pool: CouponPool | None = None,
    expires_at: float = 0.0,
    who: str = "",
) -> Generated:
    """Return codes under a rule; the same id is answered with the same codes.

    With a pool its look, stock and expiry are used. Raises :class:`Refused` with the reason where none can be made, and
    :class:`Retry` where the shop cannot be asked now. A large request comes back ``open`` and goes on by itself.
    """
    check_quantity(quantity, request_most())
    if pool is not None:
        layout = pools.layout_of(pool)
        if pool.rule_id != rule_id:
            raise Refused(f"The pool {pool.name} is of rule {pool.rule_id}, not of rule {rule_id}.")
        if pool.expiry_days and not expires_at:
            expires_at = now() + pool.expiry_days * DAY
    look = msgspec.structs.asdict(check_layout(layout or CodeFormat()))
    own = pool.id if pool is not None else None
    mark = requests.mark_of("generate", rule_id, quantity, look, own)
    values = {"rule_id": rule_id, "pool": own, "wanted": quantity, "layout": look, "expires_at": expires_at, "who": who}
    quick = _from_stock(pool, requests.row_of(requests.check_id(request_id), "generate", mark, **values))
    if quick is not None:
        return quick
    requests.begin(request_id, "generate", mark, **values)
    request = requests.done_or_claimed(request_id, work)
    if request.state == "open":
        room().wakes.try_wake("coupons")
    return answer(request)


def _from_stock(pool: CouponPool | None, row: dict[str, Any]) -> Generated | None:
    """Answer a new request in one step, or return None where the stock cannot."""
    if pool is None or not _is_fresh(pool):
        return None
    codes = ledger.take_whole(pool.id, {**row, "state": "done", "done_at": now()})
    if codes is None:
        return None
    return Generated(row["id"], row["rule_id"], row["wanted"], tuple(codes), expires_at=row["expires_at"])


def answer(request: CouponRequest) -> Generated:
    """Return what a request has, from the ledger."""
    rows = ledger.codes_of(request.id)
    return Generated(
        request_id=request.id,
        rule_id=request.rule_id,
        wanted=request.wanted,
        codes=tuple(row.code for row in rows),
        open=request.state == "open",
        expires_at=request.expires_at,
    )


def work(held: Held) -> None:
    """Go on with a claimed request for a limited time. Raises :class:`Refused` or :class:`Retry` after writing so."""
    request = requests.load(held.id)
    end = time.monotonic() + SHARE_SECONDS
    order = Order(
        rule_id=request.rule_id,
        layout=CodeFormat(**request.layout),
        request=held.id,
        pool=request.pool,
        expires_at=request.expires_at,
        left=lambda: requests.load(held.id).wanted - ledger.count_of(held.id),
        alive=held.extend,
    )
    try:
        settle(order)
        _check_rule(order)
        if order.pool is not None and order.left() > 0:
            ledger.take_stock(order.pool, held.id, order.left(), order.expires_at)
        while order.left() > 0 and time.monotonic() < end:
            fill(order)
    except (Retry, Misconfigured) as error:
        held.give_back(error)
        raise
    except Refused as error:
        held.end("failed", error.reason)
        raise
    if order.left() > 0:
        held.release()
    else:
        held.end("done")


def _check_rule(order: Order) -> None:
    """Refuse where the rule cannot be used; a pool that was looked at a while ago need not be looked at again."""
    if order.left() <= 0:
        return
    pool = db.session.get(CouponPool, order.pool, populate_existing=True) if order.pool is not None else None
    if pool is not None and _is_fresh(pool):
        return
    faults = verdict(order.rule_id).faults
    if faults:
        raise Refused(" ".join(faults))


def _is_fresh(pool: CouponPool) -> bool:
    """Return whether the pool's rule was found usable a while ago at most."""
    return not pool.problem and now() - pool.checked_at < FRESH_SECONDS


def fill(order: Order) -> None:
    """Make at most one call's worth of codes. Raises :class:`Refused` where the shop makes none."""
    quantity = min(order.left(), batch_size())
    if quantity <= 0:
        return
    check_room(order.layout, quantity, ledger.known_like(order.rule_id, full_length(order.layout)))
    for _ in range(TRIES):
        order.alive()
        layout = tagged(order.layout, quantity)
        if layout is None:
            made = _insert_own(order, quantity)
        elif _is_new(order, layout.prefix):
            made = _let_make(order, quantity, layout)
        else:
            continue
        if made:
            return
    raise Refused("The shop makes no codes for this rule: its answers to several calls held none.")


def _is_new(order: Order, tag: str) -> bool:
    """Return whether no code in the shop begins with the tag."""
    return next(iter(room().shop.find_coupons(order.rule_id, beginning=tag)), None) is None


def _let_make(order: Order, quantity: int, layout: CodeFormat) -> int:
    """Let the shop make codes of a tag; return how many there are."""
    id_ = ledger.add_batch(
        rule_id=order.rule_id, request=order.request, pool=order.pool, tag=layout.prefix, wanted=quantity
    )
    try:
        codes = room().shop.make_coupons(order.rule_id, quantity, layout)
    except Unsure:
        settle(order)
        return 1
    except Refused:
        # The shop keeps what it had made before it gave up.
        batch = ledger.batches(CouponBatch.id == id_)[0]
        got = ledger.book_batch(batch, codes_of_tag(batch), order.expires_at, now() + LATE_SECONDS)
        if not got:
            raise
        return got
    except (Retry, Misconfigured):
        # It was never sent, or refused before the shop saw it.
        ledger.drop_batch(id_)
        raise
    batch = ledger.batches(CouponBatch.id == id_)[0]
    if any(not code.startswith(layout.prefix) for code in codes) or len(codes) != quantity:
        # What the answer says is not what was asked for: what the shop has is what counts.
        codes = codes_of_tag(batch)
    return ledger.book_batch(batch, codes, order.expires_at, 0.0)


def _insert_own(order: Order, quantity: int) -> int:
    """Choose short codes here and put them into the shop; return how many are there."""
    part = min(quantity, 50)
    chosen = list(dict.fromkeys(islice(own_codes(order.layout), part)))
    known = ledger.of_keys(ledger.key(code) for code in chosen)
    new = [code for code in chosen if ledger.key(code) not in known]
    refused: list[str] = []
    ledger.announce(new, order.rule_id, request=order.request, pool=order.pool, expires_at=order.expires_at)
    rows = ledger.sending(request=order.request, pool=order.pool, limit=part)
    send(rows, lambda _, reason: refused.append(reason), order.alive)
    others = [reason for reason in refused if reason != TAKEN]
    if others:
        raise Refused(others[0])
    return len(rows) - len(refused)


def settle(order: Order) -> None:
    """Find out what calls of this order did whose answer was lost, and send what was written down and not sent.

    Raises :class:`Retry` while the shop may still be at one.
    """
    where = CouponBatch.request == order.request if order.request else CouponBatch.request.is_(None)
    pool = CouponBatch.pool == order.pool if order.pool is not None else CouponBatch.pool.is_(None)
    for batch in ledger.batches(CouponBatch.state == "sending", where, pool):
        settle_batch(batch, order.expires_at)
    rows = ledger.sending(request=order.request, pool=order.pool)
    if rows:
        send(rows, lambda *_: None, order.alive)


def settle_batch(batch: CouponBatch, expires_at: float) -> None:
    """Look a call up by its tag. Raises :class:`Retry` while fewer codes than asked for prove nothing."""
    codes = codes_of_tag(batch)
    waited = now() - batch.sent_at
    if len(codes) < batch.wanted and waited < SETTLE_SECONDS:
        raise Retry("The shop may still be making codes for a call whose answer was lost.", SETTLE_SECONDS - waited)
    ledger.book_batch(batch, codes, expires_at, now() + LATE_SECONDS)


def codes_of_tag(batch: CouponBatch) -> list[str]:
    """Return the codes of a call that are in the shop."""
    return [one.code for one in room().shop.find_coupons(batch.rule_id, beginning=batch.tag)]
