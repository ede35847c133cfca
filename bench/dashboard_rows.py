"""Rows for `python -m bench.dashboard`: a shop with 300 store views and what a long time of work leaves in the tables.

All is made by the database itself (``INSERT … SELECT`` from a counter), alike on SQLite and PostgreSQL. Values repeat
with different periods, so that each combination of a filter is there, common ones and rare ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, select, text

from bridge.auth import add_user
from bridge.db import db, vault
from bridge.events import KINDS
from bridge.export import cursors, drift, drift_report
from bridge.models import (
    AuditLog,
    EventLog,
    Finding,
    Pending,
    RecordStep,
    RequestLog,
    SentRecord,
    SettingValue,
    StockLevel,
)
from bridge.models_coupons import CouponCode, CouponPool, CouponRequest
from bridge.models_drift import DriftCount, DriftItem
from bridge.models_mail import MailDelivery, MailLetter, MailSeen
from bridge.settings import MAIL_KINDS, load_book, set_value
from bridge.store import keep_tree
from bridge.store.entities import StoreView, Tree, Website

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = 90
"""Over how many days logs and mails are spread, the newest last."""
PASSWORD = "made for the benchmark"  # noqa: S105 of a database that is thrown away
KIND = "CASE i % 3 WHEN 0 THEN 'contact' WHEN 1 THEN 'product' ELSE 'order' END"
RULES = 20
"""Cart price rules, each with a pool."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows: store views, ledger rows, sent records, lines of each log, mails, coupon codes, and all others."""

    views: int = 300
    ledger: int = 1_000_000
    sent: int = 1_000_000
    requests: int = 5_000_000
    events: int = 5_000_000
    steps: int = 2_000_000
    mails: int = 500_000
    coupons: int = 200_000
    others: int = 200_000


def fill(size: Size) -> None:
    """Fill the empty tables of the application whose context is active. Indexes are made after the rows of a table."""
    _shop(size.views)
    add_user("owner", PASSWORD, "owner")
    for model, count, values in _plans(size):
        indexes = list(model.__table__.indexes)
        for index in indexes:
            index.drop(db.engine)
        _insert(model, count, values)
        for index in indexes:
            index.create(db.engine)
    for row in db.session.scalars(select(MailSeen)):
        row.sender_name = f"Shop of {row.store}"  # encrypted, each by itself: no statement can make them
    db.session.commit()
    for kind in KINDS:
        run = int(cursors.read(f"{drift.PREFIX}{kind}")["done"]["run"])
        cursors.save(f"{drift.TOTALS}{kind}", {"run": run, "rows": drift_report.totals(kind, run)})
    if db.engine.dialect.name == "postgresql":  # which does this by itself; bridge's SQLite has no statistics
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def _insert(model: Any, count: int, values: Mapping[str, str]) -> None:
    """Insert ``count`` rows; ``values`` are SQL by column, of the counter ``i``; others get their default."""
    columns = {column.key: values.get(column.key) or _default(column) for column in inspect(model).columns}
    columns = {name: value for name, value in columns.items() if value}
    names = ", ".join(f'"{inspect(model).columns[name].name}"' for name in columns)
    counter = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"  # noqa: S608 our own
    said = f'INSERT INTO "{model.__tablename__}" ({names}) {counter} SELECT {", ".join(columns.values())} FROM n'  # noqa: S608 our own
    with db.engine.begin() as connection:
        connection.exec_driver_sql(said.replace("%", "%%") if connection.dialect.name == "postgresql" else said)


def _default(column: Any) -> str:
    """Return a column's default as SQL; empty where the database makes the value, or none is needed."""
    default = None if column.default is None else column.default.arg
    if callable(default):
        default = time.time() if column.type.python_type is float else "[]"
    if default is None:
        return ""
    if isinstance(default, bool | int | float):
        return str(default).upper()
    return f"'{default}'"


