"""Reconciliation: what the shop has, what the ledger says was sent, what Ometria holds; and only the difference again.

A comparison of a kind has phases, each walked a page at a time, its place kept with what the page gave:

* ``held``: Ometria's lists, for each account whose key may read them. What may not be read is not compared with.
* ``shop``: everything the shop lists, beside what was sent and what is held.
* ``rest``: the subscribers that were sent, whom the shop lists nowhere.
* ``extra``: what Ometria holds and nobody here sent.

What is missing or stale is owed in the lane ``history``, so live work goes first. A record that was sent again and
still differs in the same version is shown and not sent a third time, and a list of Ometria's that holds hardly anything
of what was sent is shown and not believed, unless somebody asks for the repair.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog

from bridge.db import db
from bridge.export import cursors, drift_held, drift_report, drift_shop, ease, history, ledger, sent
from bridge.export.ledger import Owed
from bridge.export.missing import span_of
from bridge.settings import DEFAULT
from bridge.writing import begin_write

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from bridge.events import Kind
    from bridge.export import Exporter
    from bridge.export.drift_report import Line
    from bridge.settings import Account, Book

KINDS: tuple[Kind, ...] = ("product", "contact", "order")
PREFIX = "drift:"
TOTALS = "drift-totals:"
HOUR = 3600.0
SHARE_SECONDS = 15.0
ITEMS_MOST = 10_000
"""Single differences kept and repaired in one comparison; more are counted, and come with the next one."""
BACKLOG = 2_000
"""Nothing is compared while so many rows of a kind wait: what is on its way is no difference yet."""
EMPTY = "The shop listed nothing at all, which is not believed."

log = structlog.get_logger()


def begin(
    kind: Kind,
    *,
    repair: bool,
    asked: bool = False,
    since: dt.date | None = None,
    until: dt.date | None = None,
    now: float | None = None,
) -> bool:
    """Note a new comparison; return False where one is under way. Commits.

    ``asked`` says that a person asked for it: the repair then also believes a list of Ometria's that lacks most. Days
    (UTC), both included, choose what was made within them.
    """
    moment = time.time() if now is None else now
    begin_write()
    note = cursors.read(PREFIX + kind)
    under_way = note.get("state") == "running"
    if not under_way:
        fresh: dict[str, Any] = {
            "state": "running",
            "run": max(int(moment), int(note.get("run") or 0) + 1),
            "began": moment,
            "phase": "held",
            "repair": repair,
            "asked": asked,
            "since": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
            "at": [0, 0, 0],
            "after": None,
            "accounts": {},
            "items": 0,
            "done": note.get("done"),
        }
        drift_report.forget_seen(kind)
        cursors.write(PREFIX + kind, fresh)
    db.session.commit()
    return not under_way


def running() -> bool:
    """Return whether a comparison is under way."""
    return any(cursors.read(PREFIX + kind).get("state") == "running" for kind in KINDS)


def due(book: Book, now: float | None = None) -> bool:
    """Return whether there is something to do: a comparison under way, or one whose time has come."""
    return running() or bool(book.accounts() and any(_late(kind, book, now) for kind in KINDS))


def _late(kind: Kind, book: Book, now: float | None = None) -> bool:
    """Return whether a kind's hours are over. The first comparison waits as long after what was sent first."""
    settings = book.settings(DEFAULT)
    if settings["export.drift"] == "off":
        return False
    moment = time.time() if now is None else now
    note = cursors.read(PREFIX + kind)
    began = note.get("began")
    if began is None:
        firsts = [drift_shop.first_sent(account.id, kind) for account in book.accounts()]
        began = min((first for first in firsts if first is not None), default=moment)
    return moment >= float(began) + float(settings["export.drift_hours"]) * HOUR


def go_on(
    own: Exporter, book: Book, *, hold: Callable[[], object] = lambda: None, now: float | None = None
) -> tuple[bool, set[str]]:
    """Begin what is due and go on with what is under way; return whether there is more to do at once, and the accounts.

    ``hold`` is called before each page. Raises ``Retry`` and ``Misconfigured``; it is then taken up where it was.
    """
    if not book.accounts():
        return False, set()
    end = time.monotonic() + SHARE_SECONDS
    touched: set[str] = set()
    for kind in KINDS:
        if _late(kind, book, now):
            begin(kind, repair=book.settings(DEFAULT)["export.drift"] == "repair", now=now)
        while (note := cursors.read(PREFIX + kind)).get("state") == "running":
            db.session.commit()
            if ease.rests() or ledger.history_waits(kind, BACKLOG):
                break
            if time.monotonic() > end:
                return True, touched
            hold()
            touched |= PHASES[note["phase"]](own, kind, note, book)
    return False, touched


