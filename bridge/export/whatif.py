"""What a change of a setting would do to ids and accounts, before anybody makes it. Nothing is changed or sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import func, select

from bridge.db import db
from bridge.events import Kind
from bridge.export.names import namespaced
from bridge.models import CatalogItem, Pending, SentRecord
from bridge.settings import Book

if TYPE_CHECKING:
    from bridge.settings import Account

PROBE = "x"
COLLECTIONS = ("customers.collection", "customers.subscriber_collection")


@dataclass(frozen=True, slots=True)
class Effect:
    """What would happen to one account: ``new``, ``gone`` or ``stays``.

    ``renamed`` counts records by kind that would have another id at Ometria, where the old one stays beside it;
    ``sent`` are all that it was sent, ``waiting`` what it is owed now. ``heirs`` are the accounts that would take the
    waiting rows of one that is gone.
    """

    account: str
    owner: str
    fate: str
    sent: int
    waiting: int
    renamed: dict[str, int]
    heirs: tuple[str, ...] = ()


def what_if(book: Book, scope: str, key: str, value: Any) -> list[Effect]:
    """Return the effects of a typed ``value`` (None: use the value above) on each account that there is or would be."""
    own = {name: one for name, one in book.values.get(scope, {}).items() if name != key}
    changed = own if value is None else {**own, key: value}
    after = Book(book.parents, book.stores, {**book.values, scope: changed})
    before = {account.id: account for account in book.accounts()}
    then = {account.id: account for account in after.accounts()}
    found = [_gone(account, after) for id_, account in before.items() if id_ not in then]
    found += [_stays(account, then[id_]) for id_, account in before.items() if id_ in then]
    return found + [_effect(account, "new", {}) for id_, account in then.items() if id_ not in before]


def _gone(account: Account, after: Book) -> Effect:
    heirs = [one.id for one in after.accounts_of(account.stores) if one.is_global == account.is_global]
    return _effect(account, "gone", {}, tuple(heirs))


def _stays(before: Account, after: Account) -> Effect:
    renamed: dict[str, int] = {}
    for kind in get_args(Kind):
        if namespaced(before, kind, PROBE) != namespaced(after, kind, PROBE):
            renamed[kind] = _sent(before.id, kind)
    ids = "products.id_attribute"
    if before.settings[ids] != after.settings[ids] and "product" not in renamed:
        renamed["product"] = _sent(before.id, "product") - _same_sku(before.id)
    if any(before.settings[name] != after.settings[name] for name in COLLECTIONS) and "contact" not in renamed:
        renamed["contact"] = _sent(before.id, "contact")
    return _effect(before, "stays", {kind: count for kind, count in renamed.items() if count})


def _effect(account: Account, fate: str, renamed: dict[str, int], heirs: tuple[str, ...] = ()) -> Effect:
    waiting = select(func.count()).select_from(Pending).where(Pending.account == account.id)
    owed = db.session.scalar(waiting.where(Pending.state == "waiting")) or 0
    return Effect(account.id, account.owner, fate, _sent(account.id), owed, renamed, heirs)


def _sent(account: str, kind: str | None = None) -> int:
    query = select(func.count()).select_from(SentRecord).where(SentRecord.account == account)
    return db.session.scalar(query if kind is None else query.where(SentRecord.kind == kind)) or 0


def _same_sku(account: str) -> int:
    """Count the products whose SKU is their id, so that they keep it whichever of the two is sent."""
    query = (
        select(func.count())
        .select_from(SentRecord)
        .join(CatalogItem, CatalogItem.product == SentRecord.entity)
        .where(SentRecord.account == account, SentRecord.kind == "product", CatalogItem.sku == SentRecord.entity)
    )
    return db.session.scalar(query) or 0
