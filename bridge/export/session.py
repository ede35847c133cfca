"""One session of one account: claim, read, map, push, hand in, until nothing is due or the session's share is used."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from bridge.db import db
from bridge.errors import Misconfigured, Retry
from bridge.export import cursors, ease, ledger, logs, sent, steps
from bridge.export.gather import Aside, Dropped, Gatherer, Later, Outcome, Ready
from bridge.export.versions import Versions
from bridge.ometria import BATCH_MOST, Call, Parcel

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bridge.events import EntityRef
    from bridge.export import Exporter
    from bridge.export.ledger import Claimed, Lane
    from bridge.settings import Account, Book

CHUNK = 100
KINDS = ("product", "contact", "order")
"""The order of pushing: what an order names is there before the order."""
PAUSE_SECONDS = ease.PAUSE_SECONDS
SHOP_FAULT_SECONDS = 60.0
SHARE_SECONDS = 30.0
"""How long a session goes on claiming: new events and other accounts wait for the worker meanwhile."""
HOLD_SECONDS = 15.0
DRY_SECONDS = 3600.0
"""After which a record that was only shown is mapped and shown again."""
STALE_SECONDS = 1.0
"""After which a record is read anew of which another worker sent a newer version."""
SHOP = "shop"

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    """What a session did; ``more`` when its share ended before the work, ``stopped`` why it could not go on."""

    counts: Counter[str] = field(default_factory=Counter)
    more: bool = False
    stopped: str = ""


class Stop(Exception):
    """The session cannot go on now."""


class Session:
    """See the module; ``run`` once."""

    def __init__(self, exporter: Exporter, account: Account, book: Book, *, live_only: bool = False) -> None:
        self._ometria = exporter.ometria
        self._account = account
        self._book = book
        self._live_only = live_only
        self._dry = bool(account.settings["export.dry_run"])
        self._gatherer = Gatherer(exporter.store, exporter.config, account, book, dry=self._dry, hold=self._hold)
        self._versions = Versions(exporter.redis, account.id)
        self._read_at: dict[int, float] = {}
        self._rows: list[Claimed] = []
        self._held_at = 0.0
        self._ahead = 0.0
        self._tally = Tally()
        self._left = int(account.settings["export.max_per_run"])

    def run(self) -> Tally:
        """Work until done; never raises for what the neighbours do."""
        self._note_dry_run()
        if self._paused():
            return self._tally
        end = time.monotonic() + SHARE_SECONDS
        try:
            self._ahead = self._versions.moment() - time.time()
            while rows := self._claim():
                self._work(rows)
                history = any(row.lane == "history" for row in rows)
                if self._left <= 0 or time.monotonic() > end or (history and ease.live_waits(self._book)):
                    self._tally.more = True
                    break
        except Stop as stop:
            self._tally.stopped = str(stop)
        except Retry as error:
            self._tally.stopped = error.reason
        return self._tally

    def _note_dry_run(self) -> None:
        """Say so once where nothing is sent; when it is over what was only shown is due at once."""
        name, noted = f"dry:{self._account.id}", bool(cursors.read(f"dry:{self._account.id}"))
        if self._dry and not noted:
            cursors.save(name, {"at": time.time()})
        if noted and not self._dry:
            ledger.due_now(self._account.id)
            cursors.clear(name)

    def _show(self, kind: str, ready: list[Ready]) -> None:
        """Write down what would be sent, and keep the rows; shown again only after a while."""
        parcels = [Parcel(one.record.id, one.record.body) for one in ready]
        call = Call(0, "dry run", tuple(range(len(parcels))), message="Dry run: nothing was sent.")
        logs.requests(self._account, kind, [call], parcels)
        self._give_back([one.row for one in ready], DRY_SECONDS)
        self._tally.counts["shown"] += len(ready)

    def _claim(self, only: Collection[EntityRef] | None = None) -> list[Claimed]:
        most = min(CHUNK, self._left)
        rows = ledger.claim(self._account.id, most, lanes=self._lanes(), only=only, now=self._now())
        self._left -= len(rows)
        return rows

    def _now(self) -> float:
        """Return Redis's moment, which all workers share: a host whose clock is wrong must not see leases as over."""
        return time.time() + self._ahead

    def _extend(self, rows: Sequence[Claimed]) -> list[Claimed]:
        return ledger.extend(rows, now=self._now())

    def _give_back(
        self, rows: Sequence[Claimed], after: float, *, count_attempt: bool = False, reason: str = ""
    ) -> None:
        ledger.give_back(rows, after, count_attempt=count_attempt, reason=reason, now=self._now())

    def _lanes(self) -> list[Lane]:
        lanes: list[Lane] = ["live"] if self._account.settings["export.live"] else []
        if not (self._live_only or ease.rests() or self._ometria.pacer.history_waits(self._account.key)):
            lanes.append("history")
        return lanes

    def _paused(self) -> bool:
        note = cursors.read(pause_name(self._account.id))
        if note.get("paused") and ease.lasts(note.get("until"), PAUSE_SECONDS):
            self._tally.stopped = str(note["paused"])
            return True
        return False

    def _work(self, rows: list[Claimed]) -> None:
        """Bring a chunk to its end. On any fault its rows are free again, whatever was handed in before."""
        self._rows, self._held_at = rows, time.monotonic()
        try:
            orders = self._settle(self._read([row for row in rows if row.ref.kind == "order"]))
            rest = [row for row in rows if row.ref.kind != "order"]
            if orders:
                entailed = self._claim(self._gatherer.entailed())
                rows += entailed
                rest += entailed
            ready = self._settle(self._read(self._held(rest))) + orders
            for kind in KINDS:
                self._push(kind, [one for one in ready if one.row.ref.kind == kind])
        except Retry as error:
            self._give_back(rows, error.after, reason=error.reason)
            raise
        except Misconfigured as error:
            self._shop_fault(rows, error)
        except Exception:
            db.session.rollback()
            self._give_back(rows, SHOP_FAULT_SECONDS, count_attempt=True)
            raise

    def _read(self, rows: list[Claimed]) -> list[Outcome]:
        if not rows:
            return []
        self._read_at |= dict.fromkeys((row.id for row in rows), self._versions.moment())
        began = time.monotonic()
        found = self._gatherer.gather(rows)
        if len(rows) == CHUNK:
            # Full chunks alone compare with one another.
            ease.took(f"read:{self._account.id}", time.monotonic() - began)
        cursors.clear(SHOP)
        return found

    def _shop_fault(self, rows: list[Claimed], error: Misconfigured) -> None:
        db.session.rollback()
        self._give_back(rows, SHOP_FAULT_SECONDS)
        note_shop_fault(error.what)
        raise Stop(error.what) from None

    def _hold(self) -> None:
        """Keep the chunk while a slow shop is read, which may take longer than the lease."""
        if time.monotonic() - self._held_at > HOLD_SECONDS:
            self._extend(self._rows)
            self._held_at = time.monotonic()

    def _held(self, rows: list[Claimed]) -> list[Claimed]:
        return self._extend(rows) if rows else []

    def _settle(self, outcomes: Sequence[Outcome]) -> list[Ready]:
        """Hand in every row that has nothing to send; return the others."""
        dropped = [one.row for one in outcomes if isinstance(one, Dropped)]
        aside = [(one.row, one.reason) for one in outcomes if isinstance(one, Aside)]
        self._tally.counts.update(skipped=len(dropped), refused=len(aside))
        if dropped:
            steps.save("skipped", steps.live((one.row, one.reason) for one in outcomes if isinstance(one, Dropped)))
            ledger.done(dropped)
        if aside:
            ledger.refuse(aside)
            logs.aside(self._account, [(row.ref, reason) for row, reason in aside])
        for one in outcomes:
            if isinstance(one, Later):
                self._tally.counts["later"] += 1
                self._give_back([one.row], one.after, count_attempt=True, reason=one.reason)
        return [one for one in outcomes if isinstance(one, Ready)]

    def _push(self, kind: str, ready: list[Ready]) -> None:
        for start in range(0, len(ready), BATCH_MOST):
            part = ready[start : start + BATCH_MOST]
            ours = {row.id for row in self._extend([one.row for one in part])}
            fresh = self._without_unchanged([one for one in part if one.row.id in ours])
            if fresh and self._dry:
                self._show(kind, fresh)
            elif fresh:
                self._push_batch(kind, fresh)

    def _without_unchanged(self, ready: list[Ready]) -> list[Ready]:
        kept = sent.digests(self._account.id, [one.ref for one in ready])
        same = [one for one in ready if not one.row.force and kept.get(one.ref) == sent.digest(one.record)]
        if same:
            self._versions.newest(same[0].record.kind, self._versions_of(same))
            steps.save("unchanged", steps.live((one.row, "") for one in same))
            ledger.done([one.row for one in same])
            self._tally.counts["unchanged"] += len(same)
        names = {one.row.id for one in same}
        return [one for one in ready if one.row.id not in names]

    def _push_batch(self, kind: str, ready: list[Ready]) -> None:
        """Push records of one kind; rows that give the same record share it."""
        groups: dict[str, list[Ready]] = {}
        for one in ready:
            groups.setdefault(one.record.key, []).append(one)
        members = [sorted(group, key=lambda one: -self._read_at[one.row.id]) for group in groups.values()]
        parcels = [Parcel(group[0].record.id, group[0].record.body) for group in members]
        live = any(one.row.lane == "live" for one in ready)
        receipt = self._ometria.push(
            self._account, parcels, lambda places: self._allowed(kind, members, places), live=live
        )
        results = list(zip(members, receipt.results, strict=True))
        accepted = [(group[0], result) for group, result in results if result.state == "accepted"]
        steps.save("sent", steps.live((one.row, result.request_id) for one, result in accepted))
        refused = [(one.row, result.reason) for group, result in results for one in group if result.state == "refused"]
        later = [one.row for group, result in results for one in group if result.state == "retry"]
        stale = [one.row for group, result in results for one in group if result.state == "stale"]
        if accepted:
            kept = [(one.ref, one.record, result.request_id) for one, result in accepted]
            sent.keep(self._account.id, kept, bodies_too=self._account.settings["privacy.keep_sent"])
            ledger.done([one.row for group, result in results for one in group if result.state == "accepted"])
            cursors.clear(pause_name(self._account.id))
        if refused:
            ledger.refuse(refused)
            logs.aside(self._account, [(row.ref, reason) for row, reason in refused])
        if stale:
            self._give_back(stale, STALE_SECONDS)
        self._tally.counts.update(sent=len(accepted), refused=len(refused))
        logs.requests(self._account, kind, receipt.calls, parcels)
        if receipt.stop:
            self._pause(receipt.stop)
            raise Retry(receipt.stop, PAUSE_SECONDS)
        if later:
            raise Retry("Ometria could not take the records now.", receipt.after)

    def _allowed(self, kind: str, members: list[list[Ready]], places: Sequence[int]) -> list[int]:
        """Return the places whose rows are still ours and of which no newer version went out."""
        ours = {row.id for row in self._extend([one.row for place in places for one in members[place]])}
        held = [place for place in places if any(one.row.id in ours for one in members[place])]
        newest = self._versions.newest(kind, self._versions_of([members[place][0] for place in held]))
        return [place for place in held if members[place][0].record.key in newest]

    def _versions_of(self, ready: Sequence[Ready]) -> dict[str, float]:
        return {one.record.key: self._read_at[one.row.id] for one in ready}

    def _pause(self, sentence: str) -> None:
        cursors.save(pause_name(self._account.id), {"paused": sentence, "until": time.time() + PAUSE_SECONDS})
        log.warning("account paused", account=self._account.id, reason=sentence, next="tried again in some minutes")


def pause_name(account: str) -> str:
    """Return the name of the note that says why an account is paused."""
    return f"account:{account}"


def note_shop_fault(sentence: str) -> None:
    """Keep what a person must change at the connection to the shop. Commits."""
    cursors.save(SHOP, {"problem": sentence, "at": time.time()})
    log.warning("shop refuses", reason=sentence, next="tried again in a minute")
