"""Which store view a letter belongs to, by its links and pictures; empty where two would do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.mail.marks import Marks
    from bridge.settings import Store

_LOCALE = re.compile(r"/static/(?:version[0-9]+/)?frontend/[^/]+/[^/]+/([a-z]{2,3}_[A-Za-z_]{2,10})/")


def known(code: str, views: Iterable[Store]) -> str:
    """Return a store view code that the shop has; empty for any other."""
    return code if any(view.code == code for view in views) else ""


def place_of(marks: Marks, views: Sequence[Store]) -> str:
    """Return the store view whose links a letter has.

    A parameter that names the view tells it; else the base URL that most links lie below, the longest first; among
    views that share one, the language of the pictures. A shop with one view has no other.
    """
    if len(views) == 1:
        return views[0].code
    urls = [link.url for link in marks.links if link.sort != "mailto"]
    named = {code for url in urls for code in _query(url, "___store") if known(code, views)}
    if named:
        return named.pop() if len(named) == 1 else ""
    near = _nearest(urls, views)
    if len(near) > 1:
        locales = {match[1] for url in marks.images if (match := _LOCALE.search(url))}
        near = [view for view in near if view.locale in locales] or near
    return near[0].code if len(near) == 1 else ""


def _nearest(urls: Sequence[str], views: Iterable[Store]) -> list[Store]:
    """Return the views below whose base URL most of the links lie; of nested ones the innermost."""
    best: tuple[int, int] = (0, 0)
    found: list[Store] = []
    for view in views:
        base = _base(view.link_url or view.base_url)
        if not base[0]:
            continue
        there = sum(_lies_below(url, base) for url in urls)
        score = (there, len(base[1]))
        if there and score > best:
            best, found = score, [view]
        elif there and score == best:
            found.append(view)
    return found


def _base(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.path.rstrip("/") + "/"
    except ValueError:
        return "", ""


def _lies_below(url: str, base: tuple[str, str]) -> bool:
    host, path = _base(url)
    return host == base[0] and path.startswith(base[1])


def _query(url: str, name: str) -> list[str]:
    try:
        return parse_qs(urlsplit(url).query).get(name, [])
    except ValueError:
        return []
