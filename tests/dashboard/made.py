"""Rows in every table that the pages show, so that a page has its tables, buttons and states of each kind to look at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.db import db
from bridge.events import KINDS, EntityRef
from bridge.export import cursors
from bridge.models import AuditLog, EventLog, Pending, RecordStep, RequestLog
from bridge.models_coupons import CouponCode, CouponPool, CouponRequest
from bridge.models_drift import DriftCount, DriftItem
from bridge.models_mail import MailDelivery, MailLetter, MailSeen
from bridge.settings import set_value
from tests.dashboard.export_desk import account, furnish, send

if TYPE_CHECKING:
    from flask import Flask

RUN = 1_764_000_000


def fill(board: Flask) -> None:
    """Give the application an export room, and something of everything that its pages show."""
    furnish(board)
    with board.app_context():
        send(EntityRef("order", "4"))
        _export()
        _compared()
        _mail()
        _coupons()
        set_value("store:default", "general.store_id_kind", "code", "ann")
        db.session.add(EventLog(id="1" * 32, at=time.time() - 5, type="order_placed", store="de", summary="order 4"))
        db.session.commit()


def _export() -> None:
    own, now = account(), time.time()
    states = ("waiting", "refused")
    for kind in KINDS:
        for place, state in enumerate(states):
            reason = "the field email is not valid" if state == "refused" else ""
            db.session.add(Pending(account=own, kind=kind, entity=f"9{place}", state=state, reason=reason))
        for outcome, status in (("accepted", 200), ("refused", 422), ("retry", 503)):
            line = RequestLog(account=own, kind=kind, records=3, outcome=outcome, status=status, at=now - 60)
            line.message, line.request_id, line.body = f"{outcome} by Ometria", "req-1", [{"id": "•••"}]
            db.session.add(line)
        for scope, state in (("default", "running"), ("website:base", "paused"), ("store:de", "done")):
            note = {"state": state, "began": now - 600, "seen": 20, "total": 40, "broken": 1, "ended": None}
            cursors.save(f"history:{kind}:{scope}", note | ({"ended": now} if state == "done" else {}))
    db.session.add(RecordStep(account=own, kind="order", entity="4", step="queued", detail="by the clock"))
    db.session.add(Pending(account=own, kind="order", entity="4", state="refused", reason="no such currency"))
    db.session.add(AuditLog(who="ann", what="user mary added", after={"role": "viewer"}))
    cursors.save("offer:media", {"at": now, "stores": {"de": ["https://a.test/", "https://b.test/"]}})
    cursors.save(f"account:{own}", {"paused": "Ometria refused the key."})


def _compared() -> None:
    own = account()
    done = {
        "run": RUN,
        "began": RUN,
        "ended": RUN + 60,
        "repair": True,
        "since": "2026-11-01",
        "until": None,
        "items": 3,
    }
    done["accounts"] = {own: {"read": False, "doubt": "its list ended early"}}
    for kind in KINDS:
        cursors.save(f"drift:{kind}", {"state": "done", "done": done})
        figures = {"shop": 10, "sent": 8, "held": 7, "missing": 2, "stale": 1, "extra": 1, "repaired": 2}
        db.session.add(DriftCount(kind=kind, run=RUN, account=own, store="de", day="2026-11-20", **figures))
        for state in ("missing", "stale", "extra"):
            item = DriftItem(run=RUN, account=own, kind=kind, entity="4", store="de", day="2026-11-20", state=state)
            item.detail, item.record_id = "price differs", "4"
            db.session.add(item)


def _mail() -> None:
    letter = MailLetter(spool="mail-1", place="here", sender="shop@example.com", subject="Your order", shape="text")
    db.session.add(letter)
    db.session.flush()
    states = ("new", "waiting", "sending", "sent", "refused", "uncertain", "void")
    for place, state in enumerate(states):
        row = MailDelivery(letter=letter.id, key=f"key-{place}", recipient="jane@example.com", state=state)
        row.kind, row.route = ("", "relay") if state == "sent" else ("order_confirmation", "ometria")
        row.why, row.comparison = "no template is set", {"total": "52 instead of 53"}
        row.request_id = "req-1"
        db.session.add(row)
    db.session.add(
        MailSeen(kind="order_confirmation", store="de", count=3, last_at=time.time(), sender="owner@example.com")
    )


def _coupons() -> None:
    for number, problem in ((1, ""), (2, "The rule is switched off.")):
        pool = CouponPool(id=number, name=f"Pool {number}", rule_id=number, stock=10, problem=problem)
        pool.caution, pool.rule_name = "It ends soon.", "Spring"
        db.session.add(pool)
        db.session.flush()
        asked = CouponRequest(id=f"ask-{number}", kind="generate", mark="", rule_id=number, pool=number, wanted=2)
        asked.state, asked.reason = ("failed", "the shop is away") if problem else ("done", "")
        db.session.add(asked)
        db.session.flush()
        for state in ("stock", "given", "expired", "revoked"):
            code = CouponCode(
                key=f"{state}-{number}", code=f"{state}-{number}", rule_id=number, pool=number, state=state
            )
            code.request = None if state == "stock" else asked.id
            db.session.add(code)