def _shop(views: int) -> None:
    """Six websites with their store views, each website with an account of its own, and settings at every scope."""
    sites = [Website(id=number, code=f"site{number}", name=f"Website {number}") for number in range(1, 7)]
    stores = [
        StoreView(
            id=number,
            code=f"view{number}",
            name=f"Store view {number}",
            website_id=number % 6 + 1,
            base_url=f"https://shop{number}.example/",
            secure_base_url=f"https://shop{number}.example/",
            currency="EUR",
            timezone="Europe/Berlin",
        )
        for number in range(1, views + 1)
    ]
    tree = Tree(websites=tuple(sites), views=tuple(stores))
    keep_tree(tree, secure=True)
    for site in sites:
        set_value(f"website:{site.code}", "general.api_key", f"key-of-{site.code}-0123456789", "bench")
    for store in stores:
        db.session.add(SettingValue(scope=f"store:{store.code}", key="general.account_id", value=f"{store.id:08x}"))
    db.session.commit()


def _compared(run: int) -> None:
    """Write down that each kind was compared, and how the historical exports of some websites stand."""
    accounts = {one.id: {"read": True, "doubt": ""} for one in load_book().accounts()}
    done = {"run": run, "began": run - 600, "ended": run, "repair": False, "since": None, "until": None}
    for kind in KINDS:
        cursors.save(f"drift:{kind}", {"state": "done", "done": {**done, "accounts": accounts, "items": 1}})
        for number in range(1, 7):
            walk = {"state": "running", "began": run - 3600, "seen": 1000, "total": 100_000, "broken": 0}
            cursors.save(f"history:{kind}:website:site{number}", walk)


def _choice(values: list[str], of: str = "i") -> str:
    """Return SQL that takes one text of a list after the other."""
    cases = " ".join(f"WHEN {place} THEN '{value}'" for place, value in enumerate(values))
    return f"CASE ({of}) % {len(values)} {cases} END"


