"""What the workers run. Every job may run twice and at any time; what there is to do stands in the database."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import redis
import structlog
from flask import current_app
from redis.exceptions import LockError

from bridge.db import db
from bridge.errors import BridgeError, Misconfigured, Retry
from bridge.export import cursors, ease, intake, ledger, logs, offers, right_clock, sent, subscribers_table, watch
from bridge.export import drift as comparison
from bridge.export import history as walks
from bridge.export import stock as levels
from bridge.export import sweep as rolling
from bridge.export.ledger import Owed
from bridge.export.routes import within
from bridge.export.session import SHOP, Session, note_shop_fault
from bridge.export.versions import Versions
from bridge.settings import DEFAULT, load_book
from bridge.store import refresh_tree
from bridge.stream import Reader
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.events import Kind
    from bridge.export import Exporter
    from bridge.settings import Account, Book

TREE = "tree"
TREE_SECONDS = 900.0
WALK_SECONDS = 20.0
"""How long a walk keeps the worker before live work has its turn again."""
JOB_LOCK_SECONDS = 60
"""How long a killed worker keeps others from its walk; longer than one page with all its time-outs."""
RENEW_SECONDS = 5.0
CLEAN = "clean"
ROLE = "role:"
CLEAN_SECONDS = 3600.0

log = structlog.get_logger()


def exporter() -> Exporter:
    """Return the services of the room, put there by the composition root."""
    found: Exporter = current_app.extensions["bridge.export"]
    return found


def take_events() -> None:
    """Take what passed the proxy into the ledger and wake the accounts concerned."""
    own = exporter()
    own.wakes.awake("take_events")
    _wake(own, intake.take_events(own.redis, own.config.secret_keys))
    if Reader(own.redis).waiting():
        own.wakes.try_wake("take_events")


def session(account_id: str, lane: str = "") -> None:
    """Send what an account is owed; woken by a live event (``lane`` ``live``) nothing of the history."""
    own = exporter()
    own.wakes.awake("session", *filter(None, (account_id, lane)))
    _work_off(own, account_id, live_only=lane == "live")


def backlog(account_id: str) -> None:
    """Send what an account is owed, history too, as long as no live work waits for the worker."""
    own = exporter()
    own.wakes.awake("backlog", account_id)
    _work_off(own, account_id, live_only=False)


def _work_off(own: Exporter, account_id: str, *, live_only: bool) -> None:
    book = load_book()
    account = next((one for one in book.accounts() if one.id == account_id), None)
    if account is None:
        _wake(own, rehome(account_id, book))
        return
    tally = Session(own, account, book, live_only=live_only).run()
    if tally.counts or tally.stopped:
        log.info("session", account=account_id, **tally.counts, more=tally.more, stopped=tally.stopped)
    if tally.more and (live_only or account_id in ledger.due_live()):
        own.wakes.try_wake("session", account_id, "live")
    if tally.more and not live_only:
        own.wakes.try_wake("backlog", account_id)
    if tally.counts and not live_only:
        # What waited became less: a walk that is ahead of it may go on.
        for kind, scope in walks.running():
            own.wakes.try_wake("history", kind, scope)


def history(kind: Kind, scope: str) -> None:
    """Go on with the walk over all entities of a kind; after live work, and slower while the shop is slow."""
    own = exporter()
    own.wakes.awake("history", kind, scope)
    if ease.rests():
        return
    more, touched = False, set[str]()
    with _alone(own, f"history:{kind}:{scope}") as hold:
        if hold is None:
            return
        try:
            book = load_book()
            more, touched = walks.walk(
                kind, scope, own.store, book, WALK_SECONDS, hold=hold, wait=lambda: _gives_way(kind, book)
            )
        except Misconfigured as error:
            note_shop_fault(error.what)
        except Retry as error:
            log.warning("history waits", kind=kind, scope=scope, reason=error.reason, next="the clock takes it up")
    for account in sorted(touched):
        own.wakes.try_wake("backlog", account)
    if more:
        own.wakes.try_wake("history", kind, scope)


def _gives_way(kind: Kind, book: Book) -> bool:
    return ease.rests() or ease.live_waits(book) or ease.enough_waits(kind, book)


def poll() -> None:
    """Keep the store tree and look for changes that the proxy did not see."""
    own = exporter()
    own.wakes.awake("poll")
    more, touched = False, set[str]()
    with _alone(own, "poll") as hold:
        if hold is None:
            return
        try:
            _keep_tree(own)
            book = load_book()
            more, touched = watch.poll(own.store, book, hold)
            cursors.clear(SHOP)
            for gone in ledger.owing_accounts() - {account.id for account in book.accounts()}:
                touched |= rehome(gone, book)
        except Misconfigured as error:
            note_shop_fault(error.what)
        except Retry as error:
            log.warning("poll failed", reason=error.reason, next="tried again in a minute")
    _wake(own, touched)
    if more:
        own.wakes.try_wake("poll")


def sweep() -> None:
    """Compare everything that was sent with the shop, a part at a time."""
    _swept("sweep", rolling.sweep)


def stock() -> None:
    """Compare what can be sold with what could be sold before."""
    _swept("stock", levels.sweep)


def subscribers() -> None:
    """Read the shop's own table of subscribers, where there is a way to it."""
    own = exporter()
    _swept("subscribers", lambda _, book, *, hold: subscribers_table.take(own.config, book, hold=hold))


