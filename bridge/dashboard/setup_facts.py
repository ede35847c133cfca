"""What the set-up page knows without asking anybody: settings, what was seen, and what the last checks found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import redis
from sqlalchemy import case, func, select

from bridge.coupons import pools
from bridge.dashboard.language import gettext as _
from bridge.dashboard.neighbours import neighbours
from bridge.db import db
from bridge.mail.setup import ALL_OFF, SWITCHES
from bridge.models import EventLog
from bridge.models_mail import MailSeen
from bridge.settings import DEFAULT, MAIL_KINDS, is_placeholder
from bridge.store.magento_rights import COUPONS, RIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bridge.config import Config
    from bridge.dashboard.check_notes import Note
    from bridge.models_coupons import CouponPool
    from bridge.settings import Book, Settings, Store

State = Literal["good", "warn", "bad", "idle"]
STATES: dict[str, State] = {"ok": "good", "warn": "warn", "fail": "bad"}
"""Level of a finding -> state of a line."""
PLACES = {"Clock": "processes", "Shop": "shop", "Tag": "tag", "Database": "base", "Redis": "base"}
"""Whose line of the overview stands in which group; the rest is about Ometria's accounts."""
AGREED = ("added_to_cart", "basket_changed", "identified", "registered")
"""Events that are told only of a visitor who agreed to tracking."""
EVENTS_MOST = 2000
SENDERS_MOST = 40
VIEWS_MOST = 50
WORKERS = "rq:workers"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the check list; ``href`` leads to the setting or page where it is changed, ``where`` names that."""

    name: str
    state: State
    sentence: str
    href: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class ViewState:
    """A store view's tag, consent and policy.

    ``section`` is where the tag is switched on; ``agreed_at`` when a visitor who agreed was last seen, 0 for never;
    ``wrong`` what of the consent settings cannot work; ``policy`` the finding about the home page, None where none was
    made.
    """

    store: Store
    tagged: bool
    section: str
    consent: str
    signal: str
    wrong: str
    agreed_at: float
    policy: Line | None


@dataclass(frozen=True, slots=True)
class KindState:
    """A kind of mail over all store views: how many were seen, when last, in how many views with the marker line."""

    kind: str
    count: int
    last_at: float
    views: int
    marked: int
    switches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom the shop sent a kind in a store view last."""

    kind: str
    store: str
    name: str
    email: str
    at: float
    placeholder: bool


@dataclass(frozen=True, slots=True)
class RightState:
    """A line of the integration's resource list: granted, missing, or not known yet (``idle``)."""

    name: str
    needed_for: str
    state: State
    sentence: str


def overview(connection: redis.Redis | None, kill_file: Path, accounts: Mapping[str, str]) -> dict[str, list[Line]]:
    """Return the overview's lines by group, with a line about the workers."""
    found: dict[str, list[Line]] = {}
    places = {_(name): area for name, area in PLACES.items()}
    for one in neighbours(connection, kill_file, accounts):
        found.setdefault(places.get(one.name, "ometria"), []).append(Line(one.name, one.state, one.sentence))
    found.setdefault("processes", []).append(_workers(connection))
    return found


def _workers(connection: redis.Redis | None) -> Line:
    try:
        if connection is None:
            raise redis.ConnectionError
        names = connection.smembers(WORKERS)
        # A worker that was killed leaves its name in the set; the key with its state ends by itself.
        alive = sum(bool(connection.exists(name)) for name in names)
    except redis.RedisError:
        return Line(_("Workers"), "warn", _("Not known while Redis is away."))
    if not alive:
        said = _("None runs: nothing is sent, and no check is made. Start `bridge worker`.")
        return Line(_("Workers"), "bad", said)
    return Line(_("Workers"), "good", _("Running: %(count)s", count=alive))


def relay(config: Config, book: Book) -> Line:
    """Return whether mail can reach bridge at all, as far as the configuration says."""
    wanted = any(book.settings(ref)["mail.mode"] != "off" for ref in (DEFAULT, *(one.ref for one in book.stores)))
    if config.smtp_upstream is not None:
        return Line(_("Mail relay"), "good", _("Set up to listen at %(address)s.", address=config.smtp_listen))
    if wanted:
        said = _("A mail mode is set, but BRIDGE_SMTP_UPSTREAM names no mail server, so no relay runs.")
        return Line(_("Mail relay"), "bad", said)
    said = _("Not set up; mails go as before. BRIDGE_SMTP_UPSTREAM switches it on.")
    return Line(_("Mail relay"), "idle", said)


def halts(book: Book) -> Iterator[Line]:
    """Yield what keeps records from being sent although all works: the switches that do."""
    refs = [DEFAULT, *(store.ref for store in book.stores)]
    if any(book.settings(ref)["export.dry_run"] for ref in refs):
        said = _("On for at least one scope: records are made and shown there, and not sent.")
        yield Line(_("Dry run"), "warn", said)
    if not all(book.settings(ref)["export.live"] for ref in refs):
        yield Line(_("Live updates"), "warn", _("Off for at least one scope: changes wait there and are not sent."))
    if not all(book.settings(ref)["general.enabled"] for ref in refs):
        said = _("Off for at least one scope (general.enabled): nothing is tracked or sent there.")
        yield Line(_("Collection"), "warn", said)


