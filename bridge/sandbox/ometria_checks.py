"""Checks of single values, as Ometria's documentation and public clients describe them. Each answers yes or no."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

MOST_PROPERTIES: Final = 100
MOST_CONTACT_PROPERTIES_TEXT: Final = 1_000
MOST_EVENT_PROPERTY_TEXT: Final = 512
RESERVED_COLLECTIONS: Final = ("optin:sms", "double_optin:sms")

Check = Callable[[Any], bool]

_EMAIL = re.compile(r"[^@\s<>\",;]+@[^@\s<>\",;]+\.[^@\s<>\",;.]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


def is_text(value: Any) -> bool:
    """Take any string."""
    return isinstance(value, str)


def is_filled(value: Any) -> bool:
    """Take a string with something in it."""
    return isinstance(value, str) and bool(value.strip())


def is_id(value: Any) -> bool:
    """Take a string, never a number, that is no e-mail address: ids may become public."""
    return is_filled(value) and not _EMAIL.fullmatch(value)


def is_number(value: Any) -> bool:
    """Take a JSON number: a string of digits is refused, and Python's bool is no number either."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_flag(value: Any) -> bool:
    """Take true and false."""
    return isinstance(value, bool)


def is_email(value: Any) -> bool:
    """Take what looks like an e-mail address."""
    return isinstance(value, str) and bool(_EMAIL.fullmatch(value))


def is_time(value: Any) -> bool:
    """Take ISO 8601 with date, time and zone, and a day that exists."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_date(value: Any) -> bool:
    """Take a day as YYYY-MM-DD that exists."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_url(value: Any) -> bool:
    """Take an absolute address on the web."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def is_properties(value: Any) -> bool:
    """Take an object of at most 100 custom fields."""
    return isinstance(value, dict) and len(value) <= MOST_PROPERTIES


def is_contact_properties(value: Any) -> bool:
    """Take custom fields of a contact: under 1,000 characters of JSON in all, keys included."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return is_properties(value) and len(text) < MOST_CONTACT_PROPERTIES_TEXT


def is_event_properties(value: Any) -> bool:
    """Take custom fields of an event: no string of more than 512 characters."""
    return is_properties(value) and all(
        len(item) <= MOST_EVENT_PROPERTY_TEXT for item in value.values() if isinstance(item, str)
    )


def is_collection(value: Any) -> bool:
    """Take free text, except the two names with which Ometria starts SMS opt-ins."""
    return is_filled(value) and value not in RESERVED_COLLECTIONS


def one_of(*choices: str) -> Check:
    """Take exactly one of these strings."""
    return lambda value: isinstance(value, str) and value in choices


def matching(pattern: str) -> Check:
    """Take a string that the pattern describes as a whole."""
    return lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value))


def is_list_id(value: Any) -> bool:
    """Take the number of a static list."""
    return type(value) is int


is_phone = matching(_PHONE.pattern)
is_currency = matching("[A-Z]{3}")
is_country = matching("[A-Z]{2}")
