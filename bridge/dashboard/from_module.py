"""For shops that come from an Ometria module inside Magento: what to take over, what to switch off, in which order.

There are two such modules. The newer one ("Analytics") pushed from the shop and has nearly the settings of bridge; the
older one ("importer": Ometria_Core, Ometria_Api, Ometria_AbandonedCarts) was pulled from and named stores by number.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import render_template, request

from bridge.auth import login_required
from bridge.dashboard import check_notes
from bridge.dashboard.doubled import COUNTED_MOST, doubled
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.dashboard.scopes import scope_labels
from bridge.settings import DEFAULT, load_book
from bridge.settings import setting as definition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.settings import Account, Book

OLD_MODULE = "old module"
"""The name under which the check of the shop tells of the module's tag."""
NAMESPACE = re.compile(r"[A-Za-z0-9_-]{0,60}")
SCOPES_MOST = 8
PROBE = "-other"
KINDS = {
    "customers.namespace": "contact",
    "products.namespace": "product",
    "orders.namespace": "order",
    "products.id_attribute": "product",
}
IDS = tuple(KINDS)
"""Settings that make the ids at Ometria; the name of a store is the other thing that cannot be changed later."""
STORES = "general.store_id_kind"


@dataclass(frozen=True, slots=True)
class Taken:
    """A setting to take over: where it stands in the newer and in the older module, and bridge's own ``key``."""

    key: str
    newer: str = ""
    older: str = ""


TAKEN = (
    Taken("general.account_id", mark("Credentials > Site Identifier (Account ID)"), "ometria/general/apikey"),
    Taken(
        "general.api_key", mark("Credentials > API Key"), mark("ometria/general/pushapikey, which pushed stock only")
    ),
    Taken("global.api_key", mark("Global account > API Key")),
    Taken("global.use_namespaces", mark("Global account > Use Entity Namespaces")),
    Taken(STORES, mark("always the store view's code"), mark("always the store view's number")),
    Taken("customers.namespace", mark("Customers > Namespace")),
    Taken("products.namespace", mark("Products > Namespace")),
    Taken("orders.namespace", mark("Orders > Namespace")),
    Taken(
        "products.id_attribute",
        mark("Products > Product ID Mapping"),
        mark("ometria/advanced/productmode; it is not in the form of the backend"),
    ),
    Taken("customers.merge", mark("Customers > Merge")),
    Taken("products.merge", mark("Products > Merge")),
    Taken("orders.merge", mark("Orders > Merge")),
    Taken("customers.newsletter_tracking", mark("Customers > Newsletter Subscription Status Tracking")),
    Taken("customers.mapping", mark("Customers > attribute mapping")),
    Taken("products.mapping", mark("Products > attribute mapping")),
    Taken("orders.mapping", mark("Orders > attribute mapping")),
    Taken("products.url_format", mark("Products > Use Custom Format for Product URL")),
    Taken("products.image", mark("Products > Use Image Size in Image URL")),
    Taken("products.image_number", mark("Products > Use Image Number in Image URL")),
    Taken("orders.currency", mark("Orders > Currency Type")),
    Taken(
        "orders.valid_statuses",
        mark("Orders > Valid Order Statuses"),
        mark("no setting: canceled, closed, complete, processing and pending_payment counted as valid"),
    ),
    Taken("export.schedule", mark("Data export > Schedule Expression")),
    Taken("export.max_per_run", mark("Data export > Max Entries per Job Session")),
    Taken("mail.mode", mark("Transactional emails > Mode, and each template id")),
    Taken("tracking.checkout", "", "ometria/advanced/checkout_tracking_enabled"),
    Taken("tracking.variant_pageview", "", "ometria/advanced/pageview_on_variant"),
    Taken("consent.mode", "", "ometria/advanced/enable_cookiebot, cookiebot_classification"),
    Taken("coupons.private_key", "", "ometria/general/privatekey"),
)
TOLD = ("mail.mode", "export.dry_run", "coupons.signed_api", "coupons.pull_api", "customers.subscription_time")
"""Settings whose present value stands beside the steps."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One setting at one scope: the value now and the module's; ``moved`` is what a change to that would do.

    ``moved`` counts ids at Ometria; ``most`` says that there are more. Without a module's value it is what any change
    would do.
    """

    key: str
    label: str
    scope: str
    now: str
    then: str
    same: bool
    moved: int
    most: bool


