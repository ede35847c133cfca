"""Personal data made unreadable for logs. Values in, values out."""

from __future__ import annotations

from typing import Any

from bridge.events import (
    AddedToCart,
    AnyEvent,
    BasketChanged,
    Identified,
    MailExpected,
    OrderPlaced,
    PasswordReset,
    Registered,
    Subscribed,
    SubscriptionTold,
)

PERSONAL = {
    "city",
    "date_of_birth",
    "firstname",
    "gender",
    "ip_address",
    "lastname",
    "middlename",
    "phone_number",
    "postcode",
    "prefix",
    "properties",
    "state",
}
HIDDEN = "•••"


def mask_email(email: str) -> str:
    """Return ``a•••@x.test`` for ``anna@x.test``."""
    name, mark, domain = email.rpartition("@")
    return f"{name[:1]}{HIDDEN}@{domain}" if mark else HIDDEN


def mask_record(value: Any) -> Any:
    """Return a record's JSON with names, addresses and e-mails hidden; ids, prices and states stay."""
    if isinstance(value, dict):
        return {key: _field(key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mask_record(inner) for inner in value]
    return value


def _field(key: str, value: Any) -> Any:
    if key == "email" and isinstance(value, str):
        return mask_email(value)
    return HIDDEN if key in PERSONAL else mask_record(value)


def summary(event: AnyEvent) -> str:
    """Return an event in a few words for people."""
    if isinstance(event, Identified | Registered | Subscribed):
        return mask_email(event.email) + _more(event)
    if isinstance(event, MailExpected | PasswordReset | SubscriptionTold):
        return _of_mail(event)
    if isinstance(event, OrderPlaced):
        name = event.number or (f"id {event.order}" if event.order else "")
        return f"order {name} by {'a guest' if event.guest else 'a customer'}"
    if isinstance(event, AddedToCart):
        return f"product {event.product}, quantity {event.quantity:g}"
    return event.action if isinstance(event, BasketChanged) else ""


def _of_mail(event: MailExpected | PasswordReset | SubscriptionTold) -> str:
    if isinstance(event, PasswordReset):
        return f"customer {event.customer}" if event.customer else mask_email(event.email)
    return f"{mask_email(event.email)} {event.mail if isinstance(event, MailExpected) else event.status}"


def _more(event: Identified | Registered | Subscribed) -> str:
    if isinstance(event, Identified):
        return f" by {event.source}"
    return " with newsletter" if isinstance(event, Registered) and event.subscribed else ""
