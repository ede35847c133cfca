"""What visitors do right now: events as they come, pages without the tag by reason, how the neighbours are.

The page is a plain list that works without scripts; with them, server-sent events add each new row. An event is written
down by the job that takes events in, and its personal data is masked before that.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import msgspec
from flask import Response, abort, current_app, render_template, request, url_for
from sqlalchemy import func, select

from bridge.auth import current_staff, login_required
from bridge.dashboard.alerts_page import current
from bridge.dashboard.figures import masked
from bridge.dashboard.frame import wired
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import mark
from bridge.dashboard.neighbours import neighbours
from bridge.db import db
from bridge.events import AnyEvent
from bridge.models import EventLog, User
from bridge.ops import registry
from bridge.settings import load_book
from bridge.tracking import PageViews

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flask import Flask

EVENT_KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in get_args(AnyEvent))
REASONS = {
    "admin": mark("pages of Magento's backend"),
    "amp": mark("AMP pages"),
    "attachment": mark("downloads"),
    "encoding": mark("in a coding that cannot be read"),
    "fault": mark("something of bridge's failed; the page went as it was"),
    "grammar": mark("without a <head> that can be found"),
    "killed": mark("switched off by the kill file"),
    "method": mark("not asked for by GET"),
    "off": mark("tracking is off in that store view, or the settings exclude the path"),
    "path": mark("paths that are no pages, such as files and REST"),
    "range": mark("parts of a file"),
    "size": mark("too large"),
    "status": mark("errors and redirects"),
    "type": mark("no HTML"),
}
SHOWN = 100
DAY = 86_400.0
HOUR = 3_600.0
LATE_SECONDS = 30.0
"""How much later than it happened an event may be written down and still be shown as it comes."""
HOLD_SECONDS = 55.0
POLL_SECONDS = 1.0
BEAT_POLLS = 10
STREAMS = 8
"""Streams that a process holds open; who comes after them is told to ask again in three seconds."""

_free = threading.BoundedSemaphore(STREAMS)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events: a kind and a store view's code; empty takes all."""

    kind: str = ""
    view: str = ""

    def rows(self, since: float) -> Sequence[EventLog]:
        """Return the newest events since a moment, at most :data:`SHOWN`, newest first."""
        query = select(EventLog).where(EventLog.at > since)
        if self.kind:
            query = query.where(EventLog.type == self.kind)
        if self.view:
            query = query.where(EventLog.store == self.view)
        return db.session.scalars(query.order_by(EventLog.at.desc(), EventLog.id).limit(SHOWN)).all()


@login_required("viewer")
def live() -> str:
    """Show the page, or with ``?part=live`` only what changes beside the events."""
    if request.args.get("part") == "live":
        return render_template("dashboard/_live_part.html", **_now())
    wanted, moment = _wanted(), time.time()
    rows = wanted.rows(moment - DAY)
    after = f"{rows[0].at if rows else moment!r}"
    return render_template(
        "dashboard/live.html",
        **_now(),
        rows=rows,
        kinds=EVENT_KINDS,
        views=sorted({store.code for store in load_book().stores if store.code}),
        wanted=wanted,
        stream=url_for("dashboard.live_events", kind=wanted.kind or None, view=wanted.view or None, after=after),
    )