def drift() -> None:
    """Compare the shop, the ledger and Ometria, a part at a time."""
    own = exporter()
    _swept("drift", lambda _, book, *, hold: comparison.go_on(own, book, hold=hold))


def _swept(name: str, work: Callable[..., tuple[bool, set[str]]]) -> None:
    own = exporter()
    own.wakes.awake(name)
    more, touched = False, set[str]()
    with _alone(own, name) as hold:
        if hold is None:
            return
        try:
            more, touched = work(own.store, load_book(), hold=hold)
        except Misconfigured as error:
            note_shop_fault(error.what)
        except Retry as error:
            log.warning("sweep waits", sweep=name, reason=error.reason, next="taken up again in a minute")
    _wake(own, touched)
    for account in sorted(touched):
        own.wakes.try_wake("backlog", account)
    if more:
        own.wakes.try_wake(name)


@contextlib.contextmanager
def _alone(own: Exporter, name: str) -> Iterator[Callable[[], None] | None]:
    """Hold the lock of a walk; give the function that renews it, or None where another worker has it.

    A worker too slow to renew it in time ends here: another has gone on with the walk.
    """
    lock = own.redis.lock(f"bridge:lock:{name}", timeout=JOB_LOCK_SECONDS, blocking=False)
    if not lock.acquire():
        yield None
        return
    renewed = time.monotonic()

    def hold() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > RENEW_SECONDS:
            lock.reacquire()
            renewed = time.monotonic()

    try:
        yield hold
    except LockError:
        log.warning("lock lost", walk=name, next="the worker that has it goes on")
    finally:
        if lock.owned():
            lock.release()


def upkeep() -> None:
    """Take up lost wake-ups and walks, read late refusals, delete what is old."""
    own = exporter()
    own.wakes.awake("upkeep")
    book = load_book()
    _put_right(own)
    _wake(own, ledger.due_live() & {account.id for account in book.accounts() if account.settings["export.live"]})
    for account in book.accounts():
        _keep_role(account)
        _read_errors(own, account)
    if comparison.due(book):
        own.wakes.try_wake("drift")
    if subscribers_table.due(own.config):
        own.wakes.try_wake("subscribers")
    waiting = walks.lost() if ease.live_waits(book) else walks.running()
    for kind, scope in waiting:
        own.wakes.try_wake("history", kind, scope)
    if time.time() - cursors.read(CLEAN).get("at", 0) > CLEAN_SECONDS:
        settings = book.settings(DEFAULT)
        logs.clean(settings["privacy.log_days"], settings["privacy.identity_days"])
        cursors.save(CLEAN, {"at": time.time()})


def _put_right(own: Exporter) -> None:
    """Undo what a wrong clock left; by Redis's clock, since this worker's own may be the wrong one."""
    changed = right_clock.put_right(Versions(own.redis, "").moment())
    if changed:
        log.warning("a clock was wrong", rows=changed, next="they are due now; set the clocks of all hosts by NTP")


def rehome(account_id: str, book: Book) -> set[str]:
    """Give the rows of an account that is no more to those now in force for their scopes; return these.

    A global account has rows of its own for everything, so it takes only what another global one left.
    """
    was_global = bool(cursors.read(ROLE + account_id).get("global"))
    moves = {}
    for scope in ledger.scopes_of(account_id):
        stores = tuple(store for store in book.stores if within(scope, store, book))
        moves[scope] = [account.id for account in book.accounts_of(stores) if account.is_global == was_global]
    ledger.rehome(account_id, moves)
    return {target for targets in moves.values() for target in targets}


def _keep_role(account: Account) -> None:
    """Remember whether an account is a global one: once its key is gone nobody can tell."""
    if cursors.read(ROLE + account.id).get("global") != account.is_global:
        cursors.save(ROLE + account.id, {"global": account.is_global})


def _keep_tree(own: Exporter) -> None:
    if time.time() - cursors.read(TREE).get("at", 0) < TREE_SECONDS:
        return
    before = load_book()
    refresh_tree(own.store, https=(own.config.public_url or "").startswith("https://"))
    if offers.media_moved(before, load_book()):
        log.warning("pictures moved", next="offer: export the products again, see the dashboard")
    cursors.save(TREE, {"at": time.time()})


def _read_errors(own: Exporter, account: Account) -> None:
    try:
        errors = own.ometria.errors(account)
    except BridgeError as error:
        log.warning("error list not read", account=account.id, reason=str(error), next="read again in a minute")
        return
    begin_write()
    for late in errors:
        ref = sent.refused_late(account.id, late)
        if ref is not None:
            said = f"Ometria refused it later: {late.message}"
            ledger.refuse_late(Owed(account.id, ref, account.owner), said)
            logs.aside(account, [(ref, said)])
    sent.confirm(account.id)
    db.session.commit()


def _wake(own: Exporter, accounts: set[str]) -> None:
    for account in sorted(accounts):
        try:
            own.wakes.wake("session", account, "live")
        except redis.RedisError:
            log.warning("session not woken", account=account, next="the clock starts it within a minute")