@login_required("viewer")
def from_module() -> str:
    """Show the page; what the module used may be named in the query, and is compared with what is set."""
    book = load_book()
    typed = {key: request.args.get(key, "").strip() for key in (*IDS, STORES)}
    asked = "compare" in request.args
    wrong = [key for key, value in typed.items() if asked and not _possible(key, value)]
    owners = list(dict.fromkeys(account.owner for account in book.accounts()))
    note = check_notes.notes()["shop"]
    values = book.settings(DEFAULT)
    return render_template(
        "dashboard/from_module.html",
        taken=[(one, definition(one.key), _shown(one.key, values[one.key])) for one in TAKEN],
        compared=compared(book, owners[:SCOPES_MOST], typed if asked and not wrong else {}),
        asked=asked,
        wrong=[definition(key).label for key in wrong],
        typed=typed,
        scopes=scope_labels(),
        scopes_more=len(owners) - SCOPES_MOST,
        counted_most=COUNTED_MOST,
        present={key: _shown(key, values[key]) for key in TOLD},
        cart_link_days=values["tracking.cart_link_days"],
        tag_of_module=[one.sentence for one in note.findings if one.name == OLD_MODULE],
        looked_at=note.ended,
        now=time.time(),
    )


def compared(book: Book, owners: list[str], wanted: Mapping[str, str]) -> list[Compared]:
    """Return how the settings that make ids stand at each scope that owns an account.

    ``wanted`` are the module's values by key; of a key that is missing it is shown what any change would do.
    """
    accounts = book.accounts()
    return [row for scope in owners for row in _compared(book, accounts, scope, wanted)]


def _compared(book: Book, accounts: Sequence[Account], scope: str, wanted: Mapping[str, str]) -> Iterator[Compared]:
    values = book.settings(scope)
    then = {key: wanted.get(key, _other(key, values[key])) for key in (*IDS, STORES)}
    # One look at all that differs: how many records move depends on their kind alone, not on which setting moves them.
    found = doubled(book, scope, {key: then[key] for key in IDS if then[key] != values[key]})
    for key, value in then.items():
        same = value == values[key]
        moving = [] if same else [one for one in found if one.kind == KINDS.get(key)]
        yield Compared(
            key,
            definition(key).label,
            scope,
            _shown(key, values[key]),
            _shown(key, value) if key in wanted else "",
            key in wanted and same,
            sum(one.count for one in moving) if key != STORES else 0 if same else _stores_moved(book, accounts, scope),
            any(one.most for one in moving),
        )


def _stores_moved(book: Book, accounts: Sequence[Account], scope: str) -> int:
    """Return how many store views that feed an account of this scope have another code than their number."""
    stores = [one for account in accounts if scope in book.lineage(account.owner) for one in account.stores]
    return len({store.ref for store in stores if store.code != str(store.id)})


def _other(key: str, now: Any) -> str:
    """Return a value that differs."""
    allowed = {"products.id_attribute": ("id", "sku"), STORES: ("code", "id")}.get(key)
    return next(one for one in allowed if one != now) if allowed else f"{now}{PROBE}"


def _possible(key: str, value: str) -> bool:
    if key.endswith(".namespace"):
        return NAMESPACE.fullmatch(value) is not None
    return value in ({"id", "sku"} if key == "products.id_attribute" else {"code", "id"})


def _shown(key: str, value: Any) -> str:
    """Return a value as people read it; of a secret only whether it is set."""
    if definition(key).secret:
        return _("set") if value else _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or _("empty")
    return str(value) or _("empty")
