"""What the shop calls the options that its orders and customers name by number; read only where it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.export.properties import option_ids
from bridge.settings import mapped_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.events import Kind
    from bridge.store import AttributeInfo, Customer, Order, Store

log = structlog.get_logger()


def options_of_order(order: Order, view: str, store: Store) -> dict[str, AttributeInfo]:
    """Return the attributes of what was chosen, by id, in the words of a store view."""
    chosen = [option for line in order.lines for option in line.options]
    ids = {one.attribute: [other.option for other in chosen if other.attribute == one.attribute] for one in chosen}
    return _read("product", ids, lambda name, _: ids[name], view, store)


def options_of_customer(customer: Customer, rows: Sequence[str], view: str, store: Store) -> dict[str, AttributeInfo]:
    """Return the customer attributes that a mapping names, by code; the parts of an address have none."""
    values = customer.values
    codes = [row.attribute for row in mapped_attributes(rows) if row.attribute in values and "." not in row.attribute]
    return _read("contact", codes, lambda name, found: option_ids(values[name], found), view, store)


def _read(
    kind: Kind,
    names: Sequence[str] | Mapping[str, Sequence[str]],
    wanted: Callable[[str, AttributeInfo], Sequence[str]],
    view: str,
    store: Store,
) -> dict[str, AttributeInfo]:
    """Read attributes, and those again that lack an option: it may be newer than what the adaptor has kept."""
    if not names:
        return {}
    found = store.attributes(kind, list(names), view)
    lacking = [name for name, info in found.items() if _unknown(wanted(name, info), info)]
    if lacking:
        found = found | store.attributes(kind, lacking, view, fresh=True)
    for name in lacking:
        info = found[name]
        for option in _unknown(wanted(name, info), info):
            log.warning("option without a label", attribute=info.code, option=option, store=view, next="it is left out")
    return found


def _unknown(options: Sequence[str], info: AttributeInfo) -> list[str]:
    """Return the options that an attribute with options does not have."""
    return sorted(set(options) - info.options.keys()) if info.options else []