def _held(own: Exporter, kind: Kind, note: dict[str, Any], book: Book) -> set[str]:
    """Read one page of one of Ometria's lists."""
    place, part, offset = note["at"]
    accounts = sorted(book.accounts(), key=lambda one: one.id)
    if "firsts" not in note:
        firsts = {one.id: first for one in accounts if (first := drift_shop.first_sent(one.id, kind)) is not None}
        skew = own.store.now().timestamp() - time.time()
        return _move(kind, note, {**note, "firsts": firsts, "skew": skew})
    if place >= len(accounts):
        return _move(kind, note, {**note, "phase": "shop"})
    account = accounts[place]
    lists = drift_held.collections(account, kind)
    page = own.ometria.records(account, kind, offset, lists[part])
    if page is None:
        return _move(kind, note, _next_account(note, account, kind, read=False))
    rows = drift_held.looked_at(account, kind, lists[part], page)
    if not cursors.still(PREFIX + kind, note):
        return set()
    # A list that begins again, or does not end, brings nothing new.
    if drift_held.keep(rows):
        moved = {**note, "at": [place, part, offset + len(page)]}
    elif part + 1 < len(lists):
        moved = {**note, "at": [place, part + 1, 0]}
    else:
        moved = _next_account(note, account, kind, read=True)
    cursors.write(PREFIX + kind, moved)
    db.session.commit()
    return set()


def _next_account(note: dict[str, Any], account: Account, kind: Kind, *, read: bool) -> dict[str, Any]:
    known = {"read": read, "doubt": read and drift_held.doubtful(account, kind)}
    return {
        **note,
        "at": [note["at"][0] + 1, 0, 0],
        "accounts": {**note["accounts"], account.id: known},
    }


def _move(kind: Kind, note: dict[str, Any], moved: dict[str, Any]) -> set[str]:
    if cursors.still(PREFIX + kind, note):
        cursors.write(PREFIX + kind, moved)
        db.session.commit()
    return set()


def _shop(own: Exporter, kind: Kind, note: dict[str, Any], book: Book) -> set[str]:
    """Compare one page of the shop's list."""
    began = time.monotonic()
    page = own.store.ids(kind, note["after"], **history.bounds(note))
    ease.took(f"list:{kind}", time.monotonic() - began)
    run = _run(own, kind, note, book)
    nothing = note["after"] is None and not page.rows and not page.broken and page.cursor is None
    if nothing and not run.bounded and note.get("firsts"):
        log.warning("comparison found an empty list", kind=kind, next="given up; compared again at its time")
        return _end(kind, note, "failed", EMPTY)
    lines = drift_shop.compare(run, span_of(note["after"], page.cursor), page.rows, {ref.id for ref in page.broken})
    following = "rest" if kind == "contact" and not run.bounded else "end" if run.bounded else "extra"
    moved = {"after": page.cursor} if page.cursor is not None else {"after": None, "phase": following}
    return _write(run, note, lines, moved)


def _rest(own: Exporter, kind: Kind, note: dict[str, Any], book: Book) -> set[str]:
    run = _run(own, kind, note, book)
    lines, after = drift_shop.subscribers(run, _pair(note["after"]))
    moved = {"after": list(after)} if after else {"after": None, "phase": "extra"}
    return _write(run, note, lines, moved)


def _extra(own: Exporter, kind: Kind, note: dict[str, Any], book: Book) -> set[str]:
    run = _run(own, kind, note, book)
    lines, after = drift_shop.strangers(run, _pair(note["after"]))
    return _write(run, note, lines, {"after": list(after)} if after else {"after": None, "phase": "end"})


def _finish(_own: Exporter, kind: Kind, note: dict[str, Any], _book: Book) -> set[str]:
    return _end(kind, note, "done", "")


PHASES: dict[str, Callable[[Exporter, Kind, dict[str, Any], Book], set[str]]] = {
    "held": _held,
    "shop": _shop,
    "rest": _rest,
    "extra": _extra,
    "end": _finish,
}


def _pair(after: Any) -> tuple[str, str]:
    return (after[0], after[1]) if after else ("", "")


