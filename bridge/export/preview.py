"""The exact records of one entity for each account, and why they are so; nothing is sent unless somebody says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.events import EntityRef
from bridge.export import bodies, ledger, people, quality, why
from bridge.export.gather import Aside, Dropped, Gatherer, Later, Ready, asked
from bridge.export.jobs import exporter
from bridge.export.ledger import Owed
from bridge.export.routes import within
from bridge.models import SentRecord
from bridge.settings import known_scope, load_book
from bridge.store import Order
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.events import Kind
    from bridge.export import Exporter
    from bridge.export.gather import Outcome
    from bridge.settings import Account, Book
    from bridge.store import Store


def preview(kind: Kind, identifier: str, scope: str | None = None) -> list[dict[str, Any]]:
    """Return ``{"account": …, "record": {…}}`` for each account, or ``"reason"`` in place of the record.

    ``identifier`` is the shop's: customer id or e-mail, product id or SKU, order number or id; or the e-mail of a
    guest subscriber, or ``subscriber:<id>``. Raises :class:`Misconfigured` when there is no such entity or the scope is
    unknown.
    """
    rows = []
    for account, outcome, _ in _outcomes(kind, identifier, scope):
        match outcome:
            case Ready(record=record):
                rows.append({"account": account.id, "record": msgspec.json.decode(record.body)})
            case Aside(reason=reason) | Dropped(reason=reason) | Later(reason=reason):
                rows.append({"account": account.id, "reason": reason})
    return rows


def explain(kind: Kind, identifier: str, scope: str | None = None) -> list[dict[str, Any]]:
    """As :func:`preview`, with what each account was sent last and why the fields are as they are.

    Each row has besides ``account`` and ``record`` or ``reason``: ``owner`` (the scope of the account's key),
    ``global``; ``sent`` (the last record; None where none is kept) with ``sent_at`` (Unix seconds), ``request_id`` and
    ``state``; ``changes``, a list of ``{"field", "now", "was", "why"}`` where a side that has no such field leaves
    ``now`` or ``was`` out, None where there is nothing to compare; ``why``, field -> the settings that it follows; and
    ``warnings``, what data quality has to say.
    """
    return [_explained(*row) for row in _outcomes(kind, identifier, scope)]


def explain_ref(ref: EntityRef) -> list[dict[str, Any]]:
    """As :func:`explain`, of an entity as the ledger names it, such as ``customer:12`` or ``subscriber:7``."""
    return [_explained(*row) for row in _of_ref(ref, None, load_book())]


def send_now(ref: EntityRef) -> set[str]:
    """Owe the record to each account that would take it now, even unchanged; return these accounts. Commits.

    Raises :class:`bridge.errors.Retry` where the shop cannot be asked.
    """
    takers = [account for account, outcome, _ in _of_ref(ref, None, load_book()) if isinstance(outcome, Ready)]
    begin_write()
    accounts = ledger.add([Owed(account.id, ref, account.owner) for account in takers], "live", force=True)
    db.session.commit()
    return accounts


def _outcomes(kind: Kind, identifier: str, scope: str | None) -> Iterator[tuple[Account, Outcome, Book]]:
    if scope is not None:
        known_scope(scope)
    book = load_book()
    yield from _of_ref(find(kind, identifier, exporter(), book), scope, book)


def _of_ref(ref: EntityRef, scope: str | None, book: Book) -> Iterator[tuple[Account, Outcome, Book]]:
    own = exporter()
    for account in book.accounts():
        if scope is not None and not any(within(scope, store, book) for store in account.stores):
            continue
        row = asked(account.id, ref, account.owner)
        yield account, Gatherer(own.store, own.config, account, book, dry=True).gather([row])[0], book


def _explained(account: Account, outcome: Outcome, book: Book) -> dict[str, Any]:
    ref = outcome.ref if isinstance(outcome, Ready) else outcome.row.ref
    before = bodies.read(account.id, ref)
    kept = db.session.get(SentRecord, (account.id, ref.kind, ref.id), populate_existing=True)
    found: dict[str, Any] = {
        "account": account.id,
        "owner": account.owner,
        "global": account.is_global,
        "sent": before,
        "sent_at": kept.sent_at if kept else None,
        "request_id": kept.request_id if kept else "",
        "state": kept.state if kept else "",
    }
    if not isinstance(outcome, Ready):
        return {**found, "reason": outcome.reason}
    record: dict[str, Any] = msgspec.json.decode(outcome.record.body)
    told = {path: why.reasons(ref.kind, path, record, account, book) for path in why.fields(record)}
    changes = None
    if before is not None:
        changes = list(_changes(ref.kind, record, before, account, book))
    return {
        **found,
        "record": record,
        "changes": changes,
        "why": {path: reasons for path, reasons in told.items() if reasons},
        "warnings": [quality.SAID[rule] for rule in outcome.warnings],
    }


def _changes(
    kind: Kind, record: dict[str, Any], before: dict[str, Any], account: Account, book: Book
) -> Iterator[dict[str, Any]]:
    for path, now, was in why.differences(record, before):
        sides = {name: value for name, value in (("now", now), ("was", was)) if value is not why.ABSENT}
        source = record if now is not why.ABSENT else before
        yield {"field": path, **sides, "why": why.reasons(kind, path, source, account, book)}


def find(kind: Kind, identifier: str, own: Exporter, book: Book) -> EntityRef:
    """Return the entity that the shop, or for a contact the list of subscribers, calls so."""
    found: str | None = None
    store = own.store
    if kind == "order":
        found = _order(identifier, store)
    elif kind == "product":
        by_sku = store.products_by_sku([identifier]).get(identifier)
        found = by_sku.id if by_sku else (identifier if identifier.isdecimal() else None)
    elif "@" in identifier:
        for website in dict.fromkeys(view.website_id for view in book.stores):
            customer = store.customer_by_email(identifier, website)
            if customer is not None:
                found = f"customer:{customer.id}"
                break
        else:
            known = people.by_email(identifier, own.config.secret_keys)
            found = f"subscriber:{known[0].id}" if known else None
    elif identifier.startswith("subscriber:"):
        found = identifier if people.find(identifier.removeprefix("subscriber:")) else None
    elif identifier.removeprefix("customer:").isdecimal():
        found = f"customer:{identifier.removeprefix('customer:')}"
    if found is None:
        raise Misconfigured(f"The shop has no such {kind}: give the id that the shop shows.")
    return EntityRef(kind, found)


def _order(identifier: str, store: Store) -> str | None:
    """Return the entity id of an order by its number or, where no order has that, by the entity id itself."""
    order = store.order_by_number(identifier)
    if order is not None:
        return order.id
    ref = EntityRef("order", identifier)
    known = identifier.isdecimal() and isinstance(store.fetch([ref])[ref], Order)
    return identifier if known else None
