"""The shop as a visitor would see it through bridge: redirects, the backend's path, caches, the old module's tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.checks.finding import Finding, fail, good, warn
from bridge.config import require_store
from bridge.errors import BridgeError, Misconfigured
from bridge.http import Page, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.config import Config

REDIRECTS = frozenset({301, 302, 303, 307, 308})
ADMIN_BODY = re.compile(r'<body[^>]*\sclass="[^"]*\badminhtml-', re.IGNORECASE)
OLD_TAG = re.compile(r"cdn\.ometria\.com/tags/|\bometria\.raw_data\b", re.IGNORECASE)
NEWER_MODULE = re.compile(r"Ometria_Analytics|Ometria\\?/Analytics", re.IGNORECASE)
FRONT_CACHES = {
    "cf-cache-status": "Cloudflare",
    "x-served-by": "Fastly",
    "x-amz-cf-id": "CloudFront",
    "x-akamai-transformed": "Akamai",
}


def look_at_shop(config: Config) -> Iterator[Finding]:
    """Ask the home page, the backend's path, and the public address."""
    try:
        origin = require_store(config)
        page = ask(origin + "/", (origin,), _as_visitor(config))
    except Misconfigured as error:
        yield fail("shop", error.what)
        return
    except BridgeError:
        yield fail("shop", f"{config.store_url} does not answer: correct BRIDGE_STORE_URL.")
        return
    finding = look_at_home(page, config)
    yield finding
    if finding.level == "fail":
        return
    yield look_at_inner_cache(page)
    yield from look_at_old_module(page)
    yield _admin(config, origin)
    yield from _public(config)


def look_at_home(page: Page, config: Config) -> Finding:
    """Say whether the home page answers, and what a redirect means."""
    if page.status not in REDIRECTS:
        if page.status == 200:
            return good("shop", "The home page answers.")
        return fail("shop", f"The home page answers {page.status}: look at the shop's own logs.")
    target, public = page.header("location"), config.public_url or config.store_url or ""
    told, meant = urlsplit(target), urlsplit(public)
    if not told.netloc or (told.scheme, told.netloc, told.path.rstrip("/")) == (meant.scheme, meant.netloc, meant.path):
        return fail(
            "shop",
            "The home page redirects to itself, in a loop: BRIDGE_PUBLIC_URL must be the shop's own base URL, with the "
            "right scheme; for https the shop must know X-Forwarded-Proto (web/secure/offloader_header).",
        )
    if told.netloc == meant.netloc:
        return fail(
            "shop",
            f"The shop calls itself {told.scheme}, BRIDGE_PUBLIC_URL says {meant.scheme}: visitors would go round in a "
            f"loop. Set BRIDGE_PUBLIC_URL={told.scheme}://{told.netloc}, or correct the shop's base URLs.",
        )
    base = f"{told.scheme}://{told.netloc}"
    return fail("shop", f"The shop calls itself {base}: set BRIDGE_PUBLIC_URL={base}, or correct the shop's base URLs.")


def look_at_inner_cache(page: Page) -> Finding:
    """Say what stands between bridge and Magento."""
    if page.header("x-magento-cache-debug") or page.header("x-varnish"):
        return good(
            "cache behind bridge", "Varnish stands behind bridge, where it belongs: hits are seen and tagged too."
        )
    seller = next((seller for name, seller in FRONT_CACHES.items() if page.header(name)), "")
    if seller or page.header("age"):
        who = seller or "A cache"
        return warn(
            "cache behind bridge",
            f"{who} answers for the origin: let BRIDGE_STORE_URL name Varnish or the web server, and put bridge "
            "between that cache and the shop.",
        )
    return good("cache behind bridge", "None was seen; Magento's own page cache is enough for bridge.")


def look_at_old_module(page: Page) -> Iterator[Finding]:
    """Say when the shop's own Ometria module tags the pages too: every view would count twice."""
    if not OLD_TAG.search(page.text) and "ommage=" not in page.header("set-cookie"):
        return
    keep = (
        "Before that, note its ids, so that Ometria's records go on under the same ones: its namespaces go to "
        "customers/products/orders.namespace, an entity's `productmode` to products.id_attribute"
    )
    if NEWER_MODULE.search(page.text):
        yield fail(
            "old module",
            "The shop's Ometria module still puts its tag into pages, so every view would count twice: switch it off "
            f"(Stores > Configuration > Ometria > Analytics > Enable: No). {keep}.",
        )
        return
    yield fail(
        "old module",
        "The shop's Ometria module still puts its tag into pages, so every view would count twice: switch it off "
        "(Stores > Configuration > Ometria, or `bin/magento module:disable Ometria_AbandonedCarts Ometria_Api "
        f"Ometria_Core`). {keep}, and since it named stores by number set general.store_id_kind to id.",
    )


def look_at_admin(page: Page, path: str) -> Finding:
    """Say whether the backend is where the configuration says."""
    if page.status == 200 and ADMIN_BODY.search(page.text):
        return good("backend", f"{path} is the shop's backend: never tagged, never read.")
    if page.status in REDIRECTS and path.strip("/") in page.header("location"):
        return good("backend", f"{path} leads to the shop's backend: never tagged, never read.")
    return warn(
        "backend",
        f"{path} is not the shop's backend (it answers {page.status}): set BRIDGE_ADMIN_PATH to the front name in "
        "app/etc/env.php (backend > frontName), so that the backend is never tagged and never read.",
    )


def look_at_public(home: Page, health: Page, public: str) -> Iterator[Finding]:
    """Say whether visitors already come through bridge, and what stands in front of it."""
    if health.status != 200 or health.text.strip() != "ok":
        yield warn("visitors", f"{public} does not come through bridge yet: point the shop's name at it.")
        return
    yield good("visitors", f"{public} comes through bridge.")
    seller = next((seller for name, seller in FRONT_CACHES.items() if home.header(name)), "")
    cached = home.header("cf-cache-status").upper() == "HIT" or home.header("age").strip() not in {"", "0"}
    if seller or cached:
        who = seller or "A cache"
        what = "keeps whole pages: empty it after each change of the tag's settings" if cached else "passes pages on"
        yield warn(
            "cache in front of bridge",
            f"{who} stands in front of bridge and {what}. Let it never keep what lies under bridge's own path, "
            "and name its networks in BRIDGE_TRUSTED_PROXIES.",
        )


def _as_visitor(config: Config) -> dict[str, str]:
    if not config.public_url:
        return {}
    public = urlsplit(config.public_url)
    return {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}


def _admin(config: Config, origin: str) -> Finding:
    try:
        return look_at_admin(ask(origin + config.admin_path + "/", (origin,), _as_visitor(config)), config.admin_path)
    except BridgeError as error:
        return warn("backend", str(error))


def _public(config: Config) -> Iterator[Finding]:
    if not config.public_url:
        yield warn("visitors", "BRIDGE_PUBLIC_URL is not set: OAuth calls and links cannot name the shop's address.")
        return
    try:
        home = ask(config.public_url + "/", (config.public_url,))
        health = ask(f"{config.public_url}{config.prefix}/healthz", (config.public_url,))
    except BridgeError as error:
        yield warn("visitors", f"The public address could not be asked from here: {error}")
        return
    yield from look_at_public(home, health, config.public_url)
