"""What stands beside a field to show what its value means: the next runs of a schedule, the address of a product."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from cronsim import CronSim, CronSimError
from flask_babel import get_locale

from bridge.alerts.channels import NO_UPSTREAM
from bridge.dashboard import shop_facts
from bridge.dashboard.doubled import already_sent
from bridge.dashboard.frame import wired
from bridge.dashboard.language import SOURCE, mark
from bridge.dashboard.language import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.dashboard.fields import Field
    from bridge.dashboard.shop_facts import ShopFacts
    from bridge.settings import Book, Store

RUNS = 5
SENT_ALREADY = mark(
    "Records were sent already: a change makes Ometria hold them twice. You are asked before it is saved."
)


def furnish(fields: Iterable[Field], book: Book, ref: str, now: float) -> None:
    """Give each field of a section at a scope what its value means there, and what the shop has to choose from."""
    facts = shop_facts.known()
    stores = stores_of(book, ref)
    for one in fields:
        kind = shop_facts.KINDS.get(one.setting.section, "")
        match one.setting.widget:
            case "cron":
                zone = stores[0].timezone if stores else "UTC"
                one.hints = [] if one.error else [next_runs(one.text, zone, now)]
            case "mapping":
                one.known = facts.attributes.get(kind, [])
            case "statuses":
                one.known = facts.statuses
        if one.key == "products.url_format" and not one.error:
            one.hints = [address_example(one.text, facts, stores)]
        elif one.key == "alerts.email" and wired().config.smtp_upstream is None:
            one.hints = [_(NO_UPSTREAM)]
        elif one.key.endswith(".namespace") and already_sent(book, ref, kind):
            one.hints = [_(SENT_ALREADY)]
        one.hints = [hint for hint in one.hints if hint]


def next_runs(expression: str, zone_name: str, now: float) -> str:
    """Return the next five runs in the shop's zone, an empty text for what is no expression or never runs."""
    zone: dt.tzinfo
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        zone, zone_name = dt.UTC, "UTC"
    try:
        runs = list(itertools.islice(CronSim(expression, dt.datetime.fromtimestamp(now, tz=zone)), RUNS))
    except (CronSimError, StopIteration):
        return ""
    if not runs:
        return ""
    language = str(get_locale() or SOURCE)
    told = "; ".join(format_datetime(run, "EEE d MMM HH:mm", tzinfo=zone, locale=language) for run in runs)
    return _("Next runs: %(runs)s (%(zone)s)", runs=told, zone=zone_name)


def address_example(form: str, facts: ShopFacts, stores: list[Store]) -> str:
    """Return what a format makes of a real product's address in the first store view that has one."""
    store = next((store for store in stores if store.ref in facts.addresses), None)
    if store is None:
        return ""
    native = facts.addresses[store.ref]
    path = urlsplit(native).path.lstrip("/")
    made = form.replace("{product_id}", facts.product).replace("{url_path}", path) if form else native
    return _("Product %(id)s in %(view)s: %(address)s", id=facts.product, view=store.name or store.code, address=made)


def stores_of(book: Book, ref: str) -> list[Store]:
    """Return the store views that use the values of a scope."""
    return [store for store in book.stores if ref in book.lineage(store.ref)]
