"""``bridge check``: asks every neighbour and says in words what is wrong and what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import SQLAlchemyError

from bridge.app import services
from bridge.checks.coupons import look_at_coupons
from bridge.checks.crawl import crawl
from bridge.checks.finding import Finding, fail, good, warn
from bridge.checks.mail import look_at_mail
from bridge.checks.policies import look_at_policies
from bridge.checks.shop import look_at_shop
from bridge.errors import BridgeError
from bridge.ops import neighbours
from bridge.settings import Book, load_book
from bridge.settings.pages import page_type_pairs
from bridge.settings.places import store_at
from bridge.store import refresh_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flask import Flask

    from bridge.app import Services

__all__ = ["GROUPS", "Finding", "run_checks", "run_crawl", "run_group"]


def run_checks(app: Flask) -> Iterator[Finding]:
    """Yield the findings, neighbour by neighbour; needs an application context.

    Of what is about one right, only what is wrong.
    """
    for name in GROUPS:
        yield from (found for found in run_group(app, name) if name != "rights" or not _is_granted(found))


def run_group(app: Flask, name: str) -> Iterator[Finding]:
    """Yield the findings of one group, in more detail; needs an application context."""
    return GROUPS[name](services(app))


def _is_granted(found: Finding) -> bool:
    return bool(found.about) and found.level == "ok"


def run_crawl(app: Flask, url: str) -> Iterator[Finding]:
    """Yield what the pages of a shop tell of themselves; needs an application context.

    Ids are compared with the export's where the shop's REST API is set up.
    """
    wired = services(app)

    def find_ids(skus: Sequence[str]) -> dict[str, str]:
        return {sku: product.id for sku, product in wired.store.products_by_sku(skus).items()}

    return crawl(url, find_ids if wired.config.store_token or wired.config.store_oauth else None, _rules(url))


def _rules(url: str) -> list[tuple[str, str | None]]:
    """Return the page types that the settings give at an address; none where there is no database to read."""
    try:
        book = load_book()
    except (BridgeError, SQLAlchemyError):
        return []
    parts = urlsplit(url)
    store = store_at(parts.netloc, book, parts.path or "/")
    return page_type_pairs(book.settings(store.ref if store else "default")["tracking.page_type_rules"])


def _base(wired: Services) -> Iterator[Finding]:
    """Database and Redis, and whether Redis keeps what it is given."""
    faults = neighbours(wired.redis)
    yield fail("database and Redis", " ".join(faults)) if faults else good("database and Redis", "Both answer.")
    if not faults:
        yield from _redis_keeps(wired.redis)


def _redis_keeps(connection: redis.Redis) -> Iterator[Finding]:
    """Say when a power cut, or a lack of memory, takes away events that wait in Redis."""
    try:
        kept: dict[str, Any] = connection.info("persistence")
        memory: dict[str, Any] = connection.info("memory")
    except redis.RedisError:
        return
    if not kept.get("aof_enabled"):
        yield warn(
            "Redis", "It writes no append-only file: events that wait there are lost with it. Set appendonly to yes."
        )
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory") and policy != "noeviction":
        yield warn(
            "Redis", f"It may throw events away when memory is short ({policy}): set maxmemory-policy noeviction."
        )


def _rest(wired: Services) -> Iterator[Finding]:
    """The token, the store tree, and each right that is needed."""
    try:
        stores = refresh_tree(wired.store, https=(wired.config.public_url or "").startswith("https://"))
    except BridgeError as error:
        yield fail("shop's REST API", str(error))
        return
    yield good("shop's REST API", f"The token is accepted; {stores} store views were read.")
    lacking = False
    for right in wired.store.rights():
        if not right.fault:
            yield good("shop's REST API", f"Granted, for {right.needed_for}.", right.name)
            continue
        lacking = True
        sentence = f"For {right.needed_for}: {right.fault}"
        if right.missing:
            sentence = f"Tick “{right.name}” for the integration; without it {right.needed_for} cannot be read."
        yield fail("shop's REST API", sentence, right.name)
    if not lacking:
        yield good("shop's REST API", "Every right that is needed is granted.")


def _ometria(wired: Services) -> Iterator[Finding]:
    """Which accounts are set, and whether Ometria takes each key."""
    accounts = load_book().accounts()
    if not accounts:
        yield fail(
            "Ometria", "No API key is set: nothing is exported. Set it with `bridge config set general.api_key`."
        )
    for account in accounts:
        name = f"Ometria ({account.owner}{', global' if account.is_global else ''})"
        try:
            wired.ometria.errors(account)
            yield good(name, f"The key is accepted; fed by {', '.join(store.code for store in account.stores)}.")
        except BridgeError as error:
            yield fail(name, str(error))


def _tag(wired: Services) -> Iterator[Finding]:
    """Whether each store view has a site identifier, and whether the shop's policies let the tag work."""
    book = load_book()
    yield _identifiers(book)
    yield from look_at_policies(wired.config, wired.tracking.tags.csp_sources, book.stores)


def _identifiers(book: Book) -> Finding:
    refs = [store.ref for store in book.stores] or ["default"]
    without = [ref for ref in refs if not book.settings(ref)["general.account_id"]]
    if len(without) == len(refs):
        sentence = "No site identifier is set: pages carry no tag. Set it with `bridge config set general.account_id`."
        return fail("tag", sentence)
    if without:
        return warn("tag", f"No site identifier at {', '.join(without)}: the pages of these store views carry no tag.")
    return good("tag", "Every store view has a site identifier.")


def _mail(wired: Services) -> Iterator[Finding]:
    book = load_book()
    refs = [store.ref for store in book.stores] or ["default"]
    wanted = any(book.settings(ref)["mail.mode"] != "off" for ref in refs)
    return look_at_mail(wired.config, wired.store, wanted=wanted)


GROUPS: dict[str, Callable[[Services], Iterator[Finding]]] = {
    "base": _base,
    "shop": lambda wired: look_at_shop(wired.config),
    "rights": _rest,
    "ometria": _ometria,
    "tag": _tag,
    "mail": _mail,
    "coupons": lambda _: look_at_coupons(),
}
"""What is asked together, in this order: later groups use the store tree that the rights' check reads."""
