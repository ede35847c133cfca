"""The shop's store tree -> the scopes that settings are resolved by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, select
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from bridge.db import db, immediate
from bridge.models import Scope
from bridge.settings import DEFAULT, save_tree

if TYPE_CHECKING:
    from bridge.store import Store
    from bridge.store.entities import StoreView, Tree


def scopes_of(tree: Tree, *, secure: bool) -> list[Scope]:
    """Return ``default``, ``website:CODE`` and ``store:CODE``; with ``secure`` the https URLs of each view.

    Pictures are shown in mails and on other pages, so theirs is the secure address in any case. A shop that has none
    gives the plain one in its place.
    """
    websites = {website.id: website for website in tree.websites}
    scopes = [Scope(ref=DEFAULT, level=DEFAULT, name="Default")]
    scopes += [
        Scope(
            ref=f"website:{site.code}",
            level="website",
            code=site.code,
            magento_id=site.id,
            name=site.name,
            parent=DEFAULT,
        )
        for site in tree.websites
    ]
    scopes += [
        _store(view, f"website:{websites[view.website_id].code}", secure=secure)
        for view in tree.views
        if view.website_id in websites
    ]
    return scopes


def _store(view: StoreView, parent: str, *, secure: bool) -> Scope:
    return Scope(
        ref=f"store:{view.code}",
        level="store",
        code=view.code,
        magento_id=view.id,
        name=view.name,
        parent=parent,
        active=view.active,
        is_default=view.is_default,
        base_url=(view.secure_base_url if secure else "") or view.base_url,
        link_url=(view.secure_link_url if secure else "") or view.link_url,
        media_url=view.secure_media_url or view.media_url,
        currency=view.currency,
        base_currency=view.base_currency,
        locale=view.locale,
        timezone=view.timezone,
        root_category=view.root_category,
    )


def keep_tree(tree: Tree, *, secure: bool) -> bool:
    """Save the tree when it differs from the one kept; return whether it did. The caller commits."""
    scopes = scopes_of(tree, secure=secure)
    columns = [column.key for column in inspect(Scope).columns]
    kept = {tuple(getattr(scope, name) for name in columns) for scope in db.session.scalars(select(Scope))}
    if kept == {tuple(_value(scope, name) for name in columns) for scope in scopes}:
        return False
    save_tree(scopes)
    return True


def refresh_tree(store: Store, *, https: bool) -> int:
    """Read the tree from the shop and keep it; return how many store views there are. Commits.

    Raises :class:`bridge.errors.Retry` and :class:`bridge.errors.Misconfigured` as the shop's adaptor does.
    """
    tree = store.tree()
    # What was read before must not be part of the transaction that writes.
    db.session.commit()
    immediate()
    keep_tree(tree, secure=https)
    db.session.commit()
    return len(tree.views)


def _value(scope: Scope, name: str) -> object:
    """Return a column of a new row; what was not given has the column's default only once it is stored."""
    value = getattr(scope, name)
    default = inspect(Scope).columns[name].default
    return default.arg if value is None and isinstance(default, ScalarElementColumnDefault) else value
