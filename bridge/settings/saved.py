"""Settings in the database, and the last good snapshot of them on disk (without secrets)."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, select

from bridge.db import db, immediate
from bridge.errors import Misconfigured
from bridge.models import AuditLog, Cursor, Scope, SettingValue
from bridge.settings.book import DEFAULT, Book, Store
from bridge.settings.clashes import GONE, refuse_clash
from bridge.settings.table import BY_KEY, parse, setting
from bridge.writing import keep_note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MARK = "settings"
"""Name of the cursor row whose content changes with every change of the settings or of the store tree."""


def load_book() -> Book:
    """Read the store tree and every value."""
    # Columns, not rows of the session: a shop may have hundreds of store views, and every page reads them.
    scopes = db.session.execute(select(*Scope.__table__.columns)).all()
    values: dict[str, dict[str, Any]] = {}
    own = (SettingValue.scope, SettingValue.key, SettingValue.value, SettingValue.secret)
    for row in db.session.execute(select(*own)):
        if row.key in BY_KEY:
            values.setdefault(row.scope, {})[row.key] = row.secret if BY_KEY[row.key].secret else row.value
    return Book({scope.ref: scope.parent for scope in scopes}, _stores(scopes), values)


def version() -> str:
    """Return a mark that changes with each change of a value or of the tree: cheap to ask often."""
    row = db.session.get(Cursor, MARK)
    return str(row.data["mark"]) if row else ""


def set_value(scope: str, key: str, value: Any, who: str, *, alone: bool = True) -> Any:
    """Validate and store one value at one scope, with its line in the audit log; return the typed value.

    Raises :class:`Misconfigured` for a wrong value or an unknown scope. The caller commits. One that is not ``alone``
    is one of several, which the caller has compared with each other.
    """
    definition, typed = setting(key), parse(key, value)
    immediate()
    known_scope(scope)
    if definition.shopwide and scope != DEFAULT:
        raise Misconfigured(f"{definition.label} ({key}) is set for the whole installation: use the scope {DEFAULT}.")
    if alone:
        refuse_clash(load_book(), scope, key, typed)
    row = db.session.get(SettingValue, (scope, key))
    before = None if row is None or definition.secret else row.value
    if row is None:
        row = SettingValue(scope=scope, key=key)
        db.session.add(row)
    if definition.secret:
        row.secret = typed
    else:
        row.value = typed
    row.changed_at, row.changed_by = time.time(), who
    _mark()
    _audit(who, f"{scope} {key}", before, mask(typed) if definition.secret else typed)
    return typed


def unset_value(scope: str, key: str, who: str, *, alone: bool = True) -> bool:
    """Use the value of the scope above again; return whether there was an own value. The caller commits.

    Raises :class:`Misconfigured` where the value above does not go with the others; ``alone`` as in :func:`set_value`.
    """
    definition = setting(key)
    immediate()
    known_scope(scope)
    row = db.session.get(SettingValue, (scope, key))
    if row is None:
        return False
    if alone:
        refuse_clash(load_book(), scope, key, GONE)
    _audit(who, f"{scope} {key}", mask(row.secret or "") if definition.secret else row.value, None)
    db.session.delete(row)
    _mark()
    return True


def known_scope(ref: str) -> None:
    """Raise the sentence that lists the scopes when ``ref`` is none of them."""
    if ref == DEFAULT or db.session.get(Scope, ref) is not None:
        return
    refs = [DEFAULT, *db.session.scalars(select(Scope.ref).where(Scope.ref != DEFAULT).order_by(Scope.ref))]
    hint = ", ".join(refs) if len(refs) > 1 else "default (the store tree has not been read yet: run `bridge check`)"
    raise Misconfigured(f"There is no scope {ref!r}: use one of {hint}.")


def save_tree(scopes: Sequence[Scope]) -> None:
    """Replace the store tree. Values of scopes that are gone stay, in case they come back. The caller commits."""
    db.session.execute(delete(Scope).where(Scope.parent.is_not(None), Scope.level == "store"))
    db.session.execute(delete(Scope).where(Scope.level == "website"))
    db.session.execute(delete(Scope))
    for level in ("default", "website", "store"):
        db.session.add_all([scope for scope in scopes if scope.level == level])
        db.session.flush()
    _mark()


def mask(secret: str) -> str:
    """Return what may be shown of a key: its last four characters, when it is long enough to hide the rest."""
    return "••••" + (secret[-4:] if len(secret) >= 12 else "")


def write_snapshot(book: Book, path: Path) -> None:
    """Keep the tree and the open values for a start without the database; secrets stay in the database."""
    open_values = {
        scope: {key: value for key, value in values.items() if not BY_KEY[key].secret}
        for scope, values in book.values.items()
    }
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode({"parents": book.parents, "stores": book.stores, "values": open_values}))
    draft.replace(path)


def read_snapshot(path: Path) -> Book | None:
    """Return the last good snapshot, or None when there is none that can be read."""
    try:
        data = msgspec.json.decode(path.read_bytes())
        stores = tuple(msgspec.convert(store, Store) for store in data["stores"])
        return Book(data["parents"], stores, data["values"])
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, KeyError):
        return None


def _mark() -> None:
    """Tell the other processes that the book must be read again."""
    keep_note(MARK, {"mark": uuid.uuid4().hex})


def _audit(who: str, what: str, before: Any, after: Any) -> None:
    db.session.add(AuditLog(who=who, what=what, before=before, after=after))


def _stores(scopes: Sequence[Any]) -> tuple[Store, ...]:
    websites = {scope.ref: scope for scope in scopes if scope.level == "website"}
    return tuple(
        Store(
            ref=scope.ref,
            code=scope.code,
            id=scope.magento_id,
            website=websites[scope.parent].code,
            website_id=websites[scope.parent].magento_id,
            name=scope.name,
            active=scope.active,
            is_default=scope.is_default,
            base_url=scope.base_url,
            link_url=scope.link_url,
            media_url=scope.media_url,
            currency=scope.currency,
            base_currency=scope.base_currency,
            locale=scope.locale,
            timezone=scope.timezone,
            root_category=scope.root_category,
        )
        for scope in sorted(scopes, key=lambda scope: scope.magento_id)
        if scope.level == "store" and scope.parent in websites
    )
