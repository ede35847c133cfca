"""What must be set up at Ometria for what is sent to be of use: stores, currencies, fields; made from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import render_template

from bridge.auth import login_required
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import mark
from bridge.settings import load_book, mapped_attributes

if TYPE_CHECKING:
    from bridge.settings import Account, Book

FIELDS = {"customers": mark("Contacts"), "products": mark("Products"), "orders": mark("Orders")}
OWN_FIELDS = {"phone_number", "timezone", "ip_address", "web_id"}
"""What a mapping may fill that every account has."""


@dataclass(slots=True)
class Needs:
    """What one account must know. ``stores`` are the names by which store views are sent, with what people call them.

    ``currencies`` are those of prices and orders; ``base`` those of the shop's own books, ``both`` whether lines carry
    them, too. ``attributes`` and ``properties`` are by kind of record.
    """

    account: str
    label: str
    stores: list[tuple[str, str]]
    currencies: list[str]
    base: list[str]
    both: bool
    collections: list[str]
    attributes: list[str]
    properties: dict[str, list[str]] = field(default_factory=dict)


@login_required("viewer")
def ometria_side() -> str:
    """Show, for each account, what to set up there."""
    book = load_book()
    labels = account_labels(book)
    return render_template("dashboard/ometria_side.html", needs=[needs(one, book, labels) for one in book.accounts()])


def needs(account: Account, book: Book, labels: dict[str, str]) -> Needs:
    """Return what an account must know of what it is sent."""
    views = [book.settings(store.ref) for store in account.stores]
    currency = {settings["orders.currency"] for settings in views}
    settings = account.settings
    collections = [settings["customers.collection"]]
    if any(view["customers.newsletter_tracking"] for view in views):
        collections.append(settings["customers.subscriber_collection"])
    rows = {name: [row for view in views for row in mapped_attributes(view[f"{name}.mapping"])] for name in FIELDS}
    rows["products"] = list(mapped_attributes(settings["products.mapping"]))
    return Needs(
        account=account.id,
        label=labels.get(account.id, account.owner),
        stores=[(account.store_name(store), store.name or store.code) for store in account.stores],
        currencies=_known(store.currency or store.base_currency for store in account.stores),
        base=_known(store.base_currency for store in account.stores),
        both=bool(currency & {"base", "both"}),
        collections=collections,
        attributes=_known(row.name for row in rows["products"] if row.form != "property"),
        properties={
            label: found
            for name, label in FIELDS.items()
            if (
                found := _known(
                    row.name
                    for row in rows[name]
                    if row.name not in OWN_FIELDS and (name != "products" or row.form == "property")
                )
            )
        },
    )


def _known(values: object) -> list[str]:
    """Return each text once, in order, without empty ones."""
    return list(dict.fromkeys(value for value in values if value))  # type: ignore[attr-defined] # any iterable of texts