def findings(note: Note) -> list[Line]:
    """Return what a check found, without what stands in a table of its own."""
    return [
        Line(one.name, STATES.get(one.level, "warn"), one.sentence)
        for one in note.findings
        if not one.about or one.level == "fail"
    ]


def rights(note: Note, coupons: Note) -> list[RightState]:
    """Return the resource list to tick, in the backend's words, with what the last check saw of each."""
    found = {one.about: one for one in note.findings if one.about}
    rows = []
    for name, needed_for, *_query in RIGHTS:
        one = found.get(name)
        state: State = "idle" if one is None else STATES.get(one.level, "warn")
        rows.append(RightState(name, needed_for, state, one.sentence if one and one.level != "ok" else ""))
    refused = next((one for one in coupons.findings if one.about == COUPONS.name), None)
    asked = any(one.about for one in coupons.findings)
    seen: State = "bad" if refused else "good" if asked else "idle"
    return [
        *rows,
        RightState(COUPONS.name, _("coupons, where codes are made"), seen, refused.sentence if refused else ""),
    ]


def views(book: Book, note: Note, last: Mapping[str, float]) -> list[ViewState]:
    """Return each store view's tag, consent and policy; those with something wrong first."""
    policies = {
        one.about: Line(one.name, STATES.get(one.level, "warn"), one.sentence) for one in note.findings if one.about
    }
    rows = []
    for store in book.stores:
        values = book.settings(store.ref)
        rows.append(
            ViewState(
                store=store,
                tagged=bool(values["general.enabled"] and values["general.account_id"] and values["tracking.enabled"]),
                section="tracking" if values["general.enabled"] and values["general.account_id"] else "general",
                consent=values["consent.mode"],
                signal=values["consent.cookie"] if values["consent.mode"] in {"cookie", "event"} else "",
                wrong=_consent_fault(values),
                agreed_at=last.get(store.code, 0.0),
                policy=policies.get(store.base_url),
            )
        )
    return sorted(
        rows, key=lambda row: not (row.wrong or not row.tagged or (row.policy and row.policy.state != "good"))
    )


def _consent_fault(values: Settings) -> str:
    mode = values["consent.mode"]
    if mode in {"cookie", "event"} and not values["consent.cookie"]:
        return _("consent.cookie names no %(mode)s: nobody ever counts as having agreed.", mode=mode)
    return ""


def last_agreed() -> dict[str, float]:
    """Return when a visitor who agreed was last seen, by store view, among the newest events."""
    newest = (
        select(EventLog.at, EventLog.type, EventLog.store).order_by(EventLog.at.desc()).limit(EVENTS_MOST).subquery()
    )
    query = select(newest.c.store, func.max(newest.c.at)).where(newest.c.type.in_(AGREED)).group_by(newest.c.store)
    return {str(store): float(at) for store, at in db.session.execute(query)}


def kinds() -> list[KindState]:
    """Return each kind of mail with what was seen of the shop's own."""
    marked = func.sum(case((MailSeen.marked_at > 0, 1), else_=0))
    columns = (MailSeen.kind, func.sum(MailSeen.count), func.max(MailSeen.last_at), func.count(), marked)
    seen = {row[0]: row[1:] for row in db.session.execute(select(*columns).group_by(MailSeen.kind))}
    rows = []
    for kind in MAIL_KINDS:
        count, last_at, stores, with_marker = seen.get(kind, (0, 0.0, 0, 0))
        rows.append(KindState(kind, int(count), float(last_at), int(stores), int(with_marker or 0), SWITCHES[kind]))
    return rows


def senders(labels: Mapping[str, str]) -> list[Sender]:
    """Return the senders last seen, placeholders of the installation first; ``labels`` are what scopes are called."""
    query = select(MailSeen).where(MailSeen.kind != "").order_by(MailSeen.last_at.desc()).limit(SENDERS_MOST)
    rows = [
        Sender(
            kind=row.kind,
            store=labels.get(f"store:{row.store}", row.store),
            name=row.sender_name,
            email=row.sender,
            at=row.last_at,
            placeholder=bool(row.sender) and is_placeholder(row.sender),
        )
        for row in db.session.scalars(query)
    ]
    return sorted(rows, key=lambda row: not row.placeholder)


def coupon_rules() -> list[CouponPool]:
    """Return the pools with what was last found about their rules, those that cannot be used first."""
    return sorted(pools.all_pools(), key=lambda pool: (not pool.problem, pool.name))


def worst(lines: Iterable[Line]) -> State:
    """Return the worst state among lines."""
    order: tuple[State, ...] = ("bad", "warn", "good", "idle")
    states = {line.state for line in lines}
    return next((state for state in order if state in states), "idle")


__all__ = [
    "ALL_OFF",
    "VIEWS_MOST",
    "KindState",
    "Line",
    "RightState",
    "Sender",
    "ViewState",
    "coupon_rules",
    "findings",
    "halts",
    "kinds",
    "last_agreed",
    "overview",
    "relay",
    "rights",
    "senders",
    "views",
    "worst",
]
