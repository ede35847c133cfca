"""The tag: its markup in pages, and the script that the markup names.

Both follow from the settings alone. The same page and settings give the same bytes, whoever asks: nothing about a
visitor, and no cookie, decides anything here, because shared caches keep the pages.
"""

from __future__ import annotations

import gzip
import hashlib
import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec
import structlog

from bridge.settings import DEFAULT, Store
from bridge.settings.pages import page_type_pairs
from bridge.tracking.pages import META_TYPES, PAGE_TYPES, PATH_TYPES, is_below
from bridge.tracking.shrink import shrink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.config import Config
    from bridge.settings import Account, Book, Books, Settings
    from bridge.tracking.wire import RequestHead

LONGEST_MARKUP = 512
LONGEST_HOST, MOST_HOSTS = 255, 1024
OMETRIA_HOST = "cdn.ometria.com"

log = structlog.get_logger()


PARTS = {
    "basket": ("small", "learn", "basket"),
    "graphql": ("small", "learn", "named", "graphql"),
    "listing": ("small", "learn", "skus", "listing"),
    "product": ("small", "learn", "skus", "product"),
    "layer": ("small", "learn", "layer"),
    "variant": ("small", "learn", "variant"),
    "visit": ("small", "named", "visit"),
}
"""Scripts that the tag loads where a page needs them, with their files; each is the same for every store view."""
MAIN = ("page", "adds", "watch", "visitor", "view")
EAGER = "//# allFunctionsCalledOnLoad\n"
"""Has Chromium compile the tag beside the main thread while it loads, not each function when it is first called."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it is served; ``version`` is a hash of all that goes into any of them and into the markup."""

    version: str
    plain: bytes
    gzipped: bytes


class _Place(NamedTuple):
    """What is at a host below a path: the view that speaks for its pages, their markup, and where none of it goes."""

    start: bytes
    store: Store
    markup: bytes | None
    excluded: tuple[str, ...]
    base: str


@dataclass(slots=True)
class _Rendered:
    """Everything that follows from one book of settings. ``places`` is host -> its places, longest path first.

    ``named`` is code or id -> view. Scripts are made when they are first asked for. ``hosts`` remembers the places by
    the Host field as it came: pages are many, and are asked for on the event loop.
    """

    book: Book
    version: str
    views: dict[Store, dict[str, Any]]
    places: dict[str, list[_Place]]
    elsewhere: _Place
    named: dict[str, Store]
    suffix: bytes
    scripts: dict[tuple[str, str], Script] = field(default_factory=dict)
    hosts: dict[bytes, list[_Place]] = field(default_factory=dict)

    def at(self, host: bytes, path: bytes) -> _Place:
        """Return the place that a host and path lead to."""
        places = self.hosts.get(host)
        if places is None:
            places = self._remember(host)
        for place in places:
            if path.startswith(place.start):
                return place
        return self.elsewhere

    def _remember(self, host: bytes) -> list[_Place]:
        name = host.decode("latin-1").lower()
        places = self.places.get(name) or self.places.get(name.partition(":")[0]) or []
        if len(host) <= LONGEST_HOST:
            if len(self.hosts) >= MOST_HOSTS:
                self.hosts.clear()
            self.hosts[host] = places
        return places


