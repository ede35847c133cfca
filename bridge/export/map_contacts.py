"""Customers and newsletter subscribers -> contacts, each on a list of their own, since their numbers are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Refused, Skipped
from bridge.export.names import merge, namespaced, seconds
from bridge.export.properties import mapped_values, under
from bridge.export.records import Contact
from bridge.export.routes import customer_store

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from bridge.export.records import Property
    from bridge.settings import Account, Book, Store
    from bridge.store import AttributeInfo, Customer

GENDERS = {1: "m", 2: "f"}
SUBSCRIBED, UNSUBSCRIBED = 1, 3
FIELDS = {"phone_number", "timezone"}
"""Fields of Ometria's contact that only a merchant's mapping fills."""
PROPERTY_BYTES = 1000
"""What all properties of a contact together must stay under, as JSON."""
PHONE = re.compile(r"\+[0-9]{11,15}")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What passing traffic showed of a newsletter subscription: Magento's status, and when it changed.

    Status 1 subscribed, 2 not active, 3 unsubscribed, 4 unconfirmed, 0 unknown.
    """

    status: int
    changed_at: dt.datetime


def contact_record(
    customer: Customer,
    account: Account,
    book: Book,
    subscription: Subscription | None = None,
    attributes: Mapping[str, AttributeInfo] | None = None,
) -> Contact:
    """Return the contact of a customer account; ``attributes`` are those of customers by code, in its store view."""
    store = customer_store(customer.store_id, customer.website_id, book)
    if store is None or store not in account.stores:
        raise Skipped("The customer belongs to a store view of another account.")
    if customer.email is None:
        raise Refused("The customer has no e-mail address.")
    optin, subscribed_at, unsubscribed_at = _optin(customer, subscription, account)
    own, properties = mapped_values(
        customer.values, book.settings(store.ref)["customers.mapping"], FIELDS, attributes or {}
    )
    return Contact(
        collection=account.settings["customers.collection"],
        id=namespaced(account, "contact", customer.id),
        merge=merge(account, "contact"),
        email=customer.email,
        phone_number=_phone(own.get("phone_number")),
        customer_id=namespaced(account, "contact", customer.id),
        marketing_optin=optin,
        prefix=customer.prefix,
        firstname=customer.firstname,
        middlename=customer.middlename,
        lastname=customer.lastname,
        gender=GENDERS.get(customer.gender or 0),
        date_of_birth=customer.date_of_birth,
        country_id=customer.country,
        store_ids=[account.store_name(store)],
        timezone=str(own["timezone"]) if "timezone" in own else None,
        timestamp_acquired=seconds(customer.created_at),
        timestamp_subscribed=seconds(subscribed_at),
        timestamp_unsubscribed=seconds(unsubscribed_at),
        properties=under(properties, PROPERTY_BYTES) or None,
    )


def guest_record(subscriber: str, email: str, store: Store, account: Account, subscription: Subscription) -> Contact:
    """Return the contact of a newsletter subscriber without account; ``subscriber`` is our number of it."""
    settings = account.settings
    if not settings["customers.newsletter_tracking"]:
        raise Skipped("Newsletter status tracking is off.")
    if store not in account.stores:
        raise Skipped("The subscriber belongs to a store view of another account.")
    if subscription.status not in {SUBSCRIBED, UNSUBSCRIBED}:
        raise Skipped("The address is not subscribed and has no account.")
    if settings["customers.subscriber_collection"] == settings["customers.collection"]:
        raise Refused(
            "Customers and subscribers have the same collection, so one would overwrite the other: "
            "change customers.subscriber_collection."
        )
    subscribed = subscription.status == SUBSCRIBED
    return Contact(
        collection=settings["customers.subscriber_collection"],
        id=namespaced(account, "contact", subscriber),
        merge=merge(account, "contact"),
        email=email,
        marketing_optin="EXPLICITLY_OPTEDIN" if subscribed else "EXPLICITLY_OPTEDOUT",
        store_ids=[account.store_name(store)],
        timestamp_subscribed=seconds(subscription.changed_at) if subscribed else None,
        timestamp_unsubscribed=None if subscribed else seconds(subscription.changed_at),
    )


def _optin(
    customer: Customer, known: Subscription | None, account: Account
) -> tuple[str | None, dt.datetime | None, dt.datetime | None]:
    """Return opt-in, time of subscription and of its end.

    The shop's present word stands above an older observation. Merely not subscribed is no opt-out: at Ometria an
    opt-out of one list overrules the opt-ins of all others.
    """
    if customer.subscribed is None or not account.settings["customers.newsletter_tracking"]:
        return None, None, None
    if customer.subscribed:
        return "EXPLICITLY_OPTEDIN", _subscribed_at(customer, known, account), None
    if known and known.status == UNSUBSCRIBED:
        return "EXPLICITLY_OPTEDOUT", None, known.changed_at
    return "NOT_SPECIFIED", None, None


def _subscribed_at(customer: Customer, known: Subscription | None, account: Account) -> dt.datetime | None:
    """Return since when the customer is subscribed, or the earliest it can be; never the time of the export.

    The shop does not tell, and Ometria takes an opt-in without a time as one of this moment.
    """
    if known and known.status == SUBSCRIBED:
        return known.changed_at
    if account.settings["customers.subscription_time"] == "none":
        return None
    return known.changed_at if known and known.status == UNSUBSCRIBED else customer.created_at


def _phone(value: Property | None) -> str | None:
    """Return a telephone number as Ometria takes it, with its country code, or None.

    Which country is not guessed, nor what a zero in brackets stands for.
    """
    plain = re.sub(r"[\s./-]", "", str(value)) if value is not None else ""
    return plain if PHONE.fullmatch(plain) else None
