"""The request log and the error log, filtered, for people and for files. All of it was masked when it was written."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.export.logs import NO_ERROR
from bridge.models import Pending, RequestLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement

PAGE = 500
LOOKED = 20_000
"""How many lines a page looks through for those that a filter lets pass."""
BESIDE = 1_000
LAST = 2**62
FAILED = ("partial", "refused", "retry", "stopped")
"""What :data:`NO_ERROR` leaves of the outcomes of a receipt."""
COLUMNS = ("time", "account", "kind", "records", "status", "outcome", "request_id", "milliseconds", "message")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell of a spreadsheet must not begin with: it would be computed."""
UNITS = {"m": 60, "h": 3600, "d": 86_400}
STATUS = re.compile(r"([1-5])(\d\d|xx)")
AGO = re.compile(r"(\d{1,6})([mhd])")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: an empty value takes all. Times are Unix seconds; ``text`` is a part of the message.

    ``status`` is the lowest and the highest HTTP status; 0 is that of a call without an answer.
    """

    account: str = ""
    kind: str = ""
    outcome: str = ""
    request_id: str = ""
    text: str = ""
    status: tuple[int, int] | None = None
    since: float | None = None
    until: float | None = None
    errors: bool = False


def lines(wanted: Wanted, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the calls to Ometria, the newest first, at most ``most``; ``errors`` takes those that failed."""
    left = most
    last: int | None = None
    while left is None or left > 0:
        where = [*_where(wanted), *([RequestLog.id < last] if last is not None else [])]
        query = select(RequestLog).where(*where).order_by(RequestLog.id.desc()).limit(min(PAGE, left or PAGE))
        found = db.session.scalars(query.execution_options(populate_existing=True)).all()
        yield from (_line(row) for row in found)
        if len(found) < PAGE:
            return
        last, left = found[-1].id, None if left is None else left - len(found)


def page(wanted: Wanted, most: int, before: int | None = None) -> tuple[list[dict[str, Any]], int | None]:
    """Return lines for people, the newest first, and where the next page begins (None: there is none).

    ``before`` is what the page before gave for that. Whatever the filter, at most :data:`LOOKED` lines are looked
    through (of each outcome that is wanted); a page may therefore have fewer lines, or none, and a next page.
    """
    span = _span(wanted, before)
    if span is None:
        return [], None
    first = span[0]
    found: list[RequestLog] = []
    for own in _walks(wanted):
        rows, first_seen = _walk(own, _others(wanted), span, most + 1)
        found += rows
        first = max(first, first_seen)
    found = sorted((row for row in found if row.id >= first), key=lambda row: -row.id)
    shown = found[:most]
    following = shown[-1].id if len(found) > most else first if first > span[0] else None
    return [{**_line(row), "at": row.at} for row in shown], following


def _walks(wanted: Wanted) -> list[list[ColumnElement[bool]]]:
    """Return the walks from the newest line to the oldest that together meet what is wanted, each along an index."""
    if wanted.request_id:
        return [[RequestLog.request_id == wanted.request_id]]
    outcomes = [one for one in FAILED if wanted.outcome in {"", one}] if wanted.errors else [wanted.outcome]
    return [[RequestLog.outcome == one] if one else [] for one in outcomes]


