"""Settings resolved by scope: store view <- website <- default. Values in, values out; no database here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.settings.table import SETTINGS, setting

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Store:
    """A store view as the tree knows it. ``ref`` is ``store:CODE``; URLs end with a slash."""

    ref: str
    code: str
    id: int
    website: str
    website_id: int
    name: str = ""
    active: bool = True
    is_default: bool = False
    base_url: str = ""
    link_url: str = ""
    media_url: str = ""
    currency: str = ""
    base_currency: str = ""
    locale: str = ""
    timezone: str = "UTC"
    root_category: int = 0


class Settings(Mapping[str, Any]):
    """The resolved, frozen values of one scope; ``source(key)`` names the scope that supplied a value."""

    def __init__(self, scope: str, values: Mapping[str, tuple[str, Any]]) -> None:
        self.scope = scope
        self._values = values

    def __getitem__(self, key: str) -> Any:
        found = self._values.get(key)
        return found[1] if found else setting(key).default

    def __iter__(self) -> Iterator[str]:
        return iter(definition.key for definition in SETTINGS)

    def __len__(self) -> int:
        return len(SETTINGS)

    def source(self, key: str) -> str:
        """Return the scope whose own value this is, or an empty text for the built-in default."""
        found = self._values.get(key)
        return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Account:
    """One Ometria account that records are owed to.

    ``id`` is derived from the API key, so that scopes that share a key share the account; it reveals nothing.
    ``settings`` are those of the scope that owns the key: one account cannot have two id policies. ``stores`` are the
    store views that feed it.
    """

    id: str
    key: str = field(repr=False)
    owner: str
    is_global: bool
    settings: Settings
    stores: tuple[Store, ...]

    @property
    def use_namespaces(self) -> bool:
        """Whether ids carry the namespace: always for an own account, by setting for the global one."""
        return not self.is_global or bool(self.settings["global.use_namespaces"])

    def store_name(self, store: Store) -> str:
        """Return the store identifier that Ometria knows: in pages, orders and listings alike."""
        return store.code if self.settings["general.store_id_kind"] == "code" else str(store.id)


def account_id(api_key: str) -> str:
    """Return the id under which an account's rows are kept."""
    return hashlib.sha256(b"ometria account " + api_key.encode()).hexdigest()[:16]


class Book:
    """Everything set, for every scope, at one moment."""

    def __init__(self, parents: Mapping[str, str | None], stores: tuple[Store, ...], values: Mapping[str, Any]) -> None:
        """Take the tree (ref -> parent ref), the store views and the values (scope ref -> key -> value)."""
        self.parents = {DEFAULT: None, **parents}
        self.stores = stores
        self.values = values
        self._resolved: dict[str, Settings] = {}
        self._values_of: dict[str, Mapping[str, tuple[str, Any]]] = {}
        self._accounts: tuple[Account, ...] | None = None

    def settings(self, ref: str) -> Settings:
        """Return the values in force at ``ref``; an unknown scope has those of ``default``."""
        if ref not in self._resolved:
            self._resolved[ref] = Settings(ref, self._in_force(ref))
        return self._resolved[ref]

    def _in_force(self, ref: str) -> Mapping[str, tuple[str, Any]]:
        """Return key -> scope and value; a scope without values of its own shares what is above it."""
        scope = ref if ref in self.parents else DEFAULT
        if scope not in self._values_of:
            own = {key: (scope, value) for key, value in self.values.get(scope, {}).items()}
            above = self.parents[scope]
            known = self._in_force(above) if above is not None else {}
            self._values_of[scope] = {**known, **own} if own else known
        return self._values_of[scope]

    def lineage(self, ref: str) -> Iterator[str]:
        """Yield ``ref`` and the scopes above it, nearest first."""
        scope: str | None = ref if ref in self.parents else DEFAULT
        while scope is not None:
            yield scope
            scope = self.parents[scope]

    def store(self, *, code: str | None = None, id: int | None = None) -> Store | None:  # noqa: A002 Magento's word
        """Return the store view with this code or numeric id."""
        return next((store for store in self.stores if store.code == code or (id is not None and store.id == id)), None)

    @property
    def default_store(self) -> Store | None:
        """The default view of the first website."""
        return next((store for store in self.stores if store.is_default), self.stores[0] if self.stores else None)

    def accounts(self) -> tuple[Account, ...]:
        """Return every account with its stores; the same key as own and global account is one account."""
        if self._accounts is None:
            self._accounts = self._found()
        return self._accounts

    def _found(self) -> tuple[Account, ...]:
        found: dict[str, tuple[str, str, bool, dict[str, Store]]] = {}
        ids: dict[str, str] = {}
        for is_global, key_name in ((False, "general.api_key"), (True, "global.api_key")):
            for store in self.stores:
                settings = self.settings(store.ref)
                key = settings[key_name]
                if not key or not settings["general.enabled"]:
                    continue
                id_ = ids.get(key) or ids.setdefault(key, account_id(key))
                row = found.setdefault(id_, (key, settings.source(key_name), is_global, {}))
                row[3].setdefault(store.ref, store)
        return tuple(
            Account(id_, key, owner, is_global, self.settings(owner), tuple(stores.values()))
            for id_, (key, owner, is_global, stores) in found.items()
        )

    def accounts_of(self, stores: tuple[Store, ...]) -> tuple[Account, ...]:
        """Return the accounts that any of these store views feeds."""
        return tuple(account for account in self.accounts() if any(store in account.stores for store in stores))