@login_required("viewer")
def live_events() -> Response:
    """Answer events as they come (``text/event-stream``), those that came since ``after`` or the last one seen first.

    An event may come twice, with the same id. The answer ends after :data:`HOLD_SECONDS` and is asked for anew; at once
    for a client that does not ask for ``text/event-stream``.
    """
    since = _since(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
    hold = HOLD_SECONDS if "text/event-stream" in request.headers.get("Accept", "") else 0.0
    staff = current_staff()
    user = db.session.get(User, staff.id if staff else 0)
    if user is None:
        abort(403)
    # The rest of an answer may be made in another thread, which has no request and no application of its own.
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 Flask's documented way
    watch = Watch(app, _wanted(), user.id, user.session_key, since)
    answer = Response(_stream(watch, hold), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@dataclass(slots=True)
class Watch:
    """One stream: for whom, of which events, and which of them were told; ``key`` is the session key it began with."""

    app: Flask
    wanted: Filter
    user: int
    key: str
    since: float
    seen: dict[str, float] = field(default_factory=dict)

    def fresh(self) -> str | None:
        """Return what is to be told now, oldest first; None once the person may no longer look.

        Nothing is held afterwards: a stream waits most of its time.
        """
        with self.app.app_context():
            user = db.session.get(User, self.user)
            if user is None or user.session_key != self.key:
                return None
            rows = [row for row in self.wanted.rows(self.since - LATE_SECONDS) if row.id not in self.seen]
            self.seen |= {row.id: row.at for row in rows}
            # An event of a clock that runs ahead must not hide those of the others.
            self.since = max(self.since, min(time.time(), max((row.at for row in rows), default=0.0)))
            self.seen = {id_: at for id_, at in self.seen.items() if at > self.since - LATE_SECONDS}
            return "".join(_message(row) for row in reversed(rows))


def _stream(watch: Watch, hold: float) -> Iterator[str]:
    held = hold > 0 and _free.acquire(blocking=False)
    try:
        yield "retry: 3000\n\n"
        end = time.monotonic() + (hold if held else 0.0)
        for polls in itertools.count():
            told = watch.fresh()
            if told or polls % BEAT_POLLS == 0:
                yield told or ": here\n\n"
            if told is None or time.monotonic() >= end:
                return
            time.sleep(POLL_SECONDS)
    finally:
        if held:
            _free.release()


def _message(row: EventLog) -> str:
    data = {"id": row.id, "at": row.at, "kind": row.type, "view": row.store, "what": masked(row.summary)}
    return f"id: {row.at!r}\ndata: {msgspec.json.encode(data).decode()}\n\n"


def _since(text: str) -> float:
    """Return the moment to begin after: within the last day, now for what is none."""
    moment = time.time()
    try:
        return min(moment, max(float(text), moment - DAY))
    except ValueError:
        return moment


def _wanted() -> Filter:
    return Filter(request.args.get("kind", "").strip()[:32], request.args.get("view", "").strip()[:64])


def _now() -> dict[str, Any]:
    moment = time.time()
    return {
        **current(),
        "hour": hour(moment),
        "passed": passed(),
        "viewed": viewed(),
        "neighbours": neighbours(wired().redis, wired().config.kill_file, account_labels(load_book())),
        "now": moment,
    }


def hour(now: float) -> dict[str, int]:
    """Return how many events of each kind happened in the last hour, the most frequent first."""
    columns = [
        select(func.count()).where(EventLog.type == kind, EventLog.at > now - HOUR).scalar_subquery().label(kind)
        for kind in EVENT_KINDS
    ]
    row = db.session.execute(select(*columns)).one()
    counts = {kind: int(count) for kind, count in zip(EVENT_KINDS, row, strict=True) if count}
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def viewed() -> dict[str, int] | None:
    """Return about how many pages of each type were viewed in the last hour; None where that is not known."""
    connection = wired().redis
    return PageViews(connection).last_hour() if connection is not None else None


def passed() -> dict[str, Any]:
    """Return how many pages got the tag, and answers that did not by reason, since the web processes were started."""
    counts: dict[str, float] = {}
    injected = 0.0
    for metric in registry().collect():
        for sample in metric.samples:
            if sample.name == "bridge_injected_total":
                injected += sample.value
            elif sample.name == "bridge_not_injected_total" and sample.value:
                counts[sample.labels["reason"]] = counts.get(sample.labels["reason"], 0.0) + sample.value
    rows = [(REASONS.get(name, name), int(count)) for name, count in sorted(counts.items(), key=lambda one: -one[1])]
    return {"injected": int(injected), "reasons": rows}