def _run(own: Exporter, kind: Kind, note: dict[str, Any], book: Book) -> drift_shop.Run:
    return drift_shop.Run(
        kind=kind,
        run=int(note["run"]),
        fresh=float(note["began"]) - sent.CONFIRM_SECONDS,
        skew=float(note["skew"]),
        read=frozenset(account for account, known in note["accounts"].items() if known["read"]),
        firsts=note["firsts"],
        walked=drift_shop.walked(kind),
        bounded=bool(note["since"] or note["until"]),
        store=own.store,
        config=own.config,
        book=book,
    )


def _write(run: drift_shop.Run, note: dict[str, Any], lines: Sequence[Line], moved: dict[str, Any]) -> set[str]:
    """Keep what a page gave, owe its repairs and move on, in one transaction."""
    kind = run.kind
    if not cursors.still(PREFIX + kind, note):
        return set()
    wrong = [line for line in lines if line.state]
    room = max(ITEMS_MOST - int(note["items"]), 0)
    touched = _repair(run, note, wrong[:room])
    drift_report.count(kind, run.run, lines)
    drift_report.note(kind, run.run, wrong[:room])
    held: dict[str, list[str]] = {}
    for line in lines:
        if line.held and line.ref:
            held.setdefault(line.account, []).append(line.record)
    for account, records in held.items():
        drift_report.mark_known(account, kind, records)
    cursors.write(PREFIX + kind, {**note, **moved, "items": int(note["items"]) + len(wrong)})
    db.session.commit()
    return touched


def _repair(run: drift_shop.Run, note: dict[str, Any], wrong: Sequence[Line]) -> set[str]:
    """Owe what lines say, and write into them what was done. No commit."""
    before = drift_report.tried(run.kind, run.run, wrong)
    plain: list[Owed] = []
    forced: list[Owed] = []
    for line in wrong:
        if line.ref is None or not line.repair:
            continue
        if line.repair == "force" and (line.account, line.ref.id, line.digest) in before:
            line.tried, line.detail = line.digest, f"{line.detail}; it was sent again before, to no effect"
            continue
        if line.repair == "force" and note["accounts"][line.account]["doubt"] and not note["asked"]:
            line.detail += "; Ometria's list lacks most of what was sent, so nothing is repaired by itself"
            continue
        if note["repair"]:
            line.repaired = True
            line.tried = line.digest if line.repair == "force" else ""
            (forced if line.repair == "force" else plain).append(Owed(line.account, line.ref, line.scope))
    return ledger.add(plain, "history") | ledger.add(forced, "history", force=True)


def _end(kind: Kind, note: dict[str, Any], state: str, reason: str) -> set[str]:
    """Close a comparison: a good one becomes the report and the older one goes."""
    if cursors.still(PREFIX + kind, note):
        run = int(note["run"])
        ended = {"run": run, "began": note["began"], "ended": time.time(), "repair": note["repair"]}
        ended |= {name: note[name] for name in ("since", "until", "accounts", "items")}
        done = ended if state == "done" else note["done"]
        if state == "done":
            drift_report.forget(kind, keep=run)
            # A report of hundreds of store views and days is added up once, not whenever somebody looks at it.
            cursors.write(f"{TOTALS}{kind}", {"run": run, "rows": drift_report.totals(kind, run)})
        else:
            drift_report.drop_run(kind, run)
            drift_report.forget_seen(kind)
        cursors.write(PREFIX + kind, {**note, "state": state, "reason": reason, "done": done})
        db.session.commit()
    return set()


def report(kind: Kind, *, every: bool = False, most: int = 1000) -> dict[str, Any]:
    """Return the last whole comparison of a kind, and what is under way.

    ``{"kind", "state" ("none", "running", "done", "failed"), "phase", "reason", "done": {"run", "began", "ended", …} or
    None, "totals": […by account and store view…], "days": […by account, store view and day…]}``.
    """
    note = cursors.read(PREFIX + kind)
    done = note.get("done")
    found: dict[str, Any] = {
        "kind": kind,
        "state": note.get("state") or "none",
        "phase": note.get("phase") or "",
        "reason": note.get("reason") or "",
        "done": done,
        "totals": [],
        "days": [],
    }
    if done:
        kept = cursors.read(f"{TOTALS}{kind}")
        found["totals"] = kept["rows"] if kept.get("run") == done["run"] else drift_report.totals(kind, done["run"])
        found["days"] = drift_report.rows(kind, done["run"], every=every, most=most)
    return found
