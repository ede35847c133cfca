"""Settings of what the tag tells: through which of Ometria's doors, and the page types of a shop's own actions."""

from __future__ import annotations

import re
from typing import Any

from bridge.errors import Misconfigured
from bridge.settings.definition import Setting, choice, number, switch

PAGE_TYPES = ("homepage", "listing", "product", "basket", "checkout", "confirmation", "content", "none")
_PATH = re.compile(r"/[^\s,=*<>\"']{0,150}\*?")
_RULE = re.compile(r"(/[^\s,=*<>\"']{0,150}\*?|[A-Za-z][A-Za-z0-9_-]{0,99}\*?)=([a-z]+)")


def page_type_rules(value: Any) -> list[str]:
    """Return rows ``PATTERN=TYPE`` in their order; the first that fits a page decides."""
    found = value if isinstance(value, list) else re.split(r"[,\s]+", str(value))
    rows: list[str] = []
    for row in (str(row).strip() for row in found):
        if not row:
            continue
        match = _RULE.fullmatch(row)
        if match is None or match[2] not in PAGE_TYPES:
            raise Misconfigured(
                "it takes rows parted by commas, each as PATTERN=TYPE: a class of the page's body or a path from /, "
                f"with * at its end where more may follow, and one of {' '.join(PAGE_TYPES)}; {row[:60]!r} is none."
            )
        rows.append(row)
    return rows


def page_type_pairs(rows: list[str]) -> list[tuple[str, str | None]]:
    """Return rows that :func:`page_type_rules` accepted as pattern and type; None for ``none``."""
    pairs = (row.rpartition("=") for row in rows)
    return [(pattern.rstrip("/") or "/", None if kind == "none" else kind) for pattern, _, kind in pairs]


def path_patterns(value: Any) -> list[str]:
    """Return paths below a store view's address, each from ``/`` and with ``*`` at its end where more may follow."""
    found = value if isinstance(value, list) else re.split(r"[,\s]+", str(value))
    rows = [str(row).strip() for row in found if str(row).strip()]
    for row in rows:
        if not _PATH.fullmatch(row):
            raise Misconfigured(
                "it takes paths parted by commas, each from / and below the store's address, with * at its end where "
                f"more may follow; {row[:60]!r} is none."
            )
    return [row.rstrip("/") or "/" for row in rows]


PAGES = (
    choice(
        "tracking.mode",
        "Way of telling",
        "direct calls Ometria's script; data_layer fills raw_data and the cookie ommage, for accounts whose tag "
        "carries Ometria's plugin for Magento.",
        "direct",
        "data_layer",
    ),
    Setting(
        "tracking.page_type_rules",
        "Page types of your own",
        "Pages that are another type than Magento's names say: PATTERN=TYPE, where PATTERN is a class of the page's "
        "body or a path below the store's address, * at its end for more: brand-index-*=listing.",
        [],
        page_type_rules,
        "words",
    ),
    switch(
        "tracking.variant_pageview",
        "View of a chosen variant",
        "A variant that is chosen on the page of its product counts as a page view of that variant.",
        default=False,
    ),
    number(
        "tracking.percent",
        "Share of visitors",
        "How many of a hundred visitors the tag tells of; the others are left out by lot, each for good. What the shop "
        "itself answers, such as orders, is not left out.",
        default=100,
        low=0,
        high=100,
    ),
    Setting(
        "tracking.exclude_paths",
        "Pages without the tag",
        "Paths below the store's address whose pages get no tag and are told of in no way, * at the end for more: "
        "/blog*. On a front end whose pages change without a load the tag holds them back.",
        [],
        path_patterns,
        "words",
    ),
)