class Tags:
    """What the proxy and the endpoints are given. Thread safe: one book's work is done once and then only read."""

    def __init__(self, config: Config, books: Books, static_folder: Path) -> None:
        self._config = config
        self._books = books
        self._sources = Sources(static_folder / "bridge" / "tag")
        self._csp = _csp_sources(config.ometria_tag_url)
        self._rendered = self._render(books.current)

    @property
    def script(self) -> Script:
        """The script of the default store view, by the settings in force."""
        return self.script_of("", "")

    def script_of(self, view: str, host: str, part: str = "") -> Script:
        """Return the script for a store view by its code or id; for the view of the host where it names none.

        ``part`` is one of :data:`PARTS`, or ``main`` for the tag itself where another script waits for consent first.
        """
        rendered = self._current()
        store = rendered.named.get(view) or rendered.at(host.encode("latin-1", "replace"), b"/").store
        key = ("", part) if part in PARTS else (store.ref, part if part == "main" else "")
        script = rendered.scripts.get(key)
        if script is None:
            script = rendered.scripts[key] = self._script(rendered, store, key[1])
        return script

    @property
    def etag_suffix(self) -> bytes:
        """What an injected page's entity tag ends with: it changes whenever the markup or the script does."""
        return self._current().suffix

    @property
    def csp_sources(self) -> Mapping[str, tuple[bytes, ...]]:
        """The sources that Ometria's own script needs, by directive."""
        return self._csp

    def markup(self, request: RequestHead) -> bytes | None:
        """Return the script element, without a nonce, for pages at this host and path; None where there is none.

        The store view is found by host and the longest base URL path. A cookie may choose between views that share a
        URL; the page itself says which one it is, and the script reads it there.
        """
        place = self._current().at(request.get(b"host") or b"", request.path)
        if place.excluded and is_below(place.base, request.path, place.excluded):
            return None
        return place.markup

    def _current(self) -> _Rendered:
        book = self._books.current
        rendered = self._rendered
        if rendered.book is not book:
            rendered = self._rendered = self._render(book)
        return rendered

    def _render(self, book: Book) -> _Rendered:
        accounts = book.accounts()
        stores = [store for store in book.stores if store.active] or [_NO_TREE]
        views = {store: view_of(book, store, accounts) for store in stores}
        groups: dict[tuple[str, str], list[Store]] = {}
        for store in stores:
            groups.setdefault(_place(store), []).append(store)
        chosen = {place: _chosen(group, views) for place, group in groups.items()}
        facts = [
            self._config.prefix,
            self._config.ometria_tag_url,
            PAGE_TYPES,
            META_TYPES,
            PATH_TYPES,
            self._sources.digest,
            list(views.values()),
            sorted((place, store.id) for place, store in chosen.items()),
        ]
        version = hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:12]
        made = {
            place: _Place(
                place[1].encode(),
                store,
                self._markup(views[store], version),
                tuple(views[store]["exclude"]),
                place[1],
            )
            for place, store in chosen.items()
        }
        places: dict[str, list[_Place]] = {}
        for (host, _), place in sorted(made.items(), key=lambda item: -len(item[0][1])):
            places.setdefault(host, []).append(place)
        default = book.default_store
        fallback = made[_place(default if default in views else stores[0])]
        named = {str(store.id): store for store in stores} | {store.code: store for store in stores if store.code}
        return _Rendered(book, version, views, places, fallback, named, b"-b" + version.encode())

    def _script(self, rendered: _Rendered, store: Store, part: str) -> Script:
        if part in PARTS:
            plain = f"{self._sources.joined(PARTS[part])}();\n".encode()
        else:
            view = rendered.views[store]
            waits = part != "main" and view["consent"] is not None
            rules = page_type_pairs(rendered.book.settings(store.ref)["tracking.page_type_rules"])
            data = {
                "version": rendered.version,
                "prefix": self._config.prefix,
                "tagUrl": self._config.ometria_tag_url,
                "pageTypes": "" if waits else _rows([*rules, *PAGE_TYPES, *META_TYPES, *PATH_TYPES]),
                "view": view,
            }
            names = (
                ("consent",)
                if waits
                else ("small", "tools", "layered" if view["mode"] == "data_layer" else "direct", *MAIN)
            )
            plain = f"{EAGER}{self._sources.joined(('base', *names, 'begin'))}({_as_script(data)});\n".encode()
        return Script(rendered.version, plain, gzip.compress(plain, mtime=0))

    def _markup(self, view: dict[str, Any], version: str) -> bytes | None:
        if not view["enabled"]:
            return None
        which = f"&view={view['code']}" if view["code"] else ""
        source = html.escape(f"{self._config.prefix}/tag.js?v={version}{quote(which, safe='&=')}")
        markup = (
            f'<script src="{source}" data-bridge data-account="{html.escape(view["account"])}" '
            f'data-store="{html.escape(view["site"])}" async></script>'
        ).encode("ascii", "xmlcharrefreplace")
        if len(markup) > LONGEST_MARKUP:
            log.error("tag left out", size=len(markup), next="shorten BRIDGE_PREFIX")
            return None
        return markup


