"""Which paths of the shop's host the signed API has: a path that is off is the shop's own, untouched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bridge.settings.places import store_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.settings import Book, Books, Settings
    from bridge.settings import Store as StoreView

SWITCHES: Final = ("coupons.signed_api", "coupons.pull_api")
_PATH: Final = re.compile(r"(?P<front>(?:/[^/]+){0,2})/ometria_api/v1/(?P<action>[A-Za-z_]+)(?P<rest>/.*)?", re.DOTALL)


class Place(NamedTuple):
    """A path of the API: the action as it is written, and the segments behind it."""

    action: str
    rest: tuple[str, ...]


def place_of(path: str) -> Place | None:
    """Return what a path names; a folder, ``index.php`` or a store code may stand before."""
    found = _PATH.fullmatch(path)
    return None if found is None else Place(found["action"], tuple((found["rest"] or "").split("/")[1:]))


class Gate:
    """Says which actions are on. The answer follows the settings, so it is never kept beyond the book it is from."""

    def __init__(self, books: Books, signed: Iterable[str], pulled: Iterable[str]) -> None:
        self._books = books
        self._switch = dict.fromkeys(pulled, "coupons.pull_api") | dict.fromkeys(signed, "coupons.signed_api")
        self._known: tuple[Book, bool] | None = None

    def takes(self, path: bytes, host: bytes) -> bool:
        """Say whether a request is answered by the API rather than by the shop: a look-up, no I/O."""
        book = self._books.current
        if not self._any(book):
            return False
        text = path.decode("latin-1")
        place = place_of(text)
        if place is None:
            return False
        _, settings = self.settings(book, host.decode("latin-1"), text)
        return self.on(place.action, settings)

    def on(self, action: str, settings: Settings) -> bool:
        """Say whether an action is on in these settings."""
        switch = self._switch.get(action.lower())
        return switch is not None and bool(settings[switch])

    @staticmethod
    def settings(book: Book, host: str, path: str) -> tuple[StoreView | None, Settings]:
        """Return the store view that a call addresses, and what is set there."""
        view = store_at(host, book, path)
        return view, book.settings(view.ref if view else "default")

    def _any(self, book: Book) -> bool:
        """Say whether anything is on anywhere."""
        if self._known is None or self._known[0] is not book:
            on = any(values.get(switch) for values in book.values.values() for switch in SWITCHES)
            self._known = book, on
        return self._known[1]
