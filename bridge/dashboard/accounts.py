"""Which store view feeds which Ometria account: the tree as a drawing and as lists, with what is wrong marked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import render_template

from bridge.auth import login_required
from bridge.dashboard.home import account_labels
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
    sites: dict[str, Site] = {}
    for store in book.stores:
        website = f"website:{store.website}"
        site = sites.setdefault(website, Site(website, labels.get(website, store.website), []))
        site.views.append(_view(store, book, own, labels))
    found = Picture(list(sites.values()), fed)
    _place(found)
    return found


def _view(store: Store, book: Book, own: tuple[Account, ...], labels: Mapping[str, str]) -> View:
    settings = book.settings(store.ref)
    fed = [account for account in own if store in account.stores]
    found = View(store.ref, store.name or store.code, store.code, store.active)
    found.feeds = [(account.id, account.store_name(store)) for account in fed]
    if not settings["general.enabled"]:
        where = labels.get(settings.source("general.enabled"), "")
        found.problems.append(f"It is switched off ({where}): it feeds no account and its pages carry no tag.")
    elif all(account.is_global for account in fed):
        found.problems.append("It has no account of its own: type its API key in the general settings.")
    elif not settings["general.account_id"]:
        found.problems.append("It has no site identifier: its pages carry no tag.")
    for account in fed:
        names = Counter(account.store_name(one).casefold() for one in account.stores)
        if names[account.store_name(store).casefold()] > 1:
            found.problems.append(f"Another store view has the store identifier {account.store_name(store)}, too.")
        if not account.is_global:
            found.problems += _unheard(store, book, account, labels)
    return found


def _unheard(store: Store, book: Book, account: Account, labels: Mapping[str, str]) -> list[str]:
    """Return what is set below the scope that owns the account and is therefore not followed."""
    settings = book.settings(store.ref)
    return [
        f"{BY_KEY[key].label} ({key}) differs here and is not followed: the account takes that of "
        f"{labels.get(account.owner, account.owner)}, where its key is."
        for key in AT_OWNER
        if settings[key] != account.settings[key]
    ]


def _wrong(account: Account, book: Book) -> list[str]:
    found = []
    if cursors.read(f"account:{account.id}").get("paused"):
        found.append("Ometria refused its key: nothing is sent until it is right.")
    tags = {book.settings(store.ref)["general.account_id"] for store in account.stores} - {""}
    if not account.is_global and len(tags) > 1:
        found.append(f"Its store views carry tags of {len(tags)} site identifiers: {', '.join(sorted(tags))}.")
    return found


def _place(found: Picture) -> None:
    """Give everything its place: the tree from above, each account beside the middle of what feeds it."""
    row = 0
    at: dict[str, list[int]] = {}
    for site in found.sites:
        site.y, row = row * STEP + STEP // 2, row + 1
        for view in site.views:
            view.y, row = row * STEP + STEP // 2, row + 1
            for account, _ in view.feeds:
                at.setdefault(account, []).append(view.y)
    bottom = 0
    for one in sorted(found.accounts, key=lambda account: sum(at[account.id]) / len(at[account.id])):
        middle = sum(at[one.id]) // len(at[one.id])
        one.y = max(middle, bottom + STEP // 2 + 8)
        bottom = one.y + STEP // 2 + 8
        found.links += [(y, one.y, one.is_global) for y in at[one.id]]
    found.height = max(row * STEP, bottom) + 8
