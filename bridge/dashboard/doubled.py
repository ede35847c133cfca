"""What becomes of records that were sent already when the ids they go under change. Reads, never writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark, ngettext
from bridge.db import db
from bridge.export.names import SECTIONS, namespaced
from bridge.models import SentRecord
from bridge.settings.clashes import changed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.settings import Account, Book

COUNTED_MOST = 10_000
WHOLE = {
    "customers.collection": ("contact",),
    "customers.subscriber_collection": ("contact",),
    "products.id_attribute": ("product",),
}
"""Settings beside the namespaces that name what Ometria holds -> the kinds of records they name."""
EXAMPLE = "123"
SENT = {
    "contact": ("%(number)s contact was sent already.", "%(number)s contacts were sent already."),
    "product": ("%(number)s product was sent already.", "%(number)s products were sent already."),
    "order": ("%(number)s order was sent already.", "%(number)s orders were sent already."),
}
AFTER = mark(
    "After this change they are sent under new names; Ometria keeps the old ones beside them, and nothing joins the "
    "two."
)
AFTER_NAMED = mark(
    "After this change they are sent under new names: what is %(before)s now is sent again as %(after)s; Ometria keeps "
    "the old ones beside them, and nothing joins the two."
)


@dataclass(frozen=True, slots=True)
class Doubled:
    """Records of one kind of one account that would exist twice; ``most`` tells that there are more than counted."""

    kind: str
    count: int
    most: bool
    before: str
    after: str

    def __str__(self) -> str:
        """Return the warning."""
        number = _("more than %(number)s", number=f"{COUNTED_MOST:,}") if self.most else f"{self.count:,}"
        one, many = SENT[self.kind]
        sent = ngettext(one, many, self.count, number=number)
        if self.before == self.after:
            return f"{sent} {_(AFTER)}"
        return f"{sent} {_(AFTER_NAMED, before=self.before, after=self.after)}"


def doubled(book: Book, scope: str, values: Mapping[str, Any]) -> list[Doubled]:
    """Return what a change of ``values`` (key -> value, or ``GONE``) at one scope makes Ometria hold twice."""
    if not any(_names(key) for key in values):
        return []
    after = {account.id: account for account in changed(book, scope, values).accounts()}
    found = []
    for account in book.accounts():
        new = after.get(account.id)
        if new is None:
            continue
        for kind in SECTIONS:
            old_id, new_id = namespaced(account, kind, EXAMPLE), namespaced(new, kind, EXAMPLE)
            if old_id == new_id and not _renamed(kind, account, new):
                continue
            count = _sent(account.id, kind)
            if count:
                found.append(Doubled(kind, min(count, COUNTED_MOST), count > COUNTED_MOST, old_id, new_id))
    return found


def already_sent(book: Book, scope: str, kind: str) -> bool:
    """Return whether an account that uses the values of this scope was sent records of a kind."""
    accounts = [account.id for account in book.accounts() if scope in book.lineage(account.owner)]
    some = select(SentRecord.entity).where(SentRecord.account.in_(accounts), SentRecord.kind == kind)
    return db.session.scalar(some.limit(1)) is not None


def _names(key: str) -> bool:
    return key.endswith((".namespace", ".namespace_separator")) or key in {*WHOLE, "global.use_namespaces"}


def _renamed(kind: str, old: Account, new: Account) -> bool:
    return any(old.settings[key] != new.settings[key] for key, kinds in WHOLE.items() if kind in kinds)


def _sent(account: str, kind: str) -> int:
    some = select(SentRecord.entity).where(SentRecord.account == account, SentRecord.kind == kind)
    return db.session.scalar(select(func.count()).select_from(some.limit(COUNTED_MOST + 1).subquery())) or 0