def _others(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what each line of a walk is asked for."""
    if wanted.request_id:
        return _where(replace(wanted, request_id=""))
    return _where(replace(wanted, outcome="", errors=False))


def _walk(
    own: list[ColumnElement[bool]], others: list[ColumnElement[bool]], span: tuple[int, int], most: int
) -> tuple[list[RequestLog], int]:
    """Return lines of one walk, and the id of the oldest line that was looked at (the span's where all were)."""
    first, end = span
    bounds = [*own, RequestLog.id >= first, RequestLog.id < end]
    if others:
        last = select(RequestLog.id).where(*bounds).order_by(RequestLog.id.desc()).offset(LOOKED - 1).limit(1)
        first = db.session.scalar(last) or first
    where = [*own, *others, RequestLog.id >= first, RequestLog.id < end]
    query = select(RequestLog).where(*where).order_by(RequestLog.id.desc()).limit(most)
    return list(db.session.scalars(query.execution_options(populate_existing=True))), first


def _span(wanted: Wanted, before: int | None) -> tuple[int, int] | None:
    """Return the ids between which all lines of the wanted time are: (first, behind the last); None for no line.

    Lines are written in the order of their times, but for those that several workers write at once: :data:`BESIDE`
    lines at each end are looked at for that.
    """
    first, end = 0, LAST if before is None else before
    if wanted.since is not None:
        near = select(RequestLog.id).where(RequestLog.at >= wanted.since).order_by(RequestLog.at).limit(BESIDE)
        if (found := db.session.scalar(select(func.min(near.subquery().c.id)))) is None:
            return None
        first = found
    if wanted.until is not None:
        near = select(RequestLog.id).where(RequestLog.at < wanted.until).order_by(RequestLog.at.desc()).limit(BESIDE)
        if (found := db.session.scalar(select(func.max(near.subquery().c.id)))) is None:
            return None
        end = min(end, found + 1)
    return first, end


def set_aside(wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """Return the records that wait for somebody to look at them, the newest first: the other half of the error log.

    With a filter they are those among the newest :data:`LOOKED`.
    """
    own = Pending.state == "refused"
    others: list[ColumnElement[bool]] = []
    if wanted.account:
        others.append(Pending.account == wanted.account)
    if wanted.kind:
        others.append(Pending.kind == wanted.kind)
    if wanted.text:
        others.append(Pending.reason.contains(wanted.text, autoescape=True))
    if others:
        last = select(Pending.id).where(own).order_by(Pending.id.desc()).offset(LOOKED - 1).limit(1)
        others.append(Pending.id >= (db.session.scalar(last) or 0))
    query = select(Pending).where(own, *others).order_by(Pending.id.desc()).limit(most)
    return [
        {
            "time": stamp(row.due_at),
            "at": row.due_at,
            "account": row.account,
            "kind": row.kind,
            "entity": row.entity,
            "message": row.reason,
        }
        for row in db.session.scalars(query)
    ]


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for column, value in (
        (RequestLog.account, wanted.account),
        (RequestLog.kind, wanted.kind),
        (RequestLog.outcome, wanted.outcome),
        (RequestLog.request_id, wanted.request_id),
    ):
        if value:
            where.append(column == value)
    if wanted.status is not None:
        where.append(RequestLog.status.between(*wanted.status))
    if wanted.text:
        where.append(RequestLog.message.contains(wanted.text, autoescape=True))
    if wanted.since is not None:
        where.append(RequestLog.at >= wanted.since)
    if wanted.until is not None:
        where.append(RequestLog.at < wanted.until)
    if wanted.errors:
        where.append(RequestLog.outcome.not_in(NO_ERROR))
    return where


def _line(row: RequestLog) -> dict[str, Any]:
    found = {
        "time": stamp(row.at),
        "account": row.account,
        "kind": row.kind,
        "records": row.records,
        "status": row.status,
        "outcome": row.outcome,
        "request_id": row.request_id,
        "milliseconds": row.milliseconds,
        "message": row.message,
    }
    return found if row.body is None else {**found, "body": row.body}


def stamp(moment: float) -> str:
    """Return Unix seconds as UTC time in words of a log."""
    return dt.datetime.fromtimestamp(moment, tz=dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str, now: float | None = None) -> float:
    """Return Unix seconds of ``30m``, ``24h``, ``7d`` (that long ago) or of a day or time in UTC."""
    if match := AGO.fullmatch(text.strip()):
        return (time.time() if now is None else now) - int(match[1]) * UNITS[match[2]]
    try:
        found = dt.datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Misconfigured(
            "A time is 30m, 24h or 7d (so long ago), or a day or time in UTC such as 2026-11-25."
        ) from None


def statuses(text: str) -> tuple[int, int]:
    """Return the lowest and the highest status of ``429``, ``4xx`` (a whole class) or ``none`` (no answer)."""
    if text.strip().lower() == "none":
        return 0, 0
    match = STATUS.fullmatch(text.strip().lower())
    if match is None:
        raise Misconfigured("A status is a number such as 429, 4xx for all from 400 to 499, or none for no answer.")
    first = int(match[1]) * 100
    return (first, first + 99) if match[2] == "xx" else (first + int(match[2]),) * 2


def as_csv(found: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield a header and a line for each row; bodies do not fit a table and are left out."""
    yield _row(COLUMNS)
    for row in found:
        yield _row([_cell(row.get(name, "")) for name in COLUMNS])


def as_json(found: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield a JSON object a line, bodies included where they were kept."""
    for row in found:
        yield msgspec.json.encode(row).decode() + "\n"


def _row(cells: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