class Sources:
    """The files that the scripts are joined from, shortened once for each set."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
        self._shrunk: dict[tuple[str, ...], str] = {}
        self.digest = hashlib.sha256(msgspec.json.encode(self._files)).hexdigest()

    def joined(self, names: tuple[str, ...]) -> str:
        """Return one function of ``config`` with these files as its body."""
        if names not in self._shrunk:
            body = "\n".join(self._files[name] for name in names)
            self._shrunk[names] = shrink(f"(function (config) {{\n'use strict';\n{body}\n}})")
        return self._shrunk[names]


def _rows(types: list[tuple[str, str | None]]) -> str:
    """Return patterns and types as the script reads them: ``PATTERN=TYPE`` parted by spaces."""
    return " ".join(f"{pattern}={kind or ''}" for pattern, kind in types)


def _as_script(data: dict[str, Any]) -> str:
    """Return data as JavaScript. JSON is that; three characters would matter to readers of HTML and old engines."""
    text = msgspec.json.encode(data).decode()
    for character in ("<", "\u2028", "\u2029"):
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


_NO_TREE = Store(ref=DEFAULT, code="", id=0, website="", website_id=0)
"""Stands for the only store view while the store tree has not been read yet."""


def view_of(book: Book, store: Store, accounts: tuple[Account, ...]) -> dict[str, Any]:
    """Return what the script must know of a store view: names and switches, never a secret."""
    settings = book.settings(store.ref)
    policy = _policy(book, store, accounts)
    consent = {name: settings[f"consent.{name}"] for name in ("mode", "cookie", "pattern")}
    return {
        "code": store.code,
        "id": str(store.id or ""),
        "website": str(store.website_id or ""),
        "base": _place(store)[1],
        "site": store.code if policy["general.store_id_kind"] == "code" else str(store.id or ""),
        "account": settings["general.account_id"],
        "enabled": bool(
            settings["general.enabled"] and settings["tracking.enabled"] and settings["general.account_id"]
        ),
        "checkout": settings["tracking.checkout"],
        "mode": settings["tracking.mode"],
        "consent": None if consent["mode"] == "none" else consent,
        "links": bool(settings["tracking.cart_link_days"]),
        "percent": settings["tracking.percent"],
        "exclude": settings["tracking.exclude_paths"],
        "variants": settings["tracking.variant_pageview"],
        "currency": store.currency,
        "key": policy["products.id_attribute"],
        "products": _namespace(policy, "products"),
        "orders": _namespace(policy, "orders"),
    }


def _policy(book: Book, store: Store, accounts: tuple[Account, ...]) -> Settings:
    """Return the settings that rule the ids: those of the scope that owns the account, as for the export.

    After a start without the database the API keys are not known, and the owner of the site identifier stands in.
    """
    for account in accounts:
        if not account.is_global and store in account.stores:
            return account.settings
    return book.settings(book.settings(store.ref).source("general.account_id") or store.ref)


def _namespace(settings: Settings, entity: str) -> str:
    name = settings[f"{entity}.namespace"]
    return f"{name}{settings[f'{entity}.namespace_separator']}" if name else ""


def _place(store: Store) -> tuple[str, str]:
    """Return host and path of a store view's pages; the path ends with a slash."""
    parts = urlsplit(store.link_url or store.base_url)
    return parts.netloc.lower(), parts.path.rstrip("/") + "/"


def _chosen(group: list[Store], views: Mapping[Store, dict[str, Any]]) -> Store:
    """Return the view that speaks for those which share a URL: the default one, or another when that is not tracked."""
    return min(group, key=lambda store: (not views[store]["enabled"], not store.is_default, store.id))


def _csp_sources(tag_url: str) -> dict[str, tuple[bytes, ...]]:
    parts = urlsplit(tag_url)
    if parts.hostname == OMETRIA_HOST:
        return {
            "script-src": (b"https://cdn.ometria.com",),
            "img-src": (b"https://trk.ometria.com",),
            "connect-src": (b"https://api.ometria.com", b"https://trk.ometria.com"),
        }
    own = f"{parts.scheme}://{parts.netloc}" if parts.scheme else parts.netloc
    return dict.fromkeys(("script-src", "img-src", "connect-src"), (own.encode(),))
