"""The rolling sweep: everything that was sent is compared with the shop once within ``export.sweep_hours``.

It finds what no list of changes tells: prices by rule, special price dates that begin or end, category moves, the
newsletter status, websites that a mass action took or gave, and what is in the shop no more. The ids are walked by
keyset, evenly over the hours. Products and customers that are still there are owed in the lane ``history``: a session
reads them, and what gives the same record as before is not sent. Orders are only looked for: their changes touch their
row or come with a document.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog

from bridge.db import db
from bridge.export import cursors, ease, history, ledger, missing, sent
from bridge.export.ledger import Owed
from bridge.export.routes import owed
from bridge.settings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.events import Kind
    from bridge.settings import Book
    from bridge.store import Page, Store

KINDS: tuple[Kind, ...] = ("product", "contact", "order")
RE_READ: tuple[Kind, ...] = ("product", "contact")
"""Kinds whose known entities are read again."""
PREFIX = "sweep:"
HOUR = 3600.0
EARLY = 0.9
"""The part of the hours within which the walk is over: a shop that grows meanwhile still is done in time."""
SHARE_SECONDS = 15.0
BACKLOG = 2_000
"""No more is owed while so many rows of a kind wait: what cannot be sent now need not be owed now."""

log = structlog.get_logger()


def sweep(
    store: Store, book: Book, *, hold: Callable[[], object] = lambda: None, now: float | None = None
) -> tuple[bool, set[str]]:
    """Go on with what is due; return whether there is more to do at once, and the accounts concerned.

    ``hold`` is called before each page. Raises ``Retry`` and ``Misconfigured``; the walk is then taken up again.
    """
    if not book.accounts():
        return False, set()
    moment = time.time() if now is None else now
    end = time.monotonic() + SHARE_SECONDS
    period = float(book.settings(DEFAULT)["export.sweep_hours"]) * HOUR
    touched: set[str] = set()
    more = False
    for kind in KINDS:
        _begin(kind, moment, period)
        while _due(note := cursors.read(PREFIX + kind), moment, period) and not ledger.history_waits(kind, BACKLOG):
            db.session.commit()
            if time.monotonic() > end or ease.rests():
                more = not ease.rests()
                break
            hold()
            touched |= _step(kind, note, store, book)
    return more, touched


def _begin(kind: Kind, now: float, period: float) -> None:
    """Begin a walk where none is under way and the last one began a whole period ago."""
    if ease.begins(cursors.read(PREFIX + kind), now, period):
        cursors.save(PREFIX + kind, {"began": now, "after": None, "seen": 0, "total": None, "ended": None})


def _due(note: dict[str, Any], now: float, period: float) -> bool:
    """Return whether the next page is due: the first at once, the others spread over the period."""
    if note.get("ended"):
        return False
    total = note.get("total")
    if not total:
        return True
    return bool(note["seen"] <= total * min((now - note["began"]) / (period * EARLY), 1.0))


def _step(kind: Kind, note: dict[str, Any], store: Store, book: Book) -> set[str]:
    name = PREFIX + kind
    began = time.monotonic()
    page = store.ids(kind, note.get("after"))
    spent = time.monotonic() - began
    if not cursors.still(name, note):
        return set()
    touched = set() if _empty(note, page, kind) else _compare(kind, note.get("after"), page, book)
    seen = int(note["seen"]) + len(page.rows) + len(page.broken)
    total = page.left if note.get("total") is None and page.left else note.get("total")
    ended = time.time() if page.cursor is None else None
    cursors.write(name, {**note, "after": page.cursor, "seen": seen, "total": total, "ended": ended})
    db.session.commit()
    ease.took(f"list:{kind}", spent)
    return touched


def _empty(note: dict[str, Any], page: Page, kind: Kind) -> bool:
    """Return whether the shop lists nothing at all of a kind, which is not believed."""
    if note.get("after") is not None or page.rows or page.broken or page.cursor is not None:
        return False
    log.warning("sweep found an empty list", kind=kind, next="nothing is withdrawn; looked at again in the next sweep")
    return True


def _compare(kind: Kind, after: str | None, page: Page, book: Book) -> set[str]:
    """Owe what follows from a page; no commit."""
    span = missing.span_of(after, page.cursor)
    rows = {sent.number_of(row.ref): row for row in page.rows}
    broken = {ref.id for ref in page.broken}
    live: list[Owed] = []
    known: list[Owed] = []
    for account in book.accounts():
        found = missing.compare(kind, account, book, span, rows)
        live += [row for row in found.live if row.ref.id not in broken]
        known += found.known
    if kind == "product":
        known += _new(page, book, {(row.account, row.ref) for row in known})
    touched = ledger.add(live, "live")
    if kind in RE_READ:
        touched |= ledger.add(known, "history")
    return touched


def _new(page: Page, book: Book, known: set[tuple[str, Any]]) -> list[Owed]:
    """Return products that an account never had although its catalogue was exported as a whole.

    A mass action that gives products to a website touches none of them.
    """
    found = []
    exported: dict[str, bool] = {}
    for row in page.rows:
        for account, place in owed(row, book):
            if (account.id, row.ref) in known:
                continue
            if place not in exported:
                exported[place] = history.whole("product", set(book.lineage(place)))
            if exported[place]:
                found.append(Owed(account.id, row.ref, place))
    return found
