"""The tag: its markup in pages, and the script that the markup names.

Both follow from the settings alone. The same page and settings give the same bytes, whoever asks: nothing about a
visitor, and no cookie, decides anything here, because shared caches keep the pages.
"""

from __future__ import annotations

import gzip
import hashlib
import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import structlog

from bridge.settings import DEFAULT, Store
from bridge.tracking.pages import PAGE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.config import Config
    from bridge.settings import Account, Book, Books, Settings
    from bridge.tracking.wire import RequestHead

LONGEST_MARKUP = 512
OMETRIA_HOST = "cdn.ometria.com"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Script:
    """``tag.js`` as it is served; ``version`` is a hash of all that goes into it and into the markup."""

    version: str
    plain: bytes
    gzipped: bytes


@dataclass(frozen=True, slots=True)
class _Rendered:
    """Everything that follows from one book of settings. ``places`` is host -> (path, markup), longest path first."""

    book: Book
    script: Script
    places: dict[str, list[tuple[bytes, bytes | None]]]
    elsewhere: bytes | None


class Tags:
    """What the proxy and the endpoints are given. Thread safe: one book's work is done once and then only read."""

    def __init__(self, config: Config, books: Books, static_folder: Path) -> None:
        self._config = config
        self._books = books
        self._source = _without_comments((static_folder / "bridge" / "tag.js").read_text(encoding="utf-8"))
        self._csp = _csp_sources(config.ometria_tag_url)
        self._rendered = self._render(books.current)

    @property
    def script(self) -> Script:
        """The script by the settings in force."""
        return self._current().script

    @property
    def etag_suffix(self) -> bytes:
        """What an injected page's entity tag ends with: it changes whenever the markup or the script does."""
        return b"-b" + self.script.version.encode()

    @property
    def csp_sources(self) -> Mapping[str, tuple[bytes, ...]]:
        """The sources that Ometria's own script needs, by directive."""
        return self._csp

    def markup(self, request: RequestHead) -> bytes | None:
        """Return the script element, without a nonce, for pages at this host and path; None where there is none.

        The store view is found by host and the longest base URL path. A cookie may choose between views that share a
        URL; the page itself says which one it is, and the script reads it there.
        """
        rendered = self._current()
        host = (request.get(b"host") or b"").decode("latin-1").lower()
        places = rendered.places.get(host) or rendered.places.get(host.partition(":")[0])
        for path, markup in places or ():
            if request.path.startswith(path):
                return markup
        return rendered.elsewhere

    def _current(self) -> _Rendered:
        book = self._books.current
        if self._rendered.book is not book:
            self._rendered = self._render(book)
        return self._rendered

    def _render(self, book: Book) -> _Rendered:
        accounts = book.accounts()
        stores = [store for store in book.stores if store.active] or [_NO_TREE]
        views = {store: _view(book, store, accounts) for store in stores}
        config = {
            "prefix": self._config.prefix,
            "tagUrl": self._config.ometria_tag_url,
            "pageTypes": PAGE_TYPES,
            "stores": {str(store.id): view for store, view in views.items()},
        }
        groups: dict[tuple[str, str], list[Store]] = {}
        for store in stores:
            groups.setdefault(_place(store), []).append(store)
        chosen = {place: _chosen(group, views) for place, group in groups.items()}
        facts = [config, self._source, sorted((place, store.id) for place, store in chosen.items())]
        version = hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:12]
        places: dict[str, list[tuple[bytes, bytes | None]]] = {}
        for (host, path), store in sorted(chosen.items(), key=lambda item: -len(item[0][1])):
            places.setdefault(host, []).append((path.encode(), self._markup(views[store], version)))
        default = book.default_store
        fallback = default if default in views else stores[0]
        return _Rendered(
            book, self._script(config, version), places, self._markup(views[chosen[_place(fallback)]], version)
        )

    def _script(self, config: dict[str, Any], version: str) -> Script:
        data = msgspec.json.encode({"version": version, **config}).decode()
        # JSON is JavaScript; these three would matter to a reader of HTML or of old script engines.
        for character in ("<", "\u2028", "\u2029"):
            data = data.replace(character, f"\\u{ord(character):04x}")
        plain = f"{self._source}({data});\n".encode()
        return Script(version, plain, gzip.compress(plain, mtime=0))

    def _markup(self, view: dict[str, Any], version: str) -> bytes | None:
        if not view["enabled"]:
            return None
        source = html.escape(f"{self._config.prefix}/tag.js?v={version}")
        markup = (
            f'<script src="{source}" data-bridge data-account="{html.escape(view["account"])}" '
            f'data-store="{html.escape(view["site"])}" async></script>'
        ).encode("ascii", "xmlcharrefreplace")
        if len(markup) > LONGEST_MARKUP:
            log.error("tag left out", size=len(markup), next="shorten BRIDGE_PREFIX")
            return None
        return markup


def _without_comments(source: str) -> str:
    """Return the script without its head, whole lines of comment and indentation, which visitors need not load."""
    lines = [line.strip() for line in source.partition("*/")[2].splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


_NO_TREE = Store(ref=DEFAULT, code="", id=0, website="", website_id=0)
"""Stands for the only store view while the store tree has not been read yet."""


def _view(book: Book, store: Store, accounts: tuple[Account, ...]) -> dict[str, Any]:
    """Return what the script must know of a store view: names and switches, never a secret."""
    settings = book.settings(store.ref)
    policy = _policy(book, store, accounts)
    return {
        "code": store.code,
        "site": store.code if policy["general.store_id_kind"] == "code" else str(store.id or ""),
        "account": settings["general.account_id"],
        "enabled": bool(
            settings["general.enabled"] and settings["tracking.enabled"] and settings["general.account_id"]
        ),
        "checkout": settings["tracking.checkout"],
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
