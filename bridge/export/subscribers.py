"""Newsletter subscribers from the shop's own grid (Marketing > Newsletter Subscribers > Export > CSV).

Magento's REST lists none. The file may be taken in again and again: what is known and unchanged stays as it is, and an
older line never replaces something newer. The grid tells no time in most versions: a subscription that is new to
bridge then has the time that staff give, and a change of one that is known has the file's own time, which is the latest
it can be. No line's address is ever in a message; lines are named by their number.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from sqlalchemy import select

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.events import EntityRef
from bridge.export import ledger, people
from bridge.export.ledger import Owed
from bridge.models import Scope
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bridge.settings import Book, Store

BATCH = 500
ADDRESS_MOST = 254
COLUMNS = {
    "email": ("email", "e-mail", "subscriber email"),
    "status": ("status",),
    "type": ("type",),
    "view": ("store view", "store_view"),
    "website": ("website",),
    "changed": ("updated time", "status change date", "change status at", "change_status_at"),
}
"""What is read -> the column's names, in small letters."""
STATUSES = {"subscribed": 1, "not activated": 2, "not active": 2, "unsubscribed": 3, "unconfirmed": 4}
NUMBERS = {str(number): number for number in STATUSES.values()}
TELLING = {1, 3}
"""Statuses of which Ometria is told; the others are only kept."""
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p")


@dataclass(slots=True)
class Taken:
    """What became of the lines; ``odd`` names lines that could not be read, with the reason."""

    lines: int = 0
    owed: int = 0
    kept: int = 0
    odd: list[tuple[int, str]] = field(default_factory=list)
    accounts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Line:
    """One subscription as a source tells it; ``changed`` is Unix seconds, ``customer`` 0 where no account is known."""

    number: int
    email: str
    status: int
    guest: bool
    store: Store
    changed: float | None
    customer: int = 0


def take(path: Path, book: Book, secrets: Sequence[str], since: dt.date | None) -> Taken:
    """Take a file in; return what became of its lines. Commits in batches.

    ``since`` is the day to give to subscriptions whose time nobody knows. Raises :class:`Misconfigured` where the file
    is none of the grid's, or has no time and no day is given.
    """
    taken = Taken()
    written = path.stat().st_mtime
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            _take(file, written, (book, secrets, since), taken)
    except (UnicodeDecodeError, csv.Error):
        raise Misconfigured(
            f"The file cannot be read as CSV in UTF-8 behind line {taken.lines + 1}: export it from the shop again, "
            "and do not save it by a spreadsheet."
        ) from None
    return taken


def _take(file: TextIO, written: float, how: tuple[Book, Sequence[str], dt.date | None], taken: Taken) -> None:
    book, secrets, since = how
    reader = csv.DictReader(file, delimiter=_delimiter(file.readline()))
    file.seek(0)
    named = _named(reader.fieldnames or ())
    if "changed" not in named and since is None:
        raise Misconfigured(
            "The file tells no time of subscription, and Ometria takes an opt-in without one as of now: give a day "
            "with --since, such as the one on which the newsletter began."
        )
    day = dt.datetime.combine(since, dt.time(), dt.UTC).timestamp() if since else written
    batch: list[Line] = []
    for line in _lines(reader, named, book, taken):
        batch.append(line)
        if len(batch) >= BATCH:
            keep(batch, (book, secrets, day, written), taken)
            batch = []
    keep(batch, (book, secrets, day, written), taken)


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count)


def _named(headers: Iterable[str]) -> dict[str, str]:
    """Return what is read -> the file's own column."""
    there = {header.strip().strip('"').lower(): header for header in headers if header}
    found = {name: there[alias] for name, aliases in COLUMNS.items() for alias in reversed(aliases) if alias in there}
    for name in ("email", "status"):
        if name not in found:
            raise Misconfigured(
                f"The file has no column {COLUMNS[name][0].title()!r}: export it from Marketing > Newsletter "
                "Subscribers in English."
            )
    return found


def _lines(reader: Iterable[dict[str, str]], named: dict[str, str], book: Book, taken: Taken) -> Iterator[Line]:
    views = _Views(book)
    for number, row in enumerate(reader, start=2):
        taken.lines += 1
        cells = {name: (row.get(column) or "").strip() for name, column in named.items()}
        status = STATUSES.get(cells["status"].lower()) or NUMBERS.get(cells["status"], 0)
        store = views.find(cells.get("view", ""), cells.get("website", ""))
        if "@" not in cells["email"] or len(cells["email"]) > ADDRESS_MOST:
            taken.odd.append((number, "no e-mail address"))
        elif not status:
            taken.odd.append((number, "unknown status"))
        elif store is None:
            taken.odd.append((number, "unknown store view"))
        else:
            guest = cells.get("type", "").lower() not in {"customer", "2"}
            yield Line(number, cells["email"], status, guest, store, _moment(cells.get("changed", "")))


class _Views:
    """Store views by what the grid calls them: name or code, where needed together with the website's."""

    def __init__(self, book: Book) -> None:
        self._stores = book.stores
        sites = db.session.execute(select(Scope.code, Scope.name).where(Scope.level == "website"))
        self._sites = {row.code: row.name for row in sites}

    def find(self, view: str, website: str) -> Store | None:
        found = [store for store in self._stores if not view or view in {store.name, store.code}]
        if len(found) > 1 and website:
            found = [one for one in found if website in {one.website, self._sites.get(one.website)}]
        if not view and len(found) > 1:
            found = [store for store in found if store.is_default]
        return found[0] if len(found) == 1 else None


def _moment(text: str) -> float | None:
    for form in TIMES:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC).timestamp()
        except ValueError:
            continue
    return None


def keep(
    batch: Sequence[Line],
    how: tuple[Book, Sequence[str], float, float],
    taken: Taken,
    lane: ledger.Lane = "history",
) -> None:
    """Keep lines and owe what is new, in one transaction.

    ``how``: book, secrets, and the times (Unix seconds) of a subscription and of a change whose time nobody tells. An
    account's status is part of its customer's record, so that is owed, where the account is known.
    """
    book, secrets, day, written = how
    if not batch:
        return
    begin_write()
    rows: list[Owed] = []
    for line in batch:
        known = people.subscription(line.email, line.store.code, secrets)
        taken.kept += 1
        if known is not None and known.status == line.status:
            continue
        at = line.changed if line.changed is not None else (written if known and known.status else day)
        id_ = people.note(line.email, line.store.code, line.status, at, secrets)
        name = f"subscriber:{id_}" if line.guest else f"customer:{line.customer}" if line.customer else ""
        if name and line.status in TELLING:
            ref = EntityRef("contact", name)
            rows += [Owed(account.id, ref, line.store.ref) for account in book.accounts_of((line.store,))]
    taken.accounts |= ledger.add(rows, lane)
    taken.owed += len(rows)
    db.session.commit()
