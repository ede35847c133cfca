"""``bridge check``: asks every neighbour and says in words what is wrong and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3

from bridge.app import services
from bridge.config import require_store
from bridge.errors import BridgeError, Misconfigured
from bridge.ops import neighbours
from bridge.settings import load_book
from bridge.store import refresh_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from bridge.config import Config


@dataclass(frozen=True, slots=True)
class Finding:
    """One neighbour: ``ok``, or the sentence that names the fault and the change to make."""

    name: str
    ok: bool
    sentence: str


def run_checks(app: Flask) -> Iterator[Finding]:
    """Yield one finding a neighbour; needs an application context."""
    wired = services(app)
    faults = neighbours(wired.redis)
    yield Finding("database and Redis", not faults, " ".join(faults) or "Both answer.")
    yield check_shop_page(wired.config)
    try:
        stores = refresh_tree(wired.store, https=(wired.config.public_url or "").startswith("https://"))
        yield Finding("shop's REST API", ok=True, sentence=f"The token is accepted; {stores} store views were read.")
    except BridgeError as error:
        yield Finding("shop's REST API", ok=False, sentence=str(error))
    yield from check_accounts(app)


def check_shop_page(config: Config) -> Finding:
    """Ask the shop's home page as a visitor through bridge would."""
    try:
        origin = require_store(config)
        headers = {}
        if config.public_url:
            scheme, _, authority = config.public_url.partition("://")
            headers = {"Host": authority, "X-Forwarded-Proto": scheme}
        answer = urllib3.request("GET", origin + "/", headers=headers, redirect=False, retries=False, timeout=20)
    except Misconfigured as error:
        return Finding("shop", ok=False, sentence=error.what)
    except urllib3.exceptions.HTTPError:
        return Finding("shop", ok=False, sentence=f"{config.store_url} does not answer: correct BRIDGE_STORE_URL.")
    target = answer.headers.get("Location", "")
    if answer.status in {301, 302, 307, 308} and target.rstrip("/") == (config.public_url or origin).rstrip("/"):
        return Finding(
            "shop",
            ok=False,
            sentence="The home page redirects to itself: BRIDGE_PUBLIC_URL must be the shop's own base URL, "
            "with the right scheme.",
        )
    if answer.status in {301, 302, 307, 308}:
        return Finding(
            "shop", ok=False, sentence=f"The home page redirects to {target}: set BRIDGE_PUBLIC_URL to that."
        )
    if answer.status != 200:
        return Finding(
            "shop", ok=False, sentence=f"The home page answers {answer.status}: look at the shop's own logs."
        )
    return Finding("shop", ok=True, sentence="The home page answers.")


def check_accounts(app: Flask) -> Iterator[Finding]:
    """Say which accounts are set, and ask Ometria whether it takes each key."""
    wired, book = services(app), load_book()
    accounts = book.accounts()
    if not accounts:
        yield Finding(
            "Ometria",
            ok=False,
            sentence="No API key is set: nothing is exported. Set it with `bridge config set general.api_key`.",
        )
    for account in accounts:
        name = f"Ometria ({account.owner}{', global' if account.is_global else ''})"
        try:
            wired.ometria.errors(account)
            yield Finding(name, ok=True, sentence="The key is accepted.")
        except BridgeError as error:
            yield Finding(name, ok=False, sentence=str(error))
    if not book.settings("default")["general.account_id"] and not any(
        book.settings(store.ref)["general.account_id"] for store in book.stores
    ):
        yield Finding(
            "tag",
            ok=False,
            sentence="No site identifier is set: pages carry no tag. "
            "Set it with `bridge config set general.account_id`.",
        )
