"""Which store view feeds which Ometria account: the tree as a drawing and as lists, with what is wrong marked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import render_template

from bridge.auth import login_required
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import gettext as _
from bridge.dashboard.scopes import scope_labels
from bridge.export import cursors
from bridge.settings import BY_KEY, load_book, mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.settings import Account, Book, Store

AT_OWNER = (
    "general.store_id_kind",
    *(f"{entity}.{key}" for entity in ("customers", "products", "orders") for key in ("namespace", "merge")),
)
"""What one account can have only once: it is read at the scope that owns the key."""
STEP = 40
LEFT, RIGHT, WIDTH = 330, 560, 860
"""Units of the drawing: where the tree ends, where the accounts begin, and how wide all is."""


@dataclass(slots=True)
class View:
    """A store view: ``feeds`` are accounts as (account's id, name of the store view there)."""

    ref: str
    name: str
    code: str
    active: bool
    feeds: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    y: int = 0


@dataclass(slots=True)
class Site:
    """A website with its store views."""

    ref: str
    name: str
    views: list[View]
    y: int = 0


@dataclass(slots=True)
class Fed:
    """An account; ``key`` is what may be shown of it."""

    id: str
    label: str
    key: str
    owner: str
    is_global: bool
    stores: int
    problems: list[str] = field(default_factory=list)
    y: int = 0


class Feeding:
    """What feeds an account: the refs of its store views, and how many of them have each store identifier."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.refs = {store.ref for store in account.stores}
        self.names = Counter(account.store_name(store).casefold() for store in account.stores)


@dataclass(slots=True)
class Picture:
    """The whole: ``links`` are (from, to, whether global) by their y in the drawing, which is ``height`` high."""

    sites: list[Site]
    accounts: list[Fed]
    links: list[tuple[int, int, bool]] = field(default_factory=list)
    height: int = 0

    @property
    def problems(self) -> int:
        """How many things are wrong."""
        views = sum(len(view.problems) for site in self.sites for view in site.views)
        return views + sum(len(account.problems) for account in self.accounts)


@login_required("viewer")
def accounts() -> str:
    """Show the tree."""
    book = load_book()
    found = picture(book, scope_labels(), account_labels(book))
    return render_template("dashboard/accounts.html", picture=found, left=LEFT, right=RIGHT, width=WIDTH)


def picture(book: Book, labels: Mapping[str, str], names: Mapping[str, str]) -> Picture:
    """Return the tree, what feeds what and what is wrong; labels are of scopes, names of accounts."""
    own = book.accounts()
    fed = [
        Fed(
            one.id,
            names.get(one.id, one.id),
            mask(one.key),
            one.owner,
            one.is_global,
            len(one.stores),
            _wrong(one, book),
        )
        for one in own
    ]
    fed_by = [Feeding(one) for one in own]
    sites: dict[str, Site] = {}
    for store in book.stores:
        website = f"website:{store.website}"
        site = sites.setdefault(website, Site(website, labels.get(website, store.website), []))
        site.views.append(_view(store, book, fed_by, labels))
    found = Picture(list(sites.values()), fed)
    _place(found)
    return found


def _view(store: Store, book: Book, own: list[Feeding], labels: Mapping[str, str]) -> View:
    settings = book.settings(store.ref)
    feeding = [one for one in own if store.ref in one.refs]
    fed = [one.account for one in feeding]
    found = View(store.ref, store.name or store.code, store.code, store.active)
    found.feeds = [(account.id, account.store_name(store)) for account in fed]
    if not settings["general.enabled"]:
        where = labels.get(settings.source("general.enabled"), "")
        found.problems.append(
            _("It is switched off (%(where)s): it feeds no account and its pages carry no tag.", where=where)
        )
    elif all(account.is_global for account in fed):
        found.problems.append(_("It has no account of its own: type its API key in the general settings."))
    elif not settings["general.account_id"]:
        found.problems.append(_("It has no site identifier: its pages carry no tag."))
    for one in feeding:
        account, name = one.account, one.account.store_name(store)
        if one.names[name.casefold()] > 1:
            found.problems.append(_("Another store view has the store identifier %(name)s, too.", name=name))
        if not account.is_global:
            found.problems += _unheard(store, book, account, labels)
    return found


def _unheard(store: Store, book: Book, account: Account, labels: Mapping[str, str]) -> list[str]:
    """Return what is set below the scope that owns the account and is therefore not followed."""
    settings = book.settings(store.ref)
    return [
        _(
            "%(label)s (%(key)s) differs here and is not followed: the account takes that of %(owner)s, "
            "where its key is.",
            label=_(BY_KEY[key].label),
            key=key,
            owner=labels.get(account.owner, account.owner),
        )
        for key in AT_OWNER
        if settings[key] != account.settings[key]
    ]


def _wrong(account: Account, book: Book) -> list[str]:
    found = []
    if cursors.read(f"account:{account.id}").get("paused"):
        found.append(_("Ometria refused its key: nothing is sent until it is right."))
    tags = {book.settings(store.ref)["general.account_id"] for store in account.stores} - {""}
    if not account.is_global and len(tags) > 1:
        told = _(
            "Its store views carry tags of %(number)s site identifiers: %(tags)s.",
            number=len(tags),
            tags=", ".join(sorted(tags)),
        )
        found.append(told)
    return found


def _place(found: Picture) -> None:
    """Give everything its place: the tree from above, each account beside the middle of what feeds it."""
    row = 0
    at: dict[str, list[int]] = {}
    for site in found.sites:
        site.y, row = row * STEP + STEP // 2, row + 1
        for view in site.views:
            view.y, row = row * STEP + STEP // 2, row + 1
            for account, _name in view.feeds:
                at.setdefault(account, []).append(view.y)
    bottom = 0
    for one in sorted(found.accounts, key=lambda account: sum(at[account.id]) / len(at[account.id])):
        middle = sum(at[one.id]) // len(at[one.id])
        one.y = max(middle, bottom + STEP // 2 + 8)
        bottom = one.y + STEP // 2 + 8
        found.links += [(y, one.y, one.is_global) for y in at[one.id]]
    found.height = max(row * STEP, bottom) + 8