def _plans(size: Size) -> list[tuple[Any, int, dict[str, str]]]:
    """Return table, number of rows and values, in an order that foreign keys allow."""
    accounts = _choice([one.id for one in load_book().accounts()], "i / 3")
    now = time.time()
    _compared(int(now))
    both = {"account": accounts, "kind": KIND}

    def spread(count: int) -> str:
        return f"{now - 60} - ({count} - i) * {DAYS * 86_400 / count}"

    store = f"'view' || (i % {size.views} + 1)"
    entity = "CASE i % 3 WHEN 0 THEN 'customer:' || i ELSE '' || i END"
    refused = "CASE WHEN i % 5 = 0 THEN"
    failed = "CASE WHEN i % 1000 = 7 THEN 'refused' WHEN i % 50000 = 9 THEN 'stopped' ELSE 'accepted' END"
    ledger = {
        "entity": entity,
        "state": f"{refused} 'refused' ELSE 'waiting' END",
        "reason": f"{refused} 'field e-mail address of record ' || i || ' is not valid' ELSE '' END",
        "lane": "CASE WHEN i % 4 = 0 THEN 'live' ELSE 'history' END",
    }
    request = {"at": spread(size.requests), "records": "100", "status": "200", "milliseconds": "120"}
    steps = {"at": spread(size.steps), "entity": entity, "step": _choice(["seen", "queued", "sent", "answered"])}
    letter = {"spool": "'mail-' || i", "at": spread(size.mails), "subject": _secret("Your order"), "spooled": "FALSE"}
    return [
        (Pending, size.ledger, both | ledger),
        (SentRecord, size.sent, both | {"entity": entity, "digest": "'d' || i", "request_id": "'req-' || (i / 100)"}),
        (RequestLog, size.requests, both | request | {"outcome": failed, "request_id": "'req-' || i"}),
        (EventLog, size.events, {"id": "'event-' || i", "at": spread(size.events), "store": store, **_events()}),
        (RecordStep, size.steps, both | steps),
        (AuditLog, size.others, {"at": spread(size.others), "who": _choice(["ann", "bea"]), "what": "'change ' || i"}),
        (Finding, size.others, both | {"entity": entity, "rule": _choice(["no_name", "no_image"])}),
        (StockLevel, size.others, {"website": "'site1'", "sku": "'sku-' || i", "salable": "TRUE"}),
        (MailLetter, size.mails, letter | {"sender": _secret("shop@example.com")}),
        (MailDelivery, size.mails, _deliveries(spread(size.mails), store)),
        (MailSeen, size.views, {"kind": "'order_confirmation'", "store": "'view' || i", **_sender()}),
        (CouponPool, RULES, {"name": "'Pool ' || i", "rule_id": "i", "stock": "1000"}),
        (CouponRequest, size.others // 10, {"id": "'ask-' || i", **_asked(spread(size.others // 10))}),
        (CouponCode, size.coupons, {"key": "'code-' || i", "code": "'CODE-' || i", **_codes()}),
        *_drift(size, accounts, int(now), store),
    ]


def _events() -> dict[str, str]:
    return {
        "type": _choice(["basket", "identified", "order_placed", "cart_seen", "signed_up"], "i / 7"),
        "summary": "'/page-' || i",
    }


def _secret(value: str) -> str:
    return f"'{vault.encrypt(value)}'"


def _sender() -> dict[str, str]:
    return {"sender": _secret("shop@example.com"), "sender_name": _secret("Shop"), "count": "i", "last_at": "i"}


def _deliveries(at: str, store: str) -> dict[str, str]:
    kinds = [*MAIL_KINDS, ""]
    return {
        "letter": "i",
        "key": "'key-' || i",
        "recipient": _secret("jane@example.com"),
        "native": f"CASE WHEN i % {len(kinds) * 2500} = {len(kinds) - 1} THEN '' ELSE 'order new' END",
        "kind": _choice(kinds),
        "store": store,
        "route": _choice(["ometria", "ometria", "ometria", "relay"]),
        "state": "CASE WHEN i % 1000 = 1 THEN 'refused' ELSE 'sent' END",
        "at": at,
        "products": "'[]'",
        "comparison": "NULL",
    }


def _asked(at: str) -> dict[str, str]:
    shape = {"layout": "'{}'", "refused": "'{}'", "state": "'done'", "wanted": "10"}
    return shape | {
        "kind": "'generate'",
        "mark": "''",
        "rule_id": f"i % {RULES} + 1",
        "pool": f"i % {RULES} + 1",
        "at": at,
    }


def _codes() -> dict[str, str]:
    state = _choice(["stock", "given", "given", "expired"], f"i / {RULES}")
    return {"rule_id": f"i % {RULES} + 1", "pool": f"i % {RULES} + 1", "state": state, "times_used": "i % 2"}


def _drift(size: Size, accounts: str, run: int, store: str) -> list[tuple[Any, int, dict[str, str]]]:
    """Return the report of a comparison: a line for each store view and day of a year of each kind, and differences."""
    day = f"'2026-' || (i / {3 * size.views} % 12 + 10) || '-' || (i / {36 * size.views} + 10)"
    lines = {
        "kind": KIND,
        "run": str(run),
        "account": accounts,
        "store": f"'view' || (i / 3 % {size.views} + 1)",
        "day": day,
    }
    item = {
        "kind": KIND,
        "run": str(run),
        "account": accounts,
        "entity": "'' || i",
        "store": store,
        "day": "'2026-' || (i / 3 % 12 + 10) || '-' || (i / 36 % 19 + 10)",
    }
    count = min(size.others, size.views * 365 * 3)
    return [
        (DriftCount, count, lines | {"shop": "10", "missing": "CASE WHEN i % 50 = 0 THEN 1 ELSE 0 END"}),
        (DriftItem, count, item | {"state": _choice(["missing", "stale", "extra"], "i / 3")}),
    ]
